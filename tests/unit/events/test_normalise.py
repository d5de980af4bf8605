"""Normalising: the table of cases, and what a table cannot say."""

import json
from pathlib import Path
from typing import Any

import pytest

from processor.domain.events import Arrival, Envelope, message_id_of, normalise
from processor.domain.events.limits import check, dump
from processor.errors import RejectedError

CASES = json.loads((Path(__file__).parents[2] / "cases" / "normalise.json").read_text())
ARRIVAL = Arrival(
    1_714_564_810_000, "2024-05-01T12:00:10.000Z", lambda index, stamped: f"{'stamped' if stamped else 'new'}-{index}"
)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_cases(case: dict[str, Any]) -> None:
    """Each case of the table gives its event, or is rejected with its code and a sentence."""
    given = case.get("envelope")
    envelope = Envelope.of(given.get("context"), given.get("integrations"), given.get("sentAt")) if given else None
    if "code" in case:
        with pytest.raises(RejectedError) as caught:
            normalise(case["item"], envelope, ARRIVAL, 3)
        assert caught.value.code == case["code"]
        assert len(caught.value.message) > 10
    else:
        assert normalise(case["item"], envelope, ARRIVAL, 3) == case["event"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"userId": "x" * 513}, "bad_id"),
        ({"userId": "ü" * 257}, "bad_id"),
        ({"messageId": "m" * 100}, "bad_message_id"),
    ],
)
def test_lengths_beyond(changes: dict[str, Any], code: str) -> None:
    """Ids of 513 bytes and messageIds of 100 characters (or 9 kB) are over the limit."""
    with pytest.raises(RejectedError) as caught:
        normalise({"type": "identify", "userId": "u", **changes}, None, ARRIVAL)
    assert caught.value.code == code


@pytest.mark.parametrize("changes", [{"userId": "x" * 512}, {"userId": "ü" * 256}, {"messageId": "m" * 99}])
def test_lengths_within(changes: dict[str, Any]) -> None:
    """The limits themselves are allowed."""
    assert changes.items() <= normalise({"type": "identify", "userId": "u", **changes}, None, ARRIVAL).items()


def nested(depth: int) -> dict[str, Any]:
    value: Any = 1
    for _ in range(depth - 1):
        value = [value]
    return {"deep": value}


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (nested(65), "too_deep"),
        (nested(900), "too_deep"),
        ({"a": ["x\x00y"]}, "bad_text"),
        ({"a\x00": 1}, "bad_text"),
        ({"a": "\ud800"}, "bad_text"),
        ({"a": 2**64}, "bad_number"),
        ({"a": -(2**63) - 1}, "bad_number"),
    ],
    ids=["65 levels", "900 levels", "nul", "nul in a name", "half a surrogate pair", "big", "very negative"],
)
def test_limits(event: dict[str, Any], code: str) -> None:
    """What Postgres, UTF-8 or 64 bit cannot hold is rejected before it is written."""
    with pytest.raises(RejectedError) as caught:
        dump(event)
    assert caught.value.code == code


@pytest.mark.parametrize("event", [nested(64), {"a": [{} for _ in range(100)]}, {"a": "\\u0000"}, {"a": 2**64 - 1}])
def test_within_limits(event: dict[str, Any]) -> None:
    """Wide is not deep, and a text that only talks about \\u0000 does not hold it."""
    assert json.loads(dump(event)) == event


def test_check_after_parsing() -> None:
    """A record of another producer is held to the same limits by its bytes."""
    with pytest.raises(RejectedError):
        check(b'{"a":"\\u0000"}', {"a": "\x00"})
    with pytest.raises(RejectedError):
        check(b"{}" + b"[" * 70, {"a": float("inf")})


def test_unwritable_value() -> None:
    """What is no JSON value at all is told as such, not as an error of ours."""
    with pytest.raises(RejectedError) as caught:
        dump({"a": object()})
    assert caught.value.code == "bad_text"


def test_made_message_id() -> None:
    """The same bytes at the same place of the same source have one name; anything else has another."""
    name = message_id_of("web", 0, b"{}")
    assert name == message_id_of("web", 0, b"{}")
    assert (
        len({name, message_id_of("app", 0, b"{}"), message_id_of("web", 1, b"{}"), message_id_of("web", 0, b"[]")}) == 4
    )


CORRECTED = Arrival(1_714_564_810_000, "2024-05-01T12:00:10.000Z", lambda _index, stamped: str(stamped), corrected=True)
LATE = "2024-05-01T08:00:00.000Z"


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (
            {
                "timestamp": LATE,
                "originalTimestamp": "2024-05-01",
                "sentAt": "2024-05-01T08:00:01Z",
                "receivedAt": LATE,
            },
            {
                "timestamp": LATE,
                "originalTimestamp": "2024-05-01",
                "sentAt": "2024-05-01T08:00:01Z",
                "receivedAt": LATE,
            },
        ),
        ({"timestamp": LATE}, {"timestamp": LATE, "originalTimestamp": LATE, "receivedAt": CORRECTED.received_at}),
        (
            {"originalTimestamp": LATE},
            {"timestamp": LATE, "originalTimestamp": LATE, "receivedAt": CORRECTED.received_at},
        ),
        (
            {"timestamp": 5, "sentAt": "?", "receivedAt": "2099-01-01T00:00:00Z"},
            {"timestamp": CORRECTED.received_at, "receivedAt": CORRECTED.received_at},
        ),
    ],
)
def test_corrected_times_stand(times: dict[str, Any], expected: dict[str, Any]) -> None:
    """Segment has corrected the clocks before its webhook; what cannot be read, or lies ahead, is replaced."""
    event = normalise({"type": "page", "userId": "u", **times}, None, CORRECTED)
    stamped = "True" if "originalTimestamp" in expected else "False"
    assert event == {"type": "page", "userId": "u", "messageId": stamped, **expected}
