"""The OpenAPI 3.1 document of the ingress, made of the same table as its routes."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib import metadata
from typing import Any

import orjson
from aiohttp import web

from ingress.openapi_others import others
from ingress.operations import Operation
from ingress.tracking import MAX_BATCH_ITEMS
from ingress.visit import Visit
from processor.domain.events.event import TYPES
from processor.domain.events.normalise import MAX_ID_BYTES, MAX_MESSAGE_ID

__all__ = ["document_of", "serve_document"]

Json = Mapping[str, Any]

_ID: Json = {
    "type": ["string", "number", "null"],
    "description": "Text of at most 512 bytes in UTF-8; a number becomes text; empty counts as absent.",
    "maxLength": MAX_ID_BYTES,
    "exclusiveMinimum": -(2**53),
    "exclusiveMaximum": 2**53,
}
_NEEDED: Json = {**_ID, "type": ["string", "number"], "minLength": 1}
_TIME: Json = {"description": "ISO 8601; without a zone it is UTC. What is no moment counts as absent."}
_KEY: Json = {"description": "The write key, a text; not read where the header Authorization has it."}
_OBJECT: Json = {"type": ["object", "null"]}
_EVENT: Json = {
    "userId": _ID,
    "anonymousId": _ID,
    "messageId": {"type": ["string", "null"], "maxLength": MAX_MESSAGE_ID, "description": "Names it once and for all."},
    "timestamp": _TIME,
    "sentAt": _TIME,
    "context": _OBJECT,
    "integrations": _OBJECT,
    "properties": _OBJECT,
    "traits": _OBJECT,
}
_NEEDS: Mapping[str, Json] = {
    "track": {"event": {"type": "string", "minLength": 1}},
    "group": {"groupId": _NEEDED},
    "alias": {"previousId": _NEEDED, "userId": _NEEDED},
}
_BAD = "The body, or the event, is not taken; `code` says why. What has an owner is kept as a dead letter."
_REFUSALS: Mapping[int, str] = {
    400: _BAD,
    401: "No source has this write key.",
    403: "The source takes no calls from this page's origin.",
    408: "The body did not arrive in time.",
    429: "The source sends more than it may; Retry-After and X-RateLimit-Reset say how many seconds to wait.",
    503: "Kafka does not answer, or too much is on its way; Retry-After says when to send again.",
}


def document_of(operations: Sequence[Operation], public_url: str = "") -> dict[str, Any]:
    """The whole document, as JSON has it."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Isthmus ingress",
            "version": metadata.version("isthmus"),
            "description": "Segment's tracking API, and what else is taken. A slash at the end changes nothing.",
        },
        "servers": [{"url": public_url.rstrip("/") or "/"}],
        "paths": {path: _path(operation, path) for operation in operations for path in operation.paths},
        "components": {
            "schemas": {"Success": _success(), "Failure": _failure(), "Envelope": _envelope()},
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic", "description": "The write key is the user."},
                "bearer": {"type": "http", "scheme": "bearer", "description": "Not verified: `writeKey` decides."},
            },
        },
    }


def serve_document(
    operations: Sequence[Operation], public_url: str = ""
) -> Callable[[Visit], Awaitable[web.StreamResponse]]:
    """Answers with the document. It holds nothing of this installation but its address."""
    made: list[bytes] = []  # at the first question: a start has no time for it

    async def openapi(_visit: Visit) -> web.StreamResponse:
        if not made:
            made.append(orjson.dumps(document_of(operations, public_url)))
        return web.Response(body=made[0], content_type="application/json")

    return openapi


def _path(operation: Operation, path: str) -> Json:
    name = re.sub(r"\W+", "_", path.removeprefix("/v1/")).strip("_")
    made: dict[str, Any] = {"operationId": name, "summary": operation.summary}
    match operation.kind:
        case "call":
            made |= _taking(_call(operation.call))
        case "batch":
            made |= _taking(_batch())
        case "metrics":
            made |= {
                "requestBody": _body({"type": "object", "properties": {"series": {"type": "array"}}}),
                "responses": {"200": _json("Read, and not kept.", "Success"), **_refusals(400, 408, 503)},
            }
        case "pixel":
            made |= _pixel(operation.call)
        case "settings":
            key = {"name": "writeKey", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
            made |= {
                "parameters": [key],
                "responses": {
                    "200": {"description": "The document.", "content": {"application/json": {"schema": _settings()}}},
                    "404": _json("No source has this write key.", "Failure"),
                    **_refusals(400, 403, 429, 503),
                },
            }
        case "webhook" | "results" | "workflow":
            made |= others(operation)
        case "document":
            schema = {"type": "object", "required": ["openapi", "paths"]}
            made["responses"] = {
                "200": {"description": "The document.", "content": {"application/json": {"schema": schema}}},
                **_refusals(503),
            }
    return {operation.method.lower(): made}


def _taking(schema: Json) -> dict[str, Any]:
    return {
        "security": [{"basic": []}, {"bearer": []}, {}],
        "requestBody": _body(schema),
        "responses": {
            "200": _json("Taken: Kafka has acknowledged it.", "Success"),
            **_refusals(400, 401, 403, 408, 429, 503),
        },
    }


def _body(schema: Json) -> Json:
    about = "JSON, whatever the header Content-Type says; Content-Encoding gzip or deflate, or none."
    return {"required": True, "description": about, "content": {"application/json": {"schema": schema}}}


def _call(call: str) -> Json:
    needs = _NEEDS.get(call, {})
    made: dict[str, Any] = {
        "type": "object",
        "properties": {**_EVENT, **needs, "writeKey": _KEY},
    }
    if needs:
        made["required"] = sorted(needs)
    if call != "alias":
        made["anyOf"] = [{"required": [name], "properties": {name: _NEEDED}} for name in ("userId", "anonymousId")]
    return made


def _batch() -> Json:
    item = {
        "type": "object",
        "properties": {**_EVENT, "type": {"type": "string", "enum": sorted(TYPES)}},
        "required": ["type"],
    }
    return {
        "type": "object",
        "required": ["batch"],
        "properties": {
            "batch": {"type": "array", "maxItems": MAX_BATCH_ITEMS, "items": item},
            "context": {**_OBJECT, "description": "Of every item; what the item says itself counts more."},
            "integrations": _OBJECT,
            "sentAt": _TIME,
            "writeKey": _KEY,
        },
    }


def _pixel(call: str) -> dict[str, Any]:
    names = ("writeKey", "userId", "anonymousId", *_NEEDS.get(call, ()))
    texts: dict[str, str] = dict.fromkeys(names, "As in the body of the call; deeper keys have dots, properties.plan.")
    texts = {"data": "The call's JSON object, in base64. Nothing but writeKey is read beside it.", **texts}
    image = {"content": {"image/gif": {"schema": {"type": "string", "contentEncoding": "base64"}}}}
    statuses = {"200": "The image: taken, or kept as a dead letter.", "429": _REFUSALS[429], "503": _REFUSALS[503]}
    return {
        "parameters": [
            {"name": name, "in": "query", "required": False, "description": about, "schema": {"type": "string"}}
            for name, about in texts.items()
        ],
        "responses": {status: {"description": about, **image} for status, about in statuses.items()},
    }


def _settings() -> Json:
    segment = {"type": "object", "required": ["apiKey", "apiHost", "protocol", "httpConfig"]}
    integrations = {"type": "object", "required": ["Segment.io"], "properties": {"Segment.io": segment}}
    return {"type": "object", "required": ["integrations"], "properties": {"integrations": integrations}}


def _json(description: str, schema: str) -> Json:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": description, "content": content}


def _refusals(*statuses: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for status in statuses:
        made[str(status)] = refusal = dict(_json(_REFUSALS[status], "Failure"))
        if status in (429, 503):
            wait = {"required": True, "description": "Seconds.", "schema": {"type": "string", "pattern": "^[0-9]+$"}}
            refusal["headers"] = {"Retry-After": wait}
    return made


def _success() -> Json:
    return {"type": "object", "required": ["success"], "properties": {"success": {"const": True}}}


def _failure() -> Json:
    texts = ("code", "message", "error")
    return {
        "type": "object",
        "required": ["success", *texts],
        "properties": {"success": {"const": False}, **{name: {"type": "string", "minLength": 1} for name in texts}},
    }


def _envelope() -> Json:
    texts = {name: {"type": "string"} for name in ("httpStatus", "requestId")}
    meta = {"type": "object", "required": list(texts), "properties": {**texts, "error": {"type": "object"}}}
    return {"type": "object", "required": ["meta"], "properties": {"meta": meta}}
