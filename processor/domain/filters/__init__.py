"""Filters: which events a mapping wants, in Segment's FQL or JMESPath.

``lexer`` cuts text into tokens; ``strict`` and ``segment`` make a ``tree`` of them, one refusing what the other
reads oddly and knowing more; ``compiler`` makes a function of the tree; ``writing`` makes strict text of it again.
A strict condition: ``fields`` and ``literals`` are its two sides, ``terms`` joins them; ``verbs``, ``functions`` and
``globs`` are what it does to a value. docs/filters-and-mappings.md has the whole language.
"""

from processor.domain.filters.compiler import verdict
from processor.domain.filters.reading import compile_filter, parse_filter
from processor.domain.filters.selectors import selectors
from processor.domain.filters.tree import Broken, Condition, Filter, Group, Matches, Node
from processor.domain.filters.writing import same_reading, strict_text

__all__ = [
    "Broken",
    "Condition",
    "Filter",
    "Group",
    "Matches",
    "Node",
    "compile_filter",
    "parse_filter",
    "same_reading",
    "selectors",
    "strict_text",
    "verdict",
]
