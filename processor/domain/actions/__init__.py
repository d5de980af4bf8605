"""Actions: what a mapping can do, with Segment's triggers and defaults, and the last step before doing it."""

from processor.domain.actions.catalogue import ACTIONS, Action, FieldType
from processor.domain.actions.dates import read_date, transaction_date
from processor.domain.actions.fields import resolve_fields, with_fallbacks
from processor.domain.actions.finishing import as_text, finish

__all__ = [
    "ACTIONS",
    "Action",
    "FieldType",
    "as_text",
    "finish",
    "read_date",
    "resolve_fields",
    "transaction_date",
    "with_fallbacks",
]
