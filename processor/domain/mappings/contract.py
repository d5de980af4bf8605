"""What a directive is: a check that lists faults before anything runs, and a build that makes a function.

Segment checks everything outside arrays and nothing inside them. So ``build`` may meet any value at all: for one
that Segment would throw on, it answers with ``builder.failing(…)``, which rejects the event when it is reached.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from processor.domain.mappings.paths import Resolve
from processor.errors import RejectedError

__all__ = ["Builder", "Checker", "Constant", "Directive", "Payable", "fail"]


class Constant:
    """A value that depends on no event."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self, _event: Any) -> Any:
        return self.value


class Payable(Protocol):
    """See ``allowance.Allowance``."""

    left: int

    def spend(self, steps: int) -> None: ...
    def weigh(self, value: Any) -> None: ...


class Checker(Protocol):
    """Where a check stands, and the faults that it finds there."""

    @property
    def document(self) -> bool:
        """Whether the configuration document's own rules apply besides Segment's."""

    def at(self, key: str) -> "Checker":
        """The same, one key further in."""

    def fault(self, message: str) -> None:
        """Note a fault here."""

    def anything(self, value: Any) -> None:
        """Check a value as the mapping itself is checked."""

    def raw(self, value: Any) -> None:
        """Check a value that is a directive or taken as it is."""

    def text(self, value: Any) -> None:
        """Check a value that must be a text or a directive."""

    def plain_text(self, value: Any, least: int = 0, most: int | None = None) -> None:
        """Check a value that must be a text, no directive, of so many characters."""

    def boolean(self, value: Any) -> None:
        """Check a value that must be true or false."""

    def object(self, value: Any, *own: str) -> bool:
        """Check that a value is an object without a directive key, and what is in it; false if it is none.

        What stands under the keys ``own`` is the caller's to check: checked twice on each level it would take for ever.
        """


class Builder(Protocol):
    """How a directive compiles what is inside it."""

    @property
    def keep(self) -> bool:
        """Whether ``MISSING`` stays in what is built, for a directive that looks at it; else it is taken out."""

    @property
    def sure(self) -> bool:
        """Whether the function will only be given objects."""

    def build(self, value: Any) -> Resolve:
        """Compile a value in the same surroundings."""

    def kept(self, value: Any) -> Resolve:
        """Compile a value with ``MISSING`` left in it."""

    def inner(self, value: Any) -> Resolve:
        """Compile a value that will be given any JSON instead of the event."""

    def cleaned(self, resolve: Resolve) -> Resolve:
        """``resolve`` with ``MISSING`` taken out of what it gives, unless it is to stay."""

    def failing(self, message: str) -> Resolve:
        """A function that rejects every event, with this message."""

    def refused(self, value: Any) -> str | None:
        """What Segment's check says of a value that it checks when it is reached; ``None`` where it has no fault."""

    def allowance(self) -> "Payable":
        """Who counts what an evaluation does, begun anew for each event."""


@dataclass(frozen=True, slots=True)
class Directive:
    """One directive. ``check`` and ``build`` get what stands behind its key."""

    check: Callable[[Any, Checker], None]
    build: Callable[[Any, Builder], Resolve]


def fail(message: str) -> NoReturn:
    """Reject the event: Segment's mapping would throw here."""
    raise RejectedError("mapping_failed", message)
