"""docs/filters-and-mappings.md tells what the filters do."""

import json
import re
from pathlib import Path

import pytest

from processor.domain.filters import compile_filter
from processor.domain.filters.fields import TESTS
from processor.domain.filters.functions import TYPES, VALUE_FUNCTIONS
from processor.domain.filters.words import OPERATORS, ROOTS
from processor.errors import FilterSyntaxError

PAGE = (Path(__file__).parents[3] / "docs/filters-and-mappings.md").read_text().partition("\n## Mappings")[0]
EXAMPLES = [block.splitlines() for block in re.findall(r"^```filter\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)]
REFUSED = re.findall(
    r"^\| `([^`]+)` \| ([^|]+) \| `([^`]+)` \|$", PAGE.partition("\n### What strict refuses\n")[2], re.MULTILINE
)


@pytest.mark.parametrize("lines", EXAMPLES, ids=lambda lines: lines[0][:40])
def test_examples(lines):
    """Each block is a filter and, line by line, a verdict and its event."""
    first, *events = lines
    matches = compile_filter(json.loads(first) if first.startswith("{") else first)
    assert {line.split()[0] for line in events} <= {"true", "false"}
    for line in events:
        verdict, _, event = line.partition(" ")
        assert matches(json.loads(event)) is (verdict == "true"), line


@pytest.mark.parametrize(("text", "_reason", "instead"), REFUSED, ids=lambda text: text[:40])
def test_refused_and_what_to_write(text, _reason, instead):
    """Each text of the tables is refused, and the one beside it is accepted."""
    with pytest.raises(FilterSyntaxError):
        compile_filter(text)
    compile_filter(instead)


def test_nothing_is_left_out():
    """There are examples at all, and every word of the language stands on the page."""
    assert len(EXAMPLES) > 10
    assert len(REFUSED) > 20
    for word in (*TESTS, *VALUE_FUNCTIONS, *OPERATORS, *ROOTS, *TYPES):
        assert f'"{word}"' in PAGE, word
