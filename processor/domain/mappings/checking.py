"""Every fault of a mapping at once, each with its path. Segment's rules, and the document's own on request."""

from collections.abc import Collection, Mapping
from typing import Any

from processor.domain.mappings.contract import Directive
from processor.errors import Fault

__all__ = ["DEEPEST", "Check", "is_directive", "json_faults"]

DEEPEST = 64
"""Levels of a mapping."""


def is_directive(value: Any) -> bool:
    """Whether Segment runs this object: only @-keys, besides ``_metadata``."""
    return (
        isinstance(value, dict)
        and any(key.startswith("@") for key in value)
        and all(key.startswith("@") or key == "_metadata" for key in value)
    )


def json_faults(spec: Any) -> list[Fault]:
    """What is not JSON, or deeper than ``DEEPEST`` levels; without such faults it is safe to recurse."""
    faults: list[Fault] = []
    pending: list[tuple[Any, str, int]] = [(spec, "", 1)]
    while pending:
        value, path, depth = pending.pop()
        if isinstance(value, dict | list):
            if depth > DEEPEST:
                return [Fault(path[:200], f"at most {DEEPEST} levels of objects and lists")]
            pairs = value.items() if isinstance(value, dict) else enumerate(value)
            for key, item in pairs:
                if isinstance(value, dict) and not isinstance(key, str):
                    faults.append(Fault(path, f"the key {key!r} is no text; put it into quotes"))
                pending.append((item, f"{path}/{key}", depth + 1))
        elif value is not None and not isinstance(value, str | bool | int | float):
            faults.append(Fault(path, f"this is no JSON value but {type(value).__name__}; put it into quotes"))
    return faults


class Check:
    """A place in a mapping, and the list that its faults go to."""

    def __init__(self, table: Mapping[str, Directive], faults: list[Fault], *, document: bool, path: str = "") -> None:
        self.table = table
        self.faults = faults
        self.document = document
        self.path = path

    def at(self, key: str) -> "Check":
        return Check(self.table, self.faults, document=self.document, path=f"{self.path}/{key}")

    def fault(self, message: str) -> None:
        self.faults.append(Fault(self.path or "/", message))

    def anything(self, value: Any) -> None:
        if _has_directive(value):
            self._directive(value)
        elif isinstance(value, dict):
            self._members(value)
        elif isinstance(value, list) and self.document:
            self._items(value)

    def raw(self, value: Any) -> None:
        if _has_directive(value):
            self._directive(value)
        elif self.document:
            self.anything(value)

    def text(self, value: Any) -> None:
        if _has_directive(value):
            self._directive(value)
        elif not isinstance(value, str):
            self.fault(f"write a text or a directive here instead of {_kind(value)}")

    def plain_text(self, value: Any, least: int = 0, most: int | None = None) -> None:
        if not isinstance(value, str):
            self.fault(f"write a text here instead of {_kind(value)}")
        elif len(value) < least or (most is not None and len(value) > most):
            self.fault(f"write {least} to {most} characters" if most else f"write at least {least} character")

    def boolean(self, value: Any) -> None:
        if not isinstance(value, bool):
            self.fault(f"write true or false here instead of {_kind(value)}")

    def object(self, value: Any, *own: str) -> bool:
        if not isinstance(value, dict) or _has_directive(value):
            self.fault(f"write an object with the directive's own keys here instead of {_kind(value)}")
            return False
        self._members(value, own)
        return True

    def _members(self, value: dict[str, Any], own: Collection[str] = ()) -> None:
        for key, item in value.items():
            if key not in own:
                self.at(key).anything(item)

    def _items(self, value: list[Any]) -> None:
        for index, item in enumerate(value):
            self.at(str(index)).anything(item)

    def _directive(self, value: dict[str, Any]) -> None:
        names = [key for key in value if key.startswith("@")]
        others = [key for key in value if not key.startswith("@") and key != "_metadata"]
        if len(names) > 1 or others:
            self.fault(f"a directive stands alone in its object; move {', '.join([*names[1:], *others])} elsewhere")
        elif names[0] not in self.table:
            known = ", ".join(self.table)
            self.fault(f"{names[0]} is no directive here; use one of {known}")
        else:
            self.table[names[0]].check(value[names[0]], self.at(names[0]))


def _has_directive(value: Any) -> bool:
    return isinstance(value, dict) and any(key.startswith("@") for key in value)


def _kind(value: Any) -> str:
    if _has_directive(value):
        return "a directive"
    for kind, name in ((dict, "an object"), (list, "a list"), (bool, "true or false"), (str, "a text")):
        if isinstance(value, kind):
            return name
    return "null" if value is None else "a number"
