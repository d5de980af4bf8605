"""Faults while a document is read: where each stands, its line, and the nearest word that is known."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from re import compile as pattern

from processor.errors import DocumentError, Fault

__all__ = ["Findings", "Path", "nearest", "shown"]

Path = tuple[str | int, ...]
"""Keys and indexes from the root of the document to a place in it."""

_WORD = pattern(r"[A-Za-z_][A-Za-z0-9_-]*")
_LONGEST = 80
_LISTED = 20
_MOST = 200
"""Faults after which checking ends, and words that one is compared with."""


def shown(path: Path) -> str:
    """``connections[0].mappings[1].when``; a key that is no plain word stands in brackets and quotes."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _WORD.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f'["{_short(step)}"]'
    return text


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint to be put behind a message: the known word that is most like this one, else all of them."""
    words = sorted(known)[:_MOST]
    close = get_close_matches(word.lower(), [name.lower() for name in words], n=1, cutoff=0.6)
    if close:
        return f"did you mean `{next(name for name in words if name.lower() == close[0])}`?"
    listed = ", ".join(f"`{name}`" for name in words[:_LISTED])
    return f"known here: {listed}" + (", …" if len(words) > _LISTED else "")


class Findings:
    """Collects faults and warnings, and gives each the line of the nearest place that the file has."""

    def __init__(self, lines: Mapping[str, int]) -> None:
        self._lines = lines
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []

    def fault(self, path: Path, message: str) -> None:
        self.fault_at(shown(path), message)

    def fault_at(self, where: str, message: str, line: int | None = None) -> None:
        """``where`` as ``shown`` writes it. Raises ``DocumentError`` when there are too many to go on."""
        self.faults.append(Fault(where, message, line or self.line(where)))
        if len(self.faults) >= _MOST:
            raise DocumentError([*self.in_order(), Fault("", f"these are the first {_MOST} faults; mend them first")])

    def warn(self, path: Path, message: str) -> None:
        where = shown(path)
        self.warnings.append(Fault(where, message, self.line(where)))

    def line(self, where: str) -> int | None:
        """The line of ``where``, else of what it stands in."""
        while where not in self._lines:
            cut = max(where.rfind("."), where.rfind("["))
            if cut < 0:
                return self._lines.get("")
            where = where[:cut]
        return self._lines[where]

    def in_order(self) -> list[Fault]:
        """The faults in the order of the file, each once."""
        return sorted(dict.fromkeys(self.faults), key=lambda fault: fault.line or 0)


def _short(key: str) -> str:
    text = key if key.isprintable() else repr(key)[1:-1]
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
