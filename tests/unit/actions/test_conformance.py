"""The three actions' default mappings, case by case, strictly compared."""

import json
from pathlib import Path

import pytest

from processor.domain.actions import ACTIONS, resolve_fields
from processor.domain.mappings import compile_mapping
from processor.errors import MappingError, RejectedError

CASES = [json.loads(line) for line in (Path(__file__).parents[2] / "cases/actions.jsonl").read_text().splitlines()]


def canonical(value):
    """Text that differs wherever JSON differs, but for key order and 1 against 1.0."""
    return json.dumps(value, sort_keys=True).replace(".0,", ",").replace(".0}", "}")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_segment_is_reproduced(case):
    """The action's defaults with the overrides laid over them give Segment's payload."""
    fields = resolve_fields(ACTIONS[case["action"]], case["mapping_overrides"])
    if case.get("error"):
        with pytest.raises((MappingError, RejectedError)):
            compile_mapping(fields)(case["event"])
    else:
        assert canonical(compile_mapping(fields)(case["event"])) == canonical(case["payload"])
