"""A checked mapping to closures: every path split, every constant placed before the first event comes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from processor.domain.mappings.checking import is_directive
from processor.domain.mappings.contract import Constant, Directive, fail
from processor.domain.mappings.javascript import MISSING
from processor.domain.mappings.paths import Resolve

__all__ = ["Build"]

_DEEPEST = 256
"""Levels that are searched for ``MISSING``; a mapping has 64, and only what it builds can hold it."""


@dataclass(frozen=True, slots=True)
class Build:
    """The surroundings of what is compiled; see ``contract.Builder``."""

    table: Mapping[str, Directive]
    keep: bool = False
    sure: bool = True

    def build(self, value: Any) -> Resolve:
        if is_directive(value):
            name = next(key for key in value if key.startswith("@"))
            directive = self.table.get(name)
            if directive is None:
                return self.failing(f"{name} is no directive here")
            return directive.build(value[name], self)
        if isinstance(value, dict):
            return self._object({key: self.build(item) for key, item in value.items()})
        if isinstance(value, list):
            return self._list([self.build(item) for item in value])
        return Constant(value)

    def kept(self, value: Any) -> Resolve:
        return replace(self, keep=True).build(value)

    def inner(self, value: Any) -> Resolve:
        return replace(self, sure=False).build(value)

    def cleaned(self, resolve: Resolve) -> Resolve:
        if self.keep:
            return resolve
        return lambda event: _clean(resolve(event), 0)

    def failing(self, message: str) -> Resolve:
        return lambda _event: fail(message)

    def _object(self, fields: dict[str, Resolve]) -> Resolve:
        """All keys stand in their order in a template that is copied; those that come out missing are taken out."""
        constants = {key: field.value for key, field in fields.items() if isinstance(field, Constant)}
        if not self.keep:
            fields = {key: field for key, field in fields.items() if constants.get(key) is not MISSING}
        template = {key: constants.get(key) for key in fields}
        changing = tuple((key, field) for key, field in fields.items() if not isinstance(field, Constant))
        if self.keep:
            return lambda event: template | {key: field(event) for key, field in changing}

        def build(event: Any) -> Any:
            made = template.copy()
            for key, field in changing:
                value = field(event)
                if value is MISSING:
                    del made[key]
                else:
                    made[key] = value
            return made

        return build

    def _list(self, items: list[Resolve]) -> Resolve:
        if self.keep:
            return lambda event: [item(event) for item in items]
        return lambda event: [None if (value := item(event)) is MISSING else value for item in items]


def _clean(value: Any, depth: int) -> Any:
    """``value`` without ``MISSING``: such keys go, such items become null. What holds none is given back as it is."""
    if depth == _DEEPEST:
        return value
    if type(value) is dict:
        made = {key: _clean(item, depth + 1) for key, item in value.items() if item is not MISSING}
        return value if _same(made.values(), value.values()) else made
    if type(value) is list:
        items = [None if item is MISSING else _clean(item, depth + 1) for item in value]
        return value if _same(items, value) else items
    return value


def _same(made: Any, given: Any) -> bool:
    return len(made) == len(given) and all(one is other for one, other in zip(made, given, strict=True))
