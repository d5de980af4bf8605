"""What a directory holds, in a form that can be compared, and what must be true of it after anything."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from processor.adapters.postgres.reading import PostgresQueries
from processor.domain.directory.contact import Contact
from processor.domain.directory.matching import MergeRules, ref_key, stored_keys
from processor.domain.directory.row import from_row

__all__ = ["State", "contents", "look"]

_MANY = 10_000
_COLUMNS = "ext_ref, email, phone, first_name, last_name, language, unsubscribed, embedded, why"


@dataclass(frozen=True, slots=True)
class State:
    """All of a directory: live contacts, owners of keys, who waits for keys, transactions, memberships."""

    contacts: Mapping[int, Contact]
    owners: Mapping[bytes, int]
    waiting: frozenset[tuple[bytes, int]]
    transactions: Mapping[str, tuple[int, int | None]]
    """messageId to the contact, and to the one whose it was before a merge."""
    members: frozenset[tuple[str, int, bool]]

    def check(self, rules: MergeRules) -> None:
        """Whoever carries a key has it or waits for it; whoever has it carries it; nobody waits for a free one."""
        carried = {n: {*stored_keys(rules, contact.values), *contact.adopted} for n, contact in self.contacts.items()}
        for key, owner in self.owners.items():
            assert key in carried.get(owner, ()), f"a key leads to {owner}, which does not carry it"
        for contact, keys in carried.items():
            assert keys <= self.owners.keys(), f"{contact} cannot be found by a key that it carries"
            for key in keys:
                has, waits = self.owners[key] == contact, (key, contact) in self.waiting
                assert has or waits, f"{contact} carries a key that {self.owners[key]} has, and does not wait for it"
        for key, contact in self.waiting:
            assert key in carried.get(contact, ()), f"{contact} waits for a key that it does not carry"
            assert self.owners[key] != contact, f"{contact} waits for a key that it has"
        assert {contact for contact, _ in self.transactions.values()} <= self.contacts.keys()

    def references(self) -> Counter[bytes]:
        """The keys of live contacts' external references; one that is there twice: twins."""
        return Counter(key for contact in self.contacts.values() if (key := ref_key(contact.values)) is not None)


async def look(pool: Any, directory: str) -> State:
    async with pool.acquire() as connection:
        number = await connection.fetchval("SELECT dir FROM directories WHERE id = $1", directory)

        async def rows(columns: str, table: str, more: str = "") -> list[Any]:
            return [
                tuple(row)
                for row in await connection.fetch(f"SELECT {columns} FROM {table} WHERE dir = $1 {more}", number)
            ]

        contacts = await rows(f"id, {_COLUMNS}", "contacts", "AND merged_into IS NULL")
        done = await rows("message_id, contact, recorded_for", "transactions")
        owners = dict(await rows("key, contact", "match_keys", "AND contact > 0"))
        waiting = frozenset(await rows("key, contact", "waiting_keys"))
        members = frozenset(await rows("list, contact, unsubscribed", "list_members"))
    assert max(Counter(message for message, *_ in done).values(), default=1) == 1, "a transaction twice"
    found = {id_: from_row(standard, embedded, why) for id_, *standard, embedded, why in contacts}
    return State(found, owners, waiting, {message: tuple(rest) for message, *rest in done}, members)


async def contents(pool: Any, directory: str) -> tuple[list[Any], list[Any]]:
    """(contacts, transactions) as the API shows them, without ids and creation stamps: values, and their writers."""
    found = await PostgresQueries(pool).contacts(directory, 0, _MANY)
    names = {contact.id: (contact.ext_ref or "").strip().casefold() for contact in found}
    people = []
    for contact in sorted(found, key=lambda contact: names[contact.id]):
        standard = (contact.ext_ref, contact.email, contact.phone, contact.first_name, contact.last_name)
        people.append((*standard, contact.language, contact.unsubscribed, contact.embedded, contact.writers))
    rows = await pool.fetch(
        "SELECT t.contact, t.message_id, t.mapping, t.date, t.data, t.mailing_list FROM transactions t"
        " JOIN directories d USING (dir) WHERE d.id = $1 ORDER BY t.message_id, t.mapping, t.key",
        directory,
    )
    return people, [{**row, "contact": names[row["contact"]]} for row in rows]
