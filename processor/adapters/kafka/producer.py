"""The publisher on Kafka: one producer at a time, replaced after any write that failed for good.

Why replaced: one refused record poisons an idempotent producer, every later send fails with an out-of-order sequence
and nothing says that this is fatal (tried, schema.md section 8). Batches are the matter of ``group_commit``.
"""

import asyncio
import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from typing import Any
from zlib import crc32

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    IncompatibleBrokerVersion,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    UnknownError,
    UnsupportedVersionError,
)

from processor.adapters.kafka.connection import connection_arguments
from processor.adapters.kafka.group_commit import RECORD_OVERHEAD_BYTES, Batch
from processor.adapters.kafka.producer_session import ProducerSession
from processor.errors import RejectedError, UnavailableError
from processor.logs import get_log
from processor.ports.publisher import Outgoing
from processor.settings import Settings

__all__ = ["KafkaPublisher"]

BATCH_OVERHEAD_BYTES = 512
"""The header of a record batch is 61 bytes; the rest is room for what a broker adds when it checks the size."""
REQUEST_TIMEOUT_MS = 10_000
"""One produce request waits this long for its answer; a leader killed on Apache Kafka came back within 8.5 s."""
DISCARD_AFTER_S = 30.0
"""A producer without any ack for so long is replaced: an idempotent one would try for ever."""
TICK_S = 0.1
RETRY_S = 0.5
METADATA_MS = 30_000
"""Milliseconds after which the library reads leaders and partitions again."""

_REFUSES_IDEMPOTENCE = (UnknownError, UnsupportedVersionError, IncompatibleBrokerVersion)
_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)


class KafkaPublisher:
    """Writes with ``acks=all``, from an idempotent producer unless the broker refuses one (Tansu does).

    ``start`` returns at once and connects in the background; until then, and whenever the broker is away, ``publish``
    raises ``UnavailableError``. ``idempotent``: ``None`` tries and falls back, ``True`` insists, ``False`` never asks.
    """

    def __init__(self, settings: Settings, *, idempotent: bool | None = None, compression: str | None = None) -> None:
        self._arguments = connection_arguments(settings)
        self._idempotent = idempotent
        self._compression = compression
        self._batch_bytes = settings.topic_max_message_bytes - BATCH_OVERHEAD_BYTES
        self._session: ProducerSession | None = None
        self._attempted = asyncio.Event()
        self._closing: set[asyncio.Task[None]] = set()
        self._keeper: asyncio.Task[None] | None = None
        self._log = get_log()
        self.timeout_s = settings.produce_timeout_s
        self.max_bytes = settings.max_in_flight_bytes

    @property
    def max_record_bytes(self) -> int:
        """Bytes of key, value and headers of one record together; falls when a topic turns out to allow less."""
        return self._batch_bytes - RECORD_OVERHEAD_BYTES - BATCH_OVERHEAD_BYTES

    async def start(self) -> None:
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Flush for at most ``produce_timeout_s``, then close for at most three seconds more."""
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper
        if self._session is not None:
            await self._session.commit.flush(self.timeout_s)
            self._discard(self._session, UnavailableError("This process is stopping."))
        self._attempted.set()
        if self._closing:
            await asyncio.wait(self._closing, timeout=4)

    async def ready(self) -> None:
        session = await self._connected(1.0)
        session.commit.admit()
        try:
            async with asyncio.timeout(1.0):
                await session.producer.client.fetch_all_metadata()
        except (KafkaError, OSError, TimeoutError) as error:
            raise UnavailableError("Kafka does not answer.", "kafka_away") from error

    async def publish(self, topic: str, records: Iterable[Outgoing]) -> None:
        session = self._session
        if session is not None and topic in session.topics:
            for batch in self._append(session, topic, records):
                await batch
            return
        # The first record of a topic through a new producer: all of it together within the same bound.
        try:
            async with asyncio.timeout(self.timeout_s):
                session = await self._connected(self.timeout_s)
                await session.learn(topic)
                for batch in self._append(session, topic, records):
                    await batch
        except (KafkaError, OSError) as error:
            raise UnavailableError(f"Kafka does not answer: {type(error).__name__}.", "kafka_away") from error

    def _append(
        self, session: ProducerSession, topic: str, records: Iterable[Outgoing]
    ) -> Collection[asyncio.Future[None]]:
        """Put the records into the batches that fill now; the futures of those batches."""
        commit = session.commit
        commit.admit()
        count = session.topics[topic]
        now_ms = int(time.time() * 1000)
        limit = self.max_record_bytes
        shared: Sequence[tuple[str, bytes]] | None = None
        headers_size = 0
        futures = set()
        for record in records:
            key, value, headers = record
            if headers is not shared:  # the records of one request share theirs
                shared = headers
                headers_size = sum(len(name) + len(content) + 8 for name, content in headers)
            size = len(key) + len(value) + headers_size
            if size > limit:
                raise RejectedError("too_large", f"A record of {size} bytes is over the topic's limit of {limit}.")
            futures.add(commit.append(topic, crc32(key) % count, record, now_ms))
        return futures

    async def _connected(self, timeout_s: float) -> ProducerSession:
        if self._session is None and not self._attempted.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._attempted.wait(), timeout_s)
        if self._session is None:
            raise UnavailableError("Kafka cannot be reached; send again later.", "kafka_away")
        return self._session

    def failed(self, session: ProducerSession, batch: Batch, error: BaseException) -> None:
        """A write failed for good: sort the error, and go on with another producer."""
        if isinstance(error, _TOO_LARGE):
            if batch.builder.record_count() == 1:
                batch.fail(RejectedError("too_large", "The record is over the topic's `max.message.bytes`."))
            # The topic allows less than the settings say; halving finds out how much, down to one event.
            self._batch_bytes = max(self._batch_bytes // 2, 4 * 1024 + 2 * BATCH_OVERHEAD_BYTES)
        reason = UnavailableError(f"Kafka refused the write: {type(error).__name__}.", "kafka_refused")
        batch.fail(reason)
        self._replace(session, type(error).__name__)

    def _replace(self, session: ProducerSession, why: str) -> None:
        if session is self._session:
            self._log.warning("producer_replaced", reason=why, bytes_in_flight=session.commit.bytes)
            self._discard(session, UnavailableError("The producer was replaced; send again.", "producer_replaced"))

    def _discard(self, session: ProducerSession, error: UnavailableError) -> None:
        self._session = None
        self._attempted.clear()
        task = asyncio.create_task(session.close(error))
        session.commit.close(error)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _keep(self) -> None:
        """Have a live producer, always: connect, look after what waits, replace."""
        while True:
            if self._session is None:
                try:
                    self._session = self._begin(await self._open())
                except Exception:  # noqa: BLE001 - whatever the library raises, trying again is all there is to do
                    self._attempted.set()
                    await asyncio.sleep(RETRY_S)
                    continue
                self._attempted.set()
            commit = self._session.commit
            commit.expire()
            self._session.refresh()
            since = commit.stalled_since
            if self._session.dead:
                self._replace(self._session, "sender_ended")
            elif since is not None and asyncio.get_running_loop().time() - since > DISCARD_AFTER_S:
                self._replace(self._session, "no_ack")
            else:
                await asyncio.sleep(TICK_S)

    def _begin(self, producer: Any) -> ProducerSession:
        return ProducerSession(
            producer,
            # A little less, so that the answer is out within the time-out although it is looked at once a tick.
            timeout_s=max(self.timeout_s / 2, self.timeout_s - 2 * TICK_S),
            max_bytes=self.max_bytes,
            on_failure=self.failed,
        )

    async def _open(self) -> Any:
        if self._idempotent is not False:
            try:
                return await self._start(idempotent=True)
            except _REFUSES_IDEMPOTENCE:
                if self._idempotent:
                    raise
                self._idempotent = False
        return await self._start(idempotent=False)

    async def _start(self, *, idempotent: bool) -> Any:
        producer = AIOKafkaProducer(
            **self._arguments,
            acks="all",
            enable_idempotence=idempotent,
            compression_type=self._compression,
            max_batch_size=self._batch_bytes,
            max_request_size=self._batch_bytes + BATCH_OVERHEAD_BYTES,
            metadata_max_age_ms=METADATA_MS,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            retry_backoff_ms=100,
        )
        try:
            await asyncio.wait_for(producer.start(), self.timeout_s)
        except BaseException:
            with suppress(KafkaError, OSError, TimeoutError):
                await asyncio.wait_for(producer.stop(), 1.0)
            raise
        return producer
