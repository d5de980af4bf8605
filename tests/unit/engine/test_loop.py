"""The loop: what waits, what is buried, what is left to others, and that the offset moves last."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs
from support.engine_rig import TOPIC, Rig

from processor.domain.outcome import Rejection
from processor.errors import FencedError, RejectedError, UnavailableError
from processor.ports.log import Partition
from processor.ports.pauses import Pause

P0, P1 = Partition(TOPIC, 0), Partition(TOPIC, 1)


async def test_applies_each_record_once_and_commits_behind_it() -> None:
    """Effects, progress and the group's offset agree; a filtered record moves the offset too."""
    rig = Rig()
    rig.put("a", "skip", "b")
    await rig.run_for()
    await rig.stop()
    assert rig.sink.effects == ["a", "b"]
    assert rig.sink.rows[P0].next_offset == 3
    assert rig.log.committed[P0] == 3
    assert sum(t.by_class().total() for t in rig.sink.tallies) == 3


async def test_a_rejecting_mapping_and_a_bug_are_buried_and_the_rest_goes_on() -> None:
    rig = Rig()
    rig.put("a", "bad-1", "bug", "b")
    await rig.run_for()
    await rig.stop()
    assert rig.sink.effects == ["a", "b"]
    assert rig.sink.dead == [("bad-1", "missing_required"), ("bug", "internal_error")]


async def test_an_absent_store_keeps_the_batch_and_never_makes_a_dead_letter() -> None:
    """Three failures, longer waits each time, then the same batch once."""
    rig = Rig()
    rig.sink.failures = [UnavailableError("PostgreSQL: away")] * 3
    rig.put("a")
    await rig.run_for()
    assert rig.sink.effects == ["a"]
    assert not rig.sink.dead
    assert rig.waits == [0.1, 0.2, 0.4]
    assert rig.status.state == "running"
    await rig.stop()


async def test_a_commit_whose_answer_is_lost_is_not_applied_twice() -> None:
    """The fence shows that the batch was written; the partition is admitted anew where it stands."""
    rig = Rig()
    rig.sink.lost_answers = 1
    rig.put("a", "b")
    await rig.run_for()
    rig.put("c")
    await rig.run_for()
    await rig.stop()
    assert rig.sink.effects == ["a", "b", "c"]
    assert rig.sink.rows[P0].epoch == 2


async def test_a_partition_that_is_anothers_leaves_the_batch_and_the_rest_is_applied() -> None:
    rig = Rig(partitions=2)
    await rig.run_for()
    rig.log.member = False
    stored = rig.sink.rows[P1]
    rig.sink.rows[P1] = replace(stored, epoch=stored.epoch + 1)  # another process acquired it
    rig.put("a", partition=0)
    rig.put("b", partition=1)
    await rig.run_for()
    assert rig.sink.effects == ["a"]
    assert P1 not in rig.source.positions
    rig.log.member = True  # the group counts us in again: only now may it be acquired back
    await rig.run_for()
    assert rig.sink.effects == ["a", "b"]
    await rig.stop()


async def test_a_batch_that_was_read_ahead_of_a_fencing_does_not_undo_the_next_admission() -> None:
    """The partition is acquired again while a stale batch of it waits: that batch alone is lost, and read again."""
    rig = Rig(batch_records=1)
    await rig.run_for()
    rig.put(*(f"v{number}" for number in range(8)))
    for _ in range(3):
        await rig.run_for(3)
        stored = rig.sink.rows[P0]
        rig.sink.rows[P0] = replace(stored, epoch=stored.epoch + 1)  # another process had it for a moment
    await rig.run_for(120)
    await rig.stop()
    assert rig.sink.effects == [f"v{number}" for number in range(8)]
    assert rig.sink.rows[P0].next_offset == 8


async def test_a_rebalance_while_waiting_drops_the_batch() -> None:
    """What was dealt anew while the store was away is read again by whoever has it now, once."""
    rig = Rig()
    rig.put("a")
    rig.sink.failures = [UnavailableError("away")] * 2
    rig.on_wait = lambda number: rig.log.deal(None) if number == 2 else None
    await rig.run_for()
    await rig.stop()
    assert rig.sink.effects == ["a"]
    assert rig.sink.rows[P0].epoch == 2


@pytest.mark.parametrize("poison", range(7))
async def test_one_record_that_the_store_refuses_is_found_and_buried(poison: int) -> None:
    """Wherever it stands in a batch over two partitions, the others are applied, in order, once."""
    rig = Rig(partitions=2)
    values = [f"v{number}" for number in range(7)]
    rig.sink.refuse = frozenset([values[poison]])
    rig.put(*values[:4], partition=0)
    rig.put(*values[4:], partition=1)
    await rig.run_for()
    await rig.stop()
    assert rig.sink.effects == [value for value in values if value != values[poison]]
    assert rig.sink.dead == [(values[poison], "refused_by_database")]
    assert (rig.sink.rows[P0].next_offset, rig.sink.rows[P1].next_offset) == (4, 3)


async def test_an_unknown_failure_is_isolated_as_internal_error() -> None:
    rig = Rig()
    rig.sink.failures = [ValueError("a bug in the sink")]
    rig.put("a")
    await rig.run_for()
    await rig.stop()
    assert rig.sink.dead == [("a", "internal_error")]


async def test_a_dead_letter_that_cannot_be_written_stops_the_service() -> None:
    rig = Rig()
    rig.sink.failures = [RejectedError("refused_by_database", "no")] * 2
    rig.put("bad")
    with pytest.raises(RejectedError):
        await rig.run_for()


async def test_a_revision_that_rejects_everything_pauses_the_service_until_another_comes() -> None:
    """More than half of 1,000: nothing more is buried, the state is red, and a new revision decides the batch again."""
    rig = Rig(batch_records=400)
    rig.put(*(f"bad-{number}" for number in range(1_000)))
    with capture_logs() as lines:
        await rig.run_for()
    assert rig.status.state == "paused"
    assert "crm/contact" in rig.status.reason
    assert len(rig.sink.dead) == 400
    assert any(line["event"] == "alarm_raised" and line["kind"] == "service_paused" for line in lines)
    rig.rules = replace(rig.rules, revision=2)
    await rig.run_for(120)
    await rig.stop()
    assert len(rig.sink.effects) == 600
    assert len(rig.sink.dead) == 400


async def test_a_person_may_insist_on_a_revision_that_rejects() -> None:
    rig = Rig(batch_records=600)
    rig.put(*(f"bad-{number}" for number in range(1_000)))
    await rig.run_for()
    assert rig.status.state == "paused"
    assert rig.pauses.pause is not None
    rig.pauses.pause = replace(rig.pauses.pause, resumed=True)
    await rig.run_for(120)
    await rig.stop()
    assert len(rig.sink.dead) == 1_000


async def test_a_pause_survives_a_restart() -> None:
    rig = Rig()
    rig.pauses.pause = Pause(1, "rejects most", False)
    rig.put("a")
    await rig.run_for()
    assert rig.status.state == "paused"
    assert rig.sink.effects == []
    await rig.stop()


async def test_records_that_are_no_events_do_not_pause_a_service() -> None:
    """No revision could make them one: garbage of another producer is buried, however much it is."""
    rig = Rig(batch_records=1_000)
    rig.put(*["bug"] * 1_000)
    await rig.run_for()
    await rig.stop()
    assert len(rig.sink.dead) == 1_000
    assert rig.status.state == "running"


def test_fenced_error_names_the_partitions() -> None:
    assert "segment.events/1" in str(FencedError([P1]))
    assert Rejection("a", "b").mapping == ""
