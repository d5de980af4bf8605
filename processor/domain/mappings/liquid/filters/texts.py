"""Filters of texts."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from processor.domain.mappings.contract import fail
from processor.domain.mappings.javascript import MISSING, number_of, printed
from processor.domain.mappings.liquid.values import Meter, length_of, plain, text, written_true

__all__ = ["TEXTS"]

_Filter = Callable[..., Any]
_SPACE = "\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_SPACES = re.compile(f"[{_SPACE}]+")
_CJK = "\u4e00-\u9fff\uf900-\ufaff\u3400-\u4dbf\u3040-\u309f\u30a0-\u30ff\uac00-\ud7af"
_CJK_SIGN = re.compile(f"[{_CJK}]")
_OTHER_WORD = re.compile(f"[^{_CJK}{_SPACE}]+")
_SPLIT_ITEM = 4
"""What a piece of a split text costs, in characters."""
_BLOCKS = (("<script", "</script>"), ("<style", "</style>"), ("<!--", "-->"), ("<", ">"))


def _trimmed(value: str) -> str:
    return _end_trimmed(_start_trimmed(value))


def _start_trimmed(value: str) -> str:
    found = _SPACES.match(value)
    return value[found.end() :] if found else value


def _end_trimmed(value: str) -> str:
    end = len(value)
    while end and _SPACES.match(value, end - 1):
        end -= 1
    return value[:end]


def _of_text(change: Callable[[str], Any]) -> _Filter:
    """A filter of a text alone; it pays for what it reads and writes."""

    def apply(meter: Meter, value: Any, *_given: Any) -> Any:
        made = change(text(value, meter))
        if type(made) is str:
            meter.spend(len(made))
        return made

    return apply


def _stripped(trim: Callable[[str], str], *, left: bool, right: bool) -> _Filter:
    def apply(meter: Meter, value: Any, chars: Any = MISSING, *_more: Any) -> str:
        given = text(value, meter)
        if not written_true(chars):
            return trim(given)
        wanted = text(chars, meter)
        return given.strip(wanted) if left and right else given.lstrip(wanted) if left else given.rstrip(wanted)

    return apply


def _joined(order: Callable[[str, str], str], name: str) -> _Filter:
    def apply(meter: Meter, value: Any, *given: Any) -> str:
        if len(given) != 1:
            fail(f"{name} needs one argument")
        made = order(text(value, meter), text(given[0], meter))
        meter.spend(len(made))
        return made

    return apply


def _replaced(meter: Meter, value: Any, pattern: Any = MISSING, replacement: Any = MISSING, *_more: Any) -> str:
    given, wanted, filling = text(value, meter), text(pattern, meter), text(replacement, meter)
    hits = given.count(wanted) if wanted else max(len(given) - 1, 0)
    meter.spend(len(given) + hits * (len(filling) + _SPLIT_ITEM))
    return given.replace(wanted, filling) if wanted else filling.join(given)


def _one_replaced(find: Callable[[str, str], int], *, removed: bool = False) -> _Filter:
    def apply(meter: Meter, value: Any, pattern: Any = MISSING, replacement: Any = MISSING, *_more: Any) -> str:
        given, wanted = text(value, meter), text(pattern, meter)
        filling = "" if removed else text(replacement, meter)
        at = find(given, wanted)
        meter.spend(2 * len(given) + len(filling))
        return given if at < 0 else given[:at] + filling + given[at + len(wanted) :]

    return apply


def _removed(meter: Meter, value: Any, pattern: Any = MISSING, *_more: Any) -> str:
    return _replaced(meter, value, pattern, "")


def _split(meter: Meter, value: Any, separator: Any = MISSING, *_more: Any) -> list[str]:
    given, between = text(value, meter), text(separator, meter)
    pieces = given.count(between) + 1 if between else len(given)
    meter.spend(len(given) + pieces * _SPLIT_ITEM)
    made = given.split(between) if between else list(given)
    while made and not made[-1]:
        made.pop()
    return made


def _capitalized(value: str) -> str:
    return value[:1].upper() + value[1:].lower()


def _strip_newlines(value: str) -> str:
    return value.replace("\r\n", "").replace("\n", "")


def _strip_html(value: str) -> str:
    """Without tags, comments, scripts and styles; an opening without its end stays, and all behind it."""
    blocks = dict(_BLOCKS)
    out: list[str] = []
    at = 0
    while (start := value.find("<", at)) >= 0:
        out.append(value[at:start])
        for opener in tuple(blocks):
            if not value.startswith(opener, start):
                continue
            closer = blocks[opener]
            end = value.find(closer, start + len(opener))
            if end >= 0:
                at = end + len(closer)
                break
            del blocks[opener]
        if at <= start:
            return "".join(out) + value[start:]
    return "".join(out) + value[at:]


def _number(value: Any, default: float) -> float:
    value = plain(value)
    if value is MISSING:
        return default
    if value is None:
        return 0.0
    return number_of(value) if type(value) in (str, int, float, bool) else number_of(printed(value))


def _truncated(meter: Meter, value: Any, length: Any = MISSING, mark: Any = "...", *_more: Any) -> Any:
    given, mark = text(value, meter), text("..." if mark is MISSING else mark, meter)
    most = _number(length, 50)
    if length_of(given) <= most or len(given) <= (most if most == most else 0):
        return value
    kept = max(most - len(mark), 0) if most == most else 0
    return given[: int(kept) + (kept % 1 > 0)] + mark


def _words_truncated(meter: Meter, value: Any, words: Any = MISSING, mark: Any = "...", *_more: Any) -> str:
    given, mark = text(value, meter), text("..." if mark is MISSING else mark, meter)
    most = _number(words, 15)
    most = 1 if most <= 0 else most
    meter.spend(len(given) * _SPLIT_ITEM)
    pieces = _SPACES.split(_start_trimmed(given))
    kept = " ".join(pieces[: int(min(most, len(pieces))) if most == most else 0])
    return kept + mark if len(pieces) >= most else kept


def _word_count(meter: Meter, value: Any, mode: Any = MISSING, *_more: Any) -> int:
    given = _trimmed(text(value, meter))
    if not given:
        return 0
    meter.spend(len(given) * _SPLIT_ITEM)
    signs = len(_CJK_SIGN.findall(given)) if mode in ("cjk", "auto") else 0
    if mode == "cjk" or signs:
        return signs + len(_OTHER_WORD.findall(given))
    return len(_SPACES.split(given))


TEXTS: Mapping[str, _Filter] = {
    "append": _joined(lambda one, other: one + other, "append"),
    "capitalize": _of_text(_capitalized),
    "downcase": _of_text(str.lower),
    "lstrip": _stripped(_start_trimmed, left=True, right=False),
    "normalize_whitespace": _of_text(lambda value: _SPACES.sub(" ", value)),
    "number_of_words": _word_count,
    "prepend": _joined(lambda one, other: other + one, "prepend"),
    "remove": _removed,
    "remove_first": _one_replaced(str.find, removed=True),
    "remove_last": _one_replaced(str.rfind, removed=True),
    "replace": _replaced,
    "replace_first": _one_replaced(str.find),
    "replace_last": _one_replaced(str.rfind),
    "rstrip": _stripped(_end_trimmed, left=False, right=True),
    "split": _split,
    "squish": _of_text(lambda value: _trimmed(_SPACES.sub(" ", value))),
    "strip": _stripped(_trimmed, left=True, right=True),
    "strip_html": _of_text(_strip_html),
    "strip_newlines": _of_text(_strip_newlines),
    "truncate": _truncated,
    "truncatewords": _words_truncated,
    "upcase": _of_text(str.upper),
}
