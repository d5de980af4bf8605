"""The OpenAPI 3.1 document of a table of operations, for people and for programs that write clients.

It is made of the same rows as the routes, so it holds every call and names every code that a call is refused with.
"""

import re
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

import orjson
from aiohttp import web
from pydantic import BaseModel
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from processor.api.bodies import BODY_CODES
from processor.api.operations import Operation
from processor.api.refusals import STATUSES
from processor.api.repeats import HEADER, MAX_LENGTH
from processor.api.tokens import HEADER as TOKEN_HEADER
from processor.api.wire import Answer

__all__ = ["Document", "Meta", "document_of", "serve_document"]

Document = Mapping[str, Any]

_ALWAYS = ("invalid_token", "too_many_requests", "internal_error", "postgres_away", "unavailable")
_SCHEMAS = "#/components/schemas/"
_PLACES = {
    "directory": "The directory, as the configuration names it: POOL_…",
    "contact": "The contact's id: CID_… One that was merged away stands for the contact that has its data now.",
    "transaction": "The transaction's id: CTR_…",
    "list": "The mailing list's id: CG_…",
}
"""The parts of addresses."""


class Meta(Answer):
    """Beside every result."""

    http_status: str
    request_id: str


def document_of(operations: Sequence[Operation], root: str, public_url: str = "") -> Document:
    """The whole document, as JSON has it."""
    schemas = _schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        made = _operation(operation)
        if links := _links(operation, operations):
            made["responses"]["200"]["links"] = links
        paths.setdefault(root + operation.path, {})[operation.method.lower()] = made
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Isthmus",
            "version": metadata.version("isthmus"),
            "description": "The directory of contacts, in the shape of Qualtrics' API v3.",
        },
        "servers": [{"url": public_url.rstrip("/") or "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": {**schemas, "Failure": _failure()},
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": TOKEN_HEADER}},
        },
    }


def serve_document(operations: Sequence[Operation], root: str, public_url: str = "") -> web.RouteDef:
    """The document at ``openapi.json`` below the root: nobody needs a token, it holds nothing of this installation."""
    made: list[bytes] = []  # at the first question: a start has no time for it

    async def openapi(_request: web.Request) -> web.Response:
        if not made:
            made.append(orjson.dumps(document_of(operations, root, public_url)))
        return web.Response(body=made[0], content_type="application/json")

    return web.get(f"{root}/openapi.json", openapi)


def _schemas(operations: Sequence[Operation]) -> dict[str, Any]:
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(Meta, "serialization"): None}
    for operation in operations:
        wanted[operation.answer, "serialization"] = None
        if operation.body is not None:
            wanted[operation.body, "validation"] = None
    _, definitions = models_json_schema(list(wanted), ref_template=_SCHEMAS + "{model}")
    found: dict[str, Any] = definitions["$defs"]
    return found


def _operation(operation: Operation) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": _name(operation),
        "summary": operation.summary,
        "parameters": [*_places(operation.path), *_query(operation.query), *_headers(operation)],
        "responses": _responses(operation),
    }
    if operation.scope:
        made["description"] = f"Needs a token with the scope `{operation.scope}`."
    if operation.body is not None:
        content = {"application/json": {"schema": {"$ref": _SCHEMAS + operation.body.__name__}}}
        made["requestBody"] = {"required": True, "content": content}
    return made


def _name(operation: Operation) -> str:
    return to_camel(operation.handler.__name__.lstrip("_"))


def _links(operation: Operation, operations: Sequence[Operation]) -> Document:
    """The calls that can be made with what this one answers: those of whose address all parts are then known."""
    known = {name: f"$request.path.{name}" for name in _parts(operation.path)}
    given = {name: f"$response.body#/result{pointer}" for name, pointer in operation.gives.items()}
    links = {}
    for other in operations:
        parts = _parts(other.path)
        if given.keys() & set(parts) and set(parts) <= known.keys() | given.keys():
            parameters = {f"path.{name}": {**known, **given}[name] for name in parts}
            links[_name(other)] = {"operationId": _name(other), "parameters": parameters}
    return links


def _parts(path: str) -> list[str]:
    return re.findall(r"{(\w+)}", path)


def _places(path: str) -> list[Document]:
    return [
        {"name": name, "in": "path", "required": True, "description": _PLACES[name], "schema": {"type": "string"}}
        for name in _parts(path)
    ]


def _query(model: type[BaseModel] | None) -> list[Document]:
    if model is None:
        return []
    schema = model.model_json_schema()
    needed = schema.get("required", ())
    parameters: list[Document] = []
    for name, each in schema.get("properties", {}).items():
        about = {key: value for key, value in each.items() if key not in ("title", "description")}
        parameters.append(
            {
                "name": name,
                "in": "query",
                "required": name in needed,
                "description": each.get("description", ""),
                "schema": about,
            }
        )
    return parameters


def _headers(operation: Operation) -> list[Document]:
    if not operation.repeatable:
        return []
    about = "The same call with the same key again is not done again; it answers as the first one did."
    schema = {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH, "pattern": "^[\\x20-\\x7e]+$"}
    return [{"name": HEADER, "in": "header", "required": False, "description": about, "schema": schema}]


def _responses(operation: Operation) -> Document:
    result = {"$ref": _SCHEMAS + operation.answer.__name__}
    success = {
        "type": "object",
        "properties": {"result": result, "meta": {"$ref": _SCHEMAS + "Meta"}},
        "required": ["result", "meta"],
    }
    responses: dict[str, Any] = {
        "200": {"description": "Done.", "content": {"application/json": {"schema": success}}},
    }
    codes: dict[int, list[str]] = {}
    for code in _codes(operation):
        codes.setdefault(STATUSES[code], []).append(code)
    for status in sorted(codes):
        responses[str(status)] = _refusal(status, sorted(codes[status]))
    return responses


def _codes(operation: Operation) -> set[str]:
    codes = {*_ALWAYS, *operation.errors}
    if operation.scope:
        codes.add("missing_scope")
    if operation.query is not None or operation.repeatable:
        codes.add("QVAL_3")
    if operation.body is not None:
        codes.update((*BODY_CODES, "refused_by_database"))
    if "{directory}" in operation.path:
        codes.add("unknown_directory")
    if "{contact}" in operation.path:
        codes.add("unknown_contact")
    return codes


def _refusal(status: int, codes: Sequence[str]) -> Document:
    narrowed = {"properties": {"meta": {"properties": {"error": {"properties": {"errorCode": {"enum": list(codes)}}}}}}}
    schema = {"allOf": [{"$ref": _SCHEMAS + "Failure"}, narrowed]}
    made: dict[str, Any] = {
        "description": ", ".join(codes),
        "content": {"application/json": {"schema": schema}},
    }
    if status in (429, 503):
        about = "Seconds after which the same call is right."
        made["headers"] = {"Retry-After": {"description": about, "required": True, "schema": {"type": "string"}}}
    return made


def _failure() -> Document:
    error = {
        "type": "object",
        "properties": {"errorMessage": {"type": "string"}, "errorCode": {"type": "string"}},
        "required": ["errorMessage", "errorCode"],
    }
    meta = {
        "type": "object",
        "properties": {"httpStatus": {"type": "string"}, "requestId": {"type": "string"}, "error": error},
        "required": ["httpStatus", "requestId", "error"],
    }
    return {"type": "object", "properties": {"meta": meta}, "required": ["meta"]}
