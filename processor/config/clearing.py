"""``clear_on_null``: fields that an explicit null in the event clears. Everywhere else null means "no value"."""

from collections.abc import Callable, Mapping
from typing import Any

from processor.config.faults import Findings, Path, nearest
from processor.domain.actions import Action
from processor.domain.directory.command import EMBEDDED, STANDARD_FIELDS
from processor.domain.mappings import MISSING
from processor.domain.mappings.paths import path_parts, without_prefix

__all__ = ["read_clear_on_null"]

_Read = Callable[[Any], Any]


def read_clear_on_null(
    data: Any, action: Action, spec: Mapping[str, Any], path: Path, found: Findings
) -> Mapping[str, _Read]:
    """By field name as a command has it (``email``, ``embeddedData.plan``): what gives ``None`` for "clear it"."""
    if data is None:
        return {}
    if not isinstance(data, list):
        found.fault(path, "write a list of field names, such as [phone]")
        return {}
    if data and action.name != "addContactToXmd":
        found.fault(path, f"{action.name} never changes a contact; remove this, or use addContactToXmd")
    embedded = spec.get("embeddedData")
    clear: dict[str, _Read] = {}
    for place, name in enumerate(data):
        where = (*path, place)
        if not isinstance(name, str):
            found.fault(where, "write the name of a field; put it into quotes")
            continue
        if name in action.types and name not in STANDARD_FIELDS:
            found.fault(where, f"this field cannot be cleared; {nearest(name, STANDARD_FIELDS)}")
            continue
        field = name if name in STANDARD_FIELDS or name.startswith(EMBEDDED) else EMBEDDED + name
        if field in STANDARD_FIELDS:
            value = spec.get(field)
        else:
            value = embedded.get(field.removeprefix(EMBEDDED)) if isinstance(embedded, dict) else None
        paths = _paths(value)
        if not paths:
            found.warn(where, f"`{field}` is mapped to no @path, so no event can clear it")
            continue
        clear[field] = _reader(paths)
    return clear


def _paths(value: Any) -> list[tuple[str, ...]]:
    """Every literal ``@path`` in a mapping, in its order."""
    if isinstance(value, list):
        return [path for item in value for path in _paths(item)]
    if not isinstance(value, dict):
        return []
    found = []
    for key, inner in value.items():
        if key == "@path" and isinstance(inner, str):
            found.append(path_parts(without_prefix(inner)))
        else:
            found.extend(_paths(inner))
    return [path for path in dict.fromkeys(found) if path]


def _reader(paths: list[tuple[str, ...]]) -> _Read:
    """The first value that is there; ``None`` when there is none but an explicit null; else ``MISSING``."""

    def read(event: Any) -> Any:
        nothing: Any = MISSING
        for path in paths:
            value = _at(event, path)
            if value is None:
                nothing = None
            elif value is not MISSING:
                return value
        return nothing

    return read


def _at(value: Any, path: tuple[str, ...]) -> Any:
    """Without Segment's habit to take a null on the way for the value itself: that would clear too much."""
    for key in path:
        if type(value) is not dict or key not in value:
            return MISSING
        value = value[key]
    return value
