"""The calls that every client makes, and what must be on the topic after them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = ["CALLS", "COUNT", "check", "number_of"]

COUNT = 500
START = datetime(2026, 1, 1, 12, tzinfo=UTC)
_TYPES = ("identify", "track", "page", "screen", "group", "alias")
LATE_S = 90.0
"""What an SDK may take to send a call again: by so much its clock seems to be behind."""


def _call(number: int) -> dict[str, Any]:
    """Six calls of each person, one of each type; an alias has no field of its own but the id that it replaces."""
    type_ = _TYPES[number % 6]
    at = START + timedelta(minutes=number)
    call: dict[str, Any] = {"type": type_, "userId": f"user-{number - number % 6}", "n": number}
    call["timestamp"] = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    match type_:
        case "track":
            call["event"] = f"Event {number} Ü"
        case "group":
            call["groupId"] = f"group-{number}"
        case "alias":
            call["previousId"] = f"old-{number}"
        case "page" | "screen":
            call |= {"category": "Docs", "name": f"{type_} {number}"}
    return call


CALLS: Sequence[Mapping[str, Any]] = [_call(number) for number in range(COUNT)]


def number_of(event: Mapping[str, Any]) -> int:
    if event["type"] == "alias":
        return int(event["previousId"].removeprefix("old-"))
    return int(event["traits" if event["type"] in ("identify", "group") else "properties"]["n"])


def check(events: Sequence[Mapping[str, Any]], library: str, *, once: bool = True) -> None:
    """Every call is there, with the right fields; ``once``: and no more than once."""
    found = Counter(number_of(event) for event in events)
    assert sorted(found) == list(range(COUNT))
    if once:
        assert set(found.values()) == {1}
    names: dict[str, int] = {}
    for event in events:
        call = CALLS[number_of(event)]
        for field in ("type", "userId", "event", "groupId", "previousId"):
            assert event.get(field) == call.get(field), (field, event)
        if call["type"] in ("page", "screen"):
            assert (event["name"], event["category"]) == (call["name"], call["category"]), event
        moment = datetime.fromisoformat(call["timestamp"])
        assert datetime.fromisoformat(event["originalTimestamp"]) == moment, event
        late_s = (datetime.fromisoformat(event["timestamp"]) - moment).total_seconds()
        assert -0.1 <= late_s < LATE_S, event
        assert event["context"]["library"]["name"] == library, event["context"]
        assert event["context"]["library"]["version"]
        assert "writeKey" not in event
        assert names.setdefault(event["messageId"], call["n"]) == call["n"], "a messageId names two calls"
