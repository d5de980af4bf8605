"""A mapping's ``fields``: names that the action knows, values that can work, compiled to one function."""

from collections.abc import Callable, Iterable
from typing import Any

import orjson

from processor.config.faults import Findings, Path, nearest
from processor.domain.actions import Action, finish
from processor.domain.mappings import compile_mapping
from processor.errors import Fault, MappingError, RejectedError

__all__ = ["ROOT", "compile_fields", "is_literal", "left_to_default", "mapping_faults"]

ROOT = "__segment_internal_directive"
"""A key beside the fields in mappings that Segment exports; ``compile_mapping`` reads it."""


def compile_fields(
    action: Action, fields: dict[str, Any], spec: dict[str, Any], path: Path, found: Findings
) -> Callable[[Any], Any] | None:
    """``fields`` as written and ``spec`` with the defaults laid under; ``None`` when there are faults."""
    for name, value in fields.items():
        if name not in action.types and name != ROOT:
            found.fault((*path, name), f"{action.name} has no such field; {nearest(name, action.types)}")
        elif value is not None and is_literal(value):
            _fits(action, name, value, (*path, name), found)
    try:
        return compile_mapping(spec, document=True)
    except MappingError as error:
        mapping_faults(error.faults, spec, path, found)
        return None


def mapping_faults(faults: Iterable[Fault], spec: Any, path: Path, found: Findings) -> None:
    """What ``compile_mapping`` found in ``spec``, as faults at their places below ``path``."""
    for fault in faults:
        found.fault((*path, *_keys(spec, fault.path)), fault.message)


def is_literal(value: Any) -> bool:
    """A scalar that depends on no event: in Segment a plain text may also be a template or a path."""
    if isinstance(value, str):
        return "{{" not in value and not value.startswith("$.")
    return not isinstance(value, dict | list)


def left_to_default(action: Action, name: str, spec: dict[str, Any]) -> bool:
    """A value equal to the default is the default, even when it was written out (configuration rule 4)."""
    if name not in action.defaults or name not in spec:
        return False
    return _json(spec[name]) == _json(action.defaults[name])


def _json(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _fits(action: Action, name: str, value: Any, path: Path, found: Findings) -> None:
    """Fault what every event would be rejected for."""
    try:
        finish({name: value}, action)
    except RejectedError as error:
        if error.code == "invalid_field":
            found.fault(path, error.message)


def _keys(spec: Any, pointer: str) -> Path:
    """``/embeddedData/plan/@path`` as keys of ``spec``; keys hold slashes themselves, the longest that fits wins."""
    keys: list[str | int] = []
    rest = pointer.removeprefix("/")
    while rest:
        candidates = list(spec) if isinstance(spec, dict) else []
        fitting = [key for key in candidates if rest == key or rest.startswith(f"{key}/")]
        index = rest.partition("/")[0]
        if fitting:
            key = max(fitting, key=len)
            spec, rest = spec[key], rest[len(key) + 1 :]
            keys.append(key)
        elif isinstance(spec, list) and index.isdecimal() and int(index) < len(spec):
            spec, rest = spec[int(index)], rest[len(index) + 1 :]
            keys.append(int(index))
        else:
            break
    return tuple(keys)
