"""Segment's filters, case by case."""

import json
from pathlib import Path

import pytest

from processor.domain.filters import compile_filter
from processor.errors import FilterSyntaxError

FOLDER = Path(__file__).parents[2] / "cases"
CASES = [
    json.loads(line)
    for name in ("filters.jsonl", "filters_recorded.jsonl")  # the second: recorded here, in the same way
    for line in (FOLDER / name).read_text().splitlines()
]
OURS = {"lenient-014", "malformed-026"}
"""`type in […]` and `lowercase(event) = …`: Segment's actions read the one as never and the other not at all."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_segment_is_reproduced(case):
    """``{segment: …}`` gives Segment's verdict, and an error where Segment's parser gives one."""
    if case.get("error"):
        with pytest.raises(FilterSyntaxError):
            compile_filter({"segment": case["filter"]})
    else:
        assert compile_filter(case["filter"], strict=False)(case["event"]) is case["match"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_strict_agrees_where_it_accepts(case):
    """What strict accepts, it reads as Segment does; groups within groups and the wider language are ours alone."""
    if case["id"] in OURS:
        compile_filter(case["filter"])
        return
    try:
        matches = compile_filter(case["filter"])
    except FilterSyntaxError:
        return
    if case.get("error"):
        assert "((" in case["filter"].replace(" ", "") or "(contains" in case["filter"]
    else:
        assert matches(case["event"]) is case["match"]
