"""An ingress over a publisher made of lists, with a document of its own."""

import base64
import hmac
import io
from pathlib import Path
from typing import Any, Self

import orjson
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from ingress.app import add_routes
from processor.adapters.memory.publisher import MemoryPublisher
from processor.config import Secrets, check, compile_document
from processor.domain.events.mark import Marks
from processor.domain.events.record import RawRecord
from processor.settings import Settings

__all__ = ["MARKS", "NOW", "SECRET", "IntakeRig", "basic", "signature"]

NOW = 1_714_564_810.0
SECRET = "signing secret"
MARKS = Marks("home", (b"first", b"second"))
DOCUMENT = f"""
version: 1
api_tokens:
  - {{name: results, token: token_results, scopes: [results]}}
  - {{name: trigger, token: token_trigger, scopes: [trigger]}}
  - {{name: read, token: token_read, scopes: ["directory:read"]}}
sources:
  - {{id: web, write_key: wk_web, signing_secret: [new secret, {SECRET}], batch_token: batch token}}
  - {{id: plain, write_key: wk_plain}}
  - {{id: tokened, write_key: wk_tokened, batch_token: other token}}
  - {{id: single, write_key: wk_single, signing_secret: {SECRET}}}
  - {{id: unset, write_key: wk_unset, signing_secret: {{env: NOWHERE}}}}
  - id: surveys
    write_key: wk_surveys
    results: true
    result:
      kind: survey.response
      id: {{"@path": $.responseId}}
      occurredAt: {{"@path": $.recordedDate}}
      subject: {{"@path": $.who}}
      data: {{"@path": $.}}
  - {{id: tool, write_key: wk_tool, results: true}}
workflows:
  - {{id: onboarding, url_token: [token_onboarding, token_old]}}
  - {{id: off, enabled: false, url_token: token_off}}
  - {{id: closed}}
"""


def basic(user: str, password: str = "") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def signature(signed: bytes, secret: str = SECRET) -> dict[str, str]:
    """As Segment's webhook signs."""
    return {"X-Signature": hmac.new(secret.encode(), signed, "sha1").hexdigest()}


class IntakeRig:
    """``async with IntakeRig() as rig``; ``current`` may be replaced at any time."""

    def __init__(self, document: str = DOCUMENT, **settings: Any) -> None:
        self.publisher = MemoryPublisher()
        self.current = compile_document(check(document), 1, secrets=Secrets({}, Path("/nowhere")), marks=MARKS)
        self.settings = Settings(secret="first,second", **settings)
        self._app = web.Application()
        self.report = add_routes(self._app, self.publisher, self, self.settings, clock=lambda: NOW)

    async def __aenter__(self) -> Self:
        self.client = TestClient(TestServer(self._app))
        await self.client.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()

    async def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        """Status and JSON of the answer."""
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        async with self.client.post(path, data=io.BytesIO(data), headers=headers or {}) as response:
            return response.status, orjson.loads(await response.read())

    def values(self, topic: str) -> list[Any]:
        return [orjson.loads(record.value) for record in self.publisher.records[topic]]

    def headers(self, topic: str) -> list[dict[str, str]]:
        return [{name: value.decode() for name, value in record.headers} for record in self.publisher.records[topic]]

    def noted(self) -> dict[tuple[str, str], int]:
        """What was counted beside the answers."""
        return {(source, what): number for source, what, number in self.report.noted()}

    def as_record(self, written: Any) -> Any:
        """As a consumer would read it."""
        return RawRecord("segment.events", 0, 0, int(NOW * 1000), written.key, written.value, written.headers)

    @property
    def events(self) -> list[Any]:
        return self.values("segment.events")

    @property
    def rejected(self) -> list[tuple[str, bytes]]:
        """Code and bytes of what was kept."""
        kept = self.publisher.records["segment.rejected"]
        return [(dict(record.headers)["code"].decode(), record.value) for record in kept]
