"""Two contacts made one and taken apart again: what was is there again, what happened since stays with the winner."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from support.directory_state import State, look
from support.happenings import change, identify, purchase, steps, update
from support.histories import DIRECTORY, SENT, Delivered, Event, Step, examples, fresh, play, rules_with

from processor.adapters.postgres.pool import open_pool
from processor.adapters.postgres.writing import PostgresDirectoryWriter
from processor.domain.directory.contact import Contact
from processor.settings import Settings

pytestmark = pytest.mark.integration

RULES = rules_with(
    "[[extRef], [email], [phone, lastName]]",
    "stitch: true",
    "default_mailing_list: CG_all",
    "mailing_lists: [{id: CG_all, name: All}]",
)
MERGE_RULES = RULES.directories[DIRECTORY].merge_rules
KINDS = (partial(identify, known=False), purchase, update, change)
BEFORE = steps(*KINDS, most=12)
BETWEEN = steps(*KINDS, most=8, prefix="later")
TWO = [Delivered(Event(SENT, {"type": "identify", "messageId": who, "userId": who})) for who in ("u1", "u2")]
PICKS = st.tuples(st.integers(0, 9), st.integers(0, 9))


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Any]:
    pool = await open_pool(Settings(postgres=SecretStr(database)))
    yield pool
    await pool.close()


async def contacts_of(pool: Any, happened: list[Step], picks: tuple[int, int]) -> tuple[Any, State, int, int]:
    """(the owner, the state, two different contacts) after these steps."""
    owner = await fresh(pool, RULES)
    await play(owner, [*TWO, *map(Delivered, happened)])
    state = await look(pool, DIRECTORY)
    state.check(MERGE_RULES)
    return owner, state, *picked(state, picks)


def picked(state: State, picks: tuple[int, int]) -> tuple[int, int]:
    numbers = sorted(state.contacts)
    winner = numbers.pop(picks[0] % len(numbers))
    return winner, numbers[picks[1] % len(numbers)]


@examples(60)
@given(happened=BEFORE, picks=PICKS)
async def test_a_merge_taken_back_at_once_leaves_everything_as_it_was(pool: Any, happened: Any, picks: Any) -> None:
    """Contacts, keys and who waits for them, transactions, memberships; in between nobody is lost."""
    _, before, winner, loser = await contacts_of(pool, happened, picks)
    writer = PostgresDirectoryWriter(pool)
    its_own = [place for place in before.transactions.values() if place[0] == loser]
    merged = await writer.merge(winner, loser, "tests")
    assert (merged.winner, merged.loser, merged.transactions) == (winner, loser, len(its_own))
    between = await look(pool, DIRECTORY)
    between.check(MERGE_RULES)
    assert between.contacts.keys() == before.contacts.keys() - {loser}
    assert {between.owners[key] for key, owner in before.owners.items() if owner == loser} <= {winner}
    assert between.transactions.keys() == before.transactions.keys()
    back = await writer.unmerge(loser, "tests")
    assert (back.winner, back.loser, back.transactions) == (winner, loser, len(its_own))
    assert await look(pool, DIRECTORY) == before


@examples(40)
@given(happened=BEFORE, picks=st.lists(PICKS, min_size=2, max_size=3), by_alias=st.booleans())
async def test_merges_taken_back_from_the_last_to_the_first(
    pool: Any, happened: Any, picks: Any, by_alias: bool
) -> None:
    """Of winners that lose in turn, asked for or said by an alias."""
    owner = await fresh(pool, RULES)
    await play(owner, [*TWO, *map(Delivered, happened)])
    writer = PostgresDirectoryWriter(pool)
    past = [await look(pool, DIRECTORY)]
    losers = []
    for pick in picks:
        now = past[-1]
        if len(now.contacts) > 1:
            winner, loser = picked(now, pick)
            names = [now.contacts[number].values.get("extRef") for number in (winner, loser)]
            if by_alias and all(names):
                ids = {"type": "alias", "userId": names[0], "previousId": names[1], "messageId": f"alias{len(losers)}"}
                await play(owner, [Delivered(Event(SENT, ids))])
            else:
                await writer.merge(winner, loser, "tests")
            past.append(await look(pool, DIRECTORY))
            past[-1].check(MERGE_RULES)
            assert past[-1].contacts.keys() == now.contacts.keys() - {loser}
            losers.append(loser)
    for loser in reversed(losers):
        past.pop()
        await writer.unmerge(loser, "tests")
        assert await look(pool, DIRECTORY) == past[-1]


@examples(60)
@given(happened=BEFORE, picks=PICKS, later=BETWEEN)
async def test_what_is_written_between_stays_with_the_winner(
    pool: Any, happened: Any, picks: Any, later: list[Step]
) -> None:
    owner, before, winner, loser = await contacts_of(pool, happened, picks)
    writer = PostgresDirectoryWriter(pool)
    await writer.merge(winner, loser, "tests")
    merged = await look(pool, DIRECTORY)
    await play(owner, [Delivered(step) for step in later])
    written = await look(pool, DIRECTORY)
    written.check(MERGE_RULES)
    await writer.unmerge(loser, "tests")
    after = await look(pool, DIRECTORY)
    after.check(MERGE_RULES)
    assert max(after.references().values()) == 1, "twins"
    assert after.contacts[loser] == before.contacts[loser]
    expected = written_since(before.contacts[winner], merged.contacts[winner], written.contacts[winner])
    assert (after.contacts[winner].values, after.contacts[winner].stamps) == expected
    untouched = written.contacts.keys() - {winner}
    assert {number: after.contacts[number] for number in untouched} == {n: written.contacts[n] for n in untouched}
    for message, place in written.transactions.items():
        mine = before.transactions.get(message)
        assert after.transactions[message] == (mine if mine is not None and mine[0] == loser else place)
    assert {member for member in after.members if member[1] == loser} == {m for m in before.members if m[1] == loser}


def written_since(before: Contact, merged: Contact, written: Contact) -> tuple[Any, Any]:
    """The winner's values and stamps: those that were written since the merge, and of the rest those before it."""
    since = {
        name
        for name, stamp in written.stamps.items()
        if (stamp, written.values[name]) != (merged.stamps.get(name), merged.values.get(name))
    }
    values = {**before.values, **{name: written.values[name] for name in since}}
    stamps = {**before.stamps, **{name: written.stamps[name] for name in since}}
    return values, stamps
