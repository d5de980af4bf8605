"""From what a mapping's ``fields`` say to one Segment mapping for all fields of its action."""

import copy
from collections.abc import Mapping
from typing import Any

from processor.domain.actions.catalogue import Action

__all__ = ["resolve_fields", "with_fallbacks"]

_FALLBACKS = ("email", "phone", "firstName", "lastName")
"""Fields that are also looked for in ``context.traits``, where Segment's libraries put traits on all other calls."""


def resolve_fields(action: Action, fields: Mapping[str, Any] | None) -> dict[str, Any]:
    """The mapping JSON of all fields, in the action's order, those that it does not know last.

    A field left out takes the action's default; ``null`` means no value, so it is absent. The result is the
    caller's own: nothing in it is shared with the action.
    """
    given = fields or {}
    merged: dict[str, Any] = {}
    for name in action.types:
        value = given[name] if name in given else action.defaults.get(name)
        if value is not None:
            merged[name] = copy.deepcopy(value)
    merged.update((name, value) for name, value in given.items() if name not in action.types and value is not None)
    return merged


def with_fallbacks(action: Action, resolved: Mapping[str, Any]) -> dict[str, Any]:
    """``resolved`` with ``context.traits`` read where a field holds the action's default and that gives nothing.

    A value equal to the default is the default, even when it was written out (configuration rule 4).
    """
    merged = dict(resolved)
    for name in _FALLBACKS:
        default = action.defaults.get(name)
        if default is not None and name in merged and _same(merged[name], default):
            other = {"@path": f"$.context.traits.{name}"}
            merged[name] = {"@if": {"exists": default, "then": default, "else": other}}
    return merged


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: true is not 1."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
