"""``@replace``: one or two literal pieces of a text replaced, everywhere by default."""

from collections.abc import Callable
from typing import Any, NamedTuple

from processor.domain.mappings.allowance import CHARS
from processor.domain.mappings.contract import Builder, Checker, Constant, Directive, Payable, fail
from processor.domain.mappings.javascript import MISSING, printed, truthy
from processor.domain.mappings.paths import Resolve

__all__ = ["REPLACE"]

_LONGEST = 10
"""Characters of a pattern and of a replacement. Source: Segment's mapping kit."""
_FOLDED = 2
"""A step covers 2 to this power characters that are compared without regard to case, where not all are ASCII."""

_Change = Callable[[str], str]


def _check(value: Any, checker: Checker) -> None:
    if not checker.object(value, "pattern", "value", "replacement", "ignorecase", "global"):
        return
    if "pattern" not in value:
        checker.fault("write the `pattern` to replace")
    else:
        checker.at("pattern").plain_text(value["pattern"], 1, _LONGEST)
    if "value" not in value:
        checker.fault("write the `value` to replace in")
    else:
        checker.at("value").text(value["value"])
    if "replacement" in value:
        checker.at("replacement").plain_text(value["replacement"], 0, _LONGEST)
    for key in ("ignorecase", "global"):
        if key in value:
            checker.at(key).boolean(value[key])


def _build(value: Any, builder: Builder) -> Resolve:
    if not isinstance(value, dict) or not truthy(value.get("pattern")):
        return builder.failing("@replace needs a pattern")
    if not truthy(value.get("value")):
        return Constant(MISSING)
    read = builder.build(value["value"])
    changes = _changes(value, builder.allowance())

    def replaced(event: Any) -> Any:
        found = read(event)
        if type(found) in (bool, int, float):
            found = printed(found)
        if type(found) is not str or changes is None:
            return ""
        for change in changes:
            found = change(found)
        return found

    return replaced


def _changes(value: dict[str, Any], allowance: Payable) -> list[_Change] | None:
    """What to do to a text, ``None`` where an option has the wrong type: Segment then answers with an empty text."""
    everywhere = True if value.get("global") is None else value["global"]
    ignorecase = False if value.get("ignorecase") is None else value["ignorecase"]
    pattern, replacement = value["pattern"], _or_empty(value.get("replacement"))
    if not (isinstance(pattern, str) and isinstance(replacement, str)):
        return None
    if not (isinstance(everywhere, bool) and isinstance(ignorecase, bool)):
        return None
    how = _How(everywhere, ignorecase, allowance)
    changes = [_change(pattern, replacement, how)]
    second, replacement2 = value.get("pattern2"), _or_empty(value.get("replacement2"))
    if isinstance(second, str) and second and isinstance(replacement2, str):
        changes.append(_change(second, replacement2, how))
    return changes


def _or_empty(value: Any) -> Any:
    return "" if value is None else value


class _How(NamedTuple):
    """What holds for both pairs of pattern and replacement."""

    everywhere: bool
    ignorecase: bool
    allowance: Payable


def _change(pattern: str, replacement: str, how: _How) -> _Change:
    if len(pattern) > _LONGEST or len(replacement) > _LONGEST:
        return lambda _text: fail(f"@replace takes at most {_LONGEST} characters")
    everywhere, ignorecase, allowance = how
    if "$" not in replacement and not ignorecase:
        growth = max(0, len(replacement) - len(pattern))

        def replace(text: str) -> str:
            allowance.spend((len(text) + growth * text.count(pattern)) >> CHARS)
            return text.replace(pattern, replacement, -1 if everywhere else 1)

        return replace
    wanted = _folded(pattern) if ignorecase else pattern

    def change(text: str) -> str:
        allowance.spend(len(text) >> (CHARS if text.isascii() else _FOLDED))
        searched = _folded(text) if ignorecase else text
        allowance.spend(searched.count(wanted) >> 1)
        out: list[str] = []
        done = 0
        while (start := searched.find(wanted, done)) >= 0:
            end = start + len(wanted)
            filling = _filled(replacement, text, start, end)
            allowance.spend(len(filling) >> CHARS)
            out += (text[done:start], filling)
            done = end
            if not everywhere:
                break
        return "".join(out) + text[done:]

    return change


def _filled(replacement: str, text: str, start: int, end: int) -> str:
    """JavaScript's marks in a replacement: the match, what is before and behind it, a dollar sign."""
    if "$" not in replacement:
        return replacement
    marks = {"$": "$", "&": text[start:end], "`": text[:start], "'": text[end:]}
    out: list[str] = []
    at = 0
    while at < len(replacement):
        mark = marks.get(replacement[at + 1 : at + 2]) if replacement[at] == "$" else None
        out.append(replacement[at] if mark is None else mark)
        at += 1 if mark is None else 2
    return "".join(out)


def _folded(text: str) -> str:
    """Each character as JavaScript compares it without regard to case; the length stays."""
    if text.isascii():
        return text.upper()
    return "".join(map(_fold, text))


def _fold(char: str) -> str:
    upper = char.upper()
    if len(upper) != 1 or char > "\uffff" or (char > "\x7f" >= upper):
        return char
    return upper


REPLACE = Directive(_check, _build)
