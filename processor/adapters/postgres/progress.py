"""The rows of ``progress`` and what stands beside them: taking partitions over, pauses, the heartbeat, slots."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from processor.adapters.postgres.pool import transaction, translated
from processor.domain.progress import Admission, Seen, Stored, admit
from processor.ports.effects import Totals
from processor.ports.log import Partition
from processor.ports.pauses import Pause

if TYPE_CHECKING:
    from processor.adapters.postgres.pool import Connection, Pool

__all__ = ["Heartbeat", "PostgresPauses", "PostgresProgress"]

_LEDGER_COLUMNS = (
    "applied", "dead", "no_match", "disabled", "null", "own", "hops", "suppressed", "too_old", "expired", "holes",
)  # fmt: skip


class PostgresProgress:
    """Implements ``ports.effects.Progress`` for one service. ``owner`` is the name of this process."""

    def __init__(self, pool: "Pool", service: str, owner: str) -> None:
        self._pool = pool
        self._service = service
        self._owner = owner

    async def begin(self, topic_id: UUID, offsets: Mapping[Partition, int]) -> None:
        """Two that begin a topic at once agree: the rows of the first stand."""
        topics = {partition.topic for partition in offsets}
        numbers = sorted(partition.partition for partition in offsets)
        async with transaction(self._pool) as connection:
            for topic in topics:
                await connection.execute(
                    "INSERT INTO progress"
                    " (service, topic, partition, topic_id, epoch, owner, start_offset, next_offset)"
                    " SELECT $1, $2, number, $3, 0, $4, begins, begins FROM unnest($5::int[], $6::bigint[])"
                    " place (number, begins) WHERE NOT EXISTS"
                    " (SELECT 1 FROM progress WHERE service = $1 AND topic = $2)"
                    " ORDER BY number ON CONFLICT (service, topic, partition) DO NOTHING",
                    self._service,
                    topic,
                    topic_id,
                    self._owner,
                    numbers,
                    [offsets[Partition(topic, number)] for number in numbers],
                )

    async def acquire(self, seen: Mapping[Partition, Seen]) -> Mapping[Partition, tuple[Admission, Totals]]:
        """Waits up to ``lock_timeout`` for the old owner's open transaction; in the order of all other writers."""
        acquired: dict[Partition, tuple[Admission, Totals]] = {}
        async with transaction(self._pool) as connection:
            for partition in sorted(seen):
                admission = admit(await self._stored(connection, partition), seen[partition])
                await self._store(connection, partition, admission)
                acquired[partition] = (admission, await self._totals(connection, partition, admission))
        return acquired

    async def _stored(self, connection: "Connection", partition: Partition) -> Stored | None:
        row = await connection.fetchrow(
            "SELECT topic_id, epoch, start_offset, next_offset FROM progress"
            " WHERE service = $1 AND topic = $2 AND partition = $3 FOR UPDATE",
            self._service,
            *partition,
        )
        return Stored(*row) if row else None

    async def _store(self, connection: "Connection", partition: Partition, admission: Admission) -> None:
        await connection.execute(
            "INSERT INTO progress AS p (service, topic, partition, topic_id, epoch, owner, start_offset, next_offset)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (service, topic, partition) DO UPDATE SET"
            " topic_id = $4, epoch = greatest(p.epoch + 1, $5), owner = $6, start_offset = $7, next_offset = $8",
            self._service,
            *partition,
            admission.topic_id,
            admission.epoch,
            self._owner,
            admission.start_offset,
            admission.next_offset,
        )
        if admission.expired:
            await connection.execute(
                "INSERT INTO ledger AS l (service, topic, topic_id, partition, source, expired)"
                " VALUES ($1, $2, $3, $4, '', $5)"
                " ON CONFLICT (service, topic, topic_id, partition, source) DO UPDATE SET expired = l.expired + $5",
                self._service,
                partition.topic,
                admission.topic_id,
                partition.partition,
                admission.expired,
            )

    async def _totals(self, connection: "Connection", partition: Partition, admission: Admission) -> Totals:
        rows = await connection.fetch(
            "SELECT * FROM ledger WHERE service = $1 AND topic = $2 AND topic_id = $3 AND partition = $4",
            self._service,
            partition.topic,
            admission.topic_id,
            partition.partition,
        )
        return {row["source"]: {name: row[name] for name in _LEDGER_COLUMNS if row[name]} for row in rows}


class PostgresPauses:
    """Implements ``ports.pauses.Pauses`` for one service."""

    def __init__(self, pool: "Pool", service: str) -> None:
        self._pool = pool
        self._service = service

    async def get(self) -> Pause | None:
        with translated():
            row = await self._pool.fetchrow(
                "SELECT revision, reason, resumed FROM pauses WHERE service = $1", self._service
            )
        return Pause(*row) if row else None

    async def set(self, revision: int, reason: str) -> None:
        with translated():
            await self._pool.execute(
                "INSERT INTO pauses (service, revision, reason) VALUES ($1, $2, $3) ON CONFLICT (service)"
                " DO UPDATE SET revision = $2, reason = $3, since = now(), resumed = false",
                self._service,
                revision,
                reason,
            )


class Heartbeat:
    """This process's rows in ``processes``, one a service."""

    def __init__(self, pool: "Pool", instance: str) -> None:
        self._pool = pool
        self._instance = instance

    async def beat(self, service: str, revision: int, state: tuple[str, str], details: dict[str, Any]) -> None:
        """``state``: (state, reason). Raises ``UnavailableError`` when the database is away."""
        with translated():
            await self._pool.execute(
                "INSERT INTO processes AS p (instance, service, revision, state, reason, details)"
                " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (instance, service) DO UPDATE SET revision = $3,"
                " since = CASE WHEN p.state = $4 THEN p.since ELSE now() END,"
                " state = $4, reason = $5, details = $6, seen_at = now()",
                self._instance,
                service,
                revision,
                *state,
                details,
            )

    async def end_frozen(self) -> int:
        """End sessions of ours that hold a transaction open and have waited for their process for 3 s; how many.

        ``idle_in_transaction_session_timeout`` does that while a session is idle. But between a statement's first
        message and its last (asyncpg prepares with Flush, not Sync), and within COPY, a session counts as active, and
        no time-out ends it: a process frozen there would hold its rows for ever.
        """
        with translated():
            rows = await self._pool.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                " AND usename = current_user AND application_name = 'isthmus' AND pid <> pg_backend_pid()"
                " AND xact_start IS NOT NULL AND wait_event = 'ClientRead' AND state_change < now() - interval '3 s'"
            )
        return len(rows)

    async def end(self) -> None:
        """Take the rows away; and those of processes that have been silent for a day."""
        with translated():
            await self._pool.execute(
                "DELETE FROM processes WHERE instance = $1 OR seen_at < now() - interval '1 day'", self._instance
            )

    async def others(self, service: str, within_s: float) -> list[tuple[str, int, str, str, datetime]]:
        """(instance, revision, state, reason, since) of the processes of a service that were seen lately."""
        with translated():
            rows = await self._pool.fetch(
                "SELECT instance, revision, state, reason, since FROM processes"
                " WHERE service = $1 AND seen_at > now() - make_interval(secs => $2) ORDER BY instance",
                service,
                within_s,
            )
        return [tuple(row) for row in rows]
