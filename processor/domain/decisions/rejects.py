"""What the rejects service does with a record of segment.rejected: it becomes a dead letter, always."""

import re
from uuid import UUID

from processor.domain.events.decode import source_of
from processor.domain.events.normalise import MAX_MESSAGE_ID
from processor.domain.events.record import Record, header
from processor.domain.outcome import Outcome, Rejection
from processor.domain.rules import Rules

__all__ = ["decide"]

_CODE = re.compile(r"[a-z0-9_]{1,64}")
_MAX_MESSAGE = 1_000
"""Characters of a reason; ours are far shorter."""


def decide(record: Record, _topic_id: UUID, _rules: Rules) -> Outcome:
    """Ingress wrote the reason into the headers; another producer's record has none and says so."""
    source = source_of(record)
    if record.value is None:
        return Outcome(source, reason="null")
    code = header(record, "code") or ""
    message = header(record, "message") or "refused before it reached a topic; its headers say no more"
    message_id = header(record, "message-id") or ""
    rejection = Rejection(code if _CODE.fullmatch(code) else "rejected", message[:_MAX_MESSAGE])
    return Outcome(source, message_id if len(message_id) <= MAX_MESSAGE_ID else "", rejections=(rejection,))
