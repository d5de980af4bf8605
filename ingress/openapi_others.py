"""The parts of the OpenAPI document that are no tracking API: webhooks, results, and what starts workflows."""

from collections.abc import Mapping
from typing import Any

from ingress.operations import Operation

__all__ = ["others"]

Json = Mapping[str, Any]

_WAITS = (429, 503)
_REFUSALS: Mapping[int, str] = {
    400: "The body is not taken; `code` says why. It is kept as a dead letter.",
    401: "The caller has not shown what is needed.",
    403: "The caller may not do this.",
    404: "There is no such workflow; told only to who may start workflows.",
    408: "The body did not arrive in time.",
    413: "The body is larger than may be.",
    429: "The source sends more than it may.",
    503: "Kafka does not answer, or too much is on its way; Retry-After says when to send again.",
}


def others(operation: Operation) -> dict[str, Any]:
    """What stands beside name and summary of such an operation."""
    match operation.kind:
        case "webhook":
            return {
                "parameters": [
                    _place("source", "Id of the source."),
                    _header("X-Signature", "HMAC of the body; of an array, of its first element."),
                    _header("X-Isthmus-Batch-Token", "The second secret, for an array."),
                ],
                "security": [{}, {"basic": []}],
                "requestBody": _body("One event, or an array of them."),
                "responses": _responses(200, "Success", "Failure", 400, 401, 408, 413, 429, 503),
            }
        case "results":
            return {
                "parameters": [
                    _header("Idempotency-Key", "Names the result where it has no id."),
                    _query("source", "Whose results these are, for the caller who shows an API token."),
                ],
                "security": [{"basic": []}, {"bearer": []}, {}],
                "requestBody": _body("One result, an array of them, or what the source's `result` makes results of."),
                "responses": _responses(200, "Success", "Failure", 400, 401, 403, 408, 413, 429, 503),
            }
        case _:
            return {
                "parameters": [
                    _place("workflow", "Id of the workflow."),
                    _query("token", "The workflow's token, as its address has it."),
                    _header("Idempotency-Key", "Names the event; a repeat starts nothing."),
                ],
                "security": [{}, {"basic": []}, {"bearer": []}],
                "requestBody": _body("What the workflow's fields are read from."),
                "responses": _responses(202, "Envelope", "Envelope", 400, 401, 403, 404, 408, 413, 503),
            }


def _place(name: str, about: str) -> Json:
    return {"name": name, "in": "path", "required": True, "description": about, "schema": {"type": "string"}}


def _header(name: str, about: str) -> Json:
    return {"name": name, "in": "header", "required": False, "description": about, "schema": {"type": "string"}}


def _query(name: str, about: str) -> Json:
    return {"name": name, "in": "query", "required": False, "description": about, "schema": {"type": "string"}}


def _body(about: str) -> Json:
    return {"required": True, "description": about, "content": {"application/json": {"schema": {}}}}


def _responses(success: int, good: str, bad: str, *refusals: int) -> dict[str, Any]:
    made: dict[str, Any] = {str(success): _json("Taken: Kafka has acknowledged it.", good)}
    for status in refusals:
        made[str(status)] = refusal = _json(_REFUSALS[status], bad)
        if status in _WAITS:
            wait = {"required": True, "description": "Seconds.", "schema": {"type": "string", "pattern": "^[0-9]+$"}}
            refusal["headers"] = {"Retry-After": wait}
    return made


def _json(description: str, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": description, "content": content}
