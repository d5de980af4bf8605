"""Trying an event: what is shown is what would be decided, clause by clause, and nothing else happens."""

import copy
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.config import check, rules_of
from processor.domain.decisions.directory import decide
from processor.domain.events import format_ms
from processor.domain.filters import parse_filter
from processor.domain.trying import Clause, Given, explain, named, read_event, shown_trial, try_event
from processor.errors import RejectedError

NOW = 1_800_000_000_000
DOCUMENT = """
version: 1
directories:
  - {id: POOL_a, name: A, merge_rules: [[email], [extRef, phone]]}
  - {id: POOL_open, name: Open, create_unmatched: true}
sources: [{id: web, write_key: {env: A}}, {id: app, write_key: {env: B}}]
connections:
  - name: crm
    sources: [app]
    mappings:
      - name: contact
        action: addContactToXmd
        when: 'type = "identify" and (traits.plan = "pro" or traits.score > 3)'
        fields: {directoryId: POOL_a, embeddedData: {plan: {"@path": "$.traits.plan"}}}
      - name: off
        enabled: false
        action: addContactToXmd
        fields: {directoryId: POOL_a}
  - name: shop
    mappings:
      - name: buy
        action: upsertContactTransaction
        when: {segment: 'type = "track" and match(event, "Order*")'}
        fields: {directoryId: POOL_open, transactionData: {"@path": "$.properties"}}
      - {name: all, action: addContactToXmd, when: always, fields: {directoryId: POOL_a}}
      - {name: nowhere, action: addContactToXmd, when: {jmespath: "type == 'group'"}, fields: {directoryId: POOL_x}}
"""
RULES = rules_of(check(DOCUMENT), 3)
NAMES = [rule.mapping for rule in RULES.rules]


def event_bytes(**fields: Any) -> bytes:
    return orjson.dumps({"type": "identify", "userId": "u1", "messageId": "m1", **fields})


def tried(mapping: str, source: str | None = None, **fields: Any) -> Any:
    (trial,) = try_event(Given(event_bytes(**fields), NOW, "new"), RULES, [named(RULES, mapping)], source)
    return trial


def test_clauses_are_a_tree_with_a_verdict_each() -> None:
    """Groups hold their conditions; each clause says by itself whether it holds."""
    clause = tried("crm/contact", traits={"plan": "free", "score": 4}).clause
    assert (clause.joiner, clause.holds) == ("and", True)
    assert clause.text == 'type = "identify" and (traits.plan = "pro" or traits.score > 3)'
    first, group = clause.clauses
    assert first == Clause('type = "identify"', True)
    assert (group.joiner, group.holds, group.text) == ("or", True, 'traits.plan = "pro" or traits.score > 3')
    assert [(each.text, each.holds) for each in group.clauses] == [
        ('traits.plan = "pro"', False),
        ("traits.score > 3", True),
    ]


def test_what_segment_reads_otherwise_is_shown() -> None:
    """A pattern without a star at its end is a suffix to Segment, but for its first letter."""
    text = 'contains(event, "x") and match(event, "?rder") and match(event, "O*r")'
    clause = explain(parse_filter({"segment": text}), {"event": "x border*r"})
    assert [(each.holds, each.reading) for each in clause.clauses] == [
        (True, ""),
        (False, 'match(event, "*rder")'),
        (True, 'event ends with "*r"'),
    ]


def test_a_group_that_segment_cannot_read() -> None:
    """It has no text and never holds, and the whole is what the filter answers."""
    filter_ = parse_filter({"segment": 'type = "track" or ()'})
    for event, whole in (({"type": "track"}, True), ({"type": "page"}, False)):
        clause = explain(filter_, event)
        assert clause.holds is whole is filter_.matches(event)
        assert clause.clauses[1].holds is False
        assert "nothing that Segment can read" in clause.clauses[1].text


@pytest.mark.parametrize("written", ["always", {"jmespath": "userId == 'u1'"}])
def test_a_filter_without_parts_is_one_clause(written: Any) -> None:
    """JMESPath and ``always`` are shown whole."""
    clause = explain(parse_filter(written), {"userId": "u1"})
    assert clause == Clause("always" if written == "always" else "userId == 'u1'", True)


def test_what_would_be_done() -> None:
    """Mapped, finished, a command: by which fields the person is found, and what only counts on creation."""
    trial = tried("crm/contact", traits={"plan": "pro", "email": "a@x", "phone": 41})
    assert (trial.verdict, trial.event.source, trial.sources) == ("applied", "app", ("app",))
    assert trial.mapped["phone"] == 41
    assert trial.payload["phone"] == "41"
    assert trial.found_by == (("email",), ("extRef", "phone"))
    assert shown_trial(trial)["effect"] == {
        "directory": "POOL_a",
        "foundBy": [["email"], ["extRef", "phone"]],
        "values": {"extRef": "u1", "email": "a@x", "phone": "41", "embeddedData.plan": "pro"},
        "onlyWhenCreated": {"language": "EN", "unsubscribed": False},
        "leftOut": 0,
        "transaction": None,
    }


def test_a_transaction() -> None:
    """Its id, date, list and data; its person is only made, never changed."""
    properties = {"total": 42.5, "items": [1]}
    trial = tried("shop/buy", type="track", event="Order Completed", properties=properties, timestamp="2026-01-31")
    effect = shown_trial(trial)["effect"]
    assert effect["values"] == {}
    assert effect["transaction"]["id"].startswith("CTR_")
    assert effect["transaction"]["date"] == "2026-01-31T00:00:00.000Z"
    assert effect["transaction"]["data"] == {"total": "42.5", "items": "[1]"}
    assert trial.event.source == "web"


@pytest.mark.parametrize(
    ("mapping", "fields", "code"),
    [
        ("nowhere", {"type": "group", "groupId": "g"}, "unknown_directory"),
        ("shop/all", {"userId": None, "anonymousId": "a", "email": None}, "no_matching_key"),
        ("shop/all", {"traits": {"phone": {}}}, "invalid_field"),
    ],
)
def test_what_would_be_refused(mapping: str, fields: dict[str, Any], code: str) -> None:
    """The dead letter that would be written, and the payload as far as it came."""
    trial = tried(mapping, **fields)
    assert (trial.verdict, trial.command, trial.rejection.code) == ("dead", None, code)
    letter = shown_trial(trial)["deadLetter"]
    assert letter["mapping"] == trial.mapping
    assert (letter["code"], letter["message"]) == (code, "m1")
    assert trial.mapped is not None


def test_what_is_switched_off_or_not_concerned() -> None:
    """Nothing would be done, and what it would be is shown all the same."""
    assert (off := tried("off")).verdict == "disabled"
    assert off.command is not None
    assert (other := tried("crm/contact", "web", traits={"plan": "pro"})).verdict == "other_source"
    assert other.command is not None
    assert tried("crm/contact").verdict == "no_match"


def test_names() -> None:
    """The identity, or its last part where that is one mapping's; else a sentence with those that there are."""
    assert named(RULES, "buy") is named(RULES, "shop/buy")
    with pytest.raises(RejectedError, match="no mapping `x`: `crm/contact`") as caught:
        named(RULES, "x")
    assert caught.value.code == "unknown_mapping"
    with pytest.raises(RejectedError, match="no source `x`: `web`, `app`, `kafka`"):
        tried("buy", "x")
    assert tried("shop/all", "kafka").event.source == "kafka"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"{", "not_json"),
        (b"[]", "not_an_object"),
        (b"{}", "unknown_type"),
        (b'{"type": "track", "userId": "u"}', "missing_event"),
        (b'{"type": "page", "userId": "u", "traits": 1}', "bad_object"),
        (b'{"type": "page", "userId": "u", "properties": {"a": "\\u0000"}}', "bad_text"),
        (b'{"type": "page", "userId": "u", "properties": {"a": "\\ud800"}}', "bad_text"),
        (b'{"type": "page", "userId": "u", "properties": {"a": 1e999}}', "bad_number"),
        (b'{"type": "page", "userId": "u", "properties": {"a": ' + b"[" * 99 + b"]" * 99 + b"}}", "too_deep"),
        (b'{"type": "page", "userId": "' + b"u" * 33_000 + b'"}', "too_large"),
        (b'{"a":' * 30_000, "too_large"),
    ],
)
def test_a_bad_event_has_the_code_of_ingress(raw: bytes, code: str) -> None:
    """Whichever mapping is asked."""
    with pytest.raises(RejectedError) as caught:
        list(try_event(Given(raw, NOW, "new"), RULES, RULES.rules))
    assert caught.value.code == code


def test_too_much_to_be_shown() -> None:
    """A mapping that gives the event many times over is refused to be shown, in one sentence."""
    fields = ", ".join(f'f{n}: {{"@path": "$.properties"}}' for n in range(300))
    text = DOCUMENT.replace('{plan: {"@path": "$.traits.plan"}}', f"{{{fields}}}")
    rules = rules_of(check(text), 3)
    raw = event_bytes(traits={"plan": "pro"}, properties={f"p{n}": n for n in range(1_000)})
    (trial,) = try_event(Given(raw, NOW, "new"), rules, [named(rules, "contact")])
    with pytest.raises(RejectedError, match="`crm/contact` makes of this event is too large") as caught:
        shown_trial(trial)
    assert caught.value.code == "too_large"


def test_the_event_is_normalised() -> None:
    """As ingress does: times, and a messageId that is the same again only where the client stamped the event."""
    raw = b'{"type": "page", "userId": 7, "writeKey": "k"}'
    body = read_event(Given(raw, NOW, "new"), "web").body
    assert body == {
        "type": "page", "userId": "7", "messageId": "new", "timestamp": format_ms(NOW), "receivedAt": format_ms(NOW),
    }  # fmt: skip
    stamped = b'{"type": "page", "userId": "u", "timestamp": "2026-01-31T00:00:00Z"}'
    first, again = (read_event(Given(stamped, NOW + late, "new"), "web") for late in (0, 9))
    assert first.message_id == again.message_id != "new"


BODIES = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["identify", "track", "page", "group"]),
        "messageId": st.just("m1"),
        "userId": st.sampled_from(["u1", "u2"]),
        "groupId": st.just("g"),
        "event": st.sampled_from(["Order Completed", "Ordered", "X"]),
    },
    optional={
        "traits": st.dictionaries(
            st.sampled_from(["email", "phone", "plan", "score"]), st.sampled_from(["a", "pro", 4, {}, None, True])
        ),
        "properties": st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["x", 1, [], None])),
    },
)


@settings(deadline=None)
@given(BODIES, st.sampled_from(["web", "app", "kafka"]))
def test_what_is_tried_is_what_would_be_decided(body: dict[str, Any], source: str) -> None:
    """The commands and rejections are those of the directory's decision, in its order; the rules stay as they were."""
    raw = orjson.dumps(body)
    trials = list(try_event(Given(raw, NOW, "new"), RULES, RULES.rules, source))
    value = orjson.dumps(read_event(Given(raw, NOW, "new"), source).body)
    headers = (("source", source.encode()), ("received-at", format_ms(NOW).encode()))
    record: Any = SimpleNamespace(
        topic="t", partition=0, offset=5, timestamp=NOW, key=b"", value=value, headers=headers
    )
    outcome = decide(record, UUID(int=7), RULES)
    assert [trial.command for trial in trials if trial.verdict == "applied"] == list(outcome.effects)
    assert [trial.rejection for trial in trials if trial.verdict == "dead"] == list(outcome.rejections)
    if outcome.kind == "filtered":
        assert ("disabled" in [trial.verdict for trial in trials]) is (outcome.reason == "disabled")
    assert all(trial.clause.holds is (trial.verdict != "no_match") for trial in trials)
    before = copy.deepcopy(shown_trial(trials[0]))
    orjson.dumps([shown_trial(trial) for trial in trials])
    assert shown_trial(trials[0]) == before
