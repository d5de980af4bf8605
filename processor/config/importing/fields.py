"""A subscription's fields to a mapping's ``fields`` that give the same payload."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from processor.config.faults import Path, shown
from processor.config.fields import ROOT
from processor.config.importing.notes import Notes
from processor.domain.actions import Action
from processor.domain.mappings import compile_mapping, expanded_once
from processor.errors import MappingError

__all__ = ["import_fields", "refused_always", "shown_url"]

_NEEDED = {"upsertContactTransaction": ("mailingListId", "extRef")}
"""Fields that Segment insists on and we do not (configuration rule 4)."""
_NOTHING = "$.$"
"""What ``$`` alone is to Segment: a key named ``$``, which no event has."""
_ONCE = "`{{{x}}}` became `{{x}}`: what the event holds is never expanded a second time here"
_DOLLAR = f"in Segment `$` alone gives nothing, and `{_NOTHING}` still does; write `$.` if you mean the whole event"
_SHOWN = 3

_Warn = Callable[[Path, str], None]


def refused_always(fields: Mapping[str, Any]) -> str | None:
    """Why these fields can give no event a payload, in Segment neither; ``None`` where they can be read."""
    try:
        compile_mapping(dict(fields))
    except MappingError as error:
        return "; ".join(str(fault) for fault in error.faults[:_SHOWN])
    return None


def import_fields(action: Action, given: Mapping[str, Any], mapping: str, notes: Notes) -> dict[str, Any]:
    """Every field of the action: what the export gives it, else ``None``, for left out it would have a default."""

    def warn(path: Path, message: str) -> None:
        notes.warn(mapping, shown(path), message)

    fields: dict[str, Any] = {ROOT: given[ROOT]} if ROOT in given else {}
    for name in action.types:
        fields[name] = _field(given.get(name), ("fields", name), warn)
        if fields[name] is None and name in _NEEDED.get(action.name, ()):
            warn(("fields", name), "Segment refuses every event of a subscription without this field, Isthmus does not")
    if ROOT in fields:
        fields[ROOT] = _rewritten(fields[ROOT], ("fields", ROOT), warn)
    for name in given:
        if name not in fields:
            notes.leave(mapping, shown(("fields", name)), f"{action.name} has no such field")
    return fields


def shown_url(value: Any) -> str:
    """A workflow's address without what may be a secret: no query, no user, no fragment."""
    if not isinstance(value, str):
        return "an address made from the event"
    try:
        parts = urlsplit(value)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "an address that cannot be read"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "an address that is none"
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"


def _field(value: Any, path: Path, warn: _Warn) -> Any:
    if isinstance(value, dict) and value.get("@path") == "$" and set(value) <= {"@path", "_metadata"}:
        warn(path, "in Segment `$` alone gives nothing, so this became null; write `$.` if you mean the whole event")
        return None
    return _rewritten(value, path, warn)


def _rewritten(value: Any, path: Path, warn: _Warn) -> Any:
    """The same mapping in forms that the document accepts; what has no such form stays, for the check to name."""
    if isinstance(value, list):
        return [_rewritten(item, (*path, place), warn) for place, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    made = {}
    for key, item in value.items():
        where = (*path, key)
        made[key] = item if key == "_metadata" else _rewritten(item, where, warn)
        if key == "@template" and isinstance(item, str) and "{{{" in item:
            once = expanded_once(item)
            if once is not None:
                made[key] = once
                warn(where, _ONCE)
        elif key == "@path" and item == "$":
            made[key] = _NOTHING
            warn(where, _DOLLAR)
        elif key == "@arrayPath" and isinstance(item, list) and item[:1] == ["$"]:
            made[key][0] = _NOTHING
            warn(where, _DOLLAR)
    return made
