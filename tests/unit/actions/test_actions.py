"""Defaults, fallbacks, the last step and dates."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.domain.actions import ACTIONS, as_text, finish, resolve_fields, transaction_date, with_fallbacks
from processor.domain.filters import compile_filter
from processor.domain.mappings import MISSING, compile_mapping
from processor.errors import RejectedError

ADD = ACTIONS["addContactToXmd"]
UPSERT = ACTIONS["upsertContactTransaction"]
WORKFLOW = ACTIONS["triggerXflowWorkflow"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def test_default_triggers_are_strict_filters():
    """The triggers of upstream are filters that strict accepts."""
    assert [action.name for action in ACTIONS.values() if action.trigger is None] == ["triggerXflowWorkflow"]
    assert compile_filter(ADD.trigger)({"type": "identify"})
    assert compile_filter(UPSERT.trigger)({"type": "track", "event": "Transaction Created"})


def test_left_out_null_and_own():
    """A left-out field has the default, null has none, the rest is as written; defaults are never shared."""
    fields = resolve_fields(ADD, {"directoryId": "P", "phone": None, "language": {"@path": "$.l"}, "odd": 1})
    assert list(fields) == [
        *("directoryId", "extRef", "email", "firstName", "lastName", "language", "unsubscribed", "odd")
    ]
    assert fields["language"] == {"@path": "$.l"}
    fields["email"]["@if"] = None
    assert resolve_fields(ADD, None)["email"]["@if"] is not None


def test_fallbacks_only_where_the_default_stands():
    """Only a field left to its default, or written out as the default, reads context.traits too."""
    event = {"context": {"traits": {"email": "e", "phone": "1", "firstName": "F", "lastName": "L"}}}
    own = {"directoryId": "P", "phone": {"@path": "$.traits.tel"}, "lastName": {"@path": "$.traits.lastName"}}
    mapped = compile_mapping(with_fallbacks(ADD, resolve_fields(ADD, own)))
    payload = mapped(event)
    assert (payload["email"], payload["firstName"], payload["lastName"]) == ("e", "F", "L")
    assert "phone" not in payload
    assert mapped({"traits": {"email": "t"}, **event})["email"] == "t"


def test_finish_drops_and_coerces():
    """Nulls, empty texts and unknown fields go; numbers and booleans become text; objects stay as they are."""
    payload = {
        "directoryId": "P", "extRef": 518, "email": None, "phone": "", "lastName": True, "firstName": 2.0,
        "unsubscribed": "true", "embeddedData": {"a": None, "b": ""}, "odd": 1,
    }  # fmt: skip
    before = copy.deepcopy(payload)
    assert finish(payload, ADD) == {
        "directoryId": "P", "extRef": "518", "lastName": "true", "firstName": "2",
        "unsubscribed": True, "embeddedData": {"a": None, "b": ""},
    }  # fmt: skip
    assert payload == before


@pytest.mark.parametrize(
    ("payload", "action", "code", "says"),
    [
        ({}, ADD, "missing_required", "directoryId"),
        ({"directoryId": ""}, UPSERT, "missing_required", "directoryId"),
        ({"workflow": "w"}, WORKFLOW, "missing_required", "eventPayload"),
        ({"directoryId": "P", "email": {"work": "w"}}, ADD, "invalid_field", "email"),
        ({"directoryId": "P", "firstName": ["A"]}, ADD, "invalid_field", "not a list"),
        ({"directoryId": "P", "unsubscribed": "yes"}, ADD, "invalid_field", "true or false"),
        ({"directoryId": "P", "embeddedData": "n/a"}, ADD, "invalid_field", "an object"),
        (MISSING, ADD, "invalid_field", "no object"),
    ],
)
def test_finish_rejects(payload, action, code, says):
    """A rejection has a code and says what to do."""
    with pytest.raises(RejectedError) as caught:
        finish(payload, action)
    assert caught.value.code == code
    assert says in caught.value.message


def test_list_and_ext_ref_are_not_required():
    """What configuration rule 4 waives is not asked for here."""
    assert finish({"directoryId": "P"}, UPSERT) == {"directoryId": "P"}


@pytest.mark.parametrize(
    ("value", "ms"),
    [
        ("2024-06-11T10:22:33.456Z", 1718101353456),
        ("2024-06-11T12:22:33.456+02:00", 1718101353456),
        ("2024-06-11 10:22:33", 1718101353000),
        ("2024-06-11", 1718064000000),
        ("0001-01-01T00:00:00-14:00", -62135546400000), ("0001-01-01T00:00:00+14:00", 7),
        ("yesterday", 7), ("", 7), (None, 7), (5, 7), ({}, 7), ("9999-99-99", 7),
    ],
)  # fmt: skip
def test_transaction_date(value, ms):
    """ISO 8601 and the plain form, which is UTC; anything else is the default."""
    assert transaction_date(value, 7) == ms


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "x"),
        (True, "true"),
        (3.0, "3"),
        (2.5, "2.5"),
        (None, "null"),
        ({"a": [1, "é"]}, '{"a":[1,"é"]}'),
        ([], "[]"),
    ],
)
def test_as_text(value, text):
    """Scalars as Segment prints them, the rest as compact JSON."""
    assert as_text(value) == text


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(ACTIONS.values())), st.data())
def test_any_event_is_finished_or_rejected(action, data):
    """No event makes the whole way raise anything but a rejection."""
    event = data.draw(st.dictionaries(st.sampled_from(["userId", "email", "traits", "context", "timestamp"]), JSON))
    fields = with_fallbacks(action, resolve_fields(action, {"directoryId": "P"} if action is not WORKFLOW else None))
    payload = compile_mapping(fields, document=True)(event)
    try:
        done = finish(payload, action)
    except RejectedError as error:
        code = error.code
    else:
        code = "invalid_field"
        transaction_date(done.get("transactionDate"), 0)
        [as_text(value) for value in done.values()]
    assert code in ("missing_required", "invalid_field")
