"""What the directory service does with a record: pure, one record in, one outcome out."""

from uuid import UUID

from processor.domain.directory.from_payload import command_of
from processor.domain.directory.from_person import forgetting, stitching
from processor.domain.events.decode import decode_event, source_of
from processor.domain.events.event import Event
from processor.domain.events.record import Record
from processor.domain.outcome import Outcome, Reason, Rejection
from processor.domain.rules import Rules
from processor.domain.sources import Source
from processor.errors import RejectedError

__all__ = ["ACTIONS", "decide"]

ACTIONS = frozenset(("addContactToXmd", "upsertContactTransaction"))


def decide(record: Record, topic_id: UUID, rules: Rules) -> Outcome:
    """Apply every mapping that concerns the event; each stands for itself, a rejecting one stops no other."""
    source = rules.topics.get(record.topic) if rules.topics else None
    try:
        event = decode_event(record, topic_id, source)
    except RejectedError as error:
        return _no_event(record, source, error)
    if event is None:
        return Outcome(_source_id(record, source))
    context = event.body.get("context")
    if type(context) is dict and "isthmus" in context and (dropped := _dropped(event, rules)) is not None:
        return Outcome(event.source, event.message_id, dropped)
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


def _no_event(record: Record, source: Source | None, error: RejectedError) -> Outcome:
    """Nothing at all is filtered; anything else that is no event is a dead letter."""
    if record.value is None:
        return Outcome(_source_id(record, source), reason="null")
    return Outcome(_source_id(record, source), rejections=(Rejection(error.code, error.message),))


def _dropped(event: Event, rules: Rules) -> Reason | None:
    """Whether an event that carries our mark is left alone."""
    return rules.marks.drop(event.body, accept_own=rules.accepts_own(event.source))


def _source_id(record: Record, source: Source | None) -> str:
    return source_of(record) if source is None else source.id
