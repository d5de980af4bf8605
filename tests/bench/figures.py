"""What the bench prints: figures, and what they have to reach."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass

__all__ = ["Figure", "as_json", "median", "table"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One line. ``ratio`` compares with the line named in ``to``; ``needed`` is of ``judged``, which is either."""

    step: str
    value: float
    unit: str
    ratio: float | None = None
    to: str = ""
    needed: float | None = None
    judged: float | None = None
    at_most: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.needed is None or self.judged is None:
            return ""
        reached = self.judged <= self.needed if self.at_most else self.judged >= self.needed
        return "ok" if reached else f"MISSED by {abs(self.judged / self.needed - 1):.0%}"


def median(numbers: Sequence[float]) -> float:
    return statistics.median(numbers)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(figures: Sequence[Figure]) -> str:
    """The figures as text for a terminal."""
    rows = [("step", "figure", "", "ratio", "required", "", "")]
    for figure in figures:
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f} of {figure.to}"
        sign = "<" if figure.at_most else "≥"
        needed = "" if figure.needed is None else f"{sign} {_number(figure.needed)}"
        rows.append((figure.step, _number(figure.value), figure.unit, ratio, needed, figure.verdict, figure.note))
    widths = [max(len(row[column]) for row in rows) for column in range(7)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if n == 1 else cell.ljust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join(lines)


def as_json(figures: Sequence[Figure]) -> str:
    return json.dumps([{**asdict(figure), "verdict": figure.verdict} for figure in figures], indent=1)
