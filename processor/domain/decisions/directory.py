"""What the directory service does with a record: pure, one record in, one outcome out."""

from uuid import UUID

from processor.domain.directory.from_payload import command_of
from processor.domain.directory.from_person import forgetting, stitching
from processor.domain.events.decode import decode_event, source_of
from processor.domain.events.event import Event
from processor.domain.events.mark import is_marked
from processor.domain.events.record import Record
from processor.domain.outcome import Outcome, Reason, Rejection
from processor.domain.rules import Rules
from processor.domain.sources import Source
from processor.errors import RejectedError

__all__ = ["ACTIONS", "decide"]

ACTIONS = frozenset(("addContactToXmd", "upsertContactTransaction"))


def decide(record: Record, topic_id: UUID, rules: Rules) -> Outcome:
    """Apply every mapping that concerns the event; each stands for itself, a rejecting one stops no other."""
    event = _read(record, topic_id, rules)
    if isinstance(event, Outcome):
        return event
    if event.type == "delete":
        return Outcome(event.source, event.message_id, effects=forgetting(event, rules.directories))
    effects = stitching(event, rules)
    candidates = rules.candidates(event.source, event.type, event.name)
    if not candidates and not effects:  # nearly every event of a site that shows pages
        return Outcome(event.source, event.message_id)
    rejections: list[Rejection] = []
    reason: Reason = "no_match"
    for rule in candidates:
        if rule.action not in ACTIONS or not rule.matches(event.body):
            continue
        if not rule.enabled:
            reason = "disabled"
            continue
        try:
            effects.append(command_of(rule, event, rules.directories))
        except RejectedError as error:
            rejections.append(Rejection(error.code, error.message, rule.mapping))
    return Outcome(event.source, event.message_id, reason, effects, rejections)


def _read(record: Record, topic_id: UUID, rules: Rules) -> Event | Outcome:
    """The record's event; or what becomes of a record that holds none for this service."""
    source = rules.topics.get(record.topic) if rules.topics else None
    if record.value is None:
        return Outcome(_source_id(record, source), reason="null")
    try:
        event = decode_event(record, topic_id, source)
    except RejectedError as error:
        return Outcome(_source_id(record, source), rejections=(Rejection(error.code, error.message),))
    if event is None:
        return Outcome(_source_id(record, source))
    if is_marked(event.body):
        dropped = rules.marks.drop(event.body, accept_own=rules.accepts_own(event.source))
        if dropped is not None:
            return Outcome(event.source, event.message_id, dropped)
    return event


def _source_id(record: Record, source: Source | None) -> str:
    return source_of(record) if source is None else source.id
