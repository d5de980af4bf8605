"""The ingress's OpenAPI document, walked by schemathesis: each answer is one that the document names."""

import asyncio
import sys
from collections import Counter
from pathlib import Path

import orjson
import pytest
from support.ingress_rig import BASIC, Rig, serving

from ingress.operations import OPERATIONS

pytestmark = pytest.mark.integration

WITHIN_S = 150
CONFIG = """
seed = 5
[generation]
deterministic = true
database = "none"
allow-x00 = false        # refused by a rule of its own, bad_text, that no schema can say
max-examples = {examples}
[dictionaries.keys]
values = ["wk_secret"]
[parameters]
"path.writeKey" = {{dictionary = "keys", probability = 0.5}}
[headers]
Authorization = "{authorization}"
[warnings]
enabled = false
[[operations]]           # a bad item never fails its batch, figures are not read, an image is always an image
include-path-regex = "^/v1/(batch|import|b|m|pixel/.*)$"
[operations.checks.negative_data_rejection]
enabled = false
"""


async def walk(rig: Rig, folder: Path, *arguments: str, examples: int = 15) -> tuple[int, str]:
    """Exit status and output of one walk."""
    config = folder / "schemathesis.toml"
    config.write_text(CONFIG.format(examples=examples, authorization=BASIC["Authorization"]))
    command = [Path(sys.executable).with_name("schemathesis"), "--config-file", config, "run", "--no-color"]
    process = await asyncio.create_subprocess_exec(
        *command,
        *arguments,
        str(rig.client.make_url("/v1/openapi.json")),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, output.decode()


@pytest.mark.timeout(WITHIN_S + 60)
async def test_every_answer_is_as_the_document_says(tmp_path: Path) -> None:
    """No fault of ours, no status or shape beyond the document; every type of event came through in earnest."""
    async with serving() as rig:
        status, output = await walk(rig, tmp_path)
        assert status == 0, output[-8_000:]
        types = Counter(event["type"] for event in rig.events)
        assert set(types) == {"identify", "track", "page", "screen", "group", "alias", "delete"}
        assert min(types.values()) > 5
        assert len(rig.rejected) > 50


@pytest.mark.timeout(WITHIN_S + 60)
async def test_while_kafka_is_away(tmp_path: Path) -> None:
    """503 is the only 5xx, and the document names it."""
    async with serving() as rig:
        rig.publisher.away = True
        checks = "not_a_server_error,positive_data_acceptance,negative_data_rejection"
        status, output = await walk(rig, tmp_path, "--exclude-checks", checks, examples=5)
        assert status == 0, output[-8_000:]
        assert rig.events == []


async def test_what_is_broken_is_found(tmp_path: Path) -> None:
    """The walk above can fail: a fault of ours is one."""

    async def broken(_topic: str, _records: object) -> None:
        raise KeyError("not found")

    async with serving() as rig:
        rig.publisher.publish = broken  # type: ignore[method-assign,assignment]
        status, output = await walk(rig, tmp_path, "--include-path", "/v1/track", examples=5)
        assert status == 1, output[-8_000:]
        assert "Server error" in output


async def test_the_document_is_the_table() -> None:
    """It names every path and method of the table once, at both spellings of its own address."""
    async with serving(public_url="https://in.example/") as rig:
        for path in ("/v1/openapi.json", "/v1/openapi.json/"):
            document = orjson.loads(await (await rig.client.get(path)).read())
        assert document["openapi"].startswith("3.1")
        assert document["servers"] == [{"url": "https://in.example"}]
        named = {(method.upper(), path) for path, each in document["paths"].items() for method in each}
        assert named == {(operation.method, path) for operation in OPERATIONS for path in operation.paths}
        names = [each["operationId"] for path in document["paths"].values() for each in path.values()]
        assert len(set(names)) == len(names)
