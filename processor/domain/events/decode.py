"""Bytes of a record to an event: our ingress's records are trusted, other producers' are normalised here."""

from collections.abc import Sequence
from functools import lru_cache
from uuid import UUID

import orjson

from processor.domain.events.event import Event, event_of
from processor.domain.events.foreign import FOREIGN_SOURCE, foreign_event, made_event
from processor.domain.events.normalise import MAX_MESSAGE_ID
from processor.domain.events.record import Record
from processor.domain.events.times import parse_ms
from processor.domain.sources import Source
from processor.errors import RejectedError

__all__ = ["FOREIGN_SOURCE", "decode_event", "source_of"]

_MAX_SOURCE_BYTES = 512
"""Of a source's id, which has 100 characters at most (configuration.md); longer text would break the ledger's key."""


def decode_event(record: Record, topic_id: UUID, source: Source | None = None) -> Event | None:
    """The event that a record holds; ``None`` where a source's ``event`` has no mapping for it.

    ``source``: the one that names the record's topic, ``None`` for our own topics. A record without a value is no
    JSON.
    Raises ``RejectedError``: ``not_json``, ``too_deep``, ``not_an_event`` (no object, or no type), or what
    ``normalise`` and a source's mapping raise.
    """
    try:
        body = orjson.loads(record.value or b"")
    except orjson.JSONDecodeError as error:
        raise _no_json(error) from error
    if source is not None and source.makings is not None:
        return made_event(record, body, topic_id, source)
    if type(body) is not dict or type(body.get("type")) is not str:
        raise RejectedError("not_an_event", "The record is no event: a JSON object with a `type` is expected.")
    if source is not None:
        return foreign_event(record, body, topic_id, source.id)
    name, received_at_ms = _origin(record.headers)
    if name is None or received_at_ms is None:
        return foreign_event(record, body, topic_id)
    message_id = body.get("messageId")
    if type(message_id) is not str or not 0 < len(message_id) <= MAX_MESSAGE_ID:
        raise RejectedError("not_an_event", "The record has our headers but no messageId: it was not written by us.")
    if body["type"] == "track" and type(body.get("event")) is not str:
        raise RejectedError("not_an_event", "The record has our headers but no event name: it was not written by us.")
    return event_of(body, name, received_at_ms)


def _no_json(error: orjson.JSONDecodeError) -> RejectedError:
    if error.msg.startswith("depth limit"):  # orjson's own, far above ours
        return RejectedError("too_deep", "Objects and arrays nest too deeply; flatten the event.")
    return RejectedError("not_json", f"The record is no JSON: {error}.")


def source_of(record: Record) -> str:
    """The source that a record names, event or not; ``kafka`` where it names none that could be one."""
    for name, value in record.headers:
        if name == "source" and value:
            return _text(value) or FOREIGN_SOURCE
    return FOREIGN_SOURCE


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
