"""Where events and results come from, as decisions need to know it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Making", "Source"]


@dataclass(frozen=True, slots=True)
class Making:
    """How some records of a topic become events. ``make``: a record's JSON to an event, or to ``MISSING``."""

    when: Callable[[Any], bool]
    make: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Source:
    """Where events and results come from."""

    id: str
    accept_own: bool = False
    topic: str | None = None
    """Another system's topic; ``None``: HTTP."""
    start: Literal["latest", "earliest"] = "latest"
    """Where reading the topic begins when it is newly named."""
    makings: tuple[Making, ...] | None = field(default=None, repr=False)
    """In order, the first whose ``when`` holds makes the event; ``None``: the topic's records are events."""
    results: bool = False
    result: Callable[[Any], Any] | None = field(default=None, repr=False)
    """Makes a result of what is posted; ``None``: what is posted is one."""
