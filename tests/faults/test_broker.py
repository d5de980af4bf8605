"""The broker killed and frozen under ingress, and a topic that allows less than ingress thinks."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import aiohttp
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from support.load import AUTHORIZATION, Load
from support.running import Isthmus, until

ANSWER_S = 3.5
SMALL_TOPIC = 8 * 1024


async def send(isthmus: Isthmus, message: str, size: int = 0) -> tuple[int, dict[str, Any], str | None, float]:
    """One transaction by itself: status, body, Retry-After and seconds."""
    event = {
        "userId": "alone",
        "messageId": message,
        "event": "Transaction Created",
        "properties": {"x": "x" * size},
    }
    began = time.monotonic()
    async with (
        aiohttp.ClientSession(isthmus.url, headers={"Authorization": AUTHORIZATION}) as http,
        http.post("/v1/track", json=event, timeout=aiohttp.ClientTimeout(20)) as answer,
    ):
        body = await answer.json()
        return answer.status, body, answer.headers.get("Retry-After"), time.monotonic() - began


async def refused_in_time(isthmus: Isthmus, load: Load, sent: Counter[int], words: str) -> list[float]:
    """Requests by themselves and at once, until the broker has been away for longer than any time-out of ours:
    each is a 503 with Retry-After in time."""
    load.apart = {"alone"}
    seconds = []
    for turn in range(3):
        messages = [f"{words}-{turn}-{number}" for number in range(5)]
        load.unknown.update(messages)
        for status, body, retry, took in await asyncio.gather(*(send(isthmus, message) for message in messages)):
            sent[status] += 1
            seconds.append(took)
            assert status == 503, body
            assert retry is not None
            assert int(retry) >= 1
            assert body["code"].startswith("kafka_"), body
    return seconds


async def test_a_broker_that_is_down_or_frozen(
    start: Any, own_kafka: Any, database: str, figure: Callable[[str], None]
) -> None:
    """SIGKILL and SIGSTOP of Apache Kafka under load: ingress answers 503 in time, comes back by itself, and
    whatever it acknowledged is applied once."""
    isthmus = await start(own_kafka, database)
    ingress, directory = isthmus.keep("ingress"), isthmus.keep("directory")
    await isthmus.ready(ingress, directory)
    load, alone = Load(isthmus, events_s=200), Counter[int]()

    async def flows_again() -> float:
        count, began = load.statuses[200], time.monotonic()
        await until(lambda: load.statuses[200] > count + 20, 40, "ingress acknowledges again")
        return time.monotonic() - began

    async with load.flowing():
        await flows_again()
        await asyncio.to_thread(own_kafka.kill)
        down = await refused_in_time(isthmus, load, alone, "down")
        await asyncio.to_thread(own_kafka.restart)
        after_kill = await flows_again()
        own_kafka.freeze()
        frozen = await refused_in_time(isthmus, load, alone, "frozen")
        own_kafka.thaw()
        after_freeze = await flows_again()
    await isthmus.all_applied(60)
    figure(
        f"503 within {max(down):.2f} s when down, {max(frozen):.2f} s when frozen; acknowledging again"
        f" {after_kill:.1f} and {after_freeze:.1f} s after; {dict(load.statuses)}"
    )
    assert set(load.statuses) == {200, 503}, load.statuses
    await load.check()
    await isthmus.ledger()
    assert max(down + frozen) <= ANSWER_S, (down, frozen)
    assert len(ingress.all) == 1, "ingress lives on"


async def lower_limit(isthmus: Isthmus) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=isthmus.settings.kafka)
    await admin.start()
    try:
        limit = {"max.message.bytes": str(SMALL_TOPIC)}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, isthmus.events, configs=limit)])
    finally:
        await admin.close()


async def test_a_record_too_large_for_the_topic(
    start: Any, kafka: Any, database: str, figure: Callable[[str], None]
) -> None:
    """The one request is refused with a code that tells its sender not to come back; the next ones succeed, and so
    do, after a few 503, requests of many events that are too large for the topic only together."""
    isthmus = await start(kafka, database)
    ingress, directory = isthmus.keep("ingress"), isthmus.keep("directory")
    await isthmus.ready(ingress, directory)
    assert (await send(isthmus, "before"))[0] == 200
    await lower_limit(isthmus)

    async def refused() -> Any:
        answer = await send(isthmus, "large", SMALL_TOPIC)
        return answer if answer[0] != 200 else None

    status, body, _, _ = await until(refused, 10, "the topic's limit is in force")
    assert (status, body["code"]) == (400, "too_large"), body
    answers = []

    async def taken() -> bool:
        answers.append(await send(isthmus, "after"))
        return bool(answers[-1][0] == 200)

    began = time.monotonic()
    await until(taken, 10, f"the next requests succeed: {answers}")
    again = time.monotonic() - began
    assert {answer[0] for answer in answers} <= {200, 503}
    load = Load(isthmus, events_s=2_000, in_batch=200)
    load.apart = {"alone"}
    load.acknowledged |= {"before", "after"}
    load.unknown |= {"large"}
    async with load.flowing():
        await until(lambda: load.statuses[200] > 40, 30, "a load")
        refused_before = load.statuses[503]
        await until(lambda: load.statuses[200] > 80, 30, "more of it")
        assert load.statuses[503] == refused_before, "the publisher has learnt what the topic takes"
    await isthmus.all_applied()
    figure(f"the next request succeeded after {again:.2f} s, at its {len(answers)}. try; then {dict(load.statuses)}")
    await load.check()
    assert len(ingress.all) == 1
