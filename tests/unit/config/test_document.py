"""The document: every fault with its place, and nothing but ``DocumentError`` for any text."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from processor.config import check
from processor.config.reading import MAX_BYTES, MAX_DEPTH, read
from processor.errors import DocumentError

TESTS = Path(__file__).parents[2]
CASES = json.loads((TESTS / "cases/document_faults.json").read_text())
DIRECTORY = "version: 1\ndirectories: [{id: POOL_a, name: A, mailing_lists: [{id: CG_a, name: L}]}]\n"
WORDS = """
version sources id write_key env connections name mappings action addContactToXmd when fields directoryId POOL_a
directories merge_rules email api_tokens token scopes clear_on_null null true 1 -7 0x1F .inf a.b *** kafka all
"""


def answered(text):
    """Whether the answer is a document or faults; another exception than ``DocumentError`` fails the test."""
    try:
        return check(text) is not None
    except DocumentError as error:
        return len(error.faults) > 0


def faults(text):
    with pytest.raises(DocumentError) as caught:
        check(text)
    return caught.value.faults


def mapping(lines):
    start = "sources: [{id: web, write_key: {env: K}}]\nconnections:\n  - name: crm\n    mappings:\n      - name: m\n"
    return DIRECTORY + start + "".join(f"        {line}\n" for line in lines)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_fault(case):
    """Each fault has its path, its line and what to write instead."""
    found = [fault for fault in faults(case["document"]) if fault.path == case["path"]]
    assert found, faults(case["document"])
    assert any(fault.line == case["line"] and case["message"] in fault.message for fault in found), found


def test_every_fault_at_once():
    """One look at the answer is enough to mend the whole document, in the order of its lines."""
    text = "version: 2\ndirectories:\n  - {id: x, name: 1}\nsources: [{id: web}]\nnotify: []\n"
    found = faults(text)
    assert [fault.path for fault in found] == [
        "version",
        "directories[0].id",
        "directories[0].name",
        "sources[0].write_key",
        "notify",
    ]
    assert [fault.line for fault in found] == [1, 3, 3, 4, 5]


def test_one_fault_is_no_other():
    """A directory or source with a fault of its own is still known to what refers to it."""
    text = mapping(["action: addContactToXmd", "fields: {directoryId: POOL_a}"])
    text = text.replace("name: A,", "name: 1,").replace("id: web,", "id: web, accept_own: 1,")
    assert [fault.path for fault in faults(text)] == ["directories[0].name", "sources[0].accept_own"]


def test_no_secret_in_a_fault():
    """Faults are logged and pasted: the value of a secret never stands in one."""
    text = "version: 1\nsources: [{id: web, write_key: ' hunter2hunter2'}, {id: w, write_key: [hunter2, 5]}]\n"
    assert "hunter2" not in str(faults(text))


def test_no_stays_text():
    """YAML 1.2: NO is Norway, on is a word, a date is a text, 010 is ten."""
    data = read("a: [NO, on, yes, 2024-01-02, 010, 0x10, 0o10, 1.5, ~, '', 12:30:00, '1']\n").data
    assert data == {"a": ["NO", "on", "yes", "2024-01-02", 10, 16, 8, 1.5, None, "", "12:30:00", "1"]}


def test_too_long():
    """One byte over the limit is refused before it is read."""
    assert "at most" in faults("#" * (MAX_BYTES + 1))[0].message
    assert check("version: 1\n#" + "x" * (MAX_BYTES - 12)).warnings == ()


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_too_deep(opening):
    """However deep, it is refused at the limit, and in no time."""
    assert faults("version: 1\na:\n " + opening * 100_000)
    assert read("[" * MAX_DEPTH + "]" * MAX_DEPTH).data
    assert f"{MAX_DEPTH}" in faults("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))[0].message


def test_too_many_faults():
    """A file that is something else entirely is refused without a look at all of it."""
    lines = "".join(f"  - {{name: c{n}, sources: [s{n}]}}\n" for n in range(3_000))
    found = faults(f"version: 1\nconnections:\n{lines}")
    assert len(found) == 201
    assert "first 200" in found[-1].message


def test_billion_laughs():
    """Aliases are not followed, so nothing grows."""
    lines = ["a0: &a0 [lol, lol]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    assert faults("\n".join(lines))[0].line == 1


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text() | st.text(alphabet="aA1: -[]{}\"'#&*!|>%@`?,.\n\t\\~<=") | st.text(st.characters(codec=None)))
def test_any_text(text):
    """Any text at all is a document or a ``DocumentError`` with faults."""
    assert answered(text)


@settings(max_examples=400, deadline=None)
@given(
    st.recursive(
        st.sampled_from(WORDS.split()) | st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS.split()), inner, max_size=4),
        max_leaves=40,
    ),
    st.sampled_from(("version", "directories", "sources", "connections", "api_tokens", "mappings", "fields")),
)
def test_any_structure(value, key):
    """Any values in any place are a document or a ``DocumentError`` with faults."""
    data = {"version": 1, "directories": [{"id": "POOL_a", "name": "A"}], key: value}
    if key in ("mappings", "fields"):
        inner = {"name": "x", "action": "addContactToXmd", "fields": {"directoryId": "POOL_a"}}
        inner |= {"fields": value} if key == "fields" else {}
        data = {"version": 1, "connections": [{"name": "c", "mappings": [inner] if key == "fields" else value}]}
    assert answered(json.dumps(data))


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.text().filter(str.isprintable) | st.integers(-(2**62), 2**62) | st.booleans(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab.-_ é"), inner, max_size=4),
        max_leaves=20,
    )
)
def test_reads_as_the_library_does(value):
    """JSON reads as itself, and our own building of values agrees with the library's."""
    assert read(json.dumps({"a": value})).data == {"a": value}
    text = json.dumps({"a": value}, ensure_ascii=False)
    assert read(text).data == YAML(typ="safe", pure=True).load(text)


WARNINGS = {
    "api_tokens: [{name: a, token: {env: T}}]": "may do everything",
    "api_tokens: [{name: a, token: plain-token, scopes: [trigger]}]": "plain text",
    "directories: [{id: POOL_b, name: B, default_mailing_list: CG_x}]": "CG_x",
}


@pytest.mark.parametrize("line", WARNINGS)
def test_warning(line):
    """What may be meant so is said, and refuses nothing."""
    assert any(WARNINGS[line] in warning.message for warning in check(f"version: 1\n{line}\n").warnings)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["action: addContactToXmd", "fields: {directoryId: POOL_b}"], "no directory `POOL_b`"),
        (["action: upsertContactTransaction", "fields: {directoryId: POOL_a}"], "transactionData"),
        (
            [
                "action: upsertContactTransaction",
                'fields: {directoryId: POOL_a, mailingListId: CG_b, transactionData: {"@path": $.properties}}',
            ],
            "no mailing list `CG_b`",
        ),
        (["action: addContactToXmd", "fields: {directoryId: POOL_a}", "clear_on_null: [title]"], "embeddedData.title"),
    ],
)
def test_mapping_warning(lines, message):
    """Unknown ids and empty transactions are warnings: the other side may know more than the document."""
    found = check(mapping(lines)).warnings
    assert len(found) == 1
    assert message in found[0].message
    assert found[0].line is not None


def test_no_warning():
    """Ids from the event and known ids are nobody's business."""
    lines = ["action: addContactToXmd", 'fields: {directoryId: {"@path": $.properties.pool}}']
    assert check(mapping(lines)).warnings == ()
