"""Filters: which events a mapping wants, in Segment's FQL or JMESPath.

``lexer`` cuts text into tokens; ``strict`` and ``segment`` make a ``tree`` of them, one refusing what the other
reads oddly; ``compiler`` makes a function of the tree.
"""

from processor.domain.filters.compiler import verdict
from processor.domain.filters.reading import compile_filter, parse_filter
from processor.domain.filters.selectors import selectors
from processor.domain.filters.tree import Broken, Condition, Filter, Group, Matches, Node

__all__ = [
    "Broken",
    "Condition",
    "Filter",
    "Group",
    "Matches",
    "Node",
    "compile_filter",
    "parse_filter",
    "selectors",
    "verdict",
]
