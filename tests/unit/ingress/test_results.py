"""Results over HTTP: who may post them, what they become, and that a link cannot be forged."""

from collections.abc import AsyncIterator

import orjson
import pytest
from support.intake_rig import MARKS, IntakeRig, basic

from ingress.results import MAX_RESULT_BYTES, MAX_RESULTS_BYTES
from processor.domain.signing import link_signature

PATH = "/v1/results"
RESULT = {"kind": "ticket.closed", "id": "r1", "occurredAt": "2024-05-01T10:00:00Z", "subject": "s", "data": {"a": 1}}
KEY = basic("wk_tool")


@pytest.fixture
async def rig() -> AsyncIterator[IntakeRig]:
    async with IntakeRig() as made:
        yield made


async def test_a_result(rig: IntakeRig) -> None:
    """As it was posted, the moment as we write it; the subject is the record's key."""
    status, answer = await rig.post(
        PATH, {**RESULT, "more": 1}, {**KEY, "traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"}
    )
    assert (status, answer) == (200, {"success": True})
    assert rig.values("results") == [{**RESULT, "occurredAt": "2024-05-01T10:00:00.000Z"}]
    assert rig.publisher.records["results"][0].key == b"s"
    headers = rig.headers("results")[0]
    assert (headers["source"], headers["received-at"]) == ("tool", "2024-05-01T12:00:10.000Z")
    assert headers["traceparent"].startswith("00-")


async def test_the_platforms_own_json(rig: IntakeRig) -> None:
    """The source's mapping makes the result of it."""
    posted = {"responseId": "R_1", "recordedDate": "2024-05-01T09:00:00Z", "who": 7, "values": {"QID1": 3}}
    assert (await rig.post(PATH, posted, basic("wk_surveys")))[0] == 200
    assert rig.values("results") == [
        {
            "id": "R_1",
            "kind": "survey.response",
            "occurredAt": "2024-05-01T09:00:00.000Z",
            "subject": "7",
            "data": posted,
        }
    ]


async def test_what_is_missing(rig: IntakeRig) -> None:
    """The id: Idempotency-Key, else a hash where there is a moment, else new. The moment: now. The subject: the id."""
    bare, stamped = {"kind": "k", "data": {}}, {"kind": "k", "data": {}, "occurredAt": "2024-05-01"}
    for body, headers in (
        (bare, {"Idempotency-Key": "key-1"}),
        (bare, {"Idempotency-Key": "k" * 200}),
        (stamped, {}),
        (stamped, {}),
        (bare, {}),
        (bare, {}),
    ):
        assert (await rig.post(PATH, body, {**KEY, **headers}))[0] == 200
    ids = [value["id"] for value in rig.values("results")]
    assert ids[0] == "key-1"
    assert len(ids[1]) < 100
    assert ids[2] == ids[3]
    assert len(set(ids)) == 5
    assert rig.values("results")[0] == {
        "id": "key-1",
        "kind": "k",
        "occurredAt": "2024-05-01T12:00:10.000Z",
        "subject": "key-1",
        "data": {},
    }


async def test_array(rig: IntakeRig) -> None:
    """Several at once, each with a name of its own under one key; what is no result is kept and fails no other."""
    body = b'[{"kind":"a","data":{}}, {"kind":"b"}, {"kind":"c","data":{},"id":5}]'
    assert (await rig.post(PATH, body, {**KEY, "Idempotency-Key": "key"}))[0] == 200
    assert [(value["kind"], value["id"]) for value in rig.values("results")] == [("a", "key:0"), ("c", "5")]
    assert rig.rejected == [("not_a_result", b'{"kind":"b"}')]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": None}, "not_a_result"),
        ({"kind": 5}, "not_a_result"),
        ({"kind": "k" * 101}, "not_a_result"),
        ({"data": []}, "not_a_result"),
        ({"id": ["x"]}, "bad_id"),
        ({"id": "x" * 100}, "bad_id"),
        ({"id": 1e300}, "bad_number"),
        ({"subject": "é" * 257}, "bad_id"),
        ({"occurredAt": "yesterday"}, "bad_moment"),
        ({"occurredAt": 1714564810}, "bad_moment"),
        ({"data": {"x": "\x00"}}, "bad_text"),
        ({"data": {"x": "a" * MAX_RESULT_BYTES}}, "too_large"),
    ],
)
async def test_no_result(rig: IntakeRig, change: dict[str, object], code: str) -> None:
    """What is no result is a dead letter with the rule that it breaks."""
    status, answer = await rig.post(PATH, {**RESULT, **change}, KEY)
    assert (status, answer["code"]) == (400, code)
    assert [kept[0] for kept in rig.rejected] == [code]
    assert rig.values("results") == []


async def test_no_json(rig: IntakeRig) -> None:
    """Of a caller who is known it is kept; 413 above the limit."""
    for body in (b"{", b"[{]", b"[1", b""):
        status, answer = await rig.post(PATH, body, KEY)
        assert status == (200 if body == b"[{]" else 400), answer
    assert [code for code, _ in rig.rejected] == ["not_json"] * 4
    status, answer = await rig.post(PATH, b" " * (MAX_RESULTS_BYTES + 1), KEY)
    assert (status, answer["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        (KEY, {}, 200, None),
        ({}, {"writeKey": "wk_tool"}, 200, None),
        ({"X-API-TOKEN": "token_results"}, {}, 400, "unknown_source"),
        ({"Authorization": "Bearer token_results"}, {}, 400, "unknown_source"),
        ({"X-API-TOKEN": "token_read"}, {}, 403, "missing_scope"),
        ({"X-API-TOKEN": "guessed"}, {"writeKey": "wk_tool"}, 401, "unknown_write_key"),
        ({"Authorization": "Bearer guessed"}, {}, 401, "unknown_write_key"),
        ({"Authorization": "Bearer guessed"}, {"writeKey": "wk_tool"}, 200, None),
        ({}, {}, 401, "unknown_write_key"),
        (basic("guessed"), {}, 401, "unknown_write_key"),
        (basic("wk_plain"), {}, 403, "no_results"),
        ({}, {"writeKey": "wk_plain"}, 403, "no_results"),
    ],
)
async def test_who_may(
    rig: IntakeRig, headers: dict[str, str], body: dict[str, str], status: int, code: str | None
) -> None:
    """A write key of a source with results, or a token with the scope; a key is in no stored byte."""
    found, answer = await rig.post(PATH, {**RESULT, **body}, headers)
    assert (found, answer.get("code")) == (status, code)
    assert len(rig.values("results")) == (status == 200)
    assert not [r for r in rig.publisher.records["results"] if b"wk_" in r.value]
    assert rig.rejected == []


@pytest.mark.parametrize("body", [b"{", b"[]", b'[{"writeKey":"wk_tool","kind":"k","data":{}}]', b"5"])
async def test_strangers_keep_nothing(rig: IntakeRig, body: bytes) -> None:
    """Whose it is cannot be told: 401, and no dead letter of a stranger's bytes."""
    assert (await rig.post(PATH, body))[0] == 401
    assert rig.rejected == []


async def test_a_token_names_the_source(rig: IntakeRig) -> None:
    """Where several take results; and one that takes none is no answer."""
    shown = {"X-API-TOKEN": "token_results"}
    assert (await rig.post(f"{PATH}?source=tool", RESULT, shown))[0] == 200
    assert rig.headers("results")[0]["source"] == "tool"
    assert (await rig.post(f"{PATH}?source=plain", RESULT, shown))[0] == 400


def answered(run: object, contact: object, signature: object, claimed: str) -> dict[str, object]:
    """A survey's answer by a link, whose poster claims to know the run beside it."""
    embedded = {"isthmus_run": run, "isthmus_contact": contact, "isthmus_sig": signature, "plan": "gold"}
    return {
        "kind": "survey.response",
        "id": "R_1",
        "subject": "somebody",
        "data": {"embeddedData": embedded, "run": claimed},
    }


async def test_a_signed_link(rig: IntakeRig) -> None:
    """The answer is the contact's and belongs to the run; the signature has done its work and is not stored."""
    for secret in MARKS.secrets:
        body = answered("run-1", "CID_1", link_signature(secret, "run-1", "CID_1"), "claimed")
        assert (await rig.post(PATH, body, KEY))[0] == 200
    for value in rig.values("results"):
        assert value["subject"] == "CID_1"
        assert value["data"] == {
            "embeddedData": {"isthmus_run": "run-1", "isthmus_contact": "CID_1", "plan": "gold"},
            "run": "run-1",
        }
    assert rig.noted() == {}


@pytest.mark.parametrize(
    ("run", "contact", "signature"),
    [
        ("run-1", "CID_2", link_signature(b"first", "run-1", "CID_1")),
        ("run-2", "CID_1", link_signature(b"first", "run-1", "CID_1")),
        ("run-1", "CID_1", link_signature(b"guessed", "run-1", "CID_1")),
        ("run-1", "CID_1", None),
        ("run-1", None, link_signature(b"first", "run-1", "")),
        ("", "", link_signature(b"first", "", "")),
        (5, "CID_1", "x"),
    ],
)
async def test_a_forged_link(rig: IntakeRig, run: object, contact: object, signature: object) -> None:
    """All three fields are removed and counted, the answer is accepted; a run that is claimed without them too."""
    assert (await rig.post(PATH, answered(run, contact, signature, "claimed"), KEY))[0] == 200
    (value,) = rig.values("results")
    assert (value["subject"], value["data"]) == ("somebody", {"embeddedData": {"plan": "gold"}})
    assert rig.noted() == {("tool", "link_forged"): 1}


async def test_hops_are_carried_on(rig: IntakeRig) -> None:
    """They can only keep a result from starting something; what is none is left out."""
    body = {**RESULT, "hops": 2, "causes": ["onboarding"]}
    await rig.post(PATH, body, KEY)
    await rig.post(PATH, {**RESULT, "hops": "2", "causes": [5]}, KEY)
    first, second = rig.values("results")
    assert (first["hops"], first["causes"]) == (2, ["onboarding"])
    assert "hops" not in second
    assert "causes" not in second


async def test_kafka_away(rig: IntakeRig) -> None:
    """503, to be sent again."""
    rig.publisher.away = True
    assert (await rig.post(PATH, orjson.dumps(RESULT), KEY))[0] == 503
