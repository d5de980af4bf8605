"""Calls of ours that come back: known by their mark, through ingress and service."""

from typing import Any

import orjson
import pytest

from processor.domain.events.mark import Marks

pytestmark = [pytest.mark.e2e, pytest.mark.integration]


async def test_marks(system: Any) -> None:
    """Ours is filtered as own, one in a circle as hops; another's name, a forged mark and none take effect."""
    ours = Marks("isthmus", (system.settings.secrets[0],))
    marks = {
        "own": ours.make("nps", 1),
        "circle": ours.make("nps", 3),
        "other": Marks("elsewhere", ours.secrets).make("nps", 1),
        "forged": Marks("isthmus", (b"guessed",)).make("nps", 3),
        "none": None,
    }
    for name, mark in marks.items():
        body = {"userId": name, "messageId": name, "context": {} if mark is None else {"isthmus": mark}}
        async with system.http.post("/v1/identify", json={**body, "writeKey": system.write_key}) as answer:
            assert answer.status == 200
    await system.all_read()
    found = {row["ext_ref"] for row in await system.db.fetch("SELECT ext_ref FROM contacts")}
    assert found == {"other", "forged", "none"}
    totals = await system.db.fetch("SELECT sum(own) o, sum(hops) h, sum(applied) a FROM ledger WHERE source = 'web'")
    assert tuple(totals[0]) == (1, 1, 3)
    async with system.http.get("/metrics") as answer:
        figures = await answer.text()
    for what in ("mark_own", "mark_hops", "mark_other", "mark_forged"):
        assert f'isthmus_ingress_noted_total{{source="web",what="{what}"}} 1.0' in figures


async def test_a_secret_that_nobody_set(system: Any) -> None:
    """It matches nothing, and whoever takes calls raises an alarm that names it; who takes none has no use for it."""
    more = "sources: [{id: lost, write_key: {env: NOWHERE_4711}}, "
    assert "sources: [" in system.document
    await system.apply(system.document.replace("sources: [", more, 1))

    async def told() -> bool:
        return b"NOWHERE_4711" in (system.folder / "ingress.log").read_bytes()

    await system.until(told, 10, "the alarm")
    lines = [orjson.loads(line) for line in (system.folder / "ingress.log").read_bytes().splitlines()]
    alarms = [line["secret"] for line in lines if line["event"] == "alarm_raised" and line["kind"] == "secret_unset"]
    assert alarms == ["source `lost`: {env: NOWHERE_4711}"]
    assert b"secret_unset" not in (system.folder / "directory.log").read_bytes()
