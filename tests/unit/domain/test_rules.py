"""The index of rules: never too narrow, and never fuller than the document."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from processor.domain.rules import Rule, Rules

NAMES = st.none() | st.frozensets(
    st.sampled_from(["web", "shop", "track", "identify", "A", "B"]), min_size=1, max_size=2
)
WORDS = ["web", "shop", "kafka", "track", "identify", "page", "A", "B", "C", ""]


def rules_of(kinds):
    made = [
        Rule(f"m{n}", "crm", "addContactToXmd", True, sources, bool, bool, types=types, events=events)
        for n, (sources, types, events) in enumerate(kinds)
    ]
    return Rules(1, {}, {}, tuple(made))


def test_what_a_rule_cannot_match_is_left_out():
    """By source, type and the name of a track call; in the document's order."""
    rules = rules_of([(None, frozenset({"track"}), frozenset({"A"})), (frozenset({"web"}), None, None)])
    assert [rule.mapping for rule in rules.candidates("web", "track", "A")] == ["m0", "m1"]
    assert [rule.mapping for rule in rules.candidates("shop", "track", "A")] == ["m0"]
    assert [rule.mapping for rule in rules.candidates("web", "track", "B")] == ["m1"]
    assert [rule.mapping for rule in rules.candidates("shop", "identify", "")] == []


def test_names_from_outside_are_not_remembered():
    """Ten thousand names of events, sources and types make no entry of their own."""
    rules = rules_of([(frozenset({"web"}), None, frozenset({"A"}))])
    for number in range(10_000):
        rules.candidates(f"s{number}", f"t{number}", f"e{number}")
    assert len(rules._index) == 1


@given(st.lists(st.tuples(NAMES, NAMES, NAMES), max_size=5))
def test_remembering_changes_no_answer(kinds):
    """Whatever was asked before, an answer is the one that a new index gives."""
    asked = rules_of(kinds)
    for question in itertools.product(WORDS[:3], WORDS[3:6], WORDS[6:]):
        found = asked.candidates(*question)
        assert [rule.mapping for rule in found] == [rule.mapping for rule in rules_of(kinds).candidates(*question)]
