"""With a million contacts no write reads a large table from end to end, planned for its values or for any."""

from typing import Any

import pytest
from support.million import CONTACTS, DIRECTORY, RULES, SMALL, person, transaction_key
from support.owner import Owner

from processor.adapters.postgres.key_filling import fill_in
from processor.adapters.postgres.writing import PostgresDirectoryWriter
from processor.domain.directory.command import Command, Membership, Transaction
from processor.domain.directory.effect_keys import effect_key
from processor.domain.directory.matching import ref_key
from processor.domain.outcome import Outcome, Rejection
from processor.domain.rules import Directory, Rules

pytestmark = pytest.mark.integration

BATCH = 3_000
LARGE = Directory(DIRECTORY, "Large", RULES)
THREE_RULES = Rules(1, {}, {DIRECTORY: LARGE}, ())


async def owner(question: Any) -> Owner:
    return await Owner(question.pool, THREE_RULES).admit()


def identify(number: int, message: str, **values: str) -> Command:
    return Command(DIRECTORY, "crm/contact", "web", f"{message}-{number}", 2_000, values={**person(number), **values})


def purchase(number: int, message: str) -> Command:
    key = effect_key("transaction", "web", "crm/purchase", f"{message}-{number}")
    bought = Transaction(key, 1_700_000_000_000, {"total": "12"}, "CG_1")
    return Command(
        DIRECTORY, "crm/purchase", "web", f"{message}-{number}", 2_000, initial=person(number), transaction=bought
    )


async def test_a_batch_of_new_people(question: Any) -> None:
    await (await owner(question)).write(*(identify(CONTACTS + 10 + n, "new") for n in range(BATCH)))
    await question.check("match_keys")


async def test_a_batch_of_known_people(question: Any) -> None:
    """All over the table, so that no page is read for more than one of them."""
    await (await owner(question)).write(*(identify(n * 300 + 11, "known", language="DE") for n in range(BATCH)))
    await question.check("match_keys", "contacts")


async def test_a_batch_that_changes_keys(question: Any) -> None:
    """Keys are let go of, and taken, by contacts that were found by another rule."""
    changed = [identify(n * 100 + 10, "keys", email=f"other{n}@x.example", phone=f"-{n}") for n in range(BATCH // 3)]
    await (await owner(question)).write(*changed)
    await question.check("match_keys", "contacts")


async def test_a_batch_of_transactions(question: Any) -> None:
    bought = [purchase(n * 300 + 12, "bought") for n in range(BATCH - 500)]
    await (await owner(question)).write(*bought, *(purchase(CONTACTS + 9_000 + n, "bought") for n in range(500)))
    await question.check("match_keys", "contacts", "transactions", "effect_keys")


async def test_a_batch_with_rejections(question: Any) -> None:
    refused = Rejection("invalid_field", "field email needs a text", "crm/contact")
    await (await owner(question)).apply([Outcome("web", f"bad-{n}", rejections=[refused]) for n in range(100)])
    await question.check("dead_letters")


async def test_a_batch_that_recognises_people(question: Any) -> None:
    """Contacts are merged into others by an alias."""
    told = [
        Command(DIRECTORY, "stitch", "web", f"alias-{n}", 2_000, values={"extRef": f"u{n + 1}"}, formerly=reference(n))
        for n in range(700_001, 700_006)
    ]
    await (await owner(question)).write(*told)
    await question.check("match_keys", "contacts", "transactions", "list_members")


def reference(number: int) -> bytes:
    key = ref_key(person(number))
    assert key is not None
    return key


def writer(question: Any) -> PostgresDirectoryWriter:
    return PostgresDirectoryWriter(question.pool)


async def test_writing_one_person(question: Any) -> None:
    """Known and new, found by the rules and named by the id, also by that of one who was merged away."""
    found = (await owner(question)).found
    for command in (identify(500_001, "api"), identify(CONTACTS + 8_000, "api")):
        await writer(question).write(LARGE, [found(command)], revision=1, once=transaction_key(-command.at_ms))
    for number in (500_011, 500_100):
        named = identify(number, "named", email="new@x.example")._replace(contact=number)
        (became,) = await writer(question).write(LARGE, [named], revision=1)
        assert became.contact == (number if number % 100 else number - 1)
    await question.check("match_keys", "contacts", "idempotency_keys")


async def test_writing_one_transaction(question: Any) -> None:
    """Made, changed and taken away."""
    bought = purchase(500_021, "api")._replace(contact=500_021, memberships=[Membership("CG_2", True)])
    assert bought.transaction is not None
    keys = (bought.transaction.key, bought.transaction.key)
    ((contact, result),) = await writer(question).write(LARGE, [bought], revision=1)
    assert (contact, result) == (500_021, "changed")
    assert await writer(question).update_transaction(DIRECTORY, keys, 1_000, {"a": "b"})
    assert await writer(question).delete_transaction(DIRECTORY, keys)
    await question.check("transactions", "contacts", "effect_keys", "list_members")


async def test_merging_and_taking_it_back(question: Any) -> None:
    merged = await writer(question).merge(300_001, 300_003, "tests")
    assert merged.transactions == 1
    await writer(question).unmerge(300_003, "tests")
    await question.check("match_keys", "contacts", "transactions", "list_members")


async def test_mailing_lists(question: Any) -> None:
    """One person leaves one; a whole one goes."""
    assert await writer(question).leave_list(DIRECTORY, "CG_5", 2 * 5 + 1)
    assert await writer(question).delete_list(DIRECTORY, "CG_5")
    await question.check("list_members")


async def test_filling_in_the_keys_of_new_rules(question: Any) -> None:
    """Of the smaller directory, page by page."""
    three = Directory(SMALL, "Small", (*RULES[:2], ("lastName",)))
    await fill_in(question.pool, [three], lambda _directory, _done: None)
    await question.check("contacts", "match_keys")
