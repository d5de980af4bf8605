"""What stands in a tag: values, operators and filters, read into functions of the context.

As liquidjs reads them: ``and`` and ``or`` bind alike, from the right; an expression of two values is the first
one; a filter that nobody knows changes nothing.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from processor.domain.mappings.javascript import MISSING, number_of, printed
from processor.domain.mappings.liquid.characters import BLANKS, SyntaxFault, end_of_quoted, is_word, unescaped
from processor.domain.mappings.liquid.values import (
    BLANK,
    EMPTY,
    NIL,
    Meter,
    Word,
    compared,
    contains,
    equal,
    plain,
    property_of,
    true_in_liquid,
    weigh,
)

__all__ = ["Evaluate", "FilterFunction", "Known", "Scanner", "Scope"]

_WORDS: dict[str, Any] = {"true": True, "false": False, "nil": NIL, "null": NIL, "empty": EMPTY, "blank": BLANK}
_OPERATORS = ("==", "!=", ">=", "<=", ">", "<", "contains", "not", "and", "or")
_BINDS = {"not": 1, "and": 0, "or": 0}
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le,
}  # fmt: skip
_DEEPEST = 64
"""Brackets within brackets."""
_RANGE = 24
"""What a number of a range costs, in characters."""


class Scope(Meter, Protocol):
    """What an expression asks the context for."""

    def variable(self, name: str) -> Any:
        """The value of a variable, or ``MISSING``."""


Evaluate = Callable[[Any], Any]
"""A ``Scope`` to a value."""
FilterFunction = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Known:
    """The filters there are. ``strict``: one that is not there, or switched off, is a fault."""

    filters: Mapping[str, FilterFunction]
    off: frozenset[str] = frozenset()
    strict: bool = False


class Scanner:
    """Reads one expression of a template, from ``at`` up to ``end``."""

    def __init__(self, source: str, at: int, end: int, known: Known) -> None:
        self.source = source
        self.at = at
        self.end = end
        self.known = known
        self.depth = 0

    def fault(self, message: str, position: int | None = None) -> SyntaxFault:
        return SyntaxFault(message, self.at if position is None else position)

    def peek(self, ahead: int = 0) -> str:
        return self.source[self.at + ahead] if self.at + ahead < self.end else ""

    def skip_blank(self) -> None:
        while self.at < self.end and self.source[self.at] in BLANKS:
            self.at += 1

    def done(self) -> bool:
        self.skip_blank()
        return self.at >= self.end

    def skip_behind(self, char: str) -> bool:
        found = self.source.find(char, self.at, self.end)
        self.at = self.end if found < 0 else found + 1
        return found >= 0

    def identifier(self) -> str:
        self.skip_blank()
        start = self.at
        while self.at < self.end and is_word(self.source[self.at]):
            self.at += 1
        return self.source[start : self.at]

    def filtered(self) -> Evaluate:
        """An expression and the filters behind it."""
        start = self.at
        value = self._expression(start)
        while (step := self._filter()) is not None:
            value = _piped(value, *step)
        return value

    def value(self) -> Evaluate | None:
        """One value, ``None`` where there is none."""
        self.skip_blank()
        first = self._literal() or self._quoted() or self._number()
        if first is None and self.peek() == "(":
            first = self._range()
        path = self._path(bare=first is None)
        if not path:
            return first
        return _property(first, path) if first is not None else _variable(path)

    def property_path(self) -> Evaluate | None:
        """A variable and its properties, ``None`` where there is none."""
        self.skip_blank()
        path = self._path(bare=True)
        return _variable(path) if path else None

    def _expression(self, start: int) -> Evaluate:
        """Operators behind their operands, by the shunting-yard algorithm; of equal rank the right one binds first."""
        postfix: list[Evaluate | str] = []
        operators: list[str] = []
        while self.at < self.end:
            name = self._operator()
            if name is not None:
                while operators and _BINDS.get(operators[-1], 2) > _BINDS.get(name, 2):
                    postfix.append(operators.pop())
                operators.append(name)
                continue
            operand = self.value()
            if operand is None:
                break
            postfix.append(operand)
        postfix += reversed(operators)
        if not postfix:
            raise self.fault("a value is missing here", start)
        first = postfix[0]
        return first if not operators and not isinstance(first, str) and len(postfix) == 1 else _computed(postfix)

    def _operator(self) -> str | None:
        self.skip_blank()
        for name in _OPERATORS:
            if self.source.startswith(name, self.at, self.end):
                behind = self.peek(len(name))
                if name[0].isalpha() and behind and is_word(behind):
                    continue
                self.at += len(name)
                return name
        return None

    def _filter(self) -> tuple[FilterFunction | None, list[Evaluate]] | None:
        if self.done() or self.peek() in "),":
            return None
        if self.peek() != "|":
            raise self.fault("write | before a filter")
        self.at += 1
        name = self.identifier()
        if not name:
            if self.at < self.end:
                raise self.fault("the name of a filter is missing here")
            return None
        self.skip_blank()
        if self.peek() == ":":
            return self._function(name), self._arguments()
        if self.at < self.end and self.peek() not in "|),":
            raise self.fault(f"write : between {name[:40]} and its arguments")
        return self._function(name), []

    def _arguments(self) -> list[Evaluate]:
        arguments: list[Evaluate] = []
        while True:
            self.at += 1
            argument = self._argument()
            if argument is not None:
                arguments.append(argument)
            self.skip_blank()
            if self.at < self.end and self.peek() not in ",|)":
                raise self.fault("write , between the arguments of a filter, or | before the next one")
            if self.peek() != ",":
                return arguments

    def _function(self, name: str) -> FilterFunction | None:
        known = self.known
        if known.strict and (name not in known.filters or name in known.off):
            why = "Segment has switched this filter off" if name in known.off else "there is no such filter"
            raise self.fault(f"{name[:40]}: {why}; take it out, or write what you mean in another directive")
        return known.filters.get(name)

    def _argument(self) -> Evaluate | None:
        """A value; with a name before it, a list of name and value."""
        self.skip_blank()
        start = self.at
        first = self.value()
        if first is None:
            return None
        name = self.source[start : self.at]
        self.skip_blank()
        if self.peek() != ":":
            return first
        self.at += 1
        named = self.value() or _constant(MISSING)
        return lambda scope: [name, named(scope)]

    def _literal(self) -> Evaluate | None:
        for word, value in _WORDS.items():
            if self.source.startswith(word, self.at, self.end):
                behind = self.peek(len(word))
                if not (behind and is_word(behind)):
                    self.at += len(word)
                    return _constant(value)
        return None

    def _quoted(self) -> Evaluate | None:
        quote = self.peek()
        if quote not in ("'", '"'):
            return None
        start = self.at
        self.at = end_of_quoted(self.source, start, self.end)
        return _constant(unescaped(self.source[start : self.at]))

    def _number(self) -> Evaluate | None:
        ahead = 1 if self.peek() == "-" else 0
        digits = point = False
        while char := self.peek(ahead):
            if char in "0123456789":
                digits = True
            elif char == "." and self.peek(ahead + 1) != ".":
                if point or not digits:
                    return None
                point = True
            else:
                break
            ahead += 1
        if not digits or (self.peek(ahead) and is_word(self.peek(ahead))):
            return None
        written = self.source[self.at : self.at + ahead]
        self.at += ahead
        return _constant(number_of(written))

    def _range(self) -> Evaluate:
        self._enter()
        self.at += 1
        first = self._needed()
        self.skip_blank()
        if self.peek() != "." or self.peek(1) != ".":
            raise self.fault("brackets hold a range, (1..5); other brackets are not known here")
        self.at += 2
        last = self._needed()
        self.skip_blank()
        if self.peek() != ")":
            raise self.fault("the ) of a range is missing here")
        self.at += 1
        self.depth -= 1
        return lambda scope: _numbers(plain(first(scope)), plain(last(scope)), scope)

    def _needed(self) -> Evaluate:
        value = self.value()
        if value is None:
            raise self.fault("a value is missing here")
        return value

    def _path(self, *, bare: bool) -> list[Evaluate]:
        path: list[Evaluate] = []
        while True:
            if self.peek() == "[":
                self._enter()
                self.at += 1
                path.append(self.value() or _constant(""))
                if not self.skip_behind("]"):
                    raise self.fault("the ] is missing here")
                self.depth -= 1
            elif bare and not path and (name := self.identifier()):
                path.append(_constant(name))
            elif self.peek() == "." and self.peek(1) != ".":
                self.at += 1
                name = self.identifier()
                if not name:
                    return path
                path.append(_constant(name))
            else:
                return path

    def _enter(self) -> None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.fault(f"at most {_DEEPEST} levels of brackets")


def _constant(value: Any) -> Evaluate:
    return lambda _scope: value


def _variable(path: list[Evaluate]) -> Evaluate:
    first, *rest = path

    def read(scope: Any) -> Any:
        name = plain(first(scope))
        if type(name) is not str:
            weigh(name, scope)
            name = printed(name)
        value = scope.variable(name)
        for step in rest:
            value = property_of(value, step(scope), scope)
        return value

    return read


def _property(value: Evaluate, path: list[Evaluate]) -> Evaluate:
    def read(scope: Any) -> Any:
        found = value(scope)
        found = MISSING if type(found) is Word else found
        for step in path:
            found = property_of(found, step(scope), scope)
        return found

    return read


def _numbers(first: Any, last: Any, scope: Meter) -> list[float]:
    low, high = (number_of(each) if type(each) in (str, bool, int, float) else float("nan") for each in (first, last))
    if low != low or high != high or low > high:
        return []
    scope.spend((high - low + 1) * _RANGE)
    return [low + step for step in range(int(high - low) + 1)]


def _piped(value: Evaluate, function: FilterFunction | None, arguments: list[Evaluate]) -> Evaluate:
    if function is None:
        return value
    if not arguments:
        return lambda scope: function(scope, value(scope))
    return lambda scope: function(scope, value(scope), *[argument(scope) for argument in arguments])


def _computed(postfix: list[Evaluate | str]) -> Evaluate:
    """The value of the first operand that is left; an operand that is missing counts as no value."""

    def compute(scope: Any) -> Any:
        stack: list[Any] = []
        for step in postfix:
            if not isinstance(step, str):
                stack.append(step(scope))
                continue
            right = stack.pop() if stack else MISSING
            left = MISSING if step == "not" or not stack else stack.pop()
            stack.append(_operated(step, left, right, scope))
        return stack[0]

    return compute


def _operated(name: str, left: Any, right: Any, scope: Meter) -> bool:
    if name in _ORDERS:
        return compared(left, right, _ORDERS[name], scope)
    if name == "==" or name == "!=":
        return equal(left, right, scope) is (name == "==")
    if name == "contains":
        return contains(left, right, scope)
    if name == "not":
        return not true_in_liquid(right)
    both = (true_in_liquid(left), true_in_liquid(right))
    return all(both) if name == "and" else any(both)
