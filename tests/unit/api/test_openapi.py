"""The OpenAPI document: it is served, holds every call, and is made of the same table as the routes."""

from pathlib import Path
from typing import Any

from support.queries import ListedLists

from processor.api.openapi import document_of
from processor.api.refusals import STATUSES
from processor.api.v3.routes import OPERATIONS, ROOT, build_routes

DOCUMENT = document_of(OPERATIONS, ROOT, "https://isthmus.example/")


async def test_it_needs_no_token(api: Any) -> None:
    """Whoever writes a client can have it."""
    status, body = await api.get("/API/v3/openapi.json", None)
    assert status == 200
    assert body["openapi"] == "3.1.0"
    assert body["paths"] == DOCUMENT["paths"]


async def test_every_route_is_in_it(api: Any) -> None:
    """Each route that is no other spelling stands in the document, and nothing else does."""
    spellings = {path for operation in OPERATIONS for path in operation.also}
    routes = {
        (route.method, route.path)
        for route in build_routes(api.queries, api.queries, writer=api.writer, lists=ListedLists())
        if route.method != "*" and route.path.removeprefix(ROOT) not in spellings | {"/openapi.json"}
    }
    written = {(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert written == routes


def test_every_reference_leads_somewhere() -> None:
    """No schema is missing, and no operation has the name of another."""
    references = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                references.add(node["$ref"])
            for each in node.values():
                walk(each)
        elif isinstance(node, list):
            for each in node:
                walk(each)

    walk(DOCUMENT)
    assert references <= {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    names = [each["operationId"] for methods in DOCUMENT["paths"].values() for each in methods.values()]
    assert len(set(names)) == len(names)


def test_links_lead_on() -> None:
    """What a created contact's id is good for is written beside the answer that has it."""
    made = DOCUMENT["paths"]["/API/v3/directories/{directory}/contacts"]["post"]["responses"]["200"]["links"]
    assert made["getContact"] == {
        "operationId": "getContact",
        "parameters": {"path.directory": "$request.path.directory", "path.contact": "$response.body#/result/id"},
    }
    assert "getTransaction" not in made


def test_every_code_has_a_status() -> None:
    """What an operation names beyond the usual is a code of the table."""
    assert {code for operation in OPERATIONS for code in operation.errors} <= set(STATUSES)


def test_the_page_names_every_code() -> None:
    """docs/api.md says of each code what to do."""
    page = (Path(__file__).parents[3] / "docs/api.md").read_text("utf-8")
    errors = page[page.index("## Errors") :]
    assert [code for code in STATUSES if f"`{code}`" not in errors] == []


def test_the_page_names_every_call() -> None:
    """And each call with its path."""
    page = (Path(__file__).parents[3] / "docs/api.md").read_text("utf-8")
    calls = [f"`{each.method} {ROOT}{each.path}`" for each in OPERATIONS]
    assert [call for call in calls if call not in page] == []


def test_a_call_in_full() -> None:
    """Parameters with their bounds, the body, the shape of the answer, and the refusals by status."""
    search = DOCUMENT["paths"]["/API/v3/directories/{directory}/contacts/search"]["post"]
    size = next(each for each in search["parameters"] if each["name"] == "pageSize")
    assert (size["in"], size["required"]) == ("query", False)
    assert (size["schema"]["minimum"], size["schema"]["maximum"], size["schema"]["default"]) == (1, 500, 100)
    assert search["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Search"}
    assert set(search["responses"]) == {"200", "400", "401", "403", "404", "413", "429", "500", "503"}
    assert search["responses"]["429"]["headers"]["Retry-After"]["required"]
    assert DOCUMENT["servers"] == [{"url": "https://isthmus.example"}]
    element = DOCUMENT["components"]["schemas"]["ContactElement"]
    assert "phoneNumber" in element["required"]
    assert element["properties"]["email"] == {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "Email"}
