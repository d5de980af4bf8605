"""The door's two functions: what may stand where a filter is expected, read and compiled."""

from typing import Any

from processor.domain.filters.compiler import compile_tree
from processor.domain.filters.jmes import compile_jmespath
from processor.domain.filters.segment import parse_segment
from processor.domain.filters.strict import parse_strict
from processor.domain.filters.tree import Filter, Matches
from processor.errors import FilterSyntaxError

__all__ = ["compile_filter", "parse_filter"]

_LONGEST = 100_000
"""Characters of one filter."""


def compile_filter(text_or_dict: Any, *, strict: bool = True) -> Matches:
    """The filter as a function from event to bool, which never raises and never changes the event.

    A text is FQL, read strictly or, with ``strict=False``, as Segment reads it; strictly, ``always`` is every event.
    A dict is ``{"segment": text}`` or ``{"jmespath": text}``, whatever ``strict`` says.
    Raises ``FilterSyntaxError``, and nothing else, for anything that is none of these.
    """
    return parse_filter(text_or_dict, strict=strict).matches


def parse_filter(text_or_dict: Any, *, strict: bool = True) -> Filter:
    """As ``compile_filter``, with the tree beside the function."""
    if isinstance(text_or_dict, dict):
        return _parse_dict(text_or_dict)
    text = _text(text_or_dict)
    if not strict:
        return _segment(text)
    if text.strip() == "always":
        return Filter(text, "always", None, _always)
    tree = parse_strict(text)
    return Filter(text, "strict", tree, compile_tree(tree))


def _parse_dict(value: dict[Any, Any]) -> Filter:
    if set(value) == {"segment"}:
        return _segment(_text(value["segment"]))
    if set(value) == {"jmespath"}:
        text = _text(value["jmespath"])
        return Filter(text, "jmespath", None, compile_jmespath(text))
    raise FilterSyntaxError('write the filter as a text, {segment: "…"} or {jmespath: "…"}')


def _segment(text: str) -> Filter:
    tree = parse_segment(text)
    return Filter(text, "segment", tree, compile_tree(tree))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise FilterSyntaxError("a filter is a text; put it into quotes")
    if len(value) > _LONGEST:
        raise FilterSyntaxError(f"a filter has at most {_LONGEST} characters", _LONGEST)
    return value


def _always(_event: Any) -> bool:
    return True
