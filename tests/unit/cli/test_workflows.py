"""`isthmus workflows url`: the address, with its token."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from processor.cli.app import app
from processor.errors import ConfigError

DOCUMENT = """\
version: 1
workflows:
  - {id: onboarding, url_token: [{env: NEW}, old]}
  - {id: open}
  - {id: unset, url_token: {env: NOWHERE}}
"""


def asked(tmp_path: Path, name: str, **env: str) -> object:
    document = tmp_path / "isthmus.yaml"
    document.write_text(DOCUMENT)
    env = {"ISTHMUS_DATA_DIR": str(tmp_path), "NEW": "a token/+", **env}
    return CliRunner().invoke(app, ["workflows", "url", name, "--config", str(document)], env=env)


def test_address(tmp_path: Path) -> None:
    """The newest token, written as an address writes it; the public address where there is one."""
    ours = asked(tmp_path, "onboarding", ISTHMUS_PORT="9000")
    assert ours.stdout == "http://127.0.0.1:9000/workflows/onboarding/events?token=a%20token%2F%2B\n"
    public = asked(tmp_path, "onboarding", ISTHMUS_PUBLIC_URL="https://isthmus.example/")
    assert public.stdout.startswith("https://isthmus.example/workflows/onboarding/")


@pytest.mark.parametrize(
    ("name", "says"), [("nothing", "onboarding, open, unset"), ("open", "no url_token"), ("unset", "{env: NOWHERE}")]
)
def test_no_address(tmp_path: Path, name: str, says: str) -> None:
    """What is missing, and where it would stand."""
    error = asked(tmp_path, name).exception
    assert isinstance(error, ConfigError)
    assert says in str(error)
