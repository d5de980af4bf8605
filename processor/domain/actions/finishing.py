"""The framework's last step: from what a mapping gives to a payload that the action can work with."""

from typing import Any, NoReturn

from processor.domain.actions.catalogue import Action, FieldType
from processor.domain.mappings import json_text, printed
from processor.errors import RejectedError

__all__ = ["as_text", "finish"]


def finish(payload: Any, action: Action) -> dict[str, Any]:
    """The payload without nulls and empty texts, its types coerced as ajv does, unknown fields left out.

    Raises ``RejectedError``: ``missing_required``, or ``invalid_field`` for a value of a type that cannot be
    coerced. Whatever is inside an object field stays as it is; the given payload is not changed.
    """
    if type(payload) is not dict:
        raise RejectedError("invalid_field", "the mapping gives no object; map the fields of the action one by one")
    types = action.types
    out: dict[str, Any] = {}
    for name, value in payload.items():
        if value is None or value == "":
            continue
        wanted = types.get(name)
        if wanted == "string":
            out[name] = value if type(value) is str else _string(name, value)
        elif wanted is not None:
            out[name] = _coerced(name, value, wanted)
    for name in action.required:
        if name not in out:
            raise RejectedError(
                "missing_required",
                f"field {name} has no value for this event; map it to one that every event has, or narrow the filter",
            )
    return out


def as_text(value: Any) -> str:
    """A value as text: scalars as Segment prints them, objects and lists as compact JSON."""
    if type(value) is str:
        return value
    if not isinstance(value, dict | list):
        return printed(value)
    try:
        return json_text(value)
    except ValueError as error:
        raise RejectedError("invalid_field", f"this value cannot be stored: {error}") from error


def _string(name: str, value: Any) -> str:
    if isinstance(value, dict | list):
        _invalid(name, "a text, number or boolean", value)
    return printed(value)


def _coerced(name: str, value: Any, wanted: FieldType) -> Any:
    if wanted == "object":
        return value if type(value) is dict else _invalid(name, "an object", value)
    if wanted == "boolean":
        if type(value) is bool:
            return value
        if type(value) in (str, int, float) and value in ("true", "false", 0, 1):
            return value in ("true", 1)
        _invalid(name, "true or false", value)
    return value


def _invalid(name: str, wanted: str, value: Any) -> NoReturn:
    names = {dict: "an object", list: "a list", str: "a text", bool: "a boolean", int: "a number", float: "a number"}
    given = names.get(type(value), "another value")
    raise RejectedError(
        "invalid_field", f"field {name} needs {wanted}, not {given}; map it to another part of the event"
    )
