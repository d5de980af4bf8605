"""Mappings: from an event to a payload, in Segment's mapping JSON.

``checking`` lists the faults, ``building`` makes closures, ``directives`` has one file for each directive.
"""

from processor.domain.mappings.compiling import compile_mapping
from processor.domain.mappings.directives.template import expanded_once
from processor.domain.mappings.javascript import MISSING, Missing, printed
from processor.domain.mappings.json_text import json_text
from processor.domain.mappings.paths import Resolve, path_parts, without_prefix

__all__ = [
    "MISSING",
    "Missing",
    "Resolve",
    "compile_mapping",
    "expanded_once",
    "json_text",
    "path_parts",
    "printed",
    "without_prefix",
]
