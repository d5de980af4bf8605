"""`isthmus try` and `isthmus sample` as they are typed, on a document of their own; no database is there."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from processor.cli.app import app

DOCUMENT = """
version: 1
directories: [{id: POOL_a, name: A, default_mailing_list: CG_a, mailing_lists: [{id: CG_a, name: L}]}]
sources: [{id: web, write_key: {env: A}}]
connections:
  - name: crm
    sources: [web]
    mappings:
      - name: contact
        action: addContactToXmd
        when: 'type = "identify" and (traits.plan = "pro" or traits.score > 3)'
        fields: {directoryId: POOL_a, email: "", phone: {"@path": "$.traits.number"}}
      - {name: off, enabled: false, action: addContactToXmd, when: always, fields: {directoryId: POOL_a}}
      - name: buy
        action: upsertContactTransaction
        when: {segment: 'type = "track" and match(event, "?aid")'}
        fields: {directoryId: POOL_a, transactionData: {"@path": "$.properties"}}
      - {name: never, action: addContactToXmd, when: 'type = "x"', fields: {directoryId: POOL_a}}
"""
IDENTIFY = '{"type": "identify", "userId": "u1", "messageId": "m1", "traits": {"plan": "pro", "number": 41}}'


@pytest.fixture
def document(tmp_path: Path) -> str:
    file = tmp_path / "isthmus.yaml"
    file.write_text(DOCUMENT)
    return str(file)


def isthmus(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(app, arguments, input=stdin)


def typed(*arguments: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """The real command, for what only its outermost function does."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ISTHMUS_")}
    command = [sys.executable, "-P", "-m", "processor", *arguments]
    return subprocess.run(
        command, input=stdin, env={**inherited, **env}, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_person_reads(document: str) -> None:
    """Each clause with its verdict, what the last step changed, and what would be written where."""
    result = isthmus("try", "--event", "-", "--mapping", "contact", "--config", document, stdin=IDENTIFY)
    assert result.exit_code == 0
    assert result.stdout == (
        "crm/contact: addContactToXmd, listens to web; tried as from web\n"
        "  holds  clause\n"
        "  yes    all of\n"
        '  yes      type = "identify"\n'
        "  yes      one of\n"
        '  yes        traits.plan = "pro"\n'
        "  no         traits.score > 3\n"
        "  field         payload  before the last step\n"
        "  directoryId   POOL_a\n"
        "  extRef        u1\n"
        "  email         -\n"
        "  phone         41\n"
        "  language      EN\n"
        "  unsubscribed  false\n"
        "  Would write to POOL_a, contact found by extRef:\n"
        "    field         value  written\n"
        "    extRef        u1     always\n"
        "    phone         41     always\n"
        "    language      EN     when created\n"
        "    unsubscribed  false  when created\n"
        "\n"
        "Nothing was written.\n"
    )


def test_all_mappings_from_a_file(document: str, tmp_path: Path) -> None:
    """Without a name every mapping is tried; one that does not match is an answer, not an error."""
    file = tmp_path / "event.json"
    file.write_text('{"type": "track", "event": "Paid", "userId": "u1", "messageId": "m1", "properties": {"a": [1]}}')
    result = isthmus("try", "--event", str(file), "--config", document)
    assert result.exit_code == 0
    assert "Would do nothing: the filter does not match." in result.stdout
    assert "Would do nothing: it is switched off. Switched on:" in result.stdout
    assert 'match(event, "?aid")   which Segment reads as  match(event, "*aid")' in result.stdout
    assert "on the list CG_a" in result.stdout
    assert "Of 4 mappings 1 would take effect and 0 would refuse the event." in result.stdout


def test_what_would_become_a_dead_letter(document: str) -> None:
    """The code and the sentence that would stand in it; other people's data cannot reach the terminal as commands."""
    bad = '{"type": "identify", "userId": "u1", "traits": {"plan": "pro", "number": ["\\u001b[2J"]}}'
    result = isthmus("try", "--event", "-", "--mapping", "contact", "--config", document, stdin=bad)
    assert "Would become a dead letter, invalid_field: field phone needs a text" in result.stdout
    assert "\x1b" not in result.stdout


def test_as_json(document: str) -> None:
    """The event as it was decided by, and every mapping's trial."""
    result = isthmus("try", "--event", "-", "--config", document, "--json", stdin=IDENTIFY)
    answer = json.loads(result.stdout)
    assert answer["event"]["receivedAt"] == answer["event"]["timestamp"]
    assert [(each["mapping"], each["verdict"]) for each in answer["mappings"]] == [
        ("crm/contact", "applied"),
        ("crm/off", "disabled"),
        ("crm/buy", "no_match"),
        ("crm/never", "no_match"),
    ]
    assert answer["mappings"][0]["effect"]["values"] == {"extRef": "u1", "phone": "41"}
    assert answer["mappings"][0]["filter"]["clauses"][0] == {"text": 'type = "identify"', "holds": True}


def test_from_another_source(document: str) -> None:
    """A mapping that does not listen to the source says so."""
    arguments = ("try", "--event", "-", "--mapping", "contact", "--source", "kafka", "--config", document)
    result = isthmus(*arguments, stdin=IDENTIFY)
    assert "Would do nothing: it does not listen to kafka. Else:" in result.stdout


def test_a_bad_event(document: str) -> None:
    """Ingress's code, one sentence, exit code 1; as JSON under `refused`."""
    arguments = ("try", "--event", "-", "--config", document)
    result = typed(*arguments, stdin='{"type": "track", "userId": "u"}')
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("isthmus: ingress would refuse this event, missing_event: ")
    answer = isthmus(*arguments, "--json", stdin="{")
    assert answer.exit_code == 1
    assert json.loads(answer.stdout)["refused"]["code"] == "not_json"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["try", "--event", "-", "--mapping", "x"], "isthmus: there is no mapping `x`: `crm/contact`, "),
        (["try", "--event", "-", "--source", "x"], "isthmus: there is no source `x`: `web`, `kafka`"),
        (["sample", "--mapping", "x"], "isthmus: there is no mapping `x`: `crm/contact`, "),
        (["sample", "--mapping", "never"], "isthmus: no event was found that the filter of `crm/never` lets through"),
    ],
)
def test_what_is_not_there(document: str, arguments: list[str], sentence: str) -> None:
    """One sentence and exit code 1."""
    result = typed(*arguments, "--config", document, stdin=IDENTIFY)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(sentence)
    assert result.stderr.count("\n") == 1


def test_a_document_with_faults(tmp_path: Path) -> None:
    """They are printed as `isthmus config check` prints them."""
    file = tmp_path / "bad.yaml"
    file.write_text(DOCUMENT.replace("POOL_a, name", "x, name"))
    checked = isthmus("config", "check", str(file))
    tried = isthmus("try", "--event", "-", "--config", str(file), stdin=IDENTIFY)
    assert (checked.exit_code, tried.exit_code) == (1, 1)
    assert f"{file}:3: directories[0].id: " in checked.stderr
    assert tried.stderr == checked.stderr


def test_wrong_usage(document: str, tmp_path: Path) -> None:
    """Exit code 2 for files that are not there and for half a question."""
    missing = str(tmp_path / "missing")
    for arguments in (
        ["try", "--event", missing, "--config", document],
        ["try", "--event", "-", "--config", missing],
        ["try", "--config", document],
        ["sample"],
        ["sample", "--type", "track", "--mapping", "contact"],
        ["sample", "--type", "x"],
    ):
        assert isthmus(*arguments, stdin=IDENTIFY).exit_code == 2, arguments


def test_without_a_document_or_a_database(tmp_path: Path) -> None:
    """Exit code 78 and what to do."""
    result = typed("try", "--event", "-", stdin=IDENTIFY, ISTHMUS_DATA_DIR=str(tmp_path))
    assert result.returncode == 78
    assert result.stderr.startswith("isthmus: no PostgreSQL: ")


@pytest.mark.parametrize("mapping", ["contact", "crm/buy", "off"])
def test_a_sample_is_let_through(document: str, mapping: str) -> None:
    """What `sample` prints, `try` answers with a match."""
    made = isthmus("sample", "--mapping", mapping, "--config", document)
    assert made.exit_code == 0
    arguments = ("try", "--event", "-", "--mapping", mapping, "--config", document, "--json")
    tried: Any = json.loads(isthmus(*arguments, stdin=made.stdout).stdout)
    assert tried["mappings"][0]["filter"]["holds"] is True
    assert tried["mappings"][0]["deadLetter"] is None


@pytest.mark.parametrize("type_", ["identify", "track", "page", "screen", "group", "alias"])
def test_a_sample_of_a_type(document: str, type_: str) -> None:
    """It needs no document, and every service would take it."""
    made = isthmus("sample", "--type", type_)
    assert json.loads(made.stdout)["type"] == type_
    assert isthmus("try", "--event", "-", "--config", document, stdin=made.stdout).exit_code == 0


def test_the_page(tmp_path: Path) -> None:
    """The commands of docs/configuration.md, typed on its own example."""
    page = (Path(__file__).parents[3] / "docs/configuration.md").read_text()
    (tmp_path / "isthmus.yaml").write_text(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0])
    (commands,) = re.findall(r"```console\n((?:\$ isthmus (?:sample|try) .*\n)+)```", page)
    answers = []
    for command in commands.splitlines():
        words, _, target = command.removeprefix("$ isthmus ").partition(" > ")
        arguments = [str(tmp_path / word) if word.endswith((".yaml", ".json")) else word for word in words.split()]
        answers.append(isthmus(*arguments))
        if target:
            (tmp_path / target).write_text(answers[-1].stdout)
    assert [answer.exit_code for answer in answers] == [0, 0]
    assert "crm/contact: addContactToXmd" in answers[-1].stdout
    assert "1 would take effect and 0 would refuse the event" in answers[-1].stdout
