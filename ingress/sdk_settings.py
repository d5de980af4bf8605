"""The settings document that browser and mobile SDKs ask for when they start, so that they need no other host.

It sends calls back here, and has SDKs repeat what was not taken for half a day instead of ten times.
Source: analytics-next 1.84, ``plugins/segmentio``; analytics-kotlin, pull request 304; spec, section 2.
"""

import re
from typing import Any

import orjson
from aiohttp import web

from processor.errors import RejectedError

__all__ = ["answer_settings"]

_HOST = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")
_MAX_AGE = "private, max-age=60"
_HALF_A_DAY_S = 12 * 3600
HTTP_CONFIG: dict[str, Any] = {
    "rateLimitConfig": {
        "enabled": True,
        "maxRetryCount": 100,
        "maxRetryInterval": 300,
        "maxRateLimitDuration": _HALF_A_DAY_S,
    },
    "backoffConfig": {
        "enabled": True,
        "maxRetryCount": 100,
        "baseBackoffInterval": 0.5,
        "maxBackoffInterval": 60,
        "maxTotalBackoffDuration": _HALF_A_DAY_S,
        "jitterPercent": 10,
    },
}


def answer_settings(request: web.Request, key: str, public_url: str) -> web.Response:
    """The document of a write key that is known. ``public_url``: our address; empty: the one that was asked.

    Raises ``RejectedError`` when neither is there.
    """
    scheme, host = _address(request, public_url)
    document = {
        "integrations": {
            "Segment.io": {
                "apiKey": key,
                "apiHost": f"{host}/v1",
                "protocol": scheme,
                "unbundledIntegrations": [],
                "addBundledMetadata": True,
                "maybeBundledConfigIds": {},
                "retryQueue": True,
                "httpConfig": HTTP_CONFIG,
            }
        },
        "plan": {},  # with a plan the browser loads a filter from a host of Segment's
        "middlewareSettings": {"routingRules": []},
        "enabledMiddleware": {},
        "remotePlugins": [],
        "edgeFunction": {},
        "metrics": {"sampleRate": 0},
        "analyticsNextEnabled": True,
        "legacyVideoPluginsEnabled": False,
    }
    headers = {"Cache-Control": _MAX_AGE, "Vary": "Origin"}
    return web.Response(body=orjson.dumps(document), content_type="application/json", headers=headers)


def _address(request: web.Request, public_url: str) -> tuple[str, str]:
    """Scheme, and host with what stands before ``/v1``."""
    if public_url:
        scheme, _, host = public_url.rstrip("/").partition("://")
        return scheme, host
    if not _HOST.fullmatch(request.host):
        raise RejectedError("bad_host", "The header Host names no host; send the host and port that you call.")
    return request.scheme, request.host
