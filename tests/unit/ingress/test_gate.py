"""Limits of a source: what is over them is told how long to wait, and nothing of it is kept."""

import pytest
from support.ingress_rig import GOOD, basic, compiled, serving, told

from ingress.credentials import Credentials
from ingress.gate import Gate, OverLimitError
from processor.ports.revisions import Compiled, HttpSource, Limits

WEB = basic("wk_secret")


class Current:
    def __init__(self, compiled_: Compiled) -> None:
        self.current = compiled_


class Following(Gate):
    """One that looks for a newer revision each time."""

    def enter(self, source: str, origin: str | None, now_s: float) -> None:
        self.follow()
        super().enter(source, origin, now_s)


def limited(requests: float | None = None, events: float | None = None) -> HttpSource:
    return HttpSource("web", ("wk_secret",), limits=Limits(requests, events))


def test_workers_share_a_limit() -> None:
    """Of 100 requests a second each of four workers takes 25 at once, then one each 40 ms."""
    gate = Following(Credentials(Current(compiled(limited(requests=100)))), workers=4)
    for _ in range(25):
        gate.enter("web", None, 0.0)
    with pytest.raises(OverLimitError):
        gate.enter("web", None, 0.0)
    with pytest.raises(OverLimitError):
        gate.enter("web", None, 0.03)
    gate.enter("web", None, 0.04)
    gate.enter("other", None, 0.04)


def test_events() -> None:
    """A batch is taken as a whole or not at all; one that is larger than a second's worth passes alone."""
    gate = Following(Credentials(Current(compiled(limited(events=10)))))
    gate.enter("web", None, 0.0)
    gate.spend("web", 7, 0.0)
    with pytest.raises(OverLimitError) as caught:
        gate.spend("web", 25, 0.0)
    assert caught.value.after_s == 1
    gate.spend("web", 3, 0.0)
    gate.spend("web", 25, 1.0)


def test_whole_seconds() -> None:
    """The time to wait is told in whole seconds, at least one, never too few."""
    gate = Following(Credentials(Current(compiled(limited(requests=0.3)))))
    gate.enter("web", None, 0.0)
    with pytest.raises(OverLimitError) as caught:
        gate.enter("web", None, 0.0)
    assert caught.value.after_s == 4


def test_a_new_revision_is_no_new_allowance() -> None:
    """The same limits go on where they were; others begin anew."""
    current = Current(compiled(limited(requests=2)))
    gate = Following(Credentials(current))
    gate.enter("web", None, 0.0)
    gate.enter("web", None, 0.0)
    current.current = compiled(limited(requests=2))
    with pytest.raises(OverLimitError):
        gate.enter("web", None, 0.0)
    current.current = compiled(limited(requests=3))
    gate.enter("web", None, 0.0)
    current.current = compiled(HttpSource("web", ("wk_secret",)))
    for _ in range(10):
        gate.enter("web", None, 0.0)


async def test_too_many_requests() -> None:
    """429 with both headers in whole seconds; bad bodies count too, and are not kept beyond it."""
    async with serving(limited(requests=2)) as rig:
        await told(await rig.post("/v1/track", GOOD), 200)
        await told(await rig.post("/v1/track", b"{"), 400, "not_json")
        for path, body in (("/v1/track", GOOD), ("/v1/batch", {"batch": [GOOD]}), ("/v1/track", b"{")):
            response = await rig.post(path, body)
            await told(response, 429, "over_limit")
            assert response.headers["Retry-After"] == response.headers["X-RateLimit-Reset"] == "1"
        response = await rig.post("/v1/track", {**GOOD, "writeKey": "wk_secret"}, {})
        await told(response, 429, "over_limit")
        assert (len(rig.events), len(rig.rejected)) == (1, 1)


async def test_too_many_events() -> None:
    """A batch over the limit of events is refused as a whole; another source goes on."""
    other = HttpSource("other", ("wk_other",))
    async with serving(limited(events=50), other) as rig:
        items = [{**GOOD, "messageId": str(n)} for n in range(40)]
        await told(await rig.post("/v1/batch", {"batch": items}), 200)
        await told(await rig.post("/v1/batch", {"batch": items}), 429, "over_limit")
        assert len(rig.events) == 40
        await told(await rig.post("/v1/batch", {"batch": items}, basic("wk_other")), 200)


async def test_strangers_spend_nothing() -> None:
    """Requests without a known key take nothing from a source."""
    async with serving(limited(requests=1)) as rig:
        for _ in range(5):
            await told(await rig.post("/v1/track", GOOD, basic("wrong")), 401, "unknown_write_key")
        await told(await rig.post("/v1/track", GOOD), 200)


async def test_webhooks_and_results() -> None:
    """They spend of the same allowance, once it is known who calls: a stranger takes nothing from a source."""
    source = HttpSource("web", ("wk_secret",), limits=Limits(requests_per_s=2, events_per_s=3), results=True)
    async with serving(source) as rig:
        for _ in range(5):
            await told(await rig.post("/webhooks/segment/web", GOOD, basic("wrong")), 401, "unauthorized")
        await told(await rig.post("/webhooks/segment/web", GOOD), 200)
        response = await rig.post("/v1/results", [{"id": str(n), "kind": "k", "subject": "s"} for n in range(9)])
        await told(response, 429, "over_limit")
        assert response.headers["Retry-After"] == "1"
        await told(await rig.post("/v1/track", GOOD), 429, "over_limit")
