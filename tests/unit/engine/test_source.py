"""Admission: where reading starts, and what happens when the log is not the one it was."""

import pytest
from structlog.testing import capture_logs
from support.engine_rig import TOPIC, Rig

from processor.errors import UnavailableError
from processor.ports.log import Partition

P0 = Partition(TOPIC, 0)


async def test_a_topic_made_again_is_read_from_its_oldest_record() -> None:
    """Every record of the new incarnation is applied although the old offset lies beyond them."""
    rig = Rig()
    rig.put("a", "b", "c")
    await rig.run_for()
    rig.broker.create(TOPIC)
    rig.put("d", "e")
    rig.now += 10  # the look at the topics' ids is due
    with capture_logs() as lines:
        await rig.run_for()
    await rig.stop()
    assert rig.sink.effects == ["a", "b", "c", "d", "e"]
    assert "topic_recreated" in [line["event"] for line in lines]


async def test_what_expired_unread_is_counted_and_alarmed() -> None:
    rig = Rig()
    rig.put("a")
    await rig.run_for()
    await rig.stop()
    again = Rig()
    again.broker, again.log._broker, again.sink.rows = rig.broker, rig.broker, rig.sink.rows
    again.put("b", "c", "d")
    again.broker.expire(TOPIC, 3)
    with capture_logs() as lines:
        await again.run_for()
    await again.stop()
    assert again.sink.effects == ["d"]
    assert again.sink.expired == 2
    assert any(line["event"] == "alarm_raised" and line["kind"] == "expired" for line in lines)


async def test_a_log_that_lost_its_end_is_read_on_from_there() -> None:
    """New records come at offsets that were read before: they are read, and the sums still add up."""
    rig = Rig()
    rig.put("a", "b", "c")
    await rig.run_for()
    topic = rig.broker.topics[TOPIC]
    topic.partitions[0] = topic.partitions[0][:1]
    rig.log.deal(None)
    await rig.run_for()
    rig.put("x")
    await rig.run_for()
    await rig.stop()
    assert rig.sink.effects == ["a", "b", "c", "x"]
    row = rig.sink.rows[P0]
    assert row.next_offset - row.start_offset == 4


async def test_an_absent_broker_is_waited_for() -> None:
    rig = Rig()
    rig.broker.away = True
    rig.put("a")
    await rig.run_for()
    assert rig.status.state == "waiting"
    rig.broker.away = False
    await rig.run_for()
    await rig.stop()
    assert rig.sink.effects == ["a"]


async def test_a_missing_topic_names_the_command() -> None:
    rig = Rig()
    rig.log.deal([P0])
    del rig.broker.topics[TOPIC]
    await rig.run_for()
    assert rig.status.state == "waiting"
    assert "isthmus topics" in rig.status.reason
    await rig.stop()


async def test_a_stretch_that_cannot_be_decoded_becomes_one_dead_letter() -> None:
    """Reading goes on behind it after three tries; the lost offsets are named."""
    rig = Rig()
    rig.put("a", "x", "y", "b")
    rig.log.unreadable[P0] = (1, 3)
    await rig.run_for()
    await rig.stop()
    assert rig.sink.effects == ["a", "b"]
    assert rig.sink.dead == [("", "unreadable_batch")]
    assert rig.sink.rows[P0].next_offset == 4


async def test_stands_by_without_partitions() -> None:
    rig = Rig()
    rig.log.deal([])
    await rig.run_for()
    assert rig.status.state == "standby"
    rig.log.deal(None)
    rig.put("a")
    await rig.run_for()
    assert rig.status.state == "running"
    await rig.stop()
    assert rig.sink.effects == ["a"]


async def test_a_client_that_fails_for_long_is_given_up() -> None:
    """Whoever runs the loop makes a new one: a coordinator that died fails for ever and says why only once."""
    rig = Rig()
    rig.broker.away = True
    await rig.run_for(3)
    rig.now += 30
    with pytest.raises(UnavailableError):
        await rig.run_for()
