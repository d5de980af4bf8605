"""Isthmus: a bridge between Twilio Segment and a customer directory.

    >>> from processor import compile_filter, compile_mapping, MISSING

Loaded lazily, so that importing one submodule does not load them all.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from processor.domain.filters import compile_filter
    from processor.domain.mappings import MISSING, compile_mapping

__all__ = ["MISSING", "compile_filter", "compile_mapping"]

_HOMES = {
    "MISSING": "processor.domain.mappings",
    "compile_filter": "processor.domain.filters",
    "compile_mapping": "processor.domain.mappings",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
