"""Bytes of a record to an event: our ingress's records are trusted, other producers' are normalised here."""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from uuid import UUID

import orjson

from processor.domain.events.event import Event, event_of
from processor.domain.events.limits import check
from processor.domain.events.normalise import MAX_MESSAGE_ID, Arrival, normalise
from processor.domain.events.record import Record
from processor.domain.events.times import format_ms, parse_ms
from processor.errors import RejectedError

__all__ = ["FOREIGN_SOURCE", "decode_event", "source_of"]

FOREIGN_SOURCE = "kafka"
"""The source of a record that another producer wrote onto one of our own topics (design section 1)."""
_MAX_SOURCE_BYTES = 512
"""Of a source's id, which has 100 characters at most (configuration.md); longer text would break the ledger's key."""
_LAST_MS = 253_402_300_799_999
"""9999-12-31T23:59:59.999Z; a record's time beyond is none."""


def decode_event(record: Record, topic_id: UUID) -> Event:
    """The event that a record holds. A record without a value is no event and is not for here.

    Raises ``RejectedError``: ``not_json``, ``too_deep``, ``not_an_event`` (no object, or no type), or what
    ``normalise`` raises.
    """
    value = record.value or b""
    try:
        body = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        if error.msg.startswith("depth limit"):  # orjson's own, far above ours
            raise RejectedError("too_deep", "Objects and arrays nest too deeply; flatten the event.") from error
        raise RejectedError("not_json", f"The record is no JSON: {error}.") from error
    if type(body) is not dict or type(body.get("type")) is not str:
        raise RejectedError("not_an_event", "The record is no event: a JSON object with a `type` is expected.")
    source, received_at_ms = _origin(record.headers)
    if source is None or received_at_ms is None:
        return _foreign(record, value, body, topic_id)
    message_id = body.get("messageId")
    if type(message_id) is not str or not 0 < len(message_id) <= MAX_MESSAGE_ID:
        raise RejectedError("not_an_event", "The record has our headers but no messageId: it was not written by us.")
    if body["type"] == "track" and type(body.get("event")) is not str:
        raise RejectedError("not_an_event", "The record has our headers but no event name: it was not written by us.")
    return event_of(body, source, received_at_ms)


def source_of(record: Record) -> str:
    """The source that a record names, event or not; ``kafka`` where it names none that could be one."""
    for name, value in record.headers:
        if name == "source" and value:
            return _text(value) or FOREIGN_SOURCE
    return FOREIGN_SOURCE


def _foreign(record: Record, value: bytes, body: dict[str, object], topic_id: UUID) -> Event:
    check(value, body)
    # -1: a producer that wrote no timestamp; some brokers let absurd ones pass.
    received_at_ms = record.timestamp if 0 <= record.timestamp <= _LAST_MS else 0
    arrival = Arrival(received_at_ms, format_ms(received_at_ms), lambda _index, _stamped: _name(record, topic_id))
    return event_of(normalise(body, None, arrival), FOREIGN_SOURCE, received_at_ms)


def _name(record: Record, topic_id: UUID) -> str:
    """A messageId that one place of one incarnation of one topic always gets."""
    name = f"{record.topic}:{topic_id.hex[:12]}:{record.partition}:{record.offset}"
    return name if len(name) <= MAX_MESSAGE_ID else blake2b(name.encode(), digest_size=24).hexdigest()


def _origin(headers: Sequence[tuple[str, bytes | None]]) -> tuple[str | None, int | None]:
    source: bytes | None = None
    received_at: bytes | None = None
    if len(headers) == 2 and headers[0][0] == "source" and headers[1][0] == "received-at":  # as ingress writes them
        source, received_at = headers[0][1], headers[1][1]
    else:
        for name, value in headers:
            if name == "source":
                source = value
            elif name == "received-at":
                received_at = value
    if not source or received_at is None:
        return None, None
    return _text(source), _moment(received_at)


@lru_cache(maxsize=1024)
def _text(raw: bytes) -> str | None:
    if len(raw) > _MAX_SOURCE_BYTES or b"\x00" in raw:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


@lru_cache(maxsize=64)
def _moment(raw: bytes) -> int | None:
    """Records of one batch share their moment, so the last few are remembered."""
    return parse_ms(_text(raw))
