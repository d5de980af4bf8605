"""A directory of a million contacts, with everything that hangs on them in proportion, made by COPY."""

from collections.abc import AsyncIterator, Iterable, Iterator
from hashlib import blake2b
from itertools import islice

import asyncpg
import orjson

from processor.domain.directory.matching import stored_keys

__all__ = ["CONTACTS", "DIRECTORY", "RULES", "SMALL", "STARTED", "fill", "person", "transaction_key"]

CONTACTS = 1_000_000
DIRECTORY, SMALL = "POOL_large", "POOL_small"
RULES = (("extRef",), ("email",), ("phone", "lastName"))
STARTED = "2026-01-01 00:00:00+00"
_SMALL_FROM = CONTACTS - 20_000
"""The last contacts are of a second directory, so that a directory's number alone selects nothing."""
_TRANSACTIONS, _LETTERS, _MEMBERS, _WAITING, _LISTS = 400_000, 50_000, 200_000, 10_000, 20
_CALLS = 100_000
_WHY = '{"by":{"message":"m0","mapping":"crm/contact"},"w":[[1,1,"m0","crm/contact"]],"f":{"extRef":0,"email":0}}'


def person(number: int) -> dict[str, str]:
    """The values of a contact; every tenth has a phone number too."""
    values = {"extRef": f"u{number}", "email": f"u{number}@x.example", "lastName": f"n{number % 5_000}"}
    return values | {"phone": f"+{number}"} if number % 10 == 0 else values


def transaction_key(number: int) -> bytes:
    return blake2b(f"t{number}".encode(), digest_size=16).digest()


async def fill(dsn: str) -> None:
    """Fill a migrated, empty database; it is analysed and vacuumed afterwards, as autovacuum leaves it."""
    connection = await asyncpg.connect(dsn, command_timeout=120)
    try:
        await connection.executemany(
            "INSERT INTO directories (id, name, key_rules) VALUES ($1, $1, $2::text::jsonb)",
            [(name, orjson.dumps(RULES).decode()) for name in (DIRECTORY, SMALL)],
        )
        for table, columns, rows in _tables():
            async with connection.transaction():  # emptied in the same transaction, so nothing goes to the WAL
                await connection.execute(f"TRUNCATE {table}")
                await connection.copy_to_table(table, source=_bytes(rows), columns=columns)
        await connection.execute("SELECT setval('contact_ids', $1)".replace("$1", str(CONTACTS + 1)))
        await connection.execute("VACUUM (ANALYZE)")
    finally:
        await connection.close()


def _tables() -> Iterator[tuple[str, tuple[str, ...], Iterable[str]]]:
    """Table, columns, lines of COPY's text format; in the order of the primary key, which is built the faster."""
    numbers = range(1, CONTACTS + 1)
    standard = ("id", "dir", "ext_ref", "email", "phone", "last_name", "embedded", "why", "created_at", "merged_into")
    yield "contacts", standard, map(_contact, numbers)
    # One text each sorts in half the time of a tuple.
    kept = (n for n in numbers if not _loser(n))
    keys = sorted(
        f"{1 + (n > _SMALL_FROM)}\t\\\\x{key.hex()}\t{n}\n" for n in kept for key in stored_keys(RULES, person(n))
    )
    yield "match_keys", ("dir", "key", "contact"), keys
    made = sorted((transaction_key(n).hex(), n) for n in range(_TRANSACTIONS))
    yield "effect_keys", ("key",), (f"\\\\x{key}\n" for key, _ in made)
    columns = ("key", "dir", "contact", "date", "data", "source", "mapping", "message_id", "revision", "recorded_for")
    yield "transactions", columns, (_transaction(key, n) for key, n in made)
    columns = (
        "service", "topic", "topic_id", "partition", "offset", "mapping", "code", "reason", "source", "message_id",
        "headers", "key", "value", "received", "revision", "state",
    )  # fmt: skip
    yield "dead_letters", columns, map(_letter, range(_LETTERS))
    lists = sorted((n % _LISTS, n * 2 + 1) for n in range(_MEMBERS))
    yield "mailing_lists", ("dir", "id", "name", "of_document"), (f"1\tCG_{n}\tList {n}\tf\n" for n in range(_LISTS))
    yield "list_members", ("dir", "list", "contact"), (f"1\tCG_{list_}\t{n}\n" for list_, n in lists)
    waiting = sorted((stored_keys(RULES, person(n))[1].hex(), n + 1) for n in range(10, 10 + _WAITING))
    yield "waiting_keys", ("dir", "key", "contact"), (f"1\t\\\\x{key}\t{n}\n" for key, n in waiting)
    calls = sorted(transaction_key(n).hex() for n in range(_CALLS))
    yield "idempotency_keys", ("key", "contact"), (f"\\\\x{key}\t{n * 5 + 1}\n" for n, key in enumerate(calls))
    columns = ("dir", "winner", "loser", "keys", "snapshot", "by")
    yield "merges", columns, (f"1\t{n - 1}\t{n}\t{{}}\t{{}}\ttests\n" for n in numbers if _loser(n))


def _loser(number: int) -> bool:
    """Every hundredth contact was merged into the one before it."""
    return number % 100 == 0


def _contact(number: int) -> str:
    values = person(number)
    phone = values.get("phone", "\\N")
    winner = number - 1 if _loser(number) else "\\N"
    minute = f"2026-01-{1 + number % 28:02} {number % 24:02}:{number % 60:02}:00+00"
    return (
        f"{number}\t{1 if number <= _SMALL_FROM else 2}\t{values['extRef']}\t{values['email']}\t{phone}"
        f'\t{values["lastName"]}\t{{"n":"{number}"}}\t{_WHY}\t{minute}\t{winner}\n'
    )


def _transaction(key: str, number: int) -> str:
    contact = number + 1
    former = contact + 1 if _loser(contact + 1) else "\\N"
    date = f"2026-02-{1 + number % 28:02} 12:00:00+00"
    return f"\\\\x{key}\t1\t{contact}\t{date}\t{{}}\tweb\tcrm/purchase\tt{number}\t1\t{former}\n"


def _letter(number: int) -> str:
    state = "open" if number % 10 == 0 else "discarded"
    user = f"u{number * 3}".encode().hex()
    return (
        f"directory\tsegment.events\t00000000-0000-0000-0000-000000000007\t1\t{number}\tcrm/contact\tinvalid_field"
        f"\twhy\tweb\tm{number}\t[]\t\\\\x{user}\t\\\\x00\t{STARTED}\t1\t{state}\n"
    )


async def _bytes(lines: Iterable[str]) -> AsyncIterator[bytes]:
    left = iter(lines)
    while some := "".join(islice(left, 10_000)):
        yield some.encode()
