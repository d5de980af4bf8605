"""A consumer service in a process: its slot, its log, its loop, its reports."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from functools import partial

from processor.adapters.kafka.consumer import KafkaLog
from processor.adapters.postgres.commit import PostgresSink
from processor.adapters.postgres.progress import PostgresPauses, PostgresProgress
from processor.adapters.postgres.slots import Slot, take_slot
from processor.domain.rules import Rules
from processor.engine.loop import Loop, Parts
from processor.engine.report import Reporter
from processor.engine.source import Source
from processor.engine.topics import Start, Topics
from processor.errors import ConfigError, UnavailableError
from processor.services import Consumer
from processor.wiring.process import Process

__all__ = ["ConsumerProcess"]

_RETRY_S, _LONGEST_RETRY_S = 0.2, 5.0
_STOP_S = 10.0
"""Seconds that the batch in hand may take after the signal; then it is left to whoever reads it again."""


class ConsumerProcess:
    """Runs one consumer service until ``stop``."""

    def __init__(self, process: Process, consumer: Consumer) -> None:
        self._process = process
        self._consumer = consumer
        self._status = process.join(consumer.name)
        self._member = process.members[-1]
        self._loop: Loop | None = None
        self._ended = asyncio.Event()
        self._stopping = False
        self._logger = process.logger.bind(service=consumer.name)
        self._own = frozenset(process.settings.topic(name) for name in consumer.topics)

    async def stop(self) -> None:
        """Finish the batch in hand, within bounds."""
        self._stopping = True
        if self._loop is not None:
            self._loop.stop()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), _STOP_S)

    async def run(self) -> None:
        """Returns after ``stop``. While the broker or the slot is away it waits and begins anew.

        Raises ``ConfigError`` when one of our topics does not exist.
        """
        await self._configured()
        wait = _RETRY_S
        try:
            while not self._stopping:
                began = asyncio.get_running_loop().time()
                try:
                    await self._consume()
                except UnavailableError as error:
                    self._status.to("waiting", str(error))
                    self._logger.warning("service_restarted", reason=str(error), code=error.code)
                    wait = _RETRY_S if asyncio.get_running_loop().time() - began > _LONGEST_RETRY_S else wait
                    await asyncio.sleep(wait)
                    wait = min(wait * 2, _LONGEST_RETRY_S)
        finally:
            self._ended.set()

    async def _consume(self) -> None:
        """From taking a slot to giving it back. Raises ``UnavailableError`` when the slot is lost on the way."""
        settings = self._process.settings
        only = settings.assignment == "all"
        slot = await take_slot(
            settings.postgres.get_secret_value(),
            f"{settings.topic_prefix}{self._consumer.name}",
            only=only,
            waiting=partial(self._status.to, "standby", "another process reads"),
        )
        log = KafkaLog(settings, self._consumer.name, None if only else slot.number)
        try:
            await log.start()
            there = await log.topics(self._own)
            for topic in self._own:
                if topic not in there:
                    raise ConfigError(f"topic {topic} does not exist: run `isthmus topics`")
            await self._work(log, slot)
        finally:
            await log.stop()
            await slot.give_back()

    async def _configured(self) -> None:
        """Without any revision nothing may be decided: every event would count as filtered."""
        while self._process.current.revision == 0:
            self._status.to("waiting", "no configuration yet: run `isthmus config apply FILE`")
            await asyncio.sleep(0.2)

    async def _work(self, log: KafkaLog, slot: Slot) -> None:
        process, name = self._process, self._consumer.name
        topics = Topics(log, self._own, lambda: self._others(process.current.rules), self._logger, self._status.clock)
        source = Source(
            topics,
            PostgresProgress(process.pool, name, process.instance),
            self._status,
            self._logger,
            batch_records=process.settings.batch_records,
        )
        reporter = Reporter(name, log, source, process.metrics, self._logger)
        self._member.unread = lambda: reporter.unread
        ambiguous = process.metrics.contacts_ambiguous.inc
        self._loop = Loop(
            Parts(
                decide=self._consumer.decide,
                rules=lambda: process.current.rules,
                source=source,
                sink=PostgresSink(process.pool, name, lambda number: ambiguous(number) if number else None),
                pauses=PostgresPauses(process.pool, name),
                status=self._status,
                observer=reporter,
                logger=self._logger,
                reads=lambda topic, rules: topic in self._own or topic in self._others(rules),
            )
        )
        loop = asyncio.create_task(self._loop.run())
        beside = [asyncio.create_task(slot.hold()), asyncio.create_task(self._report(reporter))]
        try:
            done, _ = await asyncio.wait([loop, *beside], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._loop = None  # who stands by after having read has nothing in hand that `stop` waits for
            for task in (loop, *beside):
                task.cancel()
            await asyncio.gather(loop, *beside, return_exceptions=True)

    def _others(self, rules: Rules) -> Mapping[str, Start]:
        """Other systems' topics that this service reads by these rules, and where each begins."""
        if not self._consumer.sources:
            return {}
        return {name: source.start for name, source in rules.topics.items()}

    async def _report(self, reporter: Reporter) -> None:
        process = self._process

        async def unaccounted() -> int:
            return (await process.queries.ledger()).unaccounted.get(self._consumer.name, 0)

        while True:
            with suppress(UnavailableError):
                await reporter.report(unaccounted)
            await asyncio.sleep(process.settings.report_interval_s)
