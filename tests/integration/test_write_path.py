"""The one write path on real PostgreSQL: found, folded, written once, whoever writes beside it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from pydantic import SecretStr

from processor.adapters.postgres.commit import PostgresSink
from processor.adapters.postgres.pool import SESSION, open_pool
from processor.adapters.postgres.progress import Heartbeat, PostgresProgress
from processor.adapters.postgres.reading import PostgresQueries
from processor.domain.directory.command import Command, Transaction
from processor.domain.directory.effect_keys import effect_key
from processor.domain.directory.matching import lookup_keys
from processor.domain.outcome import Outcome, Rejection
from processor.domain.progress import Seen
from processor.domain.rules import Directory, Rules
from processor.errors import FencedError, RejectedError
from processor.ports.effects import Decided, Span
from processor.ports.log import Partition
from processor.settings import Settings

pytestmark = pytest.mark.integration

TOPIC_ID = UUID(int=7)
P0 = Partition("segment.events", 0)
BY_REF = Rules(1, {}, {"POOL_1": Directory("POOL_1", "One")}, ())
BY_EMAIL = Rules(1, {}, {"POOL_1": Directory("POOL_1", "One", (("email", "phone"), ("email",)))}, ())


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Any]:
    pool = await open_pool(Settings(postgres=SecretStr(database)))
    await pool.execute("INSERT INTO directories (id, name) VALUES ('POOL_1', 'One')")
    await pool.execute("INSERT INTO mailing_lists (dir, id, name, of_document) VALUES (1, 'CG_all', 'All', false)")
    yield pool
    await pool.close()


class Writer:
    """Applies batches of commands as one owner of one partition does."""

    def __init__(self, pool: Any, rules: Rules = BY_REF, partition: Partition = P0) -> None:
        self.sink = PostgresSink(pool, "directory")
        self.progress = PostgresProgress(pool, "directory", "me")
        self.rules, self.partition, self.next, self.epoch = rules, partition, 0, 0

    async def admit(self) -> "Writer":
        admission, _ = (await self.progress.acquire({self.partition: Seen(TOPIC_ID, 0, 1 << 40)}))[self.partition]
        self.epoch, self.next = admission.epoch, admission.next_offset
        return self

    def decided(self, outcomes: list[Outcome]) -> Decided:
        records = [
            SimpleNamespace(
                topic=self.partition.topic,
                partition=self.partition.partition,
                offset=self.next + number,
                timestamp=1_700_000_000_000,
                key=b"k",
                value=b'{"raw": true}',
                headers=(("source", b"web"),),
            )
            for number in range(len(outcomes))
        ]
        span = Span(self.partition, TOPIC_ID, self.epoch, self.next, self.next + len(outcomes))
        return Decided((span,), records, outcomes, self.rules)

    async def write(self, *commands: Command) -> Any:
        rules = self.rules.directories["POOL_1"].merge_rules
        commands = tuple(c._replace(keys=lookup_keys(rules, {**c.initial, **c.values})) for c in commands)
        outcomes = [Outcome("web", command.message_id, effects=[command]) for command in commands]
        tally = await self.sink.apply(self.decided(outcomes))
        self.next += len(outcomes)
        return tally


def person(message: str, at_ms: int = 1_000, **values: Any) -> Command:
    named = {
        name if name in ("extRef", "email", "phone", "firstName") else f"embeddedData.{name}": value
        for name, value in values.items()
    }
    return Command("POOL_1", "crm/contact", "web", message, at_ms, values=named)


def known(message: str) -> Command:
    return person(message, extRef="u1")._replace(keys=lookup_keys([("extRef",)], {"extRef": "u1"}))


def purchase(message: str, **values: Any) -> Command:
    key = effect_key("transaction", "web", "crm/purchase", message)
    item = Transaction(key, 1_700_000_000_000, {"total": "12"}, "CG_all")
    return Command("POOL_1", "crm/purchase", "web", message, 1_000, initial=values, transaction=item)


async def everyone(pool: Any) -> list[Any]:
    return await PostgresQueries(pool).contacts("POOL_1", 0, 1_000)


async def test_creates_updates_and_repeats(pool: Any) -> None:
    """Within one batch and over two: one contact, the later values, nothing new on a repeat."""
    writer = await Writer(pool).admit()
    first = person("m1", extRef="u1", email="a@x", plan="free")
    tally = await writer.write(first, person("m2", 2_000, extRef="U1 ", plan="pro"), first)
    assert sorted(result for *_, result in tally.effects.elements()) == ["changed", "changed", "superseded"]
    await writer.write(first, person("m2", 2_000, extRef="U1 ", plan="pro"))
    (contact,) = await everyone(pool)
    assert (contact.ext_ref, contact.email, contact.embedded) == ("U1 ", "a@x", {"plan": "pro"})
    assert contact.writers["email"].message == "m1"


async def test_a_transaction_counts_once_and_its_person_never_overwrites(pool: Any) -> None:
    writer = await Writer(pool).admit()
    await writer.write(person("m1", extRef="u1", email="real@x"), purchase("t1", extRef="u1", email="other@x"))
    tally = await writer.write(purchase("t1", extRef="u1"), purchase("t2", extRef="u2", email="two@x"))
    assert sorted(result for *_, result in tally.effects.elements()) == ["changed", "repeated"]
    one, two = sorted(await everyone(pool), key=lambda contact: contact.ext_ref or "")
    assert (one.email, two.email) == ("real@x", "two@x")
    assert await pool.fetchval("SELECT count(*) FROM transactions") == 2


async def test_merge_rules_in_order_the_first_with_a_match_decides(pool: Any) -> None:
    writer = await Writer(pool, BY_EMAIL).admit()
    await writer.write(
        person("m1", extRef="u1", email="a@x", phone="1"), person("m2", extRef="u2", email="a@x", phone="2")
    )
    assert len(await everyone(pool)) == 1  # the second rule matched
    await writer.write(person("m3", extRef="u9", firstName="Ann"))  # no rule is complete: extRef is the last one
    assert len(await everyone(pool)) == 2


async def test_a_changed_key_leads_to_the_contact_and_the_old_one_no_longer(pool: Any) -> None:
    rules = Rules(1, {}, {"POOL_1": Directory("POOL_1", "One", (("extRef",), ("email",)))}, ())
    writer = await Writer(pool, rules).admit()
    await writer.write(person("m1", extRef="u1", email="old@x"))
    await writer.write(person("m2", 2_000, extRef="u1", email="new@x"))
    await writer.write(person("m3", 3_000, email="new@x", plan="pro"), person("m4", 3_000, email="old@x"))
    contacts = await everyone(pool)
    assert len(contacts) == 2
    assert {contact.email: contact.embedded for contact in contacts} == {"new@x": {"plan": "pro"}, "old@x": {}}


async def test_many_writers_of_the_same_people_make_no_twins_and_no_deadlock(pool: Any) -> None:
    """Four owners, the same 150 people in different orders, empty store: 150 contacts, every transaction once."""

    async def work(number: int) -> None:
        writer = await Writer(pool, BY_EMAIL, Partition("segment.events", number)).admit()
        people = [(number * 37 + step * (2 * number + 1)) % 150 for step in range(150)]
        for start in range(0, 150, 50):
            batch = people[start : start + 50]
            await writer.write(
                *(person(f"m{n}", extRef=f"u{n}", email=f"{n}@x", phone=str(n)) for n in batch),
                *(purchase(f"t{n}", email=f"{n}@x") for n in batch),
            )

    await asyncio.gather(*(work(number) for number in range(4)))
    assert len(await everyone(pool)) == 150
    assert await pool.fetchval("SELECT count(*) FROM transactions") == 150
    assert await pool.fetchval("SELECT count(*) FROM match_keys WHERE contact IS NULL") == 0


async def test_a_zombie_cannot_write(pool: Any) -> None:
    """Who was overtaken is refused, and nothing of its batch is there."""
    zombie = await Writer(pool).admit()
    owner = await Writer(pool).admit()
    with pytest.raises(FencedError):
        await zombie.write(person("m1", extRef="zombie"))
    await owner.write(person("m2", extRef="owner"))
    assert [contact.ext_ref for contact in await everyone(pool)] == ["owner"]


async def test_a_recreated_topic_is_not_mistaken_for_the_old_one(pool: Any) -> None:
    """Same epoch and offset, another topic id: refused (the ABA hole of schema section 1)."""
    writer = await Writer(pool).admit()
    decided = writer.decided([Outcome("web", "m")])
    other = replace(decided, spans=(replace(decided.spans[0], topic_id=UUID(int=8)),))
    with pytest.raises(FencedError):
        await writer.sink.apply(other)


async def test_dead_letters_keep_the_raw_bytes_one_for_each_rejecting_mapping(pool: Any) -> None:
    writer = await Writer(pool).admit()
    rejections = [Rejection("missing_required", "email\x00", "crm/a"), Rejection("value_too_long", "b", "crm/b")]
    outcome = Outcome("web", "m1", effects=[known("m1")], rejections=rejections)
    tally = await writer.sink.apply(writer.decided([outcome, Outcome("web", "m2", "disabled")]))
    assert tally.by_class() == {"dead": 1, "disabled": 1}
    letters = await PostgresQueries(pool).dead_letters()
    assert sorted((letter.mapping, letter.code) for letter in letters) == [
        ("crm/a", "missing_required"),
        ("crm/b", "value_too_long"),
    ]
    shown = await PostgresQueries(pool).dead_letter(letters[0].id)
    assert shown is not None
    assert shown.value == b'{"raw": true}'
    assert len(await everyone(pool)) == 1
    ledger = await PostgresQueries(pool).ledger()
    assert ledger.unaccounted == {"directory": 0}


async def test_an_unknown_contact_id_rejects_that_command_alone(pool: Any) -> None:
    writer = await Writer(pool).admit()
    nobody = purchase("t1")._replace(contact=12345)
    outcomes = [Outcome("web", "t1", effects=[nobody]), Outcome("web", "m1", effects=[known("m1")])]
    tally = await writer.sink.apply(writer.decided(outcomes))
    assert tally.by_class() == {"dead": 1, "applied": 1}
    (letter,) = await PostgresQueries(pool).dead_letters()
    assert letter.code == "unknown_contact"
    assert await pool.fetchval("SELECT count(*) FROM transactions") == 0


async def test_unmatched_people_are_made_once_under_a_derived_id(pool: Any) -> None:
    writer = await Writer(pool).admit()
    command = person("m1", firstName="Ann")._replace(unmatched=(1 << 62) + 5)
    await writer.write(command)
    await writer.write(command)
    (contact,) = await everyone(pool)
    assert contact.id == (1 << 62) + 5


async def test_what_the_database_refuses_is_a_rejection_not_an_outage(pool: Any) -> None:
    """Nothing of the batch is written; the loop isolates the record."""
    writer = await Writer(pool).admit()
    with pytest.raises(RejectedError):
        await writer.write(person("m1", extRef="u1"), person("m2", extRef="u2", firstName="\x00"))
    assert await everyone(pool) == []


async def test_expired_records_and_holes_are_accounted_for(pool: Any) -> None:
    writer = await Writer(pool).admit()
    await writer.write(person("m1", extRef="u1"))
    admission, totals = (await writer.progress.acquire({P0: Seen(TOPIC_ID, 10, 20)}))[P0]
    assert (admission.next_offset, admission.expired) == (10, 9)
    assert totals["web"] == {"applied": 1}
    ledger = await PostgresQueries(pool).ledger()
    assert ledger.unaccounted == {"directory": 0}


async def test_a_frozen_owner_blocks_the_next_one_for_no_more_than_five_seconds(pool: Any, database: str) -> None:
    """An open transaction that holds the partition's row is ended by Postgres itself."""
    writer = await Writer(pool).admit()
    frozen = await asyncpg.connect(database, server_settings={"idle_in_transaction_session_timeout": "3s"})
    await frozen.execute("BEGIN")
    await frozen.execute("UPDATE progress SET next_offset = next_offset + 1")
    began = asyncio.get_running_loop().time()
    await Writer(pool).admit()
    assert asyncio.get_running_loop().time() - began < 5
    frozen.terminate()
    assert writer.epoch == 1


async def test_a_process_frozen_between_preparing_and_executing_is_ended(pool: Any, database: str) -> None:
    """Such a session counts as active, so no time-out of PostgreSQL ends it: another process does, after 3 s."""
    await Writer(pool).admit()
    frozen = await asyncpg.connect(database, server_settings=SESSION)
    await frozen.execute("BEGIN")
    await frozen.execute("UPDATE progress SET next_offset = next_offset + 1")
    copying = asyncio.create_task(frozen.copy_to_table("effect_keys", source=_never()))
    heartbeat = Heartbeat(pool, "other")
    began = asyncio.get_running_loop().time()
    while not await heartbeat.end_frozen():
        await asyncio.sleep(0.1)
        assert asyncio.get_running_loop().time() - began < 5
    await Writer(pool).admit()
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await copying
    frozen.terminate()


async def _never() -> AsyncIterator[bytes]:
    yield b""
    await asyncio.sleep(6)
    yield b""
