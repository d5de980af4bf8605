"""Test events: one of a type, or one that a mapping's filter lets through.

``typed`` writes an event as an SDK would, ``solving`` finds values that satisfy a filter's tree, ``reading`` finds
what a mapping reads, ``making`` puts them together. The same question always gets the same answer.
"""

from processor.domain.sampling.making import known_list, sample_for
from processor.domain.sampling.typed import SAMPLE_TYPES, Making, sample_of

__all__ = ["SAMPLE_TYPES", "Making", "known_list", "sample_for", "sample_of"]
