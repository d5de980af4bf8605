"""Whatever the order, the repeats and the batches: the same directory, nobody twice, every transaction once."""

from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from pydantic import SecretStr
from support.directory_state import State, contents, look
from support.happenings import ANONYMOUS, alias, change, histories, identify, purchase, recognised, update
from support.histories import DIRECTORY, Delivered, Event, Step, examples, fresh, play, rules_with

from processor.adapters.postgres.pool import open_pool
from processor.settings import Settings

pytestmark = pytest.mark.integration

ONE_RULE = rules_with("[[extRef]]")
STITCHING = rules_with("[[extRef]]", "stitch: true")
THREE_RULES = rules_with("[[extRef], [email], [phone, lastName]]", "stitch: true")


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Any]:
    pool = await open_pool(Settings(postgres=SecretStr(database)))
    yield pool
    await pool.close()


def purchases(steps: Sequence[Step]) -> dict[str, dict[str, Any]]:
    """messageId to event of all that are transactions."""
    events = (dict(step.body) for step in steps if isinstance(step, Event))
    return {event["messageId"]: event for event in events if event["type"] == "track"}


def check_no_twins(state: State) -> None:
    assert max(state.references().values(), default=1) == 1, "twins"


@examples(60)
@given(history=histories(identify, purchase, update))
async def test_one_merge_rule_any_order_any_repeats_any_batches(pool: Any, history: Any) -> None:
    """Identifies, transactions, and writes of the API that leave the rule's field alone."""
    once, arrived = history
    await play(await fresh(pool, ONE_RULE), [Delivered(step) for step in once])
    expected = await contents(pool, DIRECTORY)
    await play(await fresh(pool, ONE_RULE), arrived)
    assert await contents(pool, DIRECTORY) == expected
    (await look(pool, DIRECTORY)).check([["extRef"]])


@examples(50)
@given(history=histories(identify, partial(purchase, anonymous=True), recognised))
async def test_whoever_is_recognised_has_what_they_did_before(pool: Any, history: Any) -> None:
    """Once it has been said, after the fact, who an anonymous person is, they are one contact with all transactions."""
    happened, arrived = history
    owner = await fresh(pool, STITCHING)
    said = [step for step in happened if isinstance(step, Event) and {"anonymousId", "previousId"} & step.body.keys()]
    said = [step for step in said if "userId" in step.body]
    await play(owner, [*arrived, *map(Delivered, said)])
    state = await look(pool, DIRECTORY)
    state.check([["extRef"]])
    check_no_twins(state)
    known = {step.body.get("anonymousId") or step.body["previousId"] for step in said}
    assert state.transactions.keys() == purchases(happened).keys()
    for message, event in purchases(happened).items():
        who = event.get("userId") or event["anonymousId"]
        contact = state.contacts[state.transactions[message][0]]
        assert str(contact.values["extRef"]).strip().lower() == (
            ANONYMOUS[who] if who in known else who.strip().lower()
        )


@examples(50)
@given(history=histories(identify, partial(purchase, anonymous=True), alias, recognised, update))
async def test_aliases_in_circles_make_no_twins_and_lose_no_transaction(pool: Any, history: Any) -> None:
    happened, arrived = history
    await play(await fresh(pool, STITCHING), arrived)
    state = await look(pool, DIRECTORY)
    state.check([["extRef"]])
    check_no_twins(state)
    assert state.transactions.keys() == purchases(happened).keys()


@examples(60)
@given(history=histories(partial(identify, known=False), purchase, update, change, alias))
async def test_three_merge_rules_make_no_twins_and_lose_no_transaction(pool: Any, history: Any) -> None:
    """Also where contacts, named by their ids, are given the e-mail address, the phone number, the name of another."""
    happened, arrived = history
    await play(await fresh(pool, THREE_RULES), arrived)
    state = await look(pool, DIRECTORY)
    state.check(THREE_RULES.directories[DIRECTORY].merge_rules)
    check_no_twins(state)
    assert state.transactions.keys() == purchases(happened).keys()
