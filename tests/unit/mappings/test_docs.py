"""docs/filters-and-mappings.md tells what the mappings do."""

import json
import re
from pathlib import Path

import pytest

from processor.domain.mappings import compile_mapping
from processor.domain.mappings.allowance import CHARS, MOST
from processor.domain.mappings.checking import DEEPEST
from processor.domain.mappings.directives import TABLE
from processor.errors import MappingError

PAGE = (Path(__file__).parents[3] / "docs/filters-and-mappings.md").read_text().partition("\n## Mappings")[2]
EXAMPLES = [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: json.dumps(example["mapping"])[:40])
def test_examples(example):
    """Each block is a mapping of the document with what it gives for an event, or with the fault that it is."""
    if "fault" not in example:
        assert compile_mapping(example["mapping"], document=True)(example["event"]) == example["gives"]
        return
    with pytest.raises(MappingError) as caught:
        compile_mapping(example["mapping"], document=True)
    [fault] = caught.value.faults
    assert fault.path == example["fault"]
    assert example["says"] in fault.message


def test_nothing_is_left_out():
    """Every directive has its line and an example, and the limits are the code's."""
    shown = json.dumps([example["mapping"] for example in EXAMPLES])
    for directive in TABLE:
        assert f"| `{directive}` |" in PAGE
        assert f'"{directive}"' in shown
    for words in (f"{DEEPEST} levels", f"{MOST:,} steps", f"{2**CHARS} characters"):
        assert words in PAGE
