"""Records to events: ours, and everybody else's."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson
import pytest

from processor.domain.decisions import rejects
from processor.domain.events import decode_event
from processor.domain.events.decode import source_of
from processor.domain.rules import Rules
from processor.errors import RejectedError

TOPIC_ID = UUID("0123456789abcdef0123456789abcdef")
OURS = (("source", b"web"), ("received-at", b"2024-05-01T12:00:10.000Z"))


@dataclass
class Written:
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()
    topic: str = "segment.events"
    partition: int = 2
    offset: int = 41
    timestamp: int = 1_714_564_810_000
    key: bytes | None = None


def test_ours_is_trusted() -> None:
    """A record with our headers is taken as it is."""
    body = {"type": "track", "event": "E", "messageId": "m", "userId": 7}
    event = decode_event(Written(orjson.dumps(body), OURS), TOPIC_ID)
    assert (event.source, event.message_id, event.type, event.name) == ("web", "m", "track", "E")
    assert event.received_at_ms == 1_714_564_810_000
    assert event.body == body


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("source", b"web"),),
        (("source", b"\xff"), OURS[1]),
        (("source", b"w\x00"), OURS[1]),
        (("source", b"w" * 513), OURS[1]),
        (("source", None), OURS[1]),
        (OURS[0], ("received-at", b"?")),
        (OURS[0], ("received-at", None)),
    ],
)
def test_another_producers_is_normalised(headers: Sequence[tuple[str, bytes | None]]) -> None:
    """Without both headers, readable, the source is kafka, the time the record's, the name its place."""
    event = decode_event(Written(b'{"type":"identify","userId":7}', headers), TOPIC_ID)
    assert (event.source, event.message_id, event.name) == ("kafka", "segment.events:0123456789ab:2:41", "")
    assert event.body["userId"] == "7"
    assert event.body["receivedAt"] == "2024-05-01T12:00:10.000Z"


@pytest.mark.parametrize("timestamp", [-1, -(2**61), 2**61])
def test_long_names_and_no_time(timestamp: int) -> None:
    """A topic of 249 characters still gives a messageId under 100; without a time that is one, it is of 1970."""
    event = decode_event(Written(b'{"type":"identify","userId":"u"}', topic="t" * 249, timestamp=timestamp), TOPIC_ID)
    assert len(event.message_id) < 100
    assert event.received_at_ms == 0


@pytest.mark.parametrize(
    ("value", "headers", "code"),
    [
        (b"\xff\x00", (), "not_json"),
        (b"", (), "not_json"),
        (None, (), "not_json"),
        (b"{", OURS, "not_json"),
        (b'{"type":"identify","userId":"\\ud800"}', (), "not_json"),
        (b"[]", (), "not_an_event"),
        (b"7", OURS, "not_an_event"),
        (b'{"userId":"u"}', (), "not_an_event"),
        (b'{"type":7}', OURS, "not_an_event"),
        (b'{"type":"identify"}', OURS, "not_an_event"),
        (b'{"type":"identify","messageId":"' + b"m" * 9000 + b'"}', OURS, "not_an_event"),
        (b'{"type":"identify","userId":"u","messageId":"' + b"m" * 9000 + b'"}', (), "bad_message_id"),
        (b'{"type":"track","messageId":"m","event":{}}', OURS, "not_an_event"),
        (b"[" * 2_000 + b"]" * 2_000, OURS, "too_deep"),
        (b'{"type":"identify"}', (), "missing_id"),
        (b'{"type":"identify","userId":"u","traits":{"a":"\\u0000"}}', (), "bad_text"),
        (b'{"type":"identify","userId":"u","traits":{"a":' + b"[" * 80 + b"]" * 80 + b"}}", (), "too_deep"),
    ],
)
def test_no_event(value: bytes | None, headers: Sequence[tuple[str, bytes]], code: str) -> None:
    """Whatever another producer writes is an event or a rejection with a code; nothing else is raised."""
    with pytest.raises(RejectedError) as caught:
        decode_event(Written(value, headers), TOPIC_ID)
    assert caught.value.code == code


def test_duplicate_keys_and_big_numbers() -> None:
    """Of duplicate keys the last counts, and a number beyond 64 bit is the nearest double, as in JavaScript."""
    event = decode_event(
        Written(b'{"type":"identify","userId":"a","userId":"b","traits":{"n":123456789012345678901234}}'), TOPIC_ID
    )
    assert event.body["userId"] == "b"
    assert event.body["traits"]["n"] == 1.2345678901234568e23


@pytest.mark.parametrize(
    ("headers", "source"),
    [
        ((), "kafka"),
        ((("source", None),), "kafka"),
        ((("source", b"\xff"),), "kafka"),
        ((("source", b"s" * 513),), "kafka"),
        ((("x", b"y"), ("source", b"web")), "web"),
    ],
)
def test_the_source_of_what_is_no_event(headers: Sequence[tuple[str, bytes | None]], source: str) -> None:
    """A header counts where its text could be a source's id; everything else is `kafka`."""
    assert source_of(Written(None, headers)) == source
    assert rejects.decide(Written(None, headers), TOPIC_ID, Rules(1, {}, {}, ())).source == source


def test_a_rejected_record_of_another_producer() -> None:
    """What its headers say is taken over as far as it could be a code, a reason and a messageId."""
    headers = (("code", b"Drop Table"), ("message", b"x" * 5_000), ("message-id", b"m" * 9_000))
    outcome = rejects.decide(Written(b"raw", headers), TOPIC_ID, Rules(1, {}, {}, ()))
    assert outcome.message_id == ""
    assert (outcome.rejections[0].code, len(outcome.rejections[0].message)) == ("rejected", 1_000)
    written = (("code", b"too_deep"), ("message", b"flatten"), ("message-id", b"m"), ("source", b"\xff"))
    outcome = rejects.decide(Written(b"raw", written), TOPIC_ID, Rules(1, {}, {}, ()))
    assert (outcome.message_id, outcome.rejections[0].code, outcome.rejections[0].message) == (
        "m",
        "too_deep",
        "flatten",
    )
    unreadable = rejects.decide(Written(b"raw", (("code", b"\xff"), ("message", None))), TOPIC_ID, Rules(1, {}, {}, ()))
    assert unreadable.rejections[0].code == "rejected"
    assert "say no more" in unreadable.rejections[0].message
