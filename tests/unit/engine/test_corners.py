"""The engine's corners: stopping, being dealt anew at a bad moment, and what cannot be read."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs
from support.engine_rig import TOPIC, Rig

from processor.engine.status import Status
from processor.errors import FencedError, RejectedError, UnavailableError
from processor.ports.effects import Span
from processor.ports.log import Partition

P0, P1 = Partition(TOPIC, 0), Partition(TOPIC, 1)


async def test_stopping_finishes_the_batch_in_hand() -> None:
    """`stop` during a batch: it is applied, and no other is begun."""
    rig = Rig(batch_records=2)
    rig.put("a", "b", "c")
    apply = rig.sink.apply

    async def stop_then_apply(decided):
        rig.loop.stop()
        rig.loop._stopping = False  # the signal comes while the transaction is on its way
        done = await apply(decided)
        rig.loop.stop()
        return done

    rig.sink.apply = stop_then_apply
    await rig.run_for()
    await rig.stop()
    assert rig.sink.effects == ["a", "b"]
    assert rig.log.committed[P0] == 2


async def test_stopping_while_paused_applies_nothing() -> None:
    """A service that stands still because everything is rejected ends at once when asked to."""
    rig = Rig(batch_records=600)
    rig.put(*(f"bad-{number}" for number in range(1_000)))
    await rig.run_for()
    assert rig.status.state == "paused"
    await rig.stop()
    assert rig.sink.dead == []


async def test_a_rebalance_while_paused_drops_the_batch() -> None:
    """What was dealt anew meanwhile is read again from the store's progress, not applied from memory."""
    rig = Rig(batch_records=600)
    rig.put(*(f"bad-{number}" for number in range(600)))
    await rig.run_for()
    assert rig.status.state == "paused"
    rig.log.deal(None)
    rig.rules = replace(rig.rules, revision=2)
    await rig.run_for(120)
    await rig.stop()
    assert len(rig.sink.effects) == 600
    assert rig.sink.rows[P0].epoch == 2


async def test_the_store_is_away_when_asked_for_a_pause() -> None:
    """At the start nothing is read before the store has said whether a pause is in force."""
    rig = Rig()
    failures = [UnavailableError("PostgreSQL: away")] * 3
    get = rig.pauses.get

    async def failing():
        if failures:
            raise failures.pop()
        return await get()

    rig.pauses.get = failing
    rig.put("a")
    await rig.run_for()
    await rig.stop()
    assert rig.sink.effects == ["a"]
    assert rig.waits[:3] == [0.1, 0.2, 0.4]


async def test_offsets_that_cannot_be_committed_stop_nothing() -> None:
    """The truth is in `progress`; the group's offset is for monitors."""
    rig = Rig()

    async def refuse(_offsets):
        raise UnavailableError("Kafka: away")

    rig.log.commit = refuse
    rig.put("a", "b")
    await rig.run_for()
    await rig.stop()
    assert rig.sink.effects == ["a", "b"]


async def test_a_rebalance_during_admission() -> None:
    """What was acquired for an assignment that is over is not read; the next turn begins with the new one."""
    rig = Rig(partitions=2)
    acquire, turns = rig.sink.acquire, []

    async def dealt_anew_meanwhile(seen):
        if not turns:
            rig.log.deal([P0])
        turns.append(set(seen))
        return await acquire(seen)

    rig.sink.acquire = dealt_anew_meanwhile
    rig.put("a", partition=0)
    rig.put("b", partition=1)
    await rig.run_for()
    await rig.stop()
    assert turns[:2] == [{P0, P1}, {P0}]
    assert rig.sink.effects == ["a"]


async def test_a_position_that_the_broker_lost_is_admitted_anew() -> None:
    """The log no longer knows where we are: the stored progress does, under a new epoch."""
    rig = Rig()
    rig.put("a")
    await rig.run_for()
    rig.log._positions.clear()
    rig.put("b")
    await rig.run_for()
    await rig.stop()
    assert rig.sink.effects == ["a", "b"]
    assert rig.sink.rows[P0].epoch == 2


async def test_records_that_nobody_admitted_are_dropped() -> None:
    """A fenced partition is still fetched by the library: what comes is not decided on, nor counted."""
    rig = Rig(partitions=2)
    await rig.run_for()
    rig.log.member = False
    rig.source.fenced([Span(P1, rig.sink.rows[P1].topic_id, rig.sink.rows[P1].epoch, 0, 1)])
    rig.put("late", partition=1)
    rig.put("a", partition=0)
    await rig.run_for()
    assert rig.sink.effects == ["a"]
    rig.log.member = True
    await rig.run_for()
    await rig.stop()
    assert sorted(rig.sink.effects) == ["a", "late"]


async def test_records_that_were_read_before_are_left_out() -> None:
    """A fetch that begins before the position gives only what lies behind it."""
    rig = Rig()
    rig.put("a", "b")
    await rig.run_for()
    rig.log._positions[P0] = 0
    rig.put("c")
    await rig.run_for()
    rig.log._positions[P0] = 1
    await rig.run_for()
    await rig.stop()
    assert rig.sink.effects == ["a", "b", "c"]


async def test_what_cannot_be_decoded_is_one_dead_letter_after_some_tries() -> None:
    """The records before and behind it are applied, those of other partitions too; the letter names the offsets."""
    rig = Rig(partitions=2)
    rig.log.unreadable[P0] = (1, 3)
    rig.put("a", "x", "y", "b", partition=0)
    rig.put("c", "d", partition=1)
    with capture_logs():
        await rig.run_for(120)
    await rig.stop()
    assert sorted(rig.sink.effects) == ["a", "b", "c", "d"]
    assert rig.sink.dead == [("", "unreadable_batch")]
    assert rig.sink.rows[P0].next_offset == 4
    letters = [r for d in rig.batches for o in d.outcomes for r in o.rejections]
    assert letters[0].message.startswith("offsets 1 to 2: ")


@pytest.mark.parametrize("error", [UnavailableError("away"), FencedError([P0])])
async def test_isolating_waits_and_yields_like_a_whole_batch(error: Exception) -> None:
    """The store goes away, or the partition, while a batch is halved: neither buries a record."""
    rig = Rig()
    rig.sink.failures = [RejectedError("refused_by_database", "x"), error]
    rig.put("a", "b", "c")
    await rig.run_for(120)
    await rig.stop()
    assert rig.sink.effects == ["a", "b", "c"]
    assert rig.sink.dead == []


def test_a_status_knows_since_when() -> None:
    """Another reason for the same state is news, but the state is as old as before."""
    now = iter(range(10))
    status = Status(lambda: float(next(now)))
    assert status.to("waiting", "Kafka")
    since = status.since
    assert status.to("waiting", "PostgreSQL")
    assert not status.to("waiting", "PostgreSQL")
    assert (status.since, status.turned) == (since, 3.0)
