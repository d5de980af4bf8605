"""Normalising: one JSON item, as any client sends it, becomes one event, as every service expects it.

Source: Segment's HTTP API and common fields, ``spec/segment-tracking-api.md`` sections 4 to 9.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from processor.domain.events.event import TYPES
from processor.domain.events.times import format_ms, parse_ms
from processor.errors import RejectedError

__all__ = ["MAX_ID_BYTES", "MAX_MESSAGE_ID", "Arrival", "Envelope", "message_id_of", "normalise", "number_as_text"]

MAX_MESSAGE_ID = 99
"""Characters of a messageId. Source: Segment's HTTP API, "fewer than 100 characters"."""
MAX_ID_BYTES = 512
"""UTF-8 bytes of userId, anonymousId, groupId and previousId. Source: schema.md section 7."""
_SHORT = MAX_ID_BYTES // 4
_EXACT = 2**53
_MOST_AHEAD_MS = 300_000
"""A moment of reception that lies further in our future is none."""
_IDS = ("userId", "anonymousId", "groupId", "previousId")
_OBJECTS = ("context", "integrations", "properties", "traits")
_NAMESPACE = UUID("6f2f1f0e-6f0a-5d55-9f61-1d9a0a3f7a10")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a batch says once for all its items."""

    context: dict[str, Any] = field(default_factory=dict)
    integrations: dict[str, Any] = field(default_factory=dict)
    sent_at: str | None = None
    sent_ms: int | None = None
    """``sent_at`` in milliseconds, ``None`` where it cannot be read."""

    @classmethod
    def of(cls, context: object, integrations: object, sent_at: object) -> "Envelope":
        """The envelope of a batch's own keys; what is no object, or no moment, says nothing."""
        sent_ms = parse_ms(sent_at)
        return cls(
            context if isinstance(context, dict) else {},
            integrations if isinstance(integrations, dict) else {},
            sent_at if sent_ms is not None and isinstance(sent_at, str) else None,
            sent_ms,
        )


@dataclass(frozen=True, slots=True)
class Arrival:
    """When an item came in, and how it is named when its sender gave it no messageId.

    ``missing_id`` is called with the item's index in its request and whether the item carries a client timestamp:
    such a one is named after its bytes, so that a repeat is recognised; for another only a new name is right.
    """

    received_at_ms: int
    received_at: str
    missing_id: Callable[[int, bool], str]
    corrected: bool = False
    """Whether the sender has corrected the clients' clocks already, as Segment does before its webhooks."""


def message_id_of(source: str, index: int, item: bytes) -> str:
    """The messageId of an item without one: the same for the same bytes at the same place from the same source."""
    return str(uuid5(_NAMESPACE, f"{source}\n{index}\n{item.hex()}"))


def normalise(item: object, envelope: Envelope | None, arrival: Arrival, index: int = 0) -> dict[str, Any]:
    """The event of ``item``, which becomes it: the caller has no further use for what it was.

    Raises ``RejectedError``, whose code says which rule was broken: ``not_an_object``, ``bad_object``, ``bad_id``,
    ``bad_number``, ``unknown_type``, ``missing_id``, ``missing_event``, ``missing_group_id``, ``missing_previous_id``
    or ``bad_message_id``.
    """
    if type(item) is not dict:
        raise RejectedError("not_an_object", "An event is a JSON object; send {…}.")
    event: dict[str, Any] = item
    event.pop("writeKey", None)
    for name in _OBJECTS:
        # The event itself stands for "absent": it is a dict, and no other value is it.
        if type(event.get(name, event)) is not dict:
            _settle_object(event, name)
    for name in _IDS:
        if name in event:
            value = event[name]
            # At most 4 bytes a character: shorter text needs no encoding to be within the limit.
            if type(value) is not str or not 0 < len(value) <= _SHORT:
                _settle_id(event, name, value)
    _check_type(event)
    if envelope is not None:
        _merge(event, envelope)
    stamped = _settle_times(event, envelope, arrival)
    message_id = event.get("messageId")
    if type(message_id) is not str or not 0 < len(message_id) <= MAX_MESSAGE_ID:
        _settle_message_id(event, arrival, index, stamped)
    return event


def _settle_object(event: dict[str, Any], name: str) -> None:
    if event[name] is not None:
        raise RejectedError("bad_object", f"`{name}` must be a JSON object; send {{…}} or leave it out.")
    del event[name]


def _settle_id(event: dict[str, Any], name: str, value: object) -> None:
    if value is None or value == "":
        del event[name]
    elif type(value) is not str:
        event[name] = number_as_text(name, value)
    elif len(value.encode(errors="replace")) > MAX_ID_BYTES:
        raise RejectedError("bad_id", f"`{name}` is over {MAX_ID_BYTES} bytes; send a shorter id.")


def number_as_text(name: str, value: object) -> str:
    """A number as the text that it is sent as. Raises ``RejectedError``: ``bad_number`` or ``bad_id``."""
    if type(value) is int and -_EXACT < value < _EXACT:
        return str(value)
    if type(value) is float and -_EXACT < value < _EXACT:
        return str(int(value)) if value.is_integer() else repr(value)
    if type(value) in (int, float):
        # A JSON number of that size is read differently by different clients: two people could become one.
        raise RejectedError("bad_number", f"`{name}` is a number beyond 53 bit; send it as text.")
    raise RejectedError("bad_id", f"`{name}` must be text; send a string.")


def _check_type(event: dict[str, Any]) -> None:
    type_ = event.get("type")
    if type(type_) is not str or type_ not in TYPES:
        raise RejectedError("unknown_type", f"`type` must be one of {', '.join(sorted(TYPES))}.")
    if type_ == "alias":
        if "previousId" not in event:
            raise RejectedError("missing_previous_id", "An alias call needs `previousId`, the id that is replaced.")
        if "userId" not in event:
            raise RejectedError("missing_id", "no_user_anon_id: an alias call needs `userId`, the new id.")
        return
    if "userId" not in event and "anonymousId" not in event:
        raise RejectedError("missing_id", "no_user_anon_id: a call needs `userId` or `anonymousId`; send one of them.")
    if type_ == "track":
        name = event.get("event")
        if type(name) is not str or not name:
            raise RejectedError("missing_event", "A track call needs `event`, its name as text.")
    elif type_ == "group" and "groupId" not in event:
        raise RejectedError("missing_group_id", "A group call needs `groupId`.")


def _merge(event: dict[str, Any], envelope: Envelope) -> None:
    """Key by key, not deeper, and the item wins. Source: Segment's HTTP API, batch."""
    if envelope.context:
        event["context"] = {**envelope.context, **event.get("context", {})}
    if envelope.integrations:
        event["integrations"] = {**envelope.integrations, **event.get("integrations", {})}


def _settle_times(event: dict[str, Any], envelope: Envelope | None, arrival: Arrival) -> bool:
    """Correct the client's clock; answer whether the client stamped the event.

    ``timestamp = receivedAt − (sentAt − originalTimestamp)``; without a readable ``sentAt`` the client's stamp stands.
    """
    if arrival.corrected:
        return _keep_times(event, arrival)
    given = event.get("timestamp")
    original_ms = parse_ms(given)
    if original_ms is None:
        given = event.get("originalTimestamp")
        original_ms = parse_ms(given)
    sent_at = sent_ms = None
    if "sentAt" in event:
        sent_at = event.pop("sentAt")
        sent_ms = parse_ms(sent_at)
    if sent_ms is None and envelope is not None:
        sent_at, sent_ms = envelope.sent_at, envelope.sent_ms
    if sent_ms is not None:
        event["sentAt"] = sent_at
    event["receivedAt"] = arrival.received_at
    if original_ms is None:
        event.pop("originalTimestamp", None)
        event["timestamp"] = arrival.received_at
        return False
    event["originalTimestamp"] = given
    corrected = original_ms if sent_ms is None else arrival.received_at_ms - sent_ms + original_ms
    try:
        event["timestamp"] = format_ms(corrected)
    except ValueError:
        # Two absurd clocks, each readable, whose difference is no moment.
        event["timestamp"] = arrival.received_at
    return True


def _keep_times(event: dict[str, Any], arrival: Arrival) -> bool:
    """What Segment has corrected stands: ``sentAt`` was when the client sent, and this delivery may be hours later.

    Its ``receivedAt`` stays too, so that every delivery of one event says the same.
    """
    moments = {name: parse_ms(event.get(name)) for name in ("timestamp", "originalTimestamp", "sentAt", "receivedAt")}
    for name, moment in moments.items():
        if moment is None:
            event.pop(name, None)
    received_ms = moments["receivedAt"]
    if received_ms is None or received_ms > arrival.received_at_ms + _MOST_AHEAD_MS:
        event["receivedAt"] = arrival.received_at
    if moments["timestamp"] is None and moments["originalTimestamp"] is None:
        event["timestamp"] = arrival.received_at
        return False
    event.setdefault("timestamp", event.get("originalTimestamp"))
    event.setdefault("originalTimestamp", event["timestamp"])
    return True


def _settle_message_id(event: dict[str, Any], arrival: Arrival, index: int, stamped: bool) -> None:
    given = event.get("messageId")
    if given is None or given == "":
        event["messageId"] = arrival.missing_id(index, stamped)
    else:
        raise RejectedError("bad_message_id", "`messageId` must be text of fewer than 100 characters.")
