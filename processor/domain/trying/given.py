"""The event that a person hands in, read exactly as ingress reads one that comes over HTTP."""

from dataclasses import dataclass

from processor.domain.events.event import Event, event_of
from processor.domain.events.limits import MAX_EVENT_BYTES, dump
from processor.domain.events.normalise import Arrival, message_id_of, normalise
from processor.domain.events.parsing import parse
from processor.domain.events.times import format_ms
from processor.errors import RejectedError

__all__ = ["Given", "read_event"]


@dataclass(frozen=True, slots=True)
class Given:
    """Bytes of one event, when they came, and the messageId for an event that brings neither one nor a timestamp."""

    raw: bytes
    received_at_ms: int
    new_id: str


def read_event(given: Given, source: str) -> Event:
    """The event as a service would get it. Raises ``RejectedError`` with the code that ingress would refuse it by."""
    if len(given.raw) > MAX_EVENT_BYTES:
        raise RejectedError("too_large", f"An event is over {MAX_EVENT_BYTES} bytes; send less in it.")

    def missing_id(_index: int, stamped: bool) -> str:
        return message_id_of(source, 0, given.raw) if stamped else given.new_id

    arrival = Arrival(given.received_at_ms, format_ms(given.received_at_ms), missing_id)
    body = normalise(parse(given.raw), None, arrival)
    dump(body)
    return event_of(body, source, given.received_at_ms)
