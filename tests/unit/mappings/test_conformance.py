"""Segment's mappings, case by case, strictly compared."""

import json
from pathlib import Path

import pytest

from processor.domain.mappings import MISSING, compile_mapping
from processor.errors import MappingError, RejectedError

FOLDER = Path(__file__).parents[2] / "cases"
CASES = [
    json.loads(line)
    for name in ("mappings.jsonl", "mappings_recorded.jsonl")  # the second: recorded here, in the same way
    for line in (FOLDER / name).read_text().splitlines()
]


def same(one, other):
    """JSON equality: true is not 1, key order and 1 against 1.0 do not matter."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return (type(one) in (int, float) and type(other) in (int, float) and one == other) or (
        type(one) is type(other) and one == other
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_segment_is_reproduced(case):
    """The same output, nothing where Segment gives nothing, our error where it throws."""
    if case.get("error"):
        with pytest.raises((MappingError, RejectedError)):
            compile_mapping(case["mapping"])(case["event"])
        return
    before = json.dumps(case["event"])
    output = compile_mapping(case["mapping"])(case["event"])
    if case.get("undefined"):
        assert output is MISSING
    else:
        assert same(output, case["output"]), output
    assert json.dumps(case["event"]) == before
