"""docs/segment.md and docs/intake.md: every command of theirs is run, on a whole Isthmus, and says what they say."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.lacking import lacking

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

DOCS = Path(__file__).parents[2] / "docs"
MARK = "----- next command"
# A revision is taken within two seconds, an event applied within less; who types the commands is slower than a script.
TYPING_S = 2.5


def commands(page: str) -> list[tuple[str, str]]:
    """Each command of the page's console blocks, and what it is said to print; empty where the page does not say."""
    found: list[tuple[str, str]] = []
    for block in re.findall(r"^```console\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, said = part.partition("\n")
            found.append((command, said))
    return found


def run(page: str, system: Any, folder: Path) -> list[tuple[str, str, str]]:
    """(command, what it is said to print, what it printed), all in one shell that ends at the first failure."""
    given = commands(page)
    lines = ["set -eu", f'isthmus() {{ "{sys.executable}" -m processor "$@"; }}']
    for command, _ in given:
        if command.startswith("isthmus contacts"):
            lines.append(f"sleep {TYPING_S}")
        lines += [command, f"echo '{MARK}'"]
        if "config apply" in command:
            lines.append(f"sleep {TYPING_S}")
    env = {**system.env, "URL": system.url, "PATH": os.environ["PATH"]}
    done = subprocess.run(
        ["bash", "-c", "\n".join(lines)], cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    printed = [part.removeprefix("\n") for part in done.stdout.split(MARK)[:-1]]
    return [(command, said, shown) for (command, said), shown in zip(given, printed, strict=True)]


@pytest.mark.parametrize("name", ["segment.md", "intake.md"])
async def test_commands(system: Any, tmp_path: Path, name: str) -> None:
    """Each runs, and prints what the page shows."""
    missing = [tool for tool in ("bash", "curl", "openssl") if shutil.which(tool) is None]
    if missing:
        lacking(f"The pages' commands need {', '.join(missing)}.")
    page = (DOCS / name).read_text()
    (document,) = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    folder = tmp_path / "terminal"
    folder.mkdir()
    (folder / "isthmus.yaml").write_text(document)
    said = await asyncio.to_thread(run, page, system, folder)
    for command, expected, printed in said:
        pattern = re.escape(expected.strip()).replace("…", ".+")
        assert not expected or re.fullmatch(pattern, printed.strip()), (command, printed)
    if name == "segment.md":
        await known(system, "ada", "bob")


async def known(system: Any, *who: str) -> None:
    async def there() -> bool:
        return {row["ext_ref"] for row in await system.db.fetch("SELECT ext_ref FROM contacts")} == set(who)

    await system.until(there, 20, f"{who} are there")
