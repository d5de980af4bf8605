import json
import shlex
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from processor.up.banner import Facts, banner, command_line, step

FACTS = Facts(
    url="http://127.0.0.1:8080",
    write_key="k3y",
    message_id="m-1",
    data_dir=Path("/data/my isthmus"),
    config=Path("/data/my isthmus/isthmus.yaml"),
    revision=1,
    embedded_broker=True,
    total_s=5.94,
    command="isthmus",
)


def test_step_names_what_and_how_long():
    """A step is one line that ends with its seconds."""
    line = step("PostgreSQL 18.4", 1.24)
    assert line.startswith("✓ PostgreSQL 18.4 ")
    assert line.endswith("  1.2 s")


def test_curl_can_be_pasted():
    """A shell reads the curl as one command whose body is the event with its fresh messageId."""
    text = banner(FACTS)
    command = text[text.index("curl ") :].split("\n\n")[0]
    words = shlex.split(command)
    assert words[words.index("-u") + 1] == "k3y:"
    assert words[3] == "http://127.0.0.1:8080/v1/identify"
    event = json.loads(words[words.index("-d") + 1])
    assert event["messageId"] == "m-1"
    assert event["traits"]["email"] in text.split("contacts find --email ")[1]


def test_says_where_and_how():
    """URL, key, places, what is lost, how to change, stop and reset: paths with spaces are quoted."""
    text = banner(FACTS)
    for said in (
        "http://127.0.0.1:8080",
        "k3y",
        "isthmus config apply '/data/my isthmus/isthmus.yaml'",
        "not yet applied are lost on exit",
        "Ctrl-C",
        "rm -r '/data/my isthmus'",
    ):
        assert said in text


def test_says_only_what_holds():
    """With a Kafka of one's own nothing is lost; without an HTTP source there is nothing to curl."""
    text = banner(replace(FACTS, embedded_broker=False, write_key=""))
    assert "lost" not in text
    assert "curl" not in text


@pytest.mark.parametrize(
    ("program", "data_dir", "on_path", "expected"),
    [
        ("/p/.venv/bin/isthmus", "/p/.isthmus", None, ".venv/bin/isthmus"),
        ("/p/.venv/bin/isthmus", "/p/.isthmus", "/p/.venv/bin/isthmus", "isthmus"),
        ("/p/.venv/bin/isthmus", "/p/.isthmus", "/usr/bin/isthmus", ".venv/bin/isthmus"),
        ("/opt/bin/isthmus", "/data/a b", None, "ISTHMUS_DATA_DIR='/data/a b' /opt/bin/isthmus"),
        ("/p/processor/__main__.py", "/p/.isthmus", None, f"{shlex.quote(sys.executable)} -m processor"),
    ],
)
def test_second_terminal_calls_this_program(program, data_dir, on_path, expected):
    """The command shown is the one that runs, on the folder that it uses."""
    assert command_line(program, Path(data_dir), Path("/p"), on_path) == expected
