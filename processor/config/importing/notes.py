"""What an import has to say about itself: what reads otherwise now, and what is left behind."""

from dataclasses import dataclass, field

__all__ = ["Note", "Notes"]


@dataclass(frozen=True, slots=True)
class Note:
    """One sentence about a place. ``mapping``: its name, empty for the connection; ``path``: as the check writes it."""

    mapping: str
    path: str
    message: str


@dataclass(slots=True)
class Notes:
    """Both lists while they grow, in the order of the export."""

    warnings: list[Note] = field(default_factory=list)
    not_carried: list[Note] = field(default_factory=list)

    def warn(self, mapping: str, path: str, message: str) -> None:
        self.warnings.append(Note(mapping, path, message))

    def leave(self, mapping: str, path: str, message: str) -> None:
        self.not_carried.append(Note(mapping, path, message))

    def forget(self, mapping: str) -> None:
        """Drop the warnings of a mapping that is left behind after all."""
        self.warnings = [note for note in self.warnings if note.mapping != mapping]
