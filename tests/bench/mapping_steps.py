"""Filter and mapping beside Segment's own engine: the same events, one thread each, in turn."""

import json
import os
import subprocess
from pathlib import Path

from bench.figures import Figure, median
from bench.rig import BenchError, Rig
from support.segment_packages import lacking_node, segment_packages

__all__ = ["mapping"]

ENGINE = Path(__file__).resolve().parent / "segment_engine.mjs"
_NEEDED = (("objects", "objects", 4.0), ("objects", "batch", 2.0), ("json", "json", 3.0))
"""Our figure, Segment's figure beside it, and the ratio to reach."""
_MOST_FOR_MANY = 2.0


def mapping(rig: Rig, *, rounds: int, events: int) -> list[Figure]:
    engine = _engine()
    ours: list[dict[str, float]] = []
    theirs: list[dict[str, float]] = []
    for _ in range(rounds):
        if engine is not None:
            theirs.append(_segment(engine, events))
        ours.append(rig.measured("mapping_ours", str(events), "3", timeout_s=120))
    figures = []
    if engine is None:
        figures += [
            Figure(
                f"filter, map: {mode}",
                median([each[mode] for each in ours]),
                "events/s",
                note="no Node here to run Segment's engine",
            )
            for mode in ("objects", "json")
        ]
    for mode, beside, needed in _NEEDED if theirs else ():
        ratio = median([our[mode] / their[beside] for our, their in zip(ours, theirs, strict=True)])
        note = f"Segment's engine {median([each[beside] for each in theirs]):,.0f}"
        rate = median([each[mode] for each in ours])
        figures.append(
            Figure(f"filter, map: {mode}", rate, "events/s", ratio, f"its {beside}", needed, ratio, note=note)
        )
    cost = median([each["rules_10"] / each["rules_1000"] for each in ours])
    rate = median([each["rules_1000"] for each in ours])
    many = Figure(
        "1,000 mappings",
        rate,
        "events/s",
        cost,
        "10's cost",
        _MOST_FOR_MANY,
        cost,
        at_most=True,
        note="3 of them match",
    )
    return [*figures, many]


def _segment(folder: Path, events: int) -> dict[str, float]:
    command = ["node", str(ENGINE), "--events", str(events), "--runs", "3"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=180)
    if done.returncode:
        raise BenchError(f"Segment's engine failed: {done.stderr.strip()[-300:]}")
    figures = json.loads(done.stdout)["events_per_second"]
    return {mode: float(figures[mode]["median"]) for mode in figures}


def _engine() -> Path | None:
    """The folder with its packages; ``None`` without Node, which CI never lacks."""
    missing = lacking_node()
    if missing and os.environ.get("CI") != "true":
        return None
    if missing:
        raise BenchError(f"This machine lacks {missing}.")
    try:
        return segment_packages()
    except RuntimeError as error:
        raise BenchError(str(error)) from None
