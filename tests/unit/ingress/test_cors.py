"""Pages of other origins: preflight, which answers they may read, and origins that a source names."""

from typing import Any

import pytest
from support.ingress_rig import BASIC, GOOD, Rig, basic, serving, told

from ingress.operations import OPERATIONS
from processor.ports.revisions import HttpSource

SHOP = {"Origin": "https://shop.example"}
OTHER = {"Origin": "https://other.example"}
SOURCES = (
    HttpSource("shop", ("wk_shop",), cors_origins=("https://shop.example",)),
    HttpSource("blog", ("wk_blog",), cors_origins=("https://blog.example", "http://localhost:3000")),
)
PATHS = [
    (operation.method, path.replace("{writeKey}", "wk_secret"))
    for operation in OPERATIONS
    if operation.pages
    for path in operation.paths
]


async def preflight(rig: Rig, path: str, method: str, origin: dict[str, str], headers: str | None = None) -> Any:
    asked = {"Access-Control-Request-Method": method, **origin}
    if headers is not None:
        asked["Access-Control-Request-Headers"] = headers
    response = await rig.client.options(path, headers=asked)
    assert (response.status, await response.read()) == (204, b"")
    return response.headers


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_preflight(rig: Rig, method: str, path: str) -> None:
    """By default any page may call every path, with the headers that it asks for."""
    for slash in ("", "/"):
        told = await preflight(rig, path + slash, method, SHOP, "authorization,content-type,x-retry-count,anonymousid")
        assert told["Access-Control-Allow-Origin"] == "https://shop.example"
        assert method in told["Access-Control-Allow-Methods"]
        assert told["Access-Control-Allow-Headers"] == "authorization,content-type,x-retry-count,anonymousid"
        assert "Origin" in told["Vary"]
    told = await preflight(rig, path, method, SHOP)
    assert {"Authorization", "Content-Type", "X-Retry-Count"} == set(told["Access-Control-Allow-Headers"].split(", "))


@pytest.mark.parametrize("path", ["/webhooks/segment/web", "/v1/results", "/workflows/w/events"])
async def test_no_business_of_pages(rig: Rig, path: str) -> None:
    """What servers call is not for scripts of other origins: no preflight is granted and no answer can be read."""
    assert "Access-Control-Allow-Origin" not in await preflight(rig, path, "POST", SHOP)
    response = await rig.post(path, {}, {**BASIC, **SHOP})
    assert "Access-Control-Allow-Origin" not in response.headers


async def test_odd_header_names(rig: Rig) -> None:
    """What is no list of header names is not repeated."""
    told = await preflight(rig, "/v1/t", "POST", SHOP, "a;b<c>")
    assert told["Access-Control-Allow-Headers"].startswith("Authorization")


async def test_answers_can_be_read(rig: Rig) -> None:
    """Success, refusal and 503 carry the page's origin and let it read how long to wait; never a wildcard."""
    rig.publisher.away = False
    for away, body, headers, status in (
        (False, GOOD, BASIC, 200),
        (False, {}, BASIC, 400),
        (False, GOOD, basic("wrong"), 401),
        (True, GOOD, BASIC, 503),
    ):
        rig.publisher.away = away
        response = await rig.post("/v1/t", body, {**headers, **SHOP})
        assert response.status == status
        assert response.headers["Access-Control-Allow-Origin"] == "https://shop.example"
        assert "Retry-After" in response.headers["Access-Control-Expose-Headers"]
        assert response.headers["Vary"] == "Origin"
    rig.publisher.away = False
    response = await rig.post("/v1/t", GOOD)
    assert "Access-Control-Allow-Origin" not in response.headers


async def test_named_origins() -> None:
    """A source that names origins takes calls of their pages and of servers; of other pages nothing is kept."""
    async with serving(*SOURCES) as rig:
        for headers in (SHOP, {}):
            response = await rig.post("/v1/t", GOOD, {**basic("wk_shop"), **headers})
            await told(response, 200)
            assert response.headers.get("Access-Control-Allow-Origin") == headers.get("Origin")
        for key, origin in (("wk_shop", OTHER), ("wk_shop", {"Origin": "http://localhost:3000"}), ("wk_blog", SHOP)):
            for body, headers in ((GOOD, basic(key)), ({**GOOD, "writeKey": key}, {}), (b"{", basic(key))):
                response = await rig.post("/v1/t", body, {**headers, **origin})
                await told(response, 403, "foreign_origin")
                assert "Access-Control-Allow-Origin" not in response.headers
        assert len(rig.events) == 2
        assert rig.rejected == []


async def test_preflight_of_named_origins() -> None:
    """A preflight does not say whose it is: what some source names passes, what none names does not."""
    async with serving(*SOURCES) as rig:
        for origin in ("https://shop.example", "http://localhost:3000"):
            told = await preflight(rig, "/v1/t", "POST", {"Origin": origin})
            assert told["Access-Control-Allow-Origin"] == origin
        for origin in ("https://other.example", "null", "https://shop.example.evil.example"):
            told = await preflight(rig, "/v1/t", "POST", {"Origin": origin})
            assert "Access-Control-Allow-Origin" not in told


async def test_our_own_origin() -> None:
    """A page that is served from where it calls is not of another origin."""
    async with serving(*SOURCES) as rig:
        origin = {"Origin": f"http://{rig.client.host}:{rig.client.port}"}
        await told(await rig.post("/v1/t", GOOD, {**basic("wk_shop"), **origin}), 200)


async def test_another_revision() -> None:
    """Origins count from the revision that names them."""
    async with serving(*SOURCES) as rig:
        await told(await rig.post("/v1/t", GOOD, {**basic("wk_shop"), **OTHER}), 403, "foreign_origin")
        rig.current = type(rig.current)(2, rig.current.rules, (HttpSource("shop", ("wk_shop",)),), (), {})
        await told(await rig.post("/v1/t", GOOD, {**basic("wk_shop"), **OTHER}), 200)
