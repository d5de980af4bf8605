"""JMESPath with an end: read once, checked once, and bounded by counts for every event.

The library reads and interprets; this file gives its interpreter an allowance of steps, its functions a price, and
refuses beforehand what could only fail. Filters and mappings use it alike. Source of the language: jmespath.org.
"""

import json
import math
import re
from collections.abc import Callable
from threading import local
from typing import Any, Final, Protocol

import jmespath
from jmespath.exceptions import JMESPathTypeError
from jmespath.functions import Functions
from jmespath.lexer import Lexer, LexerError
from jmespath.visitor import Options, TreeInterpreter

from processor.domain.weight import CHARS, weigh
from processor.errors import FilterSyntaxError

__all__ = ["Budget", "EvaluationError", "compile_expression"]

_LONGEST = 10_000
"""Characters of one expression: also of its longest literal, which no step counts."""
_DEEPEST = 64
"""Levels of brackets: the library recurses once a level, when it reads and when it runs."""
_MOST_LEVELS = 4 * _DEEPEST
"""Levels of the tree, at two frames of Python's stack each."""
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")

_ALLOWANCE: Final = 20_000
"""Steps of one evaluation. A step is a node of the expression met once, or as much work: 32 characters of a text
that a function reads, a member of a list or object. The dearest steps measured cost a microsecond."""
_COPIED = 3
"""A step covers 2 to this power members that are only copied."""

_CALL = 5
"""Steps of a function's call, whose arguments the library checks one by one."""

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NUMBERS = frozenset({int, float})
_LEAST, _GREATEST = -(2**63), 2**64 - 1
"""Whole numbers that a payload can hold; others become the nearest double, as in an event."""


class EvaluationError(Exception):
    """The expression gives no value for this event: a function met a wrong type, or the steps ran out."""


class Budget(Protocol):
    """The steps that are ``left`` to whoever evaluates, who may evaluate more than one expression."""

    left: int


def compile_expression(text: str, budget: Budget | None = None) -> Callable[[Any], Any]:
    """The expression as a function from JSON to JSON; it never changes what it is given, and may return parts of it.

    An evaluation takes its steps off ``budget``; without one it has an allowance of its own.
    The function raises ``EvaluationError`` and nothing else. A path that leads nowhere gives ``None``, as in JMESPath.
    Raises ``FilterSyntaxError``, with the position in ``text``; a mapping makes it a fault at its own path.
    """
    tree = _parsed(text)
    own = _PerThread()
    steps = budget or _Own()

    def evaluate(value: Any) -> Any:
        try:
            return own.interpreter.run(tree, value, steps)
        except EvaluationError:
            raise
        except JMESPathTypeError as error:  # its own words would show the event's
            raise EvaluationError(f"{error.function_name}() takes no value of type {error.actual_type}") from None
        except Exception as error:  # noqa: BLE001 - whatever the data brings
            raise EvaluationError(f"a JMESPath expression ended with {type(error).__name__}") from None

    return evaluate


def _parsed(text: str) -> dict[str, Any]:
    if len(text) > _LONGEST:
        raise FilterSyntaxError(f"a JMESPath expression has at most {_LONGEST} characters", _LONGEST)
    _refuse_depth(text)
    try:
        for _ in _Lexer().tokenize(text):
            pass
        tree: dict[str, Any] = jmespath.compile(text).parsed
    except RecursionError:
        raise FilterSyntaxError("this expression has too many levels; split it", 0) from None
    except Exception as error:
        position = getattr(error, "lex_position", None) or getattr(error, "lexer_position", None) or 0
        raise FilterSyntaxError(f"this is no JMESPath expression: {_first_line(error)}", int(position)) from error
    _refuse_hopeless(tree, text)
    return tree


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(":")


def _refuse_depth(text: str) -> None:
    depth = 0
    for position, char in enumerate(text):
        if char in _OPENING:
            depth += 1
        elif char in _CLOSING:
            depth -= 1
        if depth > _DEEPEST:
            raise FilterSyntaxError(f"at most {_DEEPEST} levels of brackets", position)


def _refuse_hopeless(tree: dict[str, Any], text: str) -> None:
    """Refuse what could fail only when it runs: unknown functions, their arguments' number, a stray ``&``."""
    pending: list[tuple[Any, int]] = [(tree, 1)]
    while pending:
        node, depth = pending.pop()
        if not isinstance(node, dict):
            continue
        children = node.get("children", ())
        if depth > _MOST_LEVELS:
            raise FilterSyntaxError(f"this expression has more than {_MOST_LEVELS} levels; split it", 0)
        if node["type"] == "expref":
            raise FilterSyntaxError("`&` stands only where a function takes an expression, as in sort_by(a, &b)", 0)
        if node["type"] == "slice" and children[2] == 0:
            raise FilterSyntaxError("the step of a slice is not 0", 0)
        if node["type"] == "function_expression":
            children = _arguments(str(node["value"]), children, text)
        pending.extend((child, depth + 1) for child in children)


def _arguments(name: str, given: list[Any], text: str) -> list[Any]:
    """What a function is called with, a ``&`` taken off where it belongs."""
    position = max(text.find(name), 0)
    if name not in Functions.FUNCTION_TABLE:
        raise FilterSyntaxError(f"JMESPath has no function {name}()", position)
    wanted = Functions.FUNCTION_TABLE[name]["signature"]
    endless = wanted[-1].get("variadic", False)
    if len(given) < len(wanted) or (len(given) > len(wanted) and not endless):
        count = f"{len(wanted)} or more" if endless else str(len(wanted))
        raise FilterSyntaxError(f"{name}() takes {count} argument{'s' * (count != '1')}, not {len(given)}", position)
    bare = []
    for index, argument in enumerate(given):
        takes_expression = "expref" in wanted[min(index, len(wanted) - 1)]["types"]
        if takes_expression and argument["type"] != "expref":
            raise FilterSyntaxError(f"{name}() takes an expression here: write `&` before it", position)
        bare.append(argument["children"][0] if takes_expression else argument)
    return bare


class _Lexer(Lexer):  # type: ignore[misc]
    """The library's, without the words in backticks that it only warns of, and without NaN and infinity."""

    def _consume_literal(self) -> dict[str, Any]:
        start = self._position
        lexeme = self._consume_until("`").replace("\\`", "`")
        try:
            value = json.loads(lexeme, parse_constant=_finite, parse_float=_finite)
        except ValueError:
            raise LexerError(start, lexeme, "between backticks stands JSON; write a text as 'text'") from None
        return {"type": "literal", "value": value, "start": start, "end": self._position - start}


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


class _PerThread(local):
    """An interpreter counts while it runs, and what it interprets may be tried beside the service that runs it."""

    def __init__(self) -> None:
        self.interpreter = _Interpreter()


class _Own:
    """The budget of an expression that stands alone: as much for each event."""

    left = property(lambda _self: _ALLOWANCE, lambda _self, _left: None)


class _Interpreter(TreeInterpreter):  # type: ignore[misc]
    """The library's, with an allowance. One for each expression; ``run`` begins a new evaluation."""

    def __init__(self) -> None:
        super().__init__(Options(custom_functions=_Functions(self)))
        self._left = 0
        self._methods: dict[str, Callable[[dict[str, Any], Any], Any]] = {
            name.removeprefix("visit_"): getattr(self, name) for name in dir(self) if name.startswith("visit_")
        }

    def run(self, tree: dict[str, Any], value: Any, budget: Budget) -> Any:
        self._left = budget.left
        found = self.visit(tree, value)
        self.weigh(found)
        budget.left = self._left
        return found

    def visit(self, node: dict[str, Any], value: Any) -> Any:  # type: ignore[override, unused-ignore]
        self._left -= 1
        if self._left < 0:
            self.spend(0)
        return self._methods[node["type"]](node, value)

    def spend(self, steps: int) -> None:
        """Take ``steps`` off the allowance, before the work is done."""
        self._left -= steps
        if self._left < 0:
            raise EvaluationError(f"this expression takes more than {_ALLOWANCE} steps for this event")

    def weigh(self, value: Any) -> None:
        """Spend for every part of ``value``."""
        weigh(value, self.spend)

    def visit_comparator(self, node: dict[str, Any], value: Any) -> Any:
        """As the library; two values of one kind may have to be read to their ends."""
        first, second = node["children"]
        left, right = self.visit(first, value), self.visit(second, value)
        kind = type(left)
        if kind is type(right) and (kind is str or kind is list or kind is dict):
            self.weigh(left)
        operator = node["value"]
        if operator in self._EQUALITY_OPS:
            return self.COMPARATOR_FUNC[operator](left, right)
        if kind is str or type(right) is str:
            return self.COMPARATOR_FUNC[operator](left, right) if kind is type(right) else None
        if kind in _NUMBERS and type(right) in _NUMBERS:
            return self.COMPARATOR_FUNC[operator](left, right)
        return None

    def visit_flatten(self, node: dict[str, Any], value: Any) -> Any:
        base = self.visit(node["children"][0], value)
        if not isinstance(base, list):
            return None
        merged: list[Any] = []
        for element in base:
            if isinstance(element, list):
                self.spend(1 + (len(element) >> _COPIED))
                merged.extend(element)
            else:
                merged.append(element)
        self.spend(len(base) >> _COPIED)
        return merged

    def visit_slice(self, node: dict[str, Any], value: Any) -> Any:
        if isinstance(value, list):
            self.spend(len(value) >> _COPIED)
        return super().visit_slice(node, value)


_READ_DEEP = frozenset({"to_string", "contains"})
_READ_FLAT = frozenset(
    {"avg", "ends_with", "join", "keys", "max", "merge", "min", "reverse", "sort", "starts_with", "sum", "values"}
)


class _Functions(Functions):  # type: ignore[misc]
    """The library's, each paid for before it runs. Those that take ``&`` are paid by the steps of their expression."""

    def __init__(self, interpreter: _Interpreter) -> None:
        self._interpreter = interpreter

    def call_function(self, function_name: str, resolved_args: list[Any]) -> Any:
        self._interpreter.spend(_CALL)
        if function_name in _READ_DEEP:
            for argument in resolved_args:
                self._interpreter.weigh(argument)
        elif function_name in _READ_FLAT:
            self._interpreter.spend(sum(map(_flat, resolved_args)))
            if function_name == "join":
                self._interpreter.spend(_separators(resolved_args))
        found = super().call_function(function_name, resolved_args)
        if type(found) is float and not math.isfinite(found):
            raise EvaluationError(f"{function_name}() gives no number that JSON can hold")
        if type(found) is int and not _LEAST <= found <= _GREATEST:
            return float(found)
        return found

    def _func_to_number(self, arg: Any) -> Any:
        """As the specification has it: a text counts only if JSON would read it as a number."""
        if type(arg) is int or type(arg) is float:
            return arg
        if type(arg) is not str or not _NUMBER.fullmatch(arg):
            return None
        number = float(arg)
        if not math.isfinite(number):
            return None
        return int(arg) if len(arg) < 20 and arg.lstrip("-").isdigit() else number  # noqa: PLR2004, RUF100

    _func_to_number.signature = ({"types": []},)  # type: ignore[attr-defined]


def _flat(value: Any) -> int:
    if type(value) is str:
        return len(value) >> CHARS
    if type(value) is list:
        return len(value) + (sum(len(item) for item in value if type(item) is str) >> CHARS)
    return len(value) if type(value) is dict else 0


def _separators(arguments: list[Any]) -> int:
    separator, parts = arguments
    return (len(separator) * len(parts)) >> CHARS if type(separator) is str and type(parts) is list else 0
