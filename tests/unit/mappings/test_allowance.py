"""No mapping takes long: what walks, copies or prints pays for it, so that doubling ends."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.timing import milliseconds

from processor.domain.mappings import compile_mapping
from processor.errors import RejectedError


def path(text):
    return {"@path": text}


def doubled(times, last):
    """A mapping that doubles ``a`` so often before it does the last thing."""
    for _ in range(times):
        last = {"@transform": {"apply": {"a": [path("$.a"), path("$.a")]}, "mapping": last}}
    return last


def within(times, last, around):
    """A directive within itself."""
    for _ in range(times):
        last = around(last)
    return last


TEXT = {"a": "a" * 32_000}
QUOTES = {"a": '"' * 16_000}
LIST = {"a": [{"k": n} for n in range(3_500)]}
NUMBERS = {"a": [0] * 15_500}
ODD = {"a": "é" * 16_000}
LAST = {
    "path": path("$.a"),
    "json": {"@json": {"mode": "encode", "value": path("$.a")}},
    "template": {"@template": "{{a}}"},
    "flatten": {"@flatten": {"value": path("$.a"), "separator": "."}},
    "excludeWhenNull": {"@excludeWhenNull": path("$.")},
    "blank": {"@if": {"blank": path("$.a"), "then": 1, "else": 2}},
    "liquid": {"@liquid": "{{ a | json }}"},
    "jmespath": {"@jmespath": "to_string(a)"},
    "arrayPath": {"@arrayPath": ["$.a", {"x": path("$.")}]},
}
HOSTILE = {
    **{f"doubled-{name}": doubled(28, last) for name, last in LAST.items()},
    "replace": within(
        30, path("$.a"), lambda v: {"@replace": {"value": v, "pattern": "a", "replacement": "aaaaaaaaaa"}}
    ),
    "replace-marks": within(
        30, path("$.a"), lambda v: {"@replace": {"value": v, "pattern": "a", "replacement": "$`", "ignorecase": True}}
    ),
    "replace-case": within(
        30, path("$.a"), lambda v: {"@replace": {"value": v, "pattern": "É", "replacement": "éé", "ignorecase": True}}
    ),
    "encode": within(30, path("$.a"), lambda v: {"@json": {"mode": "encode", "value": v}}),
    "flatten": within(20, path("$."), lambda v: {"@flatten": {"value": {"x" * 500: v}, "separator": "-" * 500}}),
    "exclude": within(60, path("$."), lambda v: {"@excludeWhenNull": v}),
    "merge": {"@merge": {"direction": "right", "objects": [path("$.a")] * 1_000}},
    "clean": {"@merge": {"direction": "right", "objects": [{"x": path("$.a")}] * 1_000}},
    "shape": {"@arrayPath": ["$.a", {f"f{n}": path("$.k") for n in range(500)}]},
    "shape-liquid": {"@arrayPath": ["$.a", {"x": {"@liquid": "{% for i in (1..100) %}x{% endfor %}"}}]},
    "shape-jmespath": {"@arrayPath": ["$.a", {"x": {"@jmespath": "[@,@,@,@,@,@]|[*].k"}}]},
    "liquids": {f"f{n}": {"@liquid": "{% for i in (1..9999) %}{{ a }}{% endfor %}"} for n in range(20)},
    "expressions": {f"f{n}": {"@jmespath": "to_string(@)"} for n in range(20)},
    "texts": {"@template": "{{a}}" * 1_000},
    "lengths": {f"f{n}": path("$.a.length") for n in range(500)},
    "template": {"@template": "{{{a}}}"},
}


@pytest.mark.parametrize("event", [TEXT, QUOTES, LIST, NUMBERS, ODD], ids=["text", "quotes", "list", "numbers", "odd"])
@pytest.mark.parametrize("name", HOSTILE)
def test_no_mapping_takes_50_ms(name, event):
    """Whatever is written down, an event of 32 KB is mapped or rejected soon."""
    assert 16_000 < len(json.dumps(event, ensure_ascii=False).encode()) < 50_000
    mapped = compile_mapping(HOSTILE[name])
    assert milliseconds(lambda: mapped(event), RejectedError) < 50


def test_each_thread_has_its_own():
    """What one thread spends is not missing in another that runs the same mapping at the same time."""
    mapped = compile_mapping({"a": {"@excludeWhenNull": path("$.a")}, "b": {"@jmespath": "length(to_string(a))"}})
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _turn: mapped(NUMBERS)["b"], range(200))) == {31_001}


def test_each_event_has_the_whole_allowance():
    """What one event took is not missing for the next, and one that asks for too much is told so."""
    mapped = compile_mapping({"@excludeWhenNull": path("$.")})
    for _ in range(10):
        assert mapped(NUMBERS) == NUMBERS
    with pytest.raises(RejectedError, match="more than 20000 steps") as caught:
        compile_mapping(doubled(20, path("$.a")))({"a": 1})
    assert caught.value.code == "mapping_failed"
