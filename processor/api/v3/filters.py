"""The body of a search, checked: ``{"filter": …}`` to criteria, or 400 with a sentence that says what is allowed.

Source: spec/qualtrics-directory.md, section 4. ``infoFieldState`` is not offered.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, get_args, get_type_hints

from processor.api.refusals import RefusedError, refused
from processor.ports.queries import Criterion, DateCriterion, ListCriterion, TextCriterion

__all__ = ["FILTER_SCHEMA", "parse_search"]

_TEXT_FIELDS: Sequence[str] = get_args(get_type_hints(TextCriterion)["field"])
_TEXT_COMPARISONS: Sequence[str] = get_args(get_type_hints(TextCriterion)["comparison"])
_DATE_FIELDS: Sequence[str] = get_args(get_type_hints(DateCriterion)["field"])
_DATE_COMPARISONS: Sequence[str] = get_args(get_type_hints(DateCriterion)["comparison"])
_LIST = "inList"
_MOST = 5
"""Filters of one conjunction. Source: spec/qualtrics-directory.md, section 4."""

_TEXT_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "filterType": {"enum": [*_TEXT_FIELDS, _LIST]},
        "comparison": {"enum": list(_TEXT_COMPARISONS)},
        "value": {"type": "string", "pattern": "\\S"},
    },
    "required": ["filterType", "comparison", "value"],
}
_DATE_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "filterType": {"enum": list(_DATE_FIELDS)},
        "comparison": {"enum": list(_DATE_COMPARISONS)},
        "value": {"type": "string", "format": "date-time"},
    },
    "required": ["filterType", "comparison", "value"],
}
_SINGLE: Mapping[str, Any] = {"oneOf": [_TEXT_SCHEMA, _DATE_SCHEMA]}
FILTER_SCHEMA: dict[str, Any] = {
    "oneOf": [
        *_SINGLE["oneOf"],
        {
            "type": "object",
            "properties": {
                "conjunction": {"const": "and"},
                "filters": {"type": "array", "minItems": 2, "maxItems": _MOST, "items": _SINGLE},
            },
            "required": ["conjunction", "filters"],
        },
    ]
}
"""What ``parse_search`` reads, for the document."""


def parse_search(filter_: object) -> tuple[Criterion, ...]:
    """What stands under ``filter``; all of them have to hold. Raises ``RefusedError`` with status 400."""
    if not isinstance(filter_, dict):
        raise _bad('The body must be an object with "filter".')
    if "conjunction" not in filter_:
        return (_criterion(filter_),)
    filters = filter_.get("filters")
    if filter_["conjunction"] != "and":
        raise _bad('conjunction must be "and".')
    if not isinstance(filters, list) or not 2 <= len(filters) <= _MOST:
        raise _bad(f"A conjunction needs filters, 2 to {_MOST} of them; a single one stands alone.")
    return tuple(_criterion(each) for each in filters)


def _criterion(filter_: object) -> Criterion:
    if not isinstance(filter_, dict):
        raise _bad("A filter must be an object with filterType, comparison and value.")
    name: Any = filter_.get("filterType")
    if name in _TEXT_FIELDS:
        comparison, value = _compared(filter_, _TEXT_COMPARISONS), filter_.get("value")
        if not isinstance(value, str) or not value.strip():
            raise _bad(f"{name}: value must be text that is not empty.")
        return TextCriterion(name, comparison, value.strip())
    if name in _DATE_FIELDS:
        comparison, value = _compared(filter_, _DATE_COMPARISONS), filter_.get("value")
        return DateCriterion(name, comparison, _date(name, value))
    if name == _LIST:
        comparison, value = _compared(filter_, _TEXT_COMPARISONS), filter_.get("value")
        if not isinstance(value, str) or not value.strip():
            raise _bad(f"{name}: value must be the id of a mailing list.")
        return ListCriterion(comparison, value.strip())
    raise _bad(f"filterType must be one of {', '.join((*_TEXT_FIELDS, *_DATE_FIELDS, _LIST))}.")


def _compared(filter_: Mapping[str, Any], allowed: Sequence[str]) -> Any:
    comparison = filter_.get("comparison")
    if comparison not in allowed:
        raise _bad(f"{filter_['filterType']}: comparison must be one of {', '.join(allowed)}.")
    return comparison


def _date(name: str, value: object) -> datetime:
    """ISO-8601; without a zone it is UTC."""
    try:
        date = datetime.fromisoformat(value if isinstance(value, str) else "")
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _bad(f"{name}: value must be an ISO-8601 date such as 2026-01-31T12:00:00Z.") from None


def _bad(message: str) -> RefusedError:
    return refused("QVAL_3", message)
