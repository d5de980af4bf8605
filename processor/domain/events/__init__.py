"""Events: from a client's JSON or a record's bytes to the one shape that every decision reads."""

from processor.domain.events.decode import FOREIGN_SOURCE, decode_event
from processor.domain.events.event import TYPES, Event, event_of
from processor.domain.events.normalise import Arrival, Envelope, message_id_of, normalise
from processor.domain.events.record import RawRecord, Record, header
from processor.domain.events.times import format_ms, parse_ms

__all__ = [
    "FOREIGN_SOURCE",
    "TYPES",
    "Arrival",
    "Envelope",
    "Event",
    "RawRecord",
    "Record",
    "decode_event",
    "event_of",
    "format_ms",
    "header",
    "message_id_of",
    "normalise",
    "parse_ms",
]
