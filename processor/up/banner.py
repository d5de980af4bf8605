"""The words of `isthmus up`: a line for each step, and what one can do now."""

import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path

import orjson

__all__ = ["EXAMPLE_EMAIL", "Facts", "banner", "command_line", "step"]

EXAMPLE_EMAIL = "ada@example.com"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the banner tells. Empty ``write_key``: the configuration has no HTTP source."""

    url: str
    write_key: str = field(repr=False)
    message_id: str
    """Fresh, so that a second `isthmus up` shows a curl that is not a repeat."""
    data_dir: Path
    config: Path
    revision: int
    embedded_broker: bool
    total_s: float
    command: str = "isthmus"
    """What to type for `isthmus` in a second terminal, in the folder this one stands in."""


def command_line(program: str, data_dir: Path, here: Path, on_path: str | None) -> str:
    """How a second terminal that stands in ``here`` calls this very program on this very folder.

    ``program``: the path of the script that runs; ``on_path``: of what `isthmus` alone would run.
    """
    if Path(program).name == "__main__.py":
        word = f"{shlex.quote(sys.executable)} -m processor"
    elif on_path is not None and Path(on_path).absolute() == Path(program).absolute():
        word = "isthmus"
    else:
        script = Path(program).absolute()
        word = shlex.quote(str(script.relative_to(here) if script.is_relative_to(here) else script))
    return word if data_dir == here / ".isthmus" else f"ISTHMUS_DATA_DIR={shlex.quote(str(data_dir))} {word}"


def step(title: str, seconds: float, note: str = "") -> str:
    """One finished step: ``✓ PostgreSQL 18.4  1.2 s``."""
    text = f"{title} ({note})" if note else title
    return f"✓ {text:<52} {seconds:5.1f} s"


def banner(facts: Facts) -> str:
    """What stands on the terminal once everything runs. Every command in it can be pasted."""
    folder = shlex.quote(str(facts.data_dir))
    change = f"{facts.command} config apply {shlex.quote(str(facts.config))}"
    lines = [
        "",
        f"Isthmus is up after {facts.total_s:.1f} s, revision {facts.revision} of the configuration.",
        "",
        f"  URL            {facts.url}",
        f"  write key      {facts.write_key or 'none: the configuration has no HTTP source with a write key'}",
        f"  configuration  {facts.config}",
        f"  data and logs  {facts.data_dir}",
        "",
    ]
    if facts.write_key:
        lines += ["Send an event:", "", _curl(facts), ""]
        lines += ["See the contact, from a second terminal:", ""]
        lines += [f"  {facts.command} contacts find --email {EXAMPLE_EMAIL}", ""]
    lines += ["Change the configuration: edit it, then", "", f"  {change}", ""]
    if facts.embedded_broker:
        lines.append("The broker is in memory: events that are not yet applied are lost on exit; contacts stay.")
    lines += [f"Stop: Ctrl-C. Start anew with nothing: stop, then rm -r {folder}", ""]
    return "\n".join(lines)


def _curl(facts: Facts) -> str:
    event = {
        "messageId": facts.message_id,
        "userId": "ada",
        "traits": {"email": EXAMPLE_EMAIL, "firstName": "Ada", "lastName": "Lovelace", "plan": "pro"},
    }
    return "\n".join(
        [
            f"  curl -u {shlex.quote(facts.write_key + ':')} {facts.url}/v1/identify \\",
            "    -H 'Content-Type: application/json' \\",
            f"    -d {shlex.quote(orjson.dumps(event).decode())}",
        ]
    )
