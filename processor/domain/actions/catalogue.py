"""The three actions of Segment's Qualtrics destination: triggers, fields and defaults, exactly as upstream.

Source: spec/segment-actions-mappings.md section 5, and conformance/actions.jsonl. What upstream gets wrong is met
later: ``fields.py`` reads ``context.traits`` too, and nothing here that configuration rule 4 waives is required.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

__all__ = ["ACTIONS", "Action", "FieldType"]

FieldType = Literal["string", "boolean", "object", "datetime"]
"""``datetime`` is kept as it comes: ``transaction_date`` reads it, and what it cannot read has a default."""


@dataclass(frozen=True, slots=True)
class Action:
    """What a mapping can do. ``trigger`` is its default filter, ``None`` where upstream has none."""

    name: str
    trigger: str | None
    types: Mapping[str, FieldType]
    """Every field, in upstream's order, with its type."""
    defaults: Mapping[str, Any]
    """Field name to Segment mapping JSON; a field without a default is absent."""
    required: tuple[str, ...]


def _path(path: str) -> dict[str, Any]:
    return {"@path": path}


def _or_else(path: str, other: Any) -> dict[str, Any]:
    return {"@if": {"exists": _path(path), "then": _path(path), "else": other}}


_PERSON_TYPES: dict[str, FieldType] = {
    "extRef": "string",
    "email": "string",
    "phone": "string",
    "firstName": "string",
    "lastName": "string",
    "language": "string",
    "unsubscribed": "boolean",
    "embeddedData": "object",
}
_PERSON_DEFAULTS: dict[str, Any] = {
    "extRef": _path("$.userId"),
    "email": _or_else("$.email", _path("$.traits.email")),
    "phone": _path("$.traits.phone"),
    "firstName": _path("$.traits.firstName"),
    "lastName": _path("$.traits.lastName"),
    "language": _or_else("$.traits.language", "EN"),
    "unsubscribed": False,
}

_ADD_CONTACT = Action(
    name="addContactToXmd",
    trigger='type = "identify"',
    types={"directoryId": "string", **_PERSON_TYPES},
    defaults=_PERSON_DEFAULTS,
    required=("directoryId",),
)

_UPSERT_TRANSACTION = Action(
    name="upsertContactTransaction",
    trigger='type = "track", event = "Transaction Created"',
    types={
        "directoryId": "string",
        "mailingListId": "string",
        "contactId": "string",
        **_PERSON_TYPES,
        "transactionDate": "datetime",
        "transactionData": "object",
    },
    defaults={
        **_PERSON_DEFAULTS,
        "mailingListId": _path("$.traits.qualtricsMailingListId"),
        "contactId": _path("$.traits.qualtricsContactId"),
        "extRef": _or_else("$.userId", _path("$.anonymousId")),
        "transactionDate": _path("$.timestamp"),
    },
    required=("directoryId",),
)

_TRIGGER_WORKFLOW = Action(
    name="triggerXflowWorkflow",
    trigger=None,
    # `workflow` is ours: the id of a workflow of this installation, instead of its URL (configuration rule 3).
    types={"workflow": "string", "workflowUrl": "string", "eventPayload": "object"},
    defaults={
        "eventPayload": {
            name: _path(f"$.{name}") for name in ("event", "type", "userId", "properties", "traits", "context")
        }
    },
    required=("eventPayload",),
)

ACTIONS: Mapping[str, Action] = MappingProxyType(
    {action.name: action for action in (_ADD_CONTACT, _UPSERT_TRANSACTION, _TRIGGER_WORKFLOW)}
)
