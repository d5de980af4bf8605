"""docs/operations.md is public surface: it names every log event and every metric, and nothing else."""

import re
from pathlib import Path

from processor.logs import EVENT_NAMES
from processor.metrics import METRICS

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


def rows(heading: str) -> list[list[str]]:
    """The cells of the tables under a heading."""
    section = PAGE.read_text("utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_log_event_is_described_once() -> None:
    """A dashboard finds each name, in the order of the alphabet."""
    names = [row[0].strip("`") for row in rows("Log lines")]
    assert names == sorted(EVENT_NAMES)
    assert all(fields and meaning for _, _, fields, meaning in rows("Log lines"))


def test_the_table_of_metrics_is_the_codes() -> None:
    """Name, kind, labels and meaning, word for word."""
    shown = [(name.strip("`"), kind, tuple(re.findall(r"`(\w+)`", labels)), meaning)
             for name, kind, labels, meaning in rows("Metrics")]  # fmt: skip
    assert shown == [(m.name, m.kind, m.labels, m.meaning) for m in METRICS]


def test_error_codes_are_described_once() -> None:
    """Each with its branch."""
    codes = [row[0] for row in rows("Error codes")]
    assert len(set(codes)) == len(codes)
    assert {row[1] for row in rows("Error codes")} == {"stop", "bury", "wait"}
