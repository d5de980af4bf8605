"""A topic that is deleted and made again under running services."""

import time
from collections.abc import Callable
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from support.lacking import lacking
from support.load import Load
from support.running import Isthmus, until

from processor.adapters.kafka.topics import ensure_topics


async def make_again(isthmus: Isthmus) -> None:
    """Delete the events' topic, and make it as soon as the broker has forgotten it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=isthmus.settings.kafka)
    await admin.start()
    try:
        answer = await admin.delete_topics([isthmus.events])
        if any(code for _, code, *_ in answer.topic_error_codes):
            lacking(f"This broker does not delete topics: {answer}")

        async def forgotten() -> bool:
            return isthmus.events not in await admin.list_topics()

        await until(forgotten, 20, "the topic is gone", 0.01)
    finally:
        await admin.close()
    await ensure_topics(isthmus.settings)


async def test_a_recreated_topic_is_read_from_its_start(
    start: Any, each_broker: Any, database: str, figure: Callable[[str], None]
) -> None:
    """Every acknowledged record of the new topic is applied, although the old one was read much further."""
    isthmus = await start(each_broker, database)
    ingress, directory = isthmus.keep("ingress"), isthmus.keep("directory")
    await isthmus.ready(ingress, directory)
    load = Load(isthmus)
    async with load.flowing():
        await until(lambda: len(load.acknowledged) > 400, 30, "a first load")
    await isthmus.all_applied()
    await load.check()
    first = len(load.acknowledged)
    await make_again(isthmus)
    made = time.time()
    async with load.flowing():
        await until(lambda: len(load.acknowledged) > first + 100, 60, "the new topic takes events")
        await until(lambda: directory.now.lines("topic_recreated"), 30, "it is noticed")
        noticed = time.time() - made
    await isthmus.all_applied()
    statuses = dict(load.statuses)
    figure(f"noticed after {noticed:.1f} s; {first} + {len(load.acknowledged) - first} transactions; {statuses}")
    await load.check()
    await isthmus.ledger()
    assert len(directory.all) == len(ingress.all) == 1, "nobody had to be started again"
