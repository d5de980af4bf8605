"""The address of a workflow: Qualtrics' envelope, three ways to show a token, and nothing told to strangers."""

from collections.abc import AsyncIterator

import pytest
from support.intake_rig import IntakeRig, basic

from ingress.workflow_url import MAX_BYTES

PATH = "/workflows/onboarding/events"
URL = f"{PATH}?token=token_onboarding"


@pytest.fixture
async def rig() -> AsyncIterator[IntakeRig]:
    async with IntakeRig() as made:
        yield made


async def test_an_event(rig: IntakeRig) -> None:
    """202 in the envelope; what was posted is on workflow.events, by the workflow's id."""
    status, answer = await rig.post(URL, {"email": "a@b.c", "score": 1.5, "messageId": "m1"})
    assert status == 202
    assert answer == {"meta": {"httpStatus": "202 - Accepted", "requestId": answer["meta"]["requestId"]}}
    assert rig.values("workflow.events") == [{"email": "a@b.c", "score": 1.5, "messageId": "m1"}]
    assert rig.publisher.records["workflow.events"][0].key == b"onboarding"
    assert rig.headers("workflow.events") == [
        {"source": "workflow:onboarding", "received-at": "2024-05-01T12:00:10.000Z", "message-id": "m1"}
    ]


async def test_names(rig: IntakeRig) -> None:
    """The Idempotency-Key, else the body's messageId, a number too, else a new one each time."""
    await rig.post(URL, {"messageId": "m"}, {"Idempotency-Key": "key"})
    await rig.post(URL, {"messageId": 7})
    await rig.post(URL, {"messageId": ""})
    await rig.post(URL, {})
    names = [headers["message-id"] for headers in rig.headers("workflow.events")]
    assert names[:2] == ["key", "7"]
    assert len(set(names)) == 4


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (URL, {}),
        (f"{PATH}/?token=token_old", {}),
        (PATH, {"X-API-TOKEN": "token_onboarding"}),
        (PATH, basic("somebody", "token_onboarding")),
        (PATH, {"X-API-TOKEN": "token_trigger"}),
        (PATH, basic("ops", "token_trigger")),
        ("/workflows/closed/events", {"X-API-TOKEN": "token_trigger"}),
    ],
)
async def test_who_may(rig: IntakeRig, path: str, headers: dict[str, str]) -> None:
    """The workflow's own token, or an API token with the scope trigger."""
    assert (await rig.post(path, {}, headers))[0] == 202


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        (PATH, {}, 401, "invalid_token"),
        (f"{PATH}?token=", {}, 401, "invalid_token"),
        (f"{PATH}?token=guessed", {}, 401, "invalid_token"),
        (f"{PATH}?token=token_off", {}, 401, "invalid_token"),
        (f"{PATH}?token=token_trigger", {}, 401, "invalid_token"),
        (PATH, basic("token_onboarding"), 401, "invalid_token"),
        (PATH, {"Authorization": "Basic ?"}, 401, "invalid_token"),
        (PATH, {"X-API-TOKEN": "token_read"}, 403, "missing_scope"),
        ("/workflows/nothing/events?token=token_onboarding", {}, 401, "invalid_token"),
        ("/workflows/closed/events?token=", {}, 401, "invalid_token"),
        ("/workflows/nothing/events", {"X-API-TOKEN": "token_read"}, 403, "missing_scope"),
        ("/workflows/nothing/events", {"X-API-TOKEN": "token_trigger"}, 404, "unknown_workflow"),
        ("/workflows/nothing/events", basic("ops", "token_trigger"), 404, "unknown_workflow"),
    ],
)
async def test_who_may_not(rig: IntakeRig, path: str, headers: dict[str, str], status: int, code: str) -> None:
    """Only who has shown a token hears that there is no such workflow; to others it is a wrong token."""
    found, answer = await rig.post(path, {"a": 1}, headers)
    assert (found, answer["meta"]["error"]["errorCode"]) == (status, code)
    assert answer["meta"]["httpStatus"].startswith(f"{status} - ")
    assert not any(rig.publisher.records.values())


async def test_an_unknown_workflow_is_answered_like_a_wrong_token(rig: IntakeRig) -> None:
    """Byte for byte, but for the request's own id."""
    answers = []
    for path in (f"{PATH}?token=guessed", "/workflows/nothing/events?token=guessed"):
        _, answer = await rig.post(path, {})
        answer["meta"].pop("requestId")
        answers.append(answer)
    assert answers[0] == answers[1]


async def test_disabled(rig: IntakeRig) -> None:
    """Accepted and counted: its caller can do nothing about it. The service decides that nothing starts."""
    assert (await rig.post("/workflows/off/events?token=token_off", {}))[0] == 202
    assert rig.noted() == {("workflow:off", "workflow_disabled"): 1}
    assert rig.headers("workflow.events")[0]["source"] == "workflow:off"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "not_json"),
        (b"<event/>", "not_json"),
        (b"[]", "not_an_object"),
        (b'{"a":"\\u0000"}', "bad_text"),
        (b'{"messageId":"' + b"m" * 100 + b'"}', "bad_message_id"),
        (b'{"messageId":["m"]}', "bad_id"),
    ],
)
async def test_no_event(rig: IntakeRig, body: bytes, code: str) -> None:
    """400 in the envelope, and a dead letter under the workflow's name."""
    status, answer = await rig.post(URL, body)
    assert (status, answer["meta"]["error"]["errorCode"]) == (400, code)
    assert rig.rejected == [(code, body)]
    assert rig.headers("segment.rejected")[0]["source"] == "workflow:onboarding"


async def test_too_large(rig: IntakeRig) -> None:
    """100 KB, then 413."""
    body = b'{"a":"' + b"x" * (MAX_BYTES - 8) + b'"}'
    assert (await rig.post(URL, body))[0] == 202
    status, answer = await rig.post(URL, body + b" ")
    assert (status, answer["meta"]["error"]["errorCode"]) == (413, "too_large")


async def test_kafka_away(rig: IntakeRig) -> None:
    """503 with a time to wait, in the envelope."""
    rig.publisher.away = True
    async with rig.client.post(URL, json={}) as response:
        assert response.status == 503
        assert response.headers["Retry-After"] == "1"
        assert (await response.json())["meta"]["error"]["errorCode"] == "kafka_away"
