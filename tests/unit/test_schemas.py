"""The schemas of our topics: the same in docs and package, and true of the records that ingress writes."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator, ValidationError
from support.intake_rig import MARKS, IntakeRig, basic, signature
from typer.testing import CliRunner

from processor.cli.app import app
from processor.cli.schemas import names, schema_text
from processor.domain.signing import link_signature

DOCS = Path(__file__).parents[2] / "docs/schemas"
TOPICS = ("results", "segment.events", "workflow.events")


@pytest.fixture
async def rig() -> AsyncIterator[IntakeRig]:
    async with IntakeRig() as made:
        yield made


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(orjson.loads(schema_text(name)), format_checker=Draft202012Validator.FORMAT_CHECKER)


def check_all(rig: IntakeRig, topic: str, count: int) -> None:
    values, headers = rig.values(topic), rig.headers(topic)
    assert len(values) == len(headers) == count
    for value, named in zip(values, headers, strict=True):
        validator(topic).validate(value)
        validator(f"{topic}.headers").validate(named)


def test_names() -> None:
    """One of the values and one of the headers for each topic that others meet; printed as they stand in docs."""
    assert names() == sorted([*TOPICS, *(f"{topic}.headers" for topic in TOPICS)])
    assert {path.name.removesuffix(".json"): path.read_text() for path in DOCS.glob("*.json")} == {
        name: schema_text(name) for name in names()
    }
    printed = CliRunner().invoke(app, ["schema", "results"])
    assert (printed.exit_code, printed.stdout) == (0, schema_text("results"))
    assert CliRunner().invoke(app, ["schema"]).stdout.split() == names()
    assert CliRunner().invoke(app, ["schema", "result"]).exit_code == 2


@pytest.mark.parametrize("name", names())
def test_schemas_are_schemas(name: str) -> None:
    """Draft 2020-12, as they say."""
    Draft202012Validator.check_schema(orjson.loads(schema_text(name)))


async def test_events(rig: IntakeRig) -> None:
    """Whatever comes in by the tracking API and the webhook."""
    calls: dict[str, dict[str, Any]] = {
        "identify": {"userId": 7, "traits": {"a": None}, "context": {"isthmus": MARKS.make("nps", 1)}},
        "track": {"anonymousId": "a", "event": "E", "timestamp": "2024-05-01", "sentAt": "2024-05-01T10:00:00+02:00"},
        "page": {"userId": "u", "name": "Home"},
        "screen": {"userId": "u"},
        "group": {"userId": "u", "groupId": "g"},
        "alias": {"userId": "u", "previousId": "p"},
    }
    trace = {"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"}
    for type_, body in calls.items():
        assert (await rig.post(f"/v1/{type_}", body, {**basic("wk_plain"), **trace}))[0] == 200
    batch = {"batch": [{"type": type_, **body} for type_, body in calls.items()], "context": {"x": 1}}
    assert (await rig.post("/v1/batch", batch, basic("wk_plain")))[0] == 200
    for body in (
        b'{"type":"delete","userId":"u"}',
        b'{"type":"page","userId":"u","receivedAt":"2024-05-01T00:00:00Z"}',
    ):
        assert (await rig.post("/webhooks/segment/web", body, signature(body)))[0] == 200
    check_all(rig, "segment.events", 14)


async def test_results(rig: IntakeRig) -> None:
    """With everything and with as little as is allowed, by a signed link and by a forged one."""
    signed = {"isthmus_run": "r", "isthmus_contact": "CID_1", "isthmus_sig": link_signature(b"first", "r", "CID_1")}
    for body in (
        {"kind": "k", "data": {}},
        {"kind": "k", "data": {}, "id": 5, "subject": 7, "occurredAt": "2024-05-01", "hops": 2, "causes": ["w"]},
        {"kind": "survey.response", "data": {"embeddedData": signed}},
        {"kind": "survey.response", "data": {"embeddedData": {**signed, "isthmus_run": "x"}}},
    ):
        assert (await rig.post("/v1/results", body, basic("wk_tool")))[0] == 200
    assert (await rig.post("/v1/results", {"responseId": "R"}, basic("wk_surveys")))[0] == 200
    check_all(rig, "results", 5)


async def test_workflow_events(rig: IntakeRig) -> None:
    """Any object, under a name."""
    for body in ({}, {"messageId": 5, "a": [1]}):
        assert (await rig.post("/workflows/onboarding/events?token=token_old", body))[0] == 202
    check_all(rig, "workflow.events", 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("segment.events", {"type": "track", "userId": "u", "messageId": "m", "timestamp": "t", "receivedAt": "t"}),
        ("segment.events", {"type": "identify", "messageId": "m", "timestamp": "t", "receivedAt": "t"}),
        ("segment.events", {"type": "identify", "userId": "u"}),
        (
            "segment.events",
            {"type": "page", "userId": "u", "messageId": "m", "timestamp": "t", "receivedAt": "t", "writeKey": "k"},
        ),
        ("segment.events.headers", {"source": "web"}),
        ("segment.events.headers", {"source": "web", "received-at": "yesterday"}),
        ("results", {"id": "i", "kind": "k", "occurredAt": "2024-05-01T10:00:00Z", "subject": "s"}),
        ("results", {"id": "i", "kind": "k", "occurredAt": "2024-05-01", "subject": "s", "data": {}}),
        ("workflow.events", []),
        ("workflow.events.headers", {"source": "onboarding", "received-at": "2024-05-01T10:00:00Z", "message-id": "m"}),
    ],
)
def test_schemas_refuse(name: str, value: Any) -> None:
    """They can fail: what ingress would not write is not valid."""
    with pytest.raises(ValidationError):
        validator(name).validate(value)
