"""Every error of ours.

    IsthmusError
    ├── ConfigError            do not start; a person has to change something (exit 78)
    │   ├── FilterSyntaxError  a filter that cannot be read, with its position
    │   ├── MappingError       a mapping that cannot be compiled, with every fault
    │   └── DocumentError      a configuration document that does not hold, with every fault
    ├── RejectedError          bury it: a dead letter, the offset moves
    ├── FencedError            these partitions are another process's now; the rest of the batch goes on
    └── UnavailableError       wait: the other side is away, nothing is lost (exit 75)

The branch answers the only question at night: stop, bury or wait.
``code`` is stable, snake_case and public: dead letters, logs and HTTP answers carry it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar

__all__ = [
    "ConfigError",
    "DocumentError",
    "Fault",
    "FencedError",
    "FilterSyntaxError",
    "IsthmusError",
    "MappingError",
    "RejectedError",
    "UnavailableError",
]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with what a user wrote: where, which line of the file if known, what to write instead."""

    path: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line is not None else ""
        return f"{where}{self.path}: {self.message}" if self.path else f"{where}{self.message}"


class IsthmusError(Exception):
    """Anything that Isthmus raises on purpose."""

    code: str = "isthmus_error"


class ConfigError(IsthmusError):
    """The program cannot run as it is set up; starting again changes nothing."""

    code = "config_error"
    exit_status: ClassVar[int] = 78


class FilterSyntaxError(ConfigError):
    """The filter cannot be read as written. ``position`` counts characters of the text from 0."""

    code = "filter_syntax"

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(f"{message} (at character {position + 1})")
        self.message = message
        self.position = position


class _FaultyError(ConfigError):
    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


class MappingError(_FaultyError):
    """The mapping cannot be compiled; ``faults`` lists everything that is wrong with it."""

    code = "mapping_invalid"


class DocumentError(_FaultyError):
    """The configuration document does not hold; ``faults`` lists everything that is wrong with it."""

    code = "document_invalid"


class RejectedError(IsthmusError):
    """This record, or this request, will never be accepted as it is."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class FencedError(IsthmusError):
    """``progress`` of these (topic, partition) pairs did not move: somebody else owns them."""

    code = "fenced"

    def __init__(self, partitions: Collection[tuple[str, int]]) -> None:
        super().__init__("another process owns " + ", ".join(f"{topic}/{number}" for topic, number in partitions))
        self.partitions = frozenset(partitions)


class UnavailableError(IsthmusError):
    """Somebody else is away or too slow; the same again later is right."""

    code = "unavailable"
    exit_status: ClassVar[int] = 75

    def __init__(self, message: str, code: str = "unavailable") -> None:
        super().__init__(message)
        self.code = code
