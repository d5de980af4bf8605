"""The directory service and the API killed while both write the same people, with three merge rules."""

from collections.abc import Callable
from typing import Any

import pytest
from support.api_load import TOKEN, ApiLoad
from support.holding import inside_transactions
from support.load import DIRECTORY, DOCUMENT, Load
from support.running import Isthmus, Kept, until

PEOPLE = 60
WRITING = DOCUMENT.replace("[[extRef]]", "[[extRef], [email], [phone, lastName]]").replace(
    "version: 1\n", f"version: 1\napi_tokens: [{{name: load, token: {TOKEN}, scopes: ['directory:write']}}]\n"
)


async def kill_inside(isthmus: Isthmus, directory: Kept, *victims: Kept) -> None:
    """SIGKILL while the service and callers of the API are in their transactions; return when all are back."""
    last, lives = directory.now, [victim.now for victim in victims]
    await until(lambda: len(last.lines("batch_applied")) > 3, 30, f"batches: {last.log}")
    async with inside_transactions(isthmus, 3):
        for life in lives:
            life.kill()
    await until(lambda: all(v.now is not life for v, life in zip(victims, lives, strict=True)), 10, "started again")
    await isthmus.ready(*victims)


@pytest.mark.timeout(240)
async def test_kills_beside_the_api_lose_nothing_double_nothing_and_make_no_twins(
    start: Any, kafka: Any, database: str, kills: int, figure: Callable[[str], None]
) -> None:
    """Each in its turn and both at once: every event that was acknowledged and every call that was answered is done
    once, also a call whose connection was cut and that was sent again under its key."""
    isthmus = await start(kafka, database, WRITING)
    ingress, directory = isthmus.keep("ingress"), isthmus.keep("directory")
    apis = [isthmus.keep("api"), isthmus.keep("api")]
    await isthmus.ready(ingress, directory, *apis)
    events = Load(isthmus, people=PEOPLE)
    events.addresses = True
    calls = ApiLoad(apis, DIRECTORY, people=PEOPLE)
    turns = ([directory], [apis[0]], [directory, *apis])
    async with events.flowing(), calls.flowing():
        for number in range(kills):
            await kill_inside(isthmus, directory, *turns[number % len(turns)])
    await isthmus.all_applied()
    figure(f"{2 * len(events.acknowledged)} events, {len(calls.orders)} orders; {dict(calls.tries)}")
    assert set(events.statuses) == {200}, events.statuses
    assert calls.tries["cut"], "no connection was cut"
    events.apart = {None}
    await events.check()
    await calls.check(isthmus)
    await isthmus.ledger()
