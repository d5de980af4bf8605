"""Records of other producers: on our own topics, and on topics of other systems that a source names.

Source: configuration.md rule 10, design section 1.
"""

from hashlib import blake2b
from typing import Any
from uuid import UUID

from processor.domain.events.event import Event, event_of
from processor.domain.events.limits import check, dump
from processor.domain.events.normalise import MAX_MESSAGE_ID, Arrival, normalise, number_as_text
from processor.domain.events.record import Record
from processor.domain.events.times import format_ms
from processor.domain.sources import Source
from processor.errors import RejectedError

__all__ = ["FOREIGN_SOURCE", "foreign_event", "made_event"]

FOREIGN_SOURCE = "kafka"
"""The source of a record that another producer wrote onto one of our own topics (design section 1)."""
_LAST_MS = 253_402_300_799_999
"""9999-12-31T23:59:59.999Z; a record's time beyond is none."""


def foreign_event(record: Record, body: dict[str, Any], topic_id: UUID, source: str = FOREIGN_SOURCE) -> Event:
    """The event that ``body``, the record's JSON, is. Raises ``RejectedError`` as ``normalise`` and ``check`` do."""
    check(record.value or b"", body)
    return _normalised(record, body, topic_id, source)


def made_event(record: Record, body: Any, topic_id: UUID, source: Source) -> Event | None:
    """The event that a source's own mapping makes of the record's JSON; ``None`` where no ``when`` holds.

    Raises ``RejectedError``: what ``check``, the mapping or ``normalise`` raises, and ``not_an_event`` where the
    mapping gives no object.
    """
    check(record.value or b"", body)
    making = next((making for making in source.makings or () if making.when(body)), None)
    if making is None:
        return None
    made = making.make(body)
    if type(made) is not dict:
        raise RejectedError("not_an_event", f"The `event` mapping of source {source.id} gives no object.")
    made = dict(made)  # what a mapping gives may be a part of the record, or of itself
    own_id = made.get("messageId")
    if own_id is not None and own_id != "":
        made["messageId"] = _prefixed(source.id, made, own_id)
    dump(made)  # a mapping can make of text what a record may not hold
    return _normalised(record, made, topic_id, source.id)


def _normalised(record: Record, body: dict[str, Any], topic_id: UUID, source: str) -> Event:
    # -1: a producer that wrote no timestamp; some brokers let absurd ones pass.
    received_at_ms = record.timestamp if 0 <= record.timestamp <= _LAST_MS else 0
    arrival = Arrival(received_at_ms, format_ms(received_at_ms), lambda _index, _stamped: _name(record, topic_id))
    return event_of(normalise(body, None, arrival), source, received_at_ms)


def _name(record: Record, topic_id: UUID) -> str:
    """A messageId that one place of one incarnation of one topic always gets."""
    name = f"{record.topic}:{topic_id.hex[:12]}:{record.partition}:{record.offset}"
    return name if len(name) <= MAX_MESSAGE_ID else blake2b(name.encode(), digest_size=24).hexdigest()


def _prefixed(source: str, event: dict[str, Any], own_id: object) -> str:
    """``SOURCE:TYPE:EVENT:ID``, so that neither two topics nor two events of one order collide."""
    text = own_id if isinstance(own_id, str) else number_as_text("messageId", own_id)
    type_ = event.get("type")
    name = event.get("event") if type_ == "track" else ""
    full = f"{source}:{type_}:{name or ''}:{text}"
    if len(full) <= MAX_MESSAGE_ID:
        return full
    return f"{source}:{blake2b(full.encode(errors='surrogatepass'), digest_size=16).hexdigest()}"
