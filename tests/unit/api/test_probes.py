"""Probes: green, red with a sentence, and red when they themselves break."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from processor.api.probes import Check, build_probes
from processor.errors import UnavailableError
from processor.metrics import Metrics


async def good() -> Sequence[Check]:
    return [("loop", None)]


async def bad() -> Sequence[Check]:
    return [("kafka", "No broker answers."), ("postgres", None)]


async def away() -> Sequence[Check]:
    raise UnavailableError("PostgreSQL does not answer")


async def faulty() -> Sequence[Check]:
    raise KeyError("secret")


async def seven() -> int | None:
    return 7


async def ask(path: str, **given: Any) -> tuple[int, Any]:
    probes = {"live": good, "ready": good, "path": good, "metrics_text": Metrics().text, **given}
    app = web.Application()
    app.add_routes(build_probes(**probes))
    async with TestClient(TestServer(app)) as client, client.get(path) as answer:
        return answer.status, await (answer.json() if path != "/metrics" else answer.text())


async def test_green() -> None:
    """200 says what was looked at."""
    for path in ("/health/live", "/health/ready", "/health/path"):
        assert await ask(path) == (200, {"status": "ok", "checks": {"loop": "ok"}})


async def test_red() -> None:
    """503 says in a sentence what is wrong, item by item; the other probes keep their own colour."""
    expected = {"status": "failing", "checks": {"kafka": "No broker answers.", "postgres": "ok"}}
    assert await ask("/health/ready", ready=bad) == (503, expected)
    assert (await ask("/health/live", ready=bad))[0] == 200


async def test_pending_is_part_of_the_path() -> None:
    """The supervisor reads how many records are still to be applied."""
    status, body = await ask("/health/path", pending=seven)
    assert (status, body["pending"]) == (200, 7)


async def test_pending_that_cannot_be_known() -> None:
    """The number is left out, the checks decide."""
    status, body = await ask("/health/path", pending=faulty)
    assert status == 200
    assert "pending" not in body


async def test_a_probe_that_breaks_is_red() -> None:
    """A failing question is a problem, not an error page."""
    assert (await ask("/health/ready", ready=away))[1]["checks"] == {"probe": "PostgreSQL does not answer."}
    status, body = await ask("/health/ready", ready=faulty)
    assert (status, body["checks"]) == (503, {"probe": "The probe itself failed: KeyError."})


async def test_metrics() -> None:
    """Prometheus can read them."""
    status, text = await ask("/metrics")
    assert status == 200
    assert "# TYPE isthmus_ingress_bytes_in_flight gauge" in text
