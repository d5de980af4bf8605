"""Who may ask, and what a caller sees of our troubles: a status, a code, a sentence, and nothing else."""

import io
import json
from typing import Any

import pytest
from structlog.testing import capture_logs

DIRECTORIES = "/API/v3/directories"


@pytest.mark.parametrize("token", ["reader-secret", "reader-old-secret"])
async def test_both_values_of_a_token_are_good(api: Any, token: str) -> None:
    """While a token is rotated, the old value and the new one both open."""
    status, _ = await api.get(DIRECTORIES, token)
    assert status == 200


@pytest.mark.parametrize("token", [None, "", "wrong", "reader-secre", "reader-secret2", "\u00e4"])
async def test_without_a_good_token(api: Any, token: str | None) -> None:
    """401; an empty header does not match a token whose value is empty."""
    for path in (DIRECTORIES, "/API/v3/whoami", "/API/v3/nowhere"):
        status, body = await api.get(path, token)
        assert status == 401
        assert body["meta"]["httpStatus"] == "401 - Unauthorized"
        assert body["meta"]["error"]["errorCode"] == "invalid_token"


async def test_without_the_scope(api: Any) -> None:
    """403, and the sentence names the scope that is missing."""
    status, body = await api.get(DIRECTORIES, "trigger-secret")
    assert status == 403
    assert body["meta"]["error"] == {
        "errorMessage": "The token trigger lacks the scope directory:read.",
        "errorCode": "missing_scope",
    }


async def test_the_database_is_away(api: Any) -> None:
    """503 with Retry-After; what the database said stays in the house."""
    api.queries.away = True
    with capture_logs() as lines:
        status, body = await api.get(DIRECTORIES)
    assert status == 503
    assert int(api.headers["Retry-After"]) > 0
    assert body["meta"]["error"]["errorCode"] == "postgres_away"
    assert "secret detail" not in json.dumps(body)
    assert lines[0]["request_id"] == body["meta"]["requestId"]


async def test_a_fault_of_ours(api: Any) -> None:
    """500 without a trace; the log has the same requestId, the route's pattern and no id of a person."""
    api.queries.broken = True
    with capture_logs() as lines:
        status, body = await api.get("/API/v3/directories/POOL_customers/contacts")
    assert status == 500
    assert "KeyError" not in json.dumps(body)
    (line,) = lines
    assert line["event"] == "request_failed"
    assert line["route"] == "/API/v3/directories/{directory}/contacts"
    assert (line["code"], line["error"]) == ("internal_error", "KeyError")
    assert any("contacts" in place for place in line["where"])
    assert "secret detail" not in repr(line)
    assert line["request_id"] == body["meta"]["requestId"]


async def test_a_body_beyond_the_servers_limit(api: Any) -> None:
    """aiohttp's own refusals come in the envelope too."""
    path = "/API/v3/directories/POOL_customers/contacts/search"
    status, body = await api.call("POST", path, data=io.BytesIO(b" " * (6 * 1024 * 1024)))
    assert (status, body["meta"]["error"]["errorCode"]) == (413, "too_large")
