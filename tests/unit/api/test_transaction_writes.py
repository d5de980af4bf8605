"""Transactions over the API: each row by itself, dates, values, repeats, and a single one read, changed and deleted."""

import io
import json
from typing import Any

import pytest

from processor.domain.directory.ids import contact_cid

ROOT = "/API/v3/directories/POOL_other"


async def call(api: Any, method: str, path: str, body: object = None, **headers: str) -> tuple[int, dict[str, Any]]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    answer: tuple[int, dict[str, Any]] = await api.call(method, ROOT + path, "writer-secret", json=body, headers=names)
    return answer


@pytest.fixture
async def cid(api: Any) -> str:
    _, body = await call(api, "POST", "/contacts", {"extRef": "ada"})
    made: str = body["result"]["id"]
    return made


async def transactions(api: Any, cid: str) -> list[dict[str, Any]]:
    _, body = await call(api, "GET", f"/contacts/{cid}/transactions")
    elements: list[dict[str, Any]] = body["result"]["elements"]
    return elements


async def test_one_call_half_succeeds(api: Any, cid: str) -> None:
    """Good rows are made, each bad one says why, and the status is 200."""
    rows = {
        "good": {"contactId": cid, "mailingListId": "CG_all", "transactionDate": "2026-01-31 12:00:00", "data": {}},
        "nobody": {"contactId": contact_cid(77)},
        "no id": {"contactId": "x"},
        "none": {"data": {}},
        "no row": 5,
        "list": {"contactId": cid, "mailingListId": "CG_nobody"},
        "date": {"contactId": cid, "transactionDate": "yesterday"},
        "beyond": {"contactId": cid, "transactionDate": "0001-01-01T00:00:00+10:00"},
        "type": {"contactId": cid, "data": "x"},
    }
    status, body = await call(api, "POST", "/transactions", rows)
    assert status == 200
    created, unprocessed = body["result"]["createdTransactions"], body["result"]["unprocessedTransactions"]
    assert set(created) == {"good"}
    assert {place: each["error"] for place, each in unprocessed.items()} == {
        "nobody": "unknown_contact",
        "no id": "unknown_contact",
        "none": "QVAL_3",
        "no row": "QVAL_3",
        "list": "unknown_mailing_list",
        "date": "QVAL_3",
        "beyond": "QVAL_3",
        "type": "QVAL_3",
    }
    assert unprocessed["none"]["errorMessage"] == "contactId is needed."
    assert "YYYY-MM-DD HH:MM:SS" in unprocessed["date"]["errorMessage"]
    (found,) = await transactions(api, cid)
    assert found == {
        "transactionId": created["good"]["id"],
        "contactId": cid,
        "mailingListId": "CG_all",
        "transactionDate": "2026-01-31 12:00:00",
        "data": {},
    }


async def test_dates_and_values(api: Any, cid: str) -> None:
    """UTC where no offset stands; scalars as text, the rest as JSON of that value, null is none; no date is now."""
    data = {"total": 9.5, "paid": True, "sku": "a", "items": [{"n": 1}], "none": None, "of": {"a": None}}
    rows = {
        "a": {"contactId": cid, "transactionDate": "2026-01-31T12:00:00+02:00", "data": data},
        "b": {"contactId": cid},
    }
    await call(api, "POST", "/transactions", rows)
    first, second = await transactions(api, cid)
    assert first["transactionDate"] == "2026-01-31 10:00:00"
    assert first["data"] == {"total": "9.5", "paid": "true", "sku": "a", "items": '[{"n":1}]', "of": '{"a":null}'}
    assert second["transactionDate"] > "2026-01-31"


async def test_a_repeat(api: Any, cid: str) -> None:
    """With the header the first ids come back and nothing is added; without it each call adds, as in Qualtrics."""
    rows = {"1": {"contactId": cid, "data": {"n": 1}}, "2": {"contactId": cid, "data": {"n": 2}}}
    first = await call(api, "POST", "/transactions", rows, Idempotency_Key="k")
    again = await call(api, "POST", "/transactions", {**rows, "3": {"contactId": cid}}, Idempotency_Key="k")
    made = again[1]["result"]["createdTransactions"]
    assert {place: made[place] for place in ("1", "2")} == first[1]["result"]["createdTransactions"]
    assert len(await transactions(api, cid)) == 3
    plain = [await call(api, "POST", "/transactions", rows) for _ in range(2)]
    assert plain[0][1]["result"] != plain[1][1]["result"]
    assert len(await transactions(api, cid)) == 7


async def test_a_thousand_at_most(api: Any, cid: str) -> None:
    """One more is refused as a whole."""
    status, body = await call(api, "POST", "/transactions", {str(n): {"contactId": cid} for n in range(1_001)})
    assert (status, body["meta"]["error"]["errorCode"]) == (400, "QVAL_3")
    assert "1000" in body["meta"]["error"]["errorMessage"]
    status, body = await call(api, "POST", "/transactions", {str(n): {"contactId": cid} for n in range(1_000)})
    assert len(body["result"]["createdTransactions"]) == 1_000
    status, body = await call(api, "POST", "/transactions", {})
    assert body["result"] == {"createdTransactions": {}, "unprocessedTransactions": {}}


async def test_a_large_body(api: Any, cid: str) -> None:
    """Beyond what other calls of the server may send, up to 5 MiB; and nothing of it is lost on the way."""
    rows = {str(n): {"contactId": cid, "data": {"text": "x" * 3_000, "n": n}} for n in range(1_000)}
    large = io.BytesIO(json.dumps(rows).encode())
    status, body = await api.call("POST", f"{ROOT}/transactions", "writer-secret", data=large)
    assert status == 200
    assert len(body["result"]["createdTransactions"]) == 1_000
    last = api.queries.all_transactions[-1]
    assert len(last.data["text"]) == 3_000


async def test_one_transaction(api: Any, cid: str) -> None:
    """Read, changed in part, and deleted once."""
    rows = {"a": {"contactId": cid, "mailingListId": "CG_all", "data": {"n": 1}}}
    _, body = await call(api, "POST", "/transactions", rows)
    path = f"/contacts/{cid}/transactions/{body['result']['createdTransactions']['a']['id']}"
    _, body = await call(api, "GET", path)
    read = body["result"]
    status, _ = await call(api, "PUT", path, {**read, "transactionDate": "2026-02-01 00:00:00", "data": {"n": [2]}})
    assert status == 200
    _, body = await call(api, "GET", path)
    assert body["result"] == {**read, "transactionDate": "2026-02-01 00:00:00", "data": {"n": "[2]"}}
    await call(api, "PUT", path, {"data": {}})
    _, body = await call(api, "GET", path)
    assert body["result"] == {**read, "transactionDate": "2026-02-01 00:00:00", "data": {}}
    for status in (200, 404):
        answer, body = await call(api, "DELETE", path)
        assert answer == status
    assert body["meta"]["error"]["errorCode"] == "unknown_transaction"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mailingListId": "CG_other"}, "mailingListId"),
        ({"contactId": "CID_000000000000001"}, "contactId"),
        ({"transactionDate": "soon"}, "transactionDate must be"),
        ({"data": []}, "data must be an object"),
    ],
)
async def test_what_of_a_transaction_stays(api: Any, cid: str, change: dict[str, Any], said: str) -> None:
    """Whose it is and its list cannot be changed; a date that cannot be read is refused."""
    _, body = await call(api, "POST", "/transactions", {"a": {"contactId": cid, "data": {"n": 1}}})
    path = f"/contacts/{cid}/transactions/{body['result']['createdTransactions']['a']['id']}"
    status, body = await call(api, "PUT", path, change)
    assert (status, body["meta"]["error"]["errorCode"]) == (400, "QVAL_3")
    assert said in body["meta"]["error"]["errorMessage"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_another_contacts_transaction(api: Any, cid: str, method: str) -> None:
    """It is unknown below a contact whose it is not, and so is what is no id."""
    _, other = await call(api, "POST", "/contacts", {"extRef": "eve"})
    _, body = await call(api, "POST", "/transactions", {"a": {"contactId": cid}})
    ctr = body["result"]["createdTransactions"]["a"]["id"]
    for path in (f"/contacts/{other['result']['id']}/transactions/{ctr}", f"/contacts/{cid}/transactions/x"):
        status, body = await call(api, method, path, {})
        assert (status, body["meta"]["error"]["errorCode"]) == (404, "unknown_transaction")
    assert len(await transactions(api, cid)) == 1
