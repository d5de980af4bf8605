"""YAML text to plain values, with the line of every key and the place of every scalar.

The values are built here from the library's events, one after the other, for three reasons: only so can each key's
line be kept, a depth be refused before it is reached, and YAML 1.2's core schema be all that is known (``NO`` is a
text, a date is a text). Anchors, aliases and tags have no use in this document and are refused: a kilobyte of
aliases can stand for a gigabyte.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from processor.config.faults import Findings, Path, shown
from processor.errors import DocumentError, Fault

__all__ = ["MAX_BYTES", "MAX_DEPTH", "Reading", "read"]

MAX_BYTES = 1_048_576
"""Bytes of one document; reading that many takes about six seconds."""
MAX_DEPTH = 64
"""Lists and mappings within each other."""
_MAX_INTEGER = 2**63

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_REAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_HINTS = {
    "'@' that cannot start": 'put it into quotes: "@path"',
    "'\\t' that cannot start": "indent with spaces instead of tabs",
    "'`' that cannot start": "put it into quotes",
    "'%' that cannot start": "put it into quotes",
    "mapping values are not allowed": "put a text that holds `: ` into quotes, and check the indentation",
    "expected <block end>": "check the indentation of this line and of those above it",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What the text says. ``spans`` gives each scalar's first and last character, by its path as text."""

    data: Any = field(repr=False)
    lines: dict[str, int] = field(repr=False)
    spans: dict[str, tuple[int, int]] = field(repr=False)


def read(text: str) -> Reading:
    """Raises ``DocumentError``, and nothing else, for a text that is no such YAML."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise DocumentError([Fault("", "half a character (a lone surrogate); save the file as UTF-8", line)]) from None
    if size > MAX_BYTES:
        raise DocumentError([Fault("", f"the document has {size} bytes, at most {MAX_BYTES} are read")])
    builder = _Builder()
    for event in _events(text):
        builder.take(event)
    found = builder.findings
    if not builder.documents:
        found.fault((), "the document is empty; write `version: 1` to begin with")
    if found.faults:
        raise DocumentError(found.in_order())
    return Reading(builder.root, builder.lines, builder.spans)


def _events(text: str) -> Iterator[Event]:
    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except DocumentError:
        raise
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = str(error.problem or error.context or "cannot be read")
        hint = next((hint for start, hint in _HINTS.items() if start in problem), "")
        line = mark.line + 1 if mark is not None else None
        raise DocumentError([Fault("", f"not YAML: {problem}" + (f"; {hint}" if hint else ""), line)]) from None
    except Exception as error:  # noqa: BLE001 - the library lets ValueErrors, OverflowErrors and others through
        position = getattr(error, "position", None)
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) else None
        reason = str(getattr(error, "reason", "") or error).splitlines()[0:1]
        raise DocumentError([Fault("", f"not YAML: {' '.join(reason) or type(error).__name__}", line)]) from None


@dataclass(slots=True)
class _Open:
    """A list or mapping that has begun. ``key`` is the one whose value comes next."""

    path: Path
    value: Any
    key: str | None = None


class _Builder:
    def __init__(self) -> None:
        self.lines: dict[str, int] = {"": 1}
        self.spans: dict[str, tuple[int, int]] = {}
        self.findings = Findings(self.lines)
        self.root: Any = None
        self.documents = 0
        self._open: list[_Open] = []

    def take(self, event: Event) -> None:
        match event:
            case DocumentStartEvent():
                self._document(event)
            case AliasEvent():
                self._stop(event, "an alias (`*`) is not read here; write the value out")
            case NodeEvent() if event.anchor is not None:
                self._stop(event, "an anchor (`&`) is not read here; write the value out where it is needed")
            case ScalarEvent() | MappingStartEvent() | SequenceStartEvent() if event.ctag is not None:
                self._stop(event, "a tag (`!`) is not read here; put a text that begins with `!` into quotes")
            case ScalarEvent():
                self._scalar(event)
            case MappingStartEvent():
                self._begin(event, {})
            case SequenceStartEvent():
                self._begin(event, [])
            case MappingEndEvent() | SequenceEndEvent():
                self._open.pop()

    def _stop(self, event: Event, message: str) -> NoReturn:
        where = shown(self._open[-1].path) if self._open else ""
        raise DocumentError([*self.findings.in_order(), Fault(where, message, event.start_mark.line + 1)])

    def _document(self, event: DocumentStartEvent) -> None:
        self.documents += 1
        if self.documents > 1:
            self._stop(event, "one document to a file; remove the second `---`")
        if event.version not in (None, (1, 2)):
            self._stop(event, "this is read as YAML 1.2; remove the %YAML line")

    def _begin(self, event: Event, value: Any) -> None:
        if self._open and isinstance(self._open[-1].value, dict) and self._open[-1].key is None:
            self._stop(event, "a key is a text; put one with braces or brackets into quotes")
        if len(self._open) >= MAX_DEPTH:
            self._stop(event, f"more than {MAX_DEPTH} lists and mappings within each other")
        self._open.append(_Open(self._put(event, value), value))

    def _scalar(self, event: ScalarEvent) -> None:
        inner = self._open[-1] if self._open else None
        text = _whole(event.value)
        if text is None or "\0" in text:
            self._stop(event, "a text with \\0 or half a character (a lone surrogate) cannot be stored")
        if inner is not None and isinstance(inner.value, dict) and inner.key is None:
            self._key(inner, text, event)
            return
        path = self._put(event, None)
        value = self._value(text, path) if event.implicit[0] else text  # not plain: quoted, or a block
        self.spans[shown(path)] = (event.start_mark.index, event.end_mark.index)
        if inner is None:
            self.root = value
        else:
            inner.value[path[-1]] = value

    def _key(self, inner: _Open, key: str, event: ScalarEvent) -> None:
        inner.key = key
        where, line = shown((*inner.path, key)), event.start_mark.line + 1
        if key in inner.value:
            message = f"this key is already there in line {self.lines[where]}; write it once"
            self.findings.fault_at(where, message, line)
        else:
            self.lines[where] = line

    def _put(self, event: Event, value: Any) -> Path:
        """Put the value where it belongs and return its path."""
        if not self._open:
            self.root = value
            return ()
        inner = self._open[-1]
        if isinstance(inner.value, list):
            path: Path = (*inner.path, len(inner.value))
            inner.value.append(value)
            self.lines[shown(path)] = event.start_mark.line + 1
        else:
            path = (*inner.path, inner.key or "")
            inner.value[inner.key or ""] = value
            inner.key = None
        return path

    def _value(self, text: str, path: Path) -> Any:
        if text in _NULL:
            return None
        if text in _BOOLEAN:
            return _BOOLEAN[text]
        number: int | float
        if _INTEGER.fullmatch(text):
            number = int(text, 0) if text[:2] in ("0x", "0o") else int(text) if len(text) < 25 else _MAX_INTEGER
            if not -_MAX_INTEGER <= number < _MAX_INTEGER:
                self.findings.fault(path, "a number of more than 64 bits; put it into quotes if it is an id")
            return number
        if _REAL.fullmatch(text):
            number = math.inf if text[-1] in "fFnN" else float(text)
            if not math.isfinite(number):
                self.findings.fault(path, "not a number that JSON can hold; put it into quotes if it is a text")
            return number
        return text


def _whole(text: str) -> str | None:
    """The text with its surrogate pairs joined, as pasted JSON has them; ``None`` where half a pair stands alone."""
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        return None
