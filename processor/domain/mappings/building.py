"""A checked mapping to closures: every path split, every constant placed before the first event comes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from operator import is_
from typing import Any

from processor.domain.mappings.allowance import Allowance
from processor.domain.mappings.checking import Check, is_directive
from processor.domain.mappings.contract import Constant, Directive, fail
from processor.domain.mappings.javascript import MISSING
from processor.domain.mappings.paths import Resolve
from processor.errors import Fault

__all__ = ["Build"]

_DEEPEST = 256
"""Levels that are searched for ``MISSING``; a mapping has 64, and only what it builds can hold it."""


@dataclass(frozen=True, slots=True)
class Build:
    """The surroundings of what is compiled; see ``contract.Builder``."""

    table: Mapping[str, Directive]
    keep: bool = False
    sure: bool = True
    steps: Allowance = field(default_factory=Allowance)

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
        allowance = self.allowance()
        return lambda event: _clean(resolve(event), 0, allowance)

    def refused(self, value: Any) -> str | None:
        faults: list[Fault] = []
        Check(self.table, faults, document=False).anything(value)
        return "; ".join(map(str, faults)) or None

    def allowance(self) -> Allowance:
        self.steps.used = True
        return self.steps

    def failing(self, message: str) -> Resolve:
        return lambda _event: fail(message)

    def _object(self, fields: dict[str, Resolve]) -> Resolve:
        """All keys stand in their order in a template that is copied; those that come out missing are taken out."""
        constants = {key: item.value for key, item in fields.items() if isinstance(item, Constant)}
        if not self.keep:
            fields = {key: item for key, item in fields.items() if constants.get(key) is not MISSING}
        template = {key: constants.get(key) for key in fields}
        changing = tuple((key, item) for key, item in fields.items() if not isinstance(item, Constant))
        if self.keep:
            return lambda event: template | {key: item(event) for key, item in changing}

        def build(event: Any) -> Any:
            made = template.copy()
            for key, item in changing:
                value = item(event)
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


def _clean(value: Any, depth: int, allowance: Allowance) -> Any:
    """``value`` without ``MISSING``: such keys go, such items become null. What holds none is given back as it is."""
    kind = type(value)
    if depth == _DEEPEST or (kind is not dict and kind is not list):
        return value
    allowance.spend(len(value))
    items = value.values() if kind is dict else value
    made = [_clean(item, depth + 1, allowance) if type(item) is dict or type(item) is list else item for item in items]
    if all(map(is_, made, items)) and MISSING not in made:
        return value
    if kind is dict:
        return {key: item for key, item in zip(value, made, strict=True) if item is not MISSING}
    return [None if item is MISSING else item for item in made]
