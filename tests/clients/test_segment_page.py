"""docs/segment.md, "SDKs": the three lines of each SDK, run as they stand on the page."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from clients.test_clients import HERE, PACKAGES, arrived_any, ingress
from support import npm
from support.lacking import lacking
from support.load import WRITE_KEY

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

PAGE = Path(__file__).parents[2] / "docs/segment.md"
SDKS = PAGE.read_text().partition("\n## SDKs\n")[2]
BLOCKS = re.findall(r"^```(js|python)\n(.*?)^```$", SDKS, re.MULTILINE | re.DOTALL)
ENDS = {
    "@segment/analytics-node": "await analytics.closeAndFlush()\n",
    "@rudderstack/rudder-sdk-node": "await analytics.flush()\n",
    "segment.analytics": "analytics.shutdown()\n",
    "@segment/analytics-next": "",
}
"""What ends each program: one that goes on running needs none of it."""


def package_of(block: str) -> str:
    return next(name for name in ENDS if name in block)


def test_the_page_has_each() -> None:
    """Four SDKs, three lines each, every one with its own key and address."""
    assert sorted(package_of(block) for _, block in BLOCKS) == sorted(ENDS)
    assert {len([line for line in block.splitlines() if line]) for _, block in BLOCKS} == {3}
    assert all("YOUR_WRITE_KEY" in block and "https://YOUR-HOST" in block for _, block in BLOCKS)


@pytest.mark.parametrize(("language", "block"), BLOCKS, ids=[package_of(block) for _, block in BLOCKS])
async def test_three_lines(language: str, block: str, broker: Any, database: str, tmp_path: Path) -> None:
    """Their call arrives, with the library's name."""
    package = package_of(block)
    async with ingress(broker.bootstrap, database, tmp_path) as isthmus:
        program = block.replace("YOUR_WRITE_KEY", WRITE_KEY).replace("https://YOUR-HOST", isthmus.url) + ENDS[package]
        if language == "python":
            command = [sys.executable, "-c", program]
        else:
            if missing := npm.lacking_node("the SDKs for JavaScript"):
                lacking(missing)
            (tmp_path / "node_modules").symlink_to(npm.installed("sdks", PACKAGES) / "node_modules")
            script = tmp_path / "program.mjs"
            script.write_text(program)
            command = ["node", str(script)]
            if package == "@segment/analytics-next":
                if not shutil.which("chromium"):
                    lacking("chromium, to run the SDK of browsers")
                command = ["node", str(HERE / "page.mjs"), str(script)]
        env = {**os.environ, "CHROMIUM": shutil.which("chromium") or ""}
        process = subprocess.Popen(command, cwd=tmp_path, env=env, stdin=subprocess.PIPE)
        try:
            (event,) = await arrived_any(isthmus, 1)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(60) == 0
        assert (event["type"], event["event"], event["properties"]["plan"]) == ("track", "Signed Up", "pro")
        assert event["context"]["library"]["name"]
