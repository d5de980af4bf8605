"""`config import-segment`: the section on standard output, everything said about it on standard error."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from processor.cli.app import app
from processor.config import check

CONTACT = {
    "name": "Contact\x1b[2J",
    "actionSlug": "addContactToXmd",
    "enabled": True,
    "trigger": 'type = "identify" or messageId = "x"',
    "settings": {"directoryId": "POOL_a", "email": {"@template": "{{{traits.email}}}"}},
}
WORKFLOW = {
    "name": "Start",
    "actionSlug": "triggerXflowWorkflow",
    "trigger": 'type = "track"',
    "settings": {"workflowUrl": "https://flows.example.com/x?token=hunter2"},
}


def invoke(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, ["config", "import-segment", *arguments], input=stdin)


def test_standard_input() -> None:
    """The fragment passes the check as it is; warnings and the rest go elsewhere, without a token."""
    result = invoke("-", stdin=json.dumps({"data": {"subscriptions": [CONTACT, WORKFLOW]}}))
    assert result.exit_code == 0
    assert len(check(f"version: 1\n{result.stdout}").rules) == 1
    *notes, last = result.stderr.splitlines()
    assert [line.partition(":")[0] for line in notes] == ["warning"] * 3 + ["not carried over"]
    assert last.startswith("1 of 2 subscriptions carried over")
    assert 'in strict text: type = "identify"' in result.stderr
    assert "https://flows.example.com/x" in result.stderr
    assert "hunter2" not in result.output
    assert "\x1b" not in result.output


def test_json(tmp_path: Path) -> None:
    """One object with three keys, and nothing on standard error."""
    (tmp_path / "d.json").write_text(json.dumps({"data": {"destination": {"name": "Prod", "metadata": {}}}}))
    (tmp_path / "s.json").write_text(json.dumps([CONTACT, WORKFLOW]))
    result = invoke("--json", str(tmp_path / "d.json"), str(tmp_path / "s.json"))
    shown = json.loads(result.stdout)
    assert (result.exit_code, result.stderr) == (0, "")
    assert list(shown) == ["connection", "warnings", "not_carried"]
    assert shown["connection"]["name"] == "Prod"
    assert {warning["path"] for warning in shown["warnings"]} == {"name", "when", 'fields.email["@template"]'}
    assert [note["mapping"] for note in shown["not_carried"]] == ["Start"]


def test_nothing_carried_over() -> None:
    """Exit code 1; the connection is printed, empty."""
    result = invoke("-", stdin=json.dumps([WORKFLOW]))
    assert result.exit_code == 1
    assert "mappings: []" in result.stdout


@pytest.mark.parametrize(
    ("stdin", "said"),
    [
        ("{", "-:1: not JSON"),
        ('{"data": {"subscriptions": [{"name": "x"}]}}', "-: data.subscriptions[0].actionSlug: this key is needed"),
        ('{"name": "x", "metadata": {}}', "-: subscriptions: a destination without its subscriptions"),
        ("version: 1", "not JSON"),
    ],
)
def test_no_export(stdin: str, said: str) -> None:
    """One sentence, with the place, and exit code 1."""
    result = invoke("-", stdin=stdin)
    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [[], ["no/such/file.json"]])
def test_wrong_usage(arguments: list[str]) -> None:
    """Exit code 2."""
    assert invoke(*arguments).exit_code == 2
