"""Filters, mappings and templates by chance, in Segment's own engine and in ours: no answer may differ.

A few thousand with a fixed seed; ``make fuzz`` takes many more, of a new seed that a difference names.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from fuzz.generating import Chance
from support.lacking import lacking
from support.segment_packages import lacking_node, segment_packages

from processor import MISSING, compile_filter, compile_mapping
from processor.errors import FilterSyntaxError, MappingError, RejectedError

pytestmark = pytest.mark.fuzz

ORACLE = Path(__file__).resolve().parent / "segment.mjs"
CASES = int(os.environ.get("ISTHMUS_FUZZ_CASES", "3000"))
SEED = int(os.environ.get("ISTHMUS_FUZZ_SEED", "1"))
_SHOWN = 5


def answers_of_segment(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    done = subprocess.run(
        ["node", str(ORACLE)],
        cwd=segment_packages(),
        input=lines,
        capture_output=True,
        text=True,
        timeout=900,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def our_answer(case: dict[str, Any]) -> dict[str, Any]:
    try:
        if "filter" in case:
            return {"match": compile_filter(case["filter"], strict=False)(case["event"])}
        output = compile_mapping(case["mapping"])(case["event"])
    except (FilterSyntaxError, MappingError, RejectedError):
        return {"error": True}
    return {"undefined": True} if output is MISSING else {"output": output}


def same(one: Any, other: Any) -> bool:
    """As JSON, strictly: true is not 1, but 1 is 1.0, and the order of keys does not count."""
    if type(one) is not type(other):
        return type(one) in (int, float) and type(other) in (int, float) and bool(one == other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", ["filter", "mapping", "liquid"])
def test_no_answer_differs(kind: str) -> None:
    """The verdict or the error of a filter, the value, nothing or the error of a mapping."""
    if missing := lacking_node():
        lacking(f"this machine lacks {missing}")
    chance = Chance(f"{kind}-{SEED}")
    cases = [getattr(chance, f"{kind}_case")() for _ in range(CASES)]
    wanted = answers_of_segment(cases)
    assert len(wanted) == CASES
    assert sum("error" in answer for answer in wanted) < 0.7 * CASES, "most cases have to be about something"
    differing = [
        {**case, "segment": answer, "ours": found, "seed": SEED}
        for case, answer in zip(cases, wanted, strict=True)
        if not same(found := our_answer(case), answer)
    ]
    shown = "\n".join(json.dumps(each) for each in differing[:_SHOWN])
    assert not differing, f"{len(differing)} of {CASES} differ, the first of them:\n{shown}"
