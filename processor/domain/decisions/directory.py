"""What the directory service does with a record: pure, one record in, one outcome out."""

from uuid import UUID

from processor.domain.directory.from_payload import command_of
from processor.domain.directory.from_person import forgetting, stitching
from processor.domain.events.decode import decode_event, source_of
from processor.domain.events.mark import is_marked
from processor.domain.events.record import Record
from processor.domain.outcome import Outcome, Reason, Rejection
from processor.domain.rules import Rules
from processor.errors import RejectedError

__all__ = ["ACTIONS", "decide"]

ACTIONS = frozenset(("addContactToXmd", "upsertContactTransaction"))


def decide(record: Record, topic_id: UUID, rules: Rules) -> Outcome:
    """Apply every mapping that concerns the event; each stands for itself, a rejecting one stops no other."""
    if record.value is None:
        return Outcome(source_of(record), reason="null")
    try:
        event = decode_event(record, topic_id)
    except RejectedError as error:
        return Outcome(source_of(record), rejections=(Rejection(error.code, error.message),))
    if is_marked(event.body):
        dropped = rules.marks.drop(event.body, accept_own=rules.accepts_own(event.source))
        if dropped is not None:
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
