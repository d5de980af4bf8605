"""The one way a piece of the document becomes a typed value, and how pydantic's errors become faults of ours.

Each model is flat: what stands below it is read by a model of its own, so that every fault is found at once and
its path is known. A model names in ``later`` the keys of the vocabulary that this version does not serve yet.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from processor.config.faults import Findings, Path, nearest, shown

__all__ = ["ID", "LATER", "NAME", "Shape", "items", "load", "unique"]

LATER = "not in this version yet; remove it"
"""The fault of what the vocabulary has and this version does not serve: never is a key silently ignored."""
NAME = r"^[^\s/\x00-\x1f\x7f]([^/\x00-\x1f\x7f]{0,98}[^\s/\x00-\x1f\x7f])?$"
"""Names of tokens, connections and mappings: any text of up to 100 characters without ``/``."""
ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$"
"""Ids that stand in addresses and headers."""

_KINDS = {
    "string_type": "this must be a text; put it into quotes",
    "bool_type": "this must be true or false",
    "int_type": "this must be a whole number",
    "list_type": "this must be a list: [a, b]",
    "dict_type": "this must be keys with values: {a: b}",
    "missing": "this key is needed",
}


class Shape(BaseModel):
    """Strict, frozen, and unknown keys are faults. A field's ``description`` says what to write."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
    later: ClassVar[frozenset[str]] = frozenset()


Model = TypeVar("Model", bound=Shape)


def load(model: type[Model], data: Any, path: Path, found: Findings) -> Model | None:
    """``data`` as the model; ``None`` when it has faults, which then are in ``found``."""
    if not isinstance(data, dict):
        known = ", ".join(name for name, field in model.model_fields.items() if field.is_required())
        found.fault(path, f"this must be keys with values, at least {known}" if known else _KINDS["dict_type"])
        return None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        for details in error.errors(include_url=False, include_input=False):
            found.fault((*path, *details["loc"]), _message(model, details))
        return None


def items(data: Any, path: Path, found: Findings) -> Sequence[tuple[Path, Any]]:
    """A section's entries with their paths; a section that is left out or empty has none."""
    if data is None:
        return ()
    if not isinstance(data, list):
        found.fault(path, "this must be a list; begin each entry with `- `")
        return ()
    return [((*path, place), entry) for place, entry in enumerate(data)]


def unique(key: str, entries: Sequence[tuple[Path, Any]], found: Findings) -> None:
    """Fault the second of two entries with the same text under ``key``."""
    first: dict[str, Path] = {}
    for path, entry in entries:
        value = entry.get(key) if isinstance(entry, dict) else None
        if not isinstance(value, str):
            continue
        if value in first:
            line = found.line(shown(first[value]))
            found.fault((*path, key), f"`{value}` is already taken in line {line}; choose another {key}")
        first.setdefault(value, path)


def _message(model: type[Shape], details: ErrorDetails) -> str:
    kind, top = details["type"], str(details["loc"][0]) if details["loc"] else ""
    if kind == "extra_forbidden":
        if top in model.later:
            return LATER
        known = [field.alias or name for name, field in model.model_fields.items()]
        return f"unknown key; {nearest(top, [*known, *model.later])}"
    field = model.model_fields.get(top)
    advice = field.description if field is not None else None
    if kind == "literal_error":
        message = f"this must be {details['ctx']['expected']}"
    else:
        message = _KINDS.get(kind, "" if advice else details["msg"])
    return "; ".join(part for part in (message, f"write {advice}" if advice else "") if part)
