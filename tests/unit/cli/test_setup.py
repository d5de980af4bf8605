"""Commands that prepare and run: how they fail before anything is opened."""

import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from processor.cli import setup
from processor.errors import ConfigError


@pytest.fixture
def app() -> typer.Typer:
    made = typer.Typer()
    setup.add(made)
    return made


def test_version(app: typer.Typer) -> None:
    """The distribution's."""
    result = CliRunner().invoke(app, ["version"])
    assert result.exit_code == 0
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*\n", result.stdout)


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [
        (["migrate"], "ISTHMUS_POSTGRES"),
        (["resume", "directory"], "ISTHMUS_POSTGRES"),
        (["topics"], "ISTHMUS_KAFKA"),
        (["run", "directory"], "ISTHMUS_KAFKA"),
    ],
)
def test_nothing_to_connect_to(app: typer.Typer, tmp_path: Path, arguments: list[str], missing: str) -> None:
    """A sentence that names the variable and `isthmus up`."""
    env = {"ISTHMUS_DATA_DIR": str(tmp_path), "ISTHMUS_POSTGRES": "", "ISTHMUS_KAFKA": ""}
    error = CliRunner().invoke(app, arguments, env=env).exception
    assert isinstance(error, ConfigError)
    assert missing in str(error)
    assert "isthmus up" in str(error)


@pytest.mark.parametrize("arguments", [["migrate", "later"], ["run"], ["resume"], ["nonsense"]])
def test_wrong_usage(app: typer.Typer, arguments: list[str]) -> None:
    """Exit code 2."""
    assert CliRunner().invoke(app, arguments).exit_code == 2
