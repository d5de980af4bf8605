"""The settings document: where SDKs find it, what it says, and who gets it."""

from typing import Any

import orjson
import pytest
from support.ingress_rig import BASIC, Rig, serving, told

from processor.ports.revisions import HttpSource


async def asked(rig: Rig, path: str = "/v1/projects/wk_secret/settings", **headers: str) -> Any:
    response = await rig.client.get(path, headers=headers)
    assert response.status == 200
    assert response.content_type == "application/json"
    return orjson.loads(await response.read())["integrations"]["Segment.io"]


@pytest.mark.parametrize("slash", ["", "/"])
async def test_document(rig: Rig, slash: str) -> None:
    """The key, our address without a scheme, and the switches by which SDKs repeat well."""
    found = await asked(rig, f"/v1/projects/wk_secret/settings{slash}")
    assert found["apiKey"] == "wk_secret"
    assert (found["protocol"], found["apiHost"]) == ("http", f"{rig.client.host}:{rig.client.port}/v1")
    assert found["httpConfig"]["rateLimitConfig"]["enabled"] is True
    assert found["httpConfig"]["backoffConfig"]["enabled"] is True
    assert found["retryQueue"] is True


@pytest.mark.parametrize(
    ("public_url", "protocol", "host"),
    [
        ("https://in.example", "https", "in.example/v1"),
        ("https://in.example/isthmus/", "https", "in.example/isthmus/v1"),
        ("http://in.example:8080", "http", "in.example:8080/v1"),
    ],
)
async def test_public_url(public_url: str, protocol: str, host: str) -> None:
    """ISTHMUS_PUBLIC_URL is the address, whatever the request says."""
    async with serving(public_url=public_url) as rig:
        found = await asked(rig, Host="other.example")
        assert (found["protocol"], found["apiHost"]) == (protocol, host)


async def test_host(rig: Rig) -> None:
    """Without one it is the Host of the request; what cannot be a host is refused."""
    for host in ("in.example", "in.example:443", "[::1]:8080"):
        assert (await asked(rig, Host=host))["apiHost"] == f"{host}/v1"
    for host in ('a"b', "a/b?c", "a b"):
        response = await rig.client.get("/v1/projects/wk_secret/settings", headers={"Host": host})
        await told(response, 400, "bad_host")


async def test_unknown_key(rig: Rig) -> None:
    """An unknown key is answered as a path that is not there, byte by byte."""
    nowhere = await rig.client.get("/v1/nowhere")
    for key in ("wrong", "wk_secre", "WK_SECRET", "%00", "%ED%A0%80", "a" * 5_000):
        for headers in ({}, BASIC):
            response = await rig.client.get(f"/v1/projects/{key}/settings", headers=headers)
            assert response.status == nowhere.status == 404
            assert await response.read() == await nowhere.read()
            assert {**response.headers, "Date": ""} == {**nowhere.headers, "Date": ""}


async def test_other_methods(rig: Rig) -> None:
    """Another method is refused alike for known and unknown keys."""
    bodies = [await told(await rig.client.post(f"/v1/projects/{key}/settings"), 405, "method_not_allowed")
              for key in ("wk_secret", "wrong")]  # fmt: skip
    assert bodies[0] == bodies[1]


async def test_both_keys_while_rotated() -> None:
    """Each key is answered with itself."""
    async with serving(HttpSource("web", ("wk_old", "wk_new"))) as rig:
        for key in ("wk_old", "wk_new"):
            assert (await asked(rig, f"/v1/projects/{key}/settings"))["apiKey"] == key
