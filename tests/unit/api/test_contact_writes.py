"""Writing contacts: by the merge rules or by id, what clears and what does not, and what a repeat does."""

import json
import time
from itertools import pairwise
from typing import Any

import pytest

from processor.api.operations import Rising
from processor.domain.directory.ids import contact_cid, contact_id
from processor.domain.directory.matching import lookup_keys

OTHER = "/API/v3/directories/POOL_other/contacts"
CUSTOMERS = "/API/v3/directories/POOL_customers/contacts"
ADA = {
    "firstName": "Ada",
    "lastName": "Lovelace",
    "email": "ada@shop.example",
    "phone": "+41 44 000 00 00",
    "extRef": "ada",
    "language": "de",
    "unsubscribed": True,
    "embeddedData": {"plan": "gold", "score": 5, "beta": True, "tags": ["a", {"b": 1.0}]},
}


async def write(api: Any, method: str, path: str, body: object, **headers: str) -> tuple[int, dict[str, Any]]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    answer: tuple[int, dict[str, Any]] = await api.call(method, path, "writer-secret", json=body, headers=names)
    return answer


async def read(api: Any, cid: str, root: str = OTHER) -> dict[str, Any]:
    status, body = await api.get(f"{root}/{cid}", "writer-secret")
    assert status == 200
    result: dict[str, Any] = body["result"]
    return result


async def test_a_contact_is_made_and_read(api: Any) -> None:
    """Every field comes back; embedded values are text, objects and lists as JSON of that value."""
    status, body = await write(api, "POST", OTHER, ADA)
    assert status == 200
    assert set(body["result"]) == {"id"}
    found = await read(api, body["result"]["id"])
    assert {**found, "embeddedData": ADA["embeddedData"]}.items() >= ADA.items()
    assert found["embeddedData"] == {"plan": "gold", "score": "5", "beta": "true", "tags": '["a",{"b":1}]'}
    row = api.queries.all_contacts[-1]
    assert row.made_by == {"mapping": "api/writer", "message": body["meta"]["requestId"]}


async def test_somebody_is_found(api: Any) -> None:
    """The merge rules decide, as for an event: the second call updates the first one's contact."""
    _, first = await write(api, "POST", OTHER, ADA)
    _, second = await write(api, "POST", OTHER, {"extRef": " ADA ", "phone": "", "lastName": "King", "language": None})
    assert first["result"] == second["result"]
    found = await read(api, first["result"]["id"])
    assert (found["lastName"], found["language"]) == ("King", None)
    assert found["phone"] == ADA["phone"]
    assert found["firstName"] == "Ada"


async def test_nobody_can_be_found(api: Any) -> None:
    """Without a complete rule a contact is made all the same, each time another, as in Qualtrics."""
    ids = {(await write(api, "POST", OTHER, {"firstName": "Ada"}))[1]["result"]["id"] for _ in range(3)}
    assert len(ids) == 3
    assert all((contact_id(cid) or 0) >= 1 << 62 for cid in ids)
    status, body = await write(api, "POST", OTHER, {})
    assert status == 200
    assert (await read(api, body["result"]["id"]))["firstName"] is None


async def test_an_update_by_id(api: Any) -> None:
    """What is sent and no more; null clears, of embedded fields too; empty text does nothing."""
    _, body = await write(api, "POST", OTHER, ADA)
    cid = body["result"]["id"]
    change = {"email": None, "firstName": "", "extRef": "countess", "embeddedData": {"plan": None, "score": 6}}
    status, body = await write(api, "PUT", f"{OTHER}/{cid}", change)
    assert (status, body["result"]) == (200, {"id": cid})
    found = await read(api, cid)
    assert (found["email"], found["firstName"], found["extRef"]) == (None, "Ada", "countess")
    assert found["embeddedData"] == {"score": "6", "beta": "true", "tags": '["a",{"b":1}]'}


async def test_what_was_read_can_be_sent_back(api: Any) -> None:
    """Keys that nobody writes are passed over, and nothing changes."""
    _, body = await write(api, "POST", OTHER, ADA)
    cid = body["result"]["id"]
    before = await read(api, cid)
    status, _ = await write(api, "PUT", f"{OTHER}/{cid}", before)
    assert status == 200
    after = await read(api, cid)
    assert {**after, "lastModified": 0, "unsubscribeDate": 0} == {**before, "lastModified": 0, "unsubscribeDate": 0}


async def test_a_contact_is_deleted(api: Any) -> None:
    """Once; then it is unknown, and the audit has the token's name."""
    _, body = await write(api, "POST", OTHER, ADA)
    cid = body["result"]["id"]
    for status in (200, 404):
        answer, body = await write(api, "DELETE", f"{OTHER}/{cid}", None)
        assert answer == status
    assert body["meta"]["error"]["errorCode"] == "unknown_contact"
    assert api.writer.deleted_by == ["api/writer"]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("place", [contact_cid(5_000_000), "nonsense"])
async def test_a_contact_that_is_not_there(api: Any, method: str, place: str) -> None:
    """404, for an id of nobody and for what is no id."""
    status, body = await write(api, method, f"{OTHER}/{place}", {"firstName": "Ada"})
    assert (status, body["meta"]["error"]["errorCode"]) == (404, "unknown_contact")


async def test_a_contact_of_another_directory(api: Any) -> None:
    """It is not there either."""
    _, body = await write(api, "POST", OTHER, ADA)
    cid = body["result"]["id"]
    for method in ("PUT", "DELETE"):
        status, _ = await write(api, method, f"{CUSTOMERS}/{cid}", {"firstName": "Eve"})
        assert status == 404
    assert (await read(api, cid))["firstName"] == "Ada"


async def test_a_repeat_is_recognised(api: Any) -> None:
    """The same Idempotency-Key answers as the first time; another token's, or on another address, is another."""
    fields = {"firstName": "Ada"}
    first = [await write(api, "POST", OTHER, fields, Idempotency_Key="k1") for _ in range(2)]
    assert first[0][1]["result"] == first[1][1]["result"]
    cid = first[0][1]["result"]["id"]
    await write(api, "PUT", f"{OTHER}/{cid}", {"firstName": "Eve"}, Idempotency_Key="k1")
    await write(api, "PUT", f"{OTHER}/{cid}", {"firstName": "Bob"}, Idempotency_Key="k1")
    assert (await read(api, cid))["firstName"] == "Eve"
    _, other = await api.call("POST", OTHER, "other-secret", json=fields, headers={"Idempotency-Key": "k1"})
    assert other["result"]["id"] != cid


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb", "\u00e4"])
async def test_a_bad_key_of_a_repeat(api: Any, key: str) -> None:
    """1 to 200 printable ASCII characters."""
    status, body = await write(api, "POST", OTHER, {}, Idempotency_Key=key)
    assert (status, body["meta"]["error"]["errorCode"]) == (400, "QVAL_3")
    assert "Idempotency-Key" in body["meta"]["error"]["errorMessage"]


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ([], "QVAL_3", "The body must be an object."),
        ({"email": 5}, "QVAL_3", "email must be text"),
        ({"unsubscribed": "true"}, "QVAL_3", "unsubscribed must be true, false or null"),
        ({"embeddedData": ["x"]}, "QVAL_3", "embeddedData must be an object"),
        ({"firstName": "\u00e4" * 257}, "value_too_long", "firstName is over 512 bytes: send a shorter value."),
        ({"firstName": "a\x00b"}, "bad_text", "\\u0000"),
        ({"embeddedData": {"x": json.loads("[" * 70 + "]" * 70)}}, "too_deep", "64"),
    ],
)
async def test_what_is_refused(api: Any, body: object, code: str, said: str) -> None:
    """400, the sentence names the place and the rule, never the value; nothing is written."""
    status, answer = await write(api, "POST", OTHER, body)
    error = answer["meta"]["error"]
    assert (status, error["errorCode"]) == (400, code)
    assert said in error["errorMessage"]
    assert not api.writer.contacts


async def test_a_body_that_is_no_json(api: Any) -> None:
    """400 in the envelope."""
    status, body = await api.call("POST", OTHER, "writer-secret", data=b"{")
    assert (status, body["meta"]["error"]["errorCode"]) == (400, "QVAL_3")


async def test_a_body_that_is_not_packed_as_it_says(api: Any) -> None:
    """400: a broken gzip is the caller's fault."""
    status, body = await api.call(
        "POST", OTHER, "writer-secret", data=b"not gzip at all", headers={"Content-Encoding": "gzip"}
    )
    assert (status, body["meta"]["error"]["errorCode"]) == (400, "bad_encoding")


async def test_long_embedded_fields_are_left_out(api: Any) -> None:
    """Of a name over 200 or a value over 1,024 characters that field alone, as of an event."""
    fields = {"n" * 201: "x", "long": "x" * 1_025, "n" * 200: "x" * 1_024, "gone": None, "empty": ""}
    _, body = await write(api, "POST", OTHER, {"extRef": "ada", "embeddedData": fields})
    found = await read(api, body["result"]["id"])
    assert found["embeddedData"] == {"n" * 200: "x" * 1_024}


async def test_a_person_who_asked_to_be_forgotten(api: Any) -> None:
    """409, also when only extRef, which is none of the rules' keys, tells who it is."""
    (key,) = lookup_keys((("extRef",),), {"extRef": "ada"})
    api.writer.suppressed.add(key)
    for root, fields in ((OTHER, {"extRef": "Ada"}), (CUSTOMERS, {"extRef": "ada", "phone": "+41 1"})):
        status, body = await write(api, "POST", root, fields)
        assert (status, body["meta"]["error"]["errorCode"]) == (409, "suppressed")
    assert not api.writer.contacts


async def test_writing_needs_its_scope(api: Any) -> None:
    """A token that may read may not write; nothing is read of its body."""
    status, body = await api.call("POST", OTHER, "reader-secret", data=b"{")
    assert (status, body["meta"]["error"]["errorCode"]) == (403, "missing_scope")


async def test_the_database_is_away(api: Any) -> None:
    """503: it may have been written, so only a call with a key is safe to repeat."""
    api.writer.away = True
    status, body = await write(api, "POST", OTHER, ADA)
    assert (status, body["meta"]["error"]["errorCode"]) == (503, "postgres_away")
    assert int(api.headers["Retry-After"]) > 0


def test_time_rises() -> None:
    """Of two writes the second is the later one, also within a millisecond."""
    now = Rising()
    moments = [now() for _ in range(10_000)]
    assert all(one < other for one, other in pairwise(moments))
    assert abs(moments[0] - time.time() * 1000) < 60_000
