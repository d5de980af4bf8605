"""Our consumer and decision without a sink: KafkaLog, Source, decide; progress is kept in memory.

``python -m bench.loop_ours BOOTSTRAP PREFIX TOTAL``
"""

import asyncio
import sys
import time
from collections.abc import Mapping
from uuid import UUID

from bench.events import DOCUMENT
from bench.measuring import BATCH, StopWatch, run

from processor.adapters.kafka.consumer import KafkaLog
from processor.config import Secrets, check, compile_document
from processor.domain.decisions.directory import decide
from processor.domain.progress import Admission, Seen, admit
from processor.engine.source import Source
from processor.engine.status import Status
from processor.engine.topics import Topics
from processor.logs import get_log
from processor.ports.effects import Totals
from processor.ports.log import Partition
from processor.settings import Settings


class _Memory:
    """Implements ``ports.effects.Progress`` for a reader that starts at the beginning and never comes back."""

    async def begin(self, topic_id: UUID, offsets: Mapping[Partition, int]) -> None:
        """Own topics begin at their first record."""

    async def acquire(self, seen: Mapping[Partition, Seen]) -> Mapping[Partition, tuple[Admission, Totals]]:
        return {partition: (admit(None, there), {}) for partition, there in seen.items()}


async def _loop(bootstrap: str, prefix: str, total: int) -> None:
    settings = Settings(kafka=bootstrap, topic_prefix=prefix)
    rules = compile_document(check(DOCUMENT), 1, secrets=Secrets({}, settings.data_dir)).rules
    log = KafkaLog(settings, "bench", None)
    await log.start()
    topics = Topics(log, [settings.topic("segment.events")], dict, get_log(), time.monotonic)
    source = Source(topics, _Memory(), Status(time.monotonic), get_log(), batch_records=BATCH)
    watch = StopWatch(total)
    effects = 0
    async for batch in source.batches(asyncio.sleep):
        outcomes = [decide(record, batch.topic_ids[record.topic], rules) for record in batch.records]
        effects += sum(len(outcome.effects) for outcome in outcomes)
        await source.commit(batch.spans)
        watch.add(len(batch.records))
        if not watch.running:
            break
    watch.report(effects=effects)
    await log.stop()


if __name__ == "__main__":
    run(_loop(sys.argv[1], sys.argv[2], int(sys.argv[3])))
