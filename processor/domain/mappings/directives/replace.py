"""``@replace``: one or two literal pieces of a text replaced, everywhere by default."""

from collections.abc import Callable
from typing import Any

from processor.domain.mappings.contract import Builder, Checker, Constant, Directive, fail
from processor.domain.mappings.javascript import MISSING, printed, truthy
from processor.domain.mappings.paths import Resolve

__all__ = ["REPLACE"]

_LONGEST = 10
"""Characters of a pattern and of a replacement. Source: Segment's mapping kit."""
_MOST = 1_000_000
"""Characters of a result: a replacement that repeats what is around it could ask for far more."""

_Change = Callable[[str], str]


def _check(value: Any, checker: Checker) -> None:
    if not checker.object(value):
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
    changes = _changes(value)

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


def _changes(value: dict[str, Any]) -> list[_Change] | None:
    """What to do to a text, ``None`` where an option has the wrong type: Segment then answers with an empty text."""
    everywhere = True if value.get("global") is None else value["global"]
    ignorecase = False if value.get("ignorecase") is None else value["ignorecase"]
    pattern, replacement = value["pattern"], _or_empty(value.get("replacement"))
    if not (isinstance(pattern, str) and isinstance(replacement, str)):
        return None
    if not (isinstance(everywhere, bool) and isinstance(ignorecase, bool)):
        return None
    changes = [_change(pattern, replacement, everywhere=everywhere, ignorecase=ignorecase)]
    second, replacement2 = value.get("pattern2"), _or_empty(value.get("replacement2"))
    if isinstance(second, str) and second and isinstance(replacement2, str):
        changes.append(_change(second, replacement2, everywhere=everywhere, ignorecase=ignorecase))
    return changes


def _or_empty(value: Any) -> Any:
    return "" if value is None else value


def _change(pattern: str, replacement: str, *, everywhere: bool, ignorecase: bool) -> _Change:
    if len(pattern) > _LONGEST or len(replacement) > _LONGEST:
        return lambda _text: fail(f"@replace takes at most {_LONGEST} characters")
    if "$" not in replacement and not ignorecase:
        return lambda text: text.replace(pattern, replacement, -1 if everywhere else 1)
    wanted = _folded(pattern) if ignorecase else pattern

    def change(text: str) -> str:
        searched = _folded(text) if ignorecase else text
        out: list[str] = []
        done = length = 0
        while (start := searched.find(wanted, done)) >= 0:
            end = start + len(wanted)
            filling = _filled(replacement, text, start, end)
            out += (text[done:start], filling)
            length += len(filling)
            if length > _MOST:
                fail(f"@replace gives at most {_MOST} characters")
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
