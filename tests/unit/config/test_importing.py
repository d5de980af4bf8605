"""A destination of Segment's as a connection: nothing is said to hold that the document's check refuses."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.config import check
from processor.config.importing import import_segment, join_exports, read_export
from processor.config.importing.fragment import fragment
from processor.config.reading import read
from processor.domain.actions import ACTIONS, resolve_fields
from processor.domain.mappings import MISSING, compile_mapping
from processor.errors import DocumentError, MappingError, RejectedError

TESTS = Path(__file__).parents[2]
CASES = json.loads((TESTS / "cases/import_segment.json").read_text())


def lines(name):
    return [json.loads(line) for line in (TESTS / f"cases/{name}.jsonl").read_text().splitlines()]


def imported(*exports):
    return import_segment(join_exports([read_export(json.dumps(export).encode()) for export in exports]))


def subscription(fields, trigger='type = "identify"', action="addContactToXmd"):
    return {"name": "m", "actionSlug": action, "enabled": True, "trigger": trigger, "settings": fields}


def rules(found):
    """The compiled mappings of what was printed, which the check accepts and reads as what was built."""
    checked = check(f"version: 1\n{found.text}")
    assert checked.data["connections"] == [found.connection]
    return checked.rules


def canonical(value):
    """Text that differs wherever JSON differs, but for key order and 1 against 1.0."""
    return json.dumps(value, sort_keys=True).replace(".0,", ",").replace(".0}", "}").replace(".0]", "]")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_case(case):
    """The connection, each warning and all that was left behind, in order; and never a secret."""
    found = imported(case["export"])
    assert len(rules(found)) == len(found.connection["mappings"])
    if "connection" in case:
        assert found.connection == case["connection"]
    if "names" in case:
        assert [mapping["name"] for mapping in found.connection["mappings"]] == case["names"]
    for notes, expected in ((found.warnings, case["warnings"]), (found.not_carried, case["not_carried"])):
        assert [(note.mapping, note.path) for note in notes] == [(mapping, path) for mapping, path, _ in expected]
        for note, (_, _, message) in zip(notes, expected, strict=True):
            assert message in note.message
    assert "hunter2" not in f"{found}"


@pytest.mark.parametrize("case", lines("filters"), ids=lambda case: case["id"])
def test_recorded_filters(case):
    """Segment's verdict for the recorded event, whatever the trigger; what Segment cannot read is left behind."""
    found = imported([subscription({"directoryId": "POOL_a"}, case["filter"])])
    if case.get("error"):
        assert not rules(found)
        assert [note.path for note in found.not_carried] == ["when"]
        return
    (rule,) = rules(found)
    assert not found.not_carried
    assert rule.matches(case["event"]) is case["match"]
    (mapping,) = found.connection["mappings"]
    assert isinstance(mapping["when"], dict) is any(note.path == "when" for note in found.warnings)


@pytest.mark.parametrize("case", lines("actions"), ids=lambda case: case["id"])
def test_recorded_payloads(case):
    """Segment's payload, whether the export writes a default out or leaves the field away."""
    action = ACTIONS[case["action"]]
    written = {**action.defaults, **case["mapping_overrides"]}
    found = imported([subscription(written, action=action.name)])
    if action.name == "triggerXflowWorkflow":
        assert [note.path for note in found.not_carried] == ["fields.workflowUrl"]
        return
    if "directoryId" not in written or case["id"] == "addContactToXmd-invalid-full-identify":
        assert not rules(found)  # Segment refuses every event of such a subscription
        return
    (rule,) = rules(found)
    (mapping,) = found.connection["mappings"]
    compiled = compile_mapping(resolve_fields(action, mapping["fields"]), document=True)
    assert canonical(compiled(case["event"])) == canonical(case["payload"])
    given = rule.payload(case["event"])
    assert all(given[name] == value for name, value in case["payload"].items() if value is not None)


@pytest.mark.parametrize("case", lines("mappings"), ids=lambda case: case["id"])
def test_recorded_mappings(case):
    """Any mapping at all, as the value of a field: Segment's output, or a part left behind and listed."""
    found = imported([subscription({"directoryId": "POOL_a", "embeddedData": case["mapping"]})])
    rules(found)
    if found.not_carried:
        return
    field = found.connection["mappings"][0]["fields"]["embeddedData"]
    try:
        output = compile_mapping({"embeddedData": field})(case["event"]).get("embeddedData", MISSING)
    except (MappingError, RejectedError):
        assert case.get("error")
        return
    if "__segment_internal_directive" in case["mapping"] or case["id"] == "template-injection-002":
        return  # the first is a directive only at the root, the second is what `{{x}}` is for
    assert not case.get("error")
    assert output is MISSING if case.get("undefined") else canonical(output) == canonical(case["output"])


@pytest.mark.parametrize(
    ("raw", "path", "message"),
    [
        (b"", "", "not JSON"),
        (b"\xff", "", "not JSON"),
        (b"5", "", "no export of Segment"),
        (b'{"data": {"workspace": {}}}', "data", "no export of Segment"),
        (b'{"connections": []}', "", "no export of Segment"),
        (b"[5]", "[0]", "a subscription is an object"),
        (b'[{"name": "x"}]', "[0].actionSlug", "needed"),
        (b'[{"actionSlug": 5}]', "[0].actionSlug", "must be a text"),
        (b'{"data": {"subscriptions": {}}}', "data.subscriptions", "must be a list"),
        (b'[{"actionSlug": "a", "enabled": 1}]', "[0].enabled", "true or false"),
        (b'[{"partnerAction": "a", "mapping": []}]', "[0].mapping", "must be an object"),
        (b'{"data": {"destination": {"name": "x", "subscriptions": null}}}', "data.destination.subscriptions", "list"),
    ],
)
def test_no_export(raw, path, message):
    """One fault, with its place and the rule."""
    with pytest.raises(DocumentError) as caught:
        read_export(raw)
    (fault,) = caught.value.faults
    assert fault.path == path
    assert message in fault.message


DESTINATION = {"data": {"destination": {"id": "d", "name": "Prod", "enabled": True, "metadata": {}, "settings": {}}}}


def test_several_answers():
    """The destination gives the name, each page its subscriptions; a page that lacks is said."""
    one, two = (
        {"data": {"subscriptions": [subscription({"directoryId": "POOL_a"})], "pagination": pages}}
        for pages in ({"current": "MA==", "next": "MQ=="}, {"current": "MQ=="})
    )
    found = imported(DESTINATION, one, two)
    assert found.connection["name"] == "Prod"
    assert [mapping["name"] for mapping in found.connection["mappings"]] == ["m", "m 2"]
    assert not found.not_carried
    assert "further pages" in imported(DESTINATION, one).not_carried[0].message


def test_a_destination_alone():
    """What is missing is named."""
    with pytest.raises(DocumentError, match="without its subscriptions"):
        imported(DESTINATION)
    assert imported(DESTINATION, []).connection["mappings"] == []


def test_faults_without_a_place():
    """What the check can place nowhere is found by looking at each mapping alone."""
    long = subscription({"directoryId": "POOL_a", "embeddedData": {"k" * 2000 + ":": 1, "d" * 200: [{"x" * 1500: 2}]}})
    found = imported([subscription({"directoryId": "POOL_a"}), long])
    assert [mapping["name"] for mapping in found.connection["mappings"]] == ["m"]
    assert [note.mapping for note in found.not_carried] == ["m 2"]


def test_too_large():
    """An export that no document could hold."""
    many = [subscription({"directoryId": "POOL_a", "embeddedData": {"a": "x" * 400_000}}) for _ in range(3)]
    with pytest.raises(DocumentError, match="at most"):
        imported(many)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | st.sampled_from(["@path", "@template", "@if", "x"]), inner, max_size=3)
    ),
    max_leaves=12,
)
TEXT = st.text() | st.sampled_from(["null", "a: b", "- x", 'it\'s "so"', "1", "\u2028", "\x85", "#", "é", "x" * 300])


@settings(max_examples=200, deadline=None)
@given(TEXT, TEXT, st.dictionaries(st.sampled_from(["directoryId", "email", "embeddedData", "x"]), JSON))
def test_any_export(name, trigger, fields):
    """Whatever an export holds, what is printed passes the check, and reads as what was built."""
    settings_ = {"directoryId": "POOL_a", **fields}
    found = imported([{**subscription(settings_, trigger), "name": name}, {**subscription(settings_), "name": name}])
    assert len(rules(found)) == len(found.connection["mappings"])


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(min_size=1).filter(lambda key: "\0" not in key), JSON, max_size=4))
def test_yaml(fields):
    """What is written reads as itself."""
    connection = {"name": "c", "sources": "all", "mappings": [{"name": "m", "fields": json.loads(json.dumps(fields))}]}
    try:
        data = read(fragment(connection)).data
    except DocumentError as error:
        assert all("cannot be stored" in f.message or "64 bits" in f.message for f in error.faults)  # noqa: PT017
        return
    assert data == {"connections": [connection]}
