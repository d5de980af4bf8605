"""Writes from outside the log on real PostgreSQL: shared keys, stitching, merging, forgetting, lists, repeats."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import SecretStr

from processor.adapters.postgres.pool import open_pool
from processor.adapters.postgres.reading import PostgresQueries
from processor.adapters.postgres.revisions import PostgresRevisions
from processor.adapters.postgres.writing import PostgresDirectoryWriter
from processor.domain.directory.command import Command, Membership, Transaction
from processor.domain.directory.effect_keys import effect_key
from processor.domain.directory.matching import guard_key, lookup_keys, ref_key
from processor.domain.events.subjects import subjects
from processor.domain.outcome import Rejection
from processor.domain.rules import Directory
from processor.errors import RejectedError
from processor.settings import Settings

pytestmark = pytest.mark.integration

RULES = (("extRef",), ("email",), ("phone",))


class Desk:
    """Somebody who writes one directory, a millisecond later each time."""

    def __init__(self, pool: Any, rules: tuple[tuple[str, ...], ...] = RULES) -> None:
        self.pool = pool
        self.writer = PostgresDirectoryWriter(pool)
        self.directory = Directory("POOL_1", "One", rules)
        self.now = 0

    def command(self, **values: Any) -> Command:
        self.now += 1
        rules = self.directory.merge_rules
        return Command(
            "POOL_1",
            "api/test",
            "api",
            f"m{self.now:04}",
            self.now,
            values,
            keys=lookup_keys(rules, values),
            guard=guard_key(rules, values),
        )

    async def do(self, *commands: Command, once: bytes | None = None) -> list[Any]:
        return list(await self.writer.write(self.directory, commands, revision=1, once=once))

    async def put(self, **values: Any) -> int:
        ((contact, _),) = await self.do(self.command(**values))
        assert contact is not None
        return contact

    def stitch(self, former: str, known: str) -> Command:
        command = self.command(extRef=known)
        return command._replace(mapping="stitch", formerly=ref_key({"extRef": former}))

    def buy(self, name: str, **values: Any) -> Command:
        key = effect_key("transaction", "web", "crm/buy", name)
        command = self.command()
        keys = lookup_keys(self.directory.merge_rules, values)
        return command._replace(initial=values, keys=keys, transaction=Transaction(key, 1_000, {"name": name}))

    async def all(self) -> dict[int, dict[str, Any]]:
        rows = await PostgresQueries(self.pool).contacts("POOL_1", -1, 1_000)
        return {row.id: {"extRef": row.ext_ref, "email": row.email, "phone": row.phone} for row in rows}

    async def bought(self, contact: int) -> list[str]:
        rows = await PostgresQueries(self.pool).transactions(contact, None, 100)
        return sorted(row.data["name"] for row in rows)

    async def snapshot(self) -> list[Any]:
        """Everything that a merge touches, but for when."""
        tables = (
            "SELECT id, ext_ref, email, phone, embedded, why::text, merged_into FROM contacts ORDER BY id",
            "SELECT key, contact FROM match_keys WHERE contact IS NOT NULL ORDER BY key",
            "SELECT key, contact FROM waiting_keys ORDER BY key, contact",
            "SELECT key, contact, recorded_for FROM transactions ORDER BY key",
            "SELECT list, contact, unsubscribed FROM list_members ORDER BY list, contact",
        )
        return [[tuple(row) for row in await self.pool.fetch(table)] for table in tables]


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    pool = await open_pool(Settings(postgres=SecretStr(database)))
    await pool.execute("INSERT INTO directories (id, name, key_rules) VALUES ('POOL_1', 'One', $1)", RULES)
    yield Desk(pool)
    await pool.close()


async def test_the_first_rule_with_a_match_decides(desk: Desk) -> None:
    """Rules with an empty field are skipped; text is compared trimmed and without regard to case."""
    ada = await desk.put(extRef="ada", email="ada@x")
    bob = await desk.put(extRef="bob", email="bob@x")
    assert await desk.put(extRef="ADA ", email="bob@x") == ada
    assert await desk.put(email=" Bob@X", phone="1") == bob
    assert await desk.put(phone="1") == bob
    assert len(await desk.all()) == 2


async def test_tells_how_many_were_ambiguous_and_left_out(desk: Desk) -> None:
    """For the metrics; once a write, also when it had to be repeated."""
    told: list[tuple[int, int]] = []
    desk.writer = PostgresDirectoryWriter(desk.pool, lambda *each: told.append(each))
    await desk.put(extRef="ada")
    await desk.put(extRef="bob", email="home@x")
    await desk.do(desk.command(extRef="ada", email="home@x")._replace(dropped=2))
    assert told == [(0, 0), (0, 0), (1, 2)]


async def test_a_key_that_two_carry_goes_to_the_next_oldest(desk: Desk) -> None:
    """Found by an address that its first owner gave up, although nobody looked by it meanwhile."""
    ada = await desk.put(extRef="ada", email="home@x")
    bob = await desk.put(extRef="bob", email="bob@x")
    eve = await desk.put(extRef="eve", email="eve@x")
    assert await desk.put(extRef="eve", email="home@x") == eve
    assert await desk.put(extRef="bob", email="home@x") == bob
    assert await desk.put(email="home@x") == ada
    await desk.put(extRef="ada", email="ada@x")
    assert await desk.put(email="home@x") == bob
    await desk.writer.delete_contact("POOL_1", bob, "test")
    assert await desk.put(email="home@x") == eve
    assert await desk.pool.fetchval("SELECT count(*) FROM waiting_keys") == 0


async def test_the_heir_is_known_within_one_transaction(desk: Desk) -> None:
    """A command that looks by a key let go by an earlier one of the same batch finds the heir, and makes no twin."""
    await desk.put(extRef="ada", email="home@x")
    bob = await desk.put(extRef="bob", email="bob@x")
    await desk.put(extRef="bob", email="home@x")
    became = await desk.do(desk.command(extRef="ada", email="ada@x"), desk.command(email="home@x", phone="7"))
    assert became[1].contact == bob
    assert len(await desk.all()) == 2


async def test_an_anonymous_contact_gets_its_name(desk: Desk) -> None:
    """And is still found by the old one; a second stitch of the same two changes nothing."""
    await desk.do(desk.buy("visit", extRef="anon-1"))
    ((contact, _),) = await desk.do(desk.stitch("anon-1", "ada"))
    assert (await desk.all())[contact]["extRef"] == "ada"
    assert [became.result for became in await desk.do(desk.stitch("anon-1", "ada"))] == ["repeated"]
    await desk.do(desk.buy("late", extRef="anon-1"), desk.buy("known", extRef="ada"))
    assert await desk.bought(contact) == ["known", "late", "visit"]
    assert len(await desk.all()) == 1


async def test_an_anonymous_contact_goes_into_the_known_one(desk: Desk) -> None:
    """In the same batch in which both were made too; somebody else on that machine is not taken for the same."""
    became = await desk.do(
        desk.buy("before", extRef="anon-1"),
        desk.command(extRef="ada", email="ada@x"),
        desk.stitch("anon-1", "ada"),
        desk.buy("after", extRef="anon-1"),
    )
    ada = became[1].contact
    assert await desk.bought(ada) == ["after", "before"]
    await desk.do(desk.stitch("anon-1", "bob"))
    assert [found["extRef"] for found in (await desk.all()).values()] == ["ada"]


async def test_merging_and_taking_it_back(desk: Desk) -> None:
    """Fields by their stamps, keys, transactions and lists go over; taken back, everything is as it was."""
    list_ = await desk.writer.create_list("POOL_1", "News")
    ada = await desk.put(extRef="ada", email="old@x", phone="1")
    twin = await desk.put(extRef="twin", email="new@x", **{"embeddedData.plan": "pro"})
    await desk.do(desk.buy("a", extRef="ada"), desk.buy("t", extRef="twin"))
    joined = desk.command(extRef="twin")._replace(memberships=[Membership(list_, unsubscribed=True)])
    await desk.do(joined)
    before = await desk.snapshot()
    merged = await desk.writer.merge(ada, twin, "test")
    assert (merged.winner, merged.loser, merged.transactions) == (ada, twin, 1)
    assert await desk.all() == {ada: {"extRef": "ada", "email": "new@x", "phone": "1"}}
    assert await desk.bought(ada) == ["a", "t"]
    assert await desk.put(extRef="twin", **{"embeddedData.seen": "yes"}) == ada
    ((named, result),) = await desk.do(desk.command(**{"embeddedData.by": "id"})._replace(contact=twin, keys=()))
    assert (named, result) == (ada, "changed")
    with pytest.raises(RejectedError) as refused:
        await desk.writer.merge(ada, twin, "test")
    assert refused.value.code == "same_contact"
    assert (await desk.writer.unmerge(twin, "test")).transactions == 1
    assert await desk.bought(twin) == ["t"]
    # What was written since the merge stays with the winner; its name was never the loser's.
    assert [row.embedded for row in await PostgresQueries(desk.pool).contacts("POOL_1", -1, 9)] == [
        {"seen": "yes", "by": "id"},
        {"plan": "pro"},
    ]
    assert (await desk.all())[twin]["email"] == "new@x"
    assert await desk.put(email="old@x") == ada
    assert await desk.put(email="new@x") == twin
    with pytest.raises(RejectedError) as refused:
        await desk.writer.unmerge(twin, "test")
    assert refused.value.code == "not_merged"
    assert (await desk.snapshot())[4] == before[4]


async def test_what_was_merged_stays_one_while_both_names_are_in_use(desk: Desk) -> None:
    """By reference, which stays the winner's, and by a field that each event writes anew."""
    ada = await desk.put(extRef="ada", email="ada@x")
    bob = await desk.put(extRef="bob", email="bob@x")
    await desk.writer.merge(ada, bob, "test")
    for _ in range(2):
        assert await desk.put(extRef="bob", email="bob@x") == ada
        assert await desk.put(extRef="ada", email="ada@x") == ada
        assert await desk.put(email="bob@x") == ada
    assert (await desk.all())[ada]["extRef"] == "ada"


async def test_a_merge_taken_back_at_once_leaves_no_trace(desk: Desk) -> None:
    """Also where both carried the same key, and a third one waits for it."""
    list_ = await desk.writer.create_list("POOL_1", "News")
    ada = await desk.put(extRef="ada", email="home@x")
    bob = await desk.put(extRef="bob", email="bob@x")
    eve = await desk.put(extRef="eve", email="eve@x")
    await desk.put(extRef="bob", email="home@x")
    await desk.put(extRef="eve", email="home@x")
    await desk.do(desk.buy("b", extRef="bob"), desk.buy("a", extRef="ada"))
    await desk.do(desk.command(extRef="bob")._replace(memberships=[Membership(list_)]))
    before = await desk.snapshot()
    for winner, loser in ((ada, bob), (bob, ada), (eve, ada)):
        await desk.writer.merge(winner, loser, "test")
        await desk.writer.unmerge(loser, "test")
        assert await desk.snapshot() == before


async def test_merges_are_taken_back_in_order(desk: Desk) -> None:
    """The later one first, and a winner that was itself merged away before its own losers."""
    ada, bob, eve = [await desk.put(extRef=name) for name in ("ada", "bob", "eve")]
    before = await desk.snapshot()
    await desk.writer.merge(ada, bob, "test")
    await desk.writer.merge(eve, ada, "test")
    assert await desk.put(extRef="bob") == eve
    with pytest.raises(RejectedError) as refused:
        await desk.writer.unmerge(bob, "test")
    assert refused.value.code == "merged_since"
    await desk.writer.unmerge(ada, "test")
    await desk.writer.unmerge(bob, "test")
    after = await desk.snapshot()
    assert after[1:] == before[1:]
    assert [row[0] for row in after[0] if row[6] is None] == [ada, bob, eve]


async def test_who_is_suppressed_does_not_come_back(desk: Desk) -> None:
    """By no rule, until it is lifted; somebody else who shares the address keeps it."""
    ada = await desk.put(extRef="ada-lovelace", email="home@x", phone="1")
    bob = await desk.put(extRef="bob", email="bob@x")
    await desk.put(extRef="bob", email="home@x")
    await desk.do(desk.buy("a", extRef="ada-lovelace"))
    erased = await desk.writer.suppress("Ada-Lovelace", "test")
    assert (erased.contacts, erased.transactions) == (1, 1)
    suppressed = await desk.do(
        desk.command(extRef="ada-lovelace", email="else@x"),
        desk.buy("b", extRef="ada-lovelace"),
        desk.command(phone="1"),
    )
    assert [(became.contact, became.result) for became in suppressed] == [(None, "suppressed")] * 3
    assert await desk.put(email="home@x") == bob
    assert list(await desk.all()) == [bob]
    assert await desk.pool.fetchval("SELECT count(*) FROM transactions") == 0
    assert await desk.writer.unsuppress("ada-lovelace")
    assert not await desk.writer.unsuppress("ada-lovelace")
    assert await desk.put(extRef="ada-lovelace", phone="1") not in (ada, bob)
    rows = await desk.pool.fetch("SELECT hash, contacts, by FROM erasures")
    assert [(row["hash"], row["contacts"], row["by"]) for row in rows] == [(erased.hash, 1, "test")]


async def test_one_address_of_two_suppressed_people_needs_both_lifted(desk: Desk) -> None:
    """A key is free again when nobody holds it any more."""
    desk.directory = Directory("POOL_1", "One", (("email",),))
    await desk.put(extRef="ada", email="home@x")
    await desk.writer.suppress("ada", "test")
    await desk.pool.execute("UPDATE suppressions SET hash = '\\x00'")
    await desk.writer.suppress("ada", "test")
    await desk.pool.execute(
        "UPDATE suppressions SET keys = (SELECT keys FROM suppressions WHERE hash = '\\x00') WHERE hash <> '\\x00'"
    )
    assert await desk.writer.unsuppress("ada")
    ((_, result),) = await desk.do(desk.command(email="home@x"))
    assert result == "suppressed"


async def test_deleting_takes_everything_and_suppresses_nobody(desk: Desk) -> None:
    """With those merged into it; its dead letters are emptied, other people's stay."""
    list_ = await desk.writer.create_list("POOL_1", "News")
    ada = await desk.put(extRef="ada-1", email="ada@shop.example")
    twin = await desk.put(extRef="ada-2", email="ada2@shop.example")
    await desk.do(desk.buy("a", extRef="ada-1")._replace(memberships=[Membership(list_)]))
    await desk.writer.merge(ada, twin, "test")
    letters = [(b"ada-1", b"{}"), (b"x", b'{"traits":{"email":"ada2@shop.example"}}'), (b"bob", b'{"userId":"bob"}')]
    for number, (key, value) in enumerate(letters):
        await desk.pool.execute(
            'INSERT INTO dead_letters (service, topic, topic_id, partition, "offset", mapping, code, reason, source,'
            " message_id, headers, key, value, received, revision, subjects)"
            " VALUES ('directory', 't', gen_random_uuid(), 0, $1, '', 'c', 'r', 'web', 'm', '[]', $2, $3,"
            " now(), 1, $4)",
            number,
            key,
            value,
            subjects(key, value),
        )
    erased = await desk.writer.delete_contact("POOL_1", twin, "test")
    assert erased is not None
    assert (erased.contacts, erased.transactions, erased.dead_letters, erased.memberships) == (2, 1, 2, 1)
    assert await desk.writer.delete_contact("POOL_1", twin, "test") is None
    left = await desk.pool.fetch("SELECT state, value FROM dead_letters ORDER BY id")
    assert [tuple(row) for row in left] == [("erased", None), ("erased", None), ("open", b'{"userId":"bob"}')]
    snapshot = await desk.snapshot()
    assert snapshot == [[], [], [], [], []]
    assert await desk.put(extRef="ada-1") != ada


async def test_lists_are_joined_once_and_left(desk: Desk) -> None:
    """A list that nobody knows rejects the command; the document's cannot be renamed or deleted by a call."""
    list_ = await desk.writer.create_list("POOL_1", "News")
    ((_, refused),) = await desk.do(desk.command(extRef="ada")._replace(memberships=[Membership("CG_nowhere")]))
    assert isinstance(refused, Rejection)
    assert refused.code == "unknown_mailing_list"
    assert await desk.all() == {}
    ((ada, _),) = await desk.do(desk.command(extRef="ada")._replace(memberships=[Membership(list_)]))
    await desk.do(desk.command(extRef="ada")._replace(memberships=[Membership(list_, unsubscribed=True)]))
    await desk.do(desk.command(extRef="ada")._replace(memberships=[Membership(list_)]))
    assert [tuple(row) for row in (await desk.snapshot())[4]] == [(list_, ada, True)]
    twin = await desk.put(extRef="twin")
    await desk.writer.merge(ada, twin, "test")
    assert await desk.writer.leave_list("POOL_1", list_, twin)
    assert not await desk.writer.leave_list("POOL_1", list_, ada)
    assert await desk.writer.rename_list("POOL_1", list_, "Others")
    assert await desk.writer.delete_list("POOL_1", list_)
    assert not await desk.writer.delete_list("POOL_1", list_)
    await desk.pool.execute("INSERT INTO mailing_lists VALUES (1, 'CG_doc', 'Doc', true)")
    with pytest.raises(RejectedError) as kept:
        await desk.writer.delete_list("POOL_1", "CG_doc")
    assert kept.value.code == "list_of_document"


async def test_an_idempotency_key_writes_once(desk: Desk) -> None:
    """Whoever comes second, even at the same moment, has the first one's answer; a refused one frees the key."""
    bad = desk.command(extRef="ada")._replace(memberships=[Membership("CG_nowhere")])
    await desk.do(bad, once=b"k" * 16)
    commands = [desk.command(extRef="ada", email=f"{n}@x") for n in range(8)]
    became = await asyncio.gather(*(desk.do(command, once=b"k" * 16) for command in commands))
    assert sorted(each[0].result for each in became) == ["changed"] + ["repeated"] * 7
    assert len({each[0].contact for each in became}) == 1


async def test_calls_count_in_the_ledger_as_the_api(desk: Desk) -> None:
    """One class a command, effects by the token."""
    await desk.put(extRef="ada")
    await desk.do(desk.command(extRef="bob")._replace(memberships=[Membership("CG_nowhere")]))
    ledger = await PostgresQueries(desk.pool).ledger()
    (row,) = ledger.rows
    assert (row.service, row.source, row.applied, row.dead, row.read) == ("api", "api", 1, 1, 2)
    (effect,) = ledger.effects
    assert (effect.mapping, effect.emitted, effect.changed, effect.rejected) == ("api/test", 2, 1, 1)


DOCUMENT = """\
version: 1
directories:
  - {id: POOL_1, name: One, merge_rules: %s, mailing_lists: [{id: CG_all, name: All}]}
"""


async def test_new_rules_act_when_every_key_is_there(desk: Desk) -> None:
    """Contacts of before are found by the new rule; pairs that it would merge wait for each other, the older has it."""
    revisions = PostgresRevisions(desk.pool)
    await revisions.add(DOCUMENT % "[[extRef]]", "test")
    desk.directory = Directory("POOL_1", "One")
    ada = await desk.put(extRef="ada", email="home@x")
    bob = await desk.put(extRef="bob", email="Home@x")
    eve = await desk.put(extRef="eve", email="eve@x")
    told: list[tuple[str, int]] = []
    await PostgresRevisions(desk.pool, lambda *each: told.append(each)).add(DOCUMENT % "[[email], [extRef]]", "test")
    assert told == [("POOL_1", 3)]
    desk.directory = Directory("POOL_1", "One", (("email",), ("extRef",)))
    assert await desk.put(email="HOME@x") == ada
    assert await desk.put(email="eve@x") == eve
    assert await desk.pool.fetchval("SELECT contact FROM waiting_keys") == bob
    assert await desk.pool.fetchval("SELECT count(*) FROM mailing_lists WHERE of_document") == 1


async def test_a_rule_that_comes_back_finds_nobody_by_what_they_were(desk: Desk) -> None:
    """Keys of a rule that was not in force grow stale: whoever no longer carries one loses it to who does."""
    revisions = PostgresRevisions(desk.pool)
    for rules in ("[[email]]", "[[extRef]]", "[[phone]]"):
        await revisions.add(DOCUMENT % rules, "test")
        if rules == "[[email]]":
            desk.directory = Directory("POOL_1", "One", (("email",),))
            ada = await desk.put(extRef="ada", email="home@x", phone="1")
    desk.directory = Directory("POOL_1", "One", (("phone",),))
    await desk.put(phone="1", email="away@x")
    eve = await desk.put(extRef="eve", phone="2", email="home@x")
    await revisions.add(DOCUMENT % "[[email]]", "test")
    desk.directory = Directory("POOL_1", "One", (("email",),))
    assert await desk.put(email="home@x") == eve
    assert await desk.put(email="away@x") == ada
