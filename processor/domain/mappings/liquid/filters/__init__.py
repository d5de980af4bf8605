"""Every filter of liquidjs 10.30.1; those that Segment has switched off reject the event when they are reached.

A filter gets the context, the value, and its arguments as they are written; a named one is a list of name and value.
"""

from collections.abc import Callable, Mapping
from typing import Any

from processor.domain.mappings.contract import fail
from processor.domain.mappings.liquid.filters.dates import DATES
from processor.domain.mappings.liquid.filters.encoding import ENCODING
from processor.domain.mappings.liquid.filters.lists import LISTS
from processor.domain.mappings.liquid.filters.numbers import NUMBERS
from processor.domain.mappings.liquid.filters.texts import TEXTS

__all__ = ["DISABLED_FILTERS", "FILTERS"]

DISABLED_FILTERS = frozenset(
    {
        "array_to_sentence_string", "concat", "find", "find_exp", "find_index", "find_index_exp", "group_by",
        "group_by_exp", "has", "has_exp", "map", "newline_to_br", "reject", "reject_exp", "reverse", "sort",
        "sort_natural", "type", "uniq", "where_exp",
    }
)  # fmt: skip
"""Source: Segment's ``mapping-kit/liquid-directive``."""


def _disabled(name: str) -> Callable[..., Any]:
    def refuse(_meter: Any, *_given: Any) -> Any:
        fail(f"Segment has switched the filter {name} off")

    return refuse


FILTERS: Mapping[str, Callable[..., Any]] = {
    **TEXTS,
    **NUMBERS,
    **LISTS,
    **DATES,
    **ENCODING,
    **{name: _disabled(name) for name in DISABLED_FILTERS},
}
