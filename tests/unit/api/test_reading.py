"""What the API answers: shapes, pages, and whose contact is whose."""

from typing import Any

import pytest

from processor.domain.directory.ids import contact_cid, contact_id, transaction_ctr

CONTACTS = "/API/v3/directories/POOL_customers/contacts"


async def test_whoami_needs_only_a_token(api: Any) -> None:
    """Any token may ask who it is, as Segment's set-up page does."""
    status, body = await api.get("/API/v3/whoami", "trigger-secret")
    assert status == 200
    assert body["result"]["userName"] == "trigger"
    assert set(body["result"]) == {
        "brandId", "userId", "userName", "accountType", "firstName", "lastName", "email", "datacenter"
    }  # fmt: skip
    assert body["meta"]["httpStatus"] == "200 - OK"
    assert body["meta"]["requestId"]


@pytest.mark.parametrize("path", ["/API/v3/directories", "/API/v3/directories/"])
async def test_directories(api: Any, path: str) -> None:
    """Those of the document, counted; the first is the default; the criteria are the first rule's."""
    _, body = await api.get(path)
    first, other, new = body["result"]["elements"]
    assert first == {
        "directoryId": "POOL_customers",
        "name": "Customers",
        "contactCount": 205,
        "isDefault": True,
        "deduplicationCriteria": {
            "email": True, "firstName": False, "lastName": False, "externalDataReference": True, "phone": False
        },
    }  # fmt: skip
    assert (other["contactCount"], other["isDefault"]) == (1, False)
    assert new["contactCount"] == 0


async def test_contacts_come_in_pages(api: Any) -> None:
    """Following nextPage shows every contact once, and the last page has none."""
    seen, url, sizes = [], f"{CONTACTS}?pageSize=100", []
    while url:
        status, body = await api.get(url)
        assert status == 200
        seen += [contact_id(element["id"]) for element in body["result"]["elements"]]
        sizes.append(len(body["result"]["elements"]))
        url = body["result"]["nextPage"]
        assert url is None or url.startswith("http://127.0.0.1:")
        url = url and url[url.index("/API") :]
    assert seen == list(range(1, 206))
    assert sizes == [100, 100, 5]


async def test_a_page_that_is_exactly_full_is_the_last(api: Any) -> None:
    """No empty page follows."""
    _, body = await api.get(f"{CONTACTS}?pageSize=205")
    assert len(body["result"]["elements"]) == 205
    assert body["result"]["nextPage"] is None


async def test_a_contact_in_a_list(api: Any, first_cid: str) -> None:
    """The shape that Segment's client reads."""
    _, body = await api.get(f"{CONTACTS}?pageSize=1")
    assert body["result"]["elements"] == [
        {
            "id": first_cid,
            "creationDate": "2026-01-31T12:00:00.000Z",
            "lastModified": "2026-01-31T13:00:00.001Z",
            "firstName": "Ada",
            "lastName": "Lovelace",
            "email": "Person1@shop.example",
            "phoneNumber": "+41 44 000 00 00",
            "externalDataReference": "user1",
            "language": None,
            "unsubscribed": True,
            "unsubscribeDate": "2026-02-01T08:30:00.000Z",
            "stats": {},
            "embeddedData": {"plan": "gold"},
            "segmentMembership": {},
        }
    ]


async def test_one_contact_has_both_spellings(api: Any, first_cid: str) -> None:
    """What was read can be sent back under the names of the write side."""
    status, body = await api.get(f"{CONTACTS}/{first_cid}")
    result = body["result"]
    assert status == 200
    assert result["contactId"] == result["id"] == first_cid
    assert result["phone"] == result["phoneNumber"]
    assert result["extRef"] == result["externalDataReference"] == "user1"


async def test_a_merged_contact_is_its_winner(api: Any) -> None:
    """The id of a loser answers with the contact that has its data now."""
    _, body = await api.get(f"{CONTACTS}/{contact_cid(50_001)}")
    assert body["result"]["id"] == contact_cid(7)


async def test_transactions_come_in_pages(api: Any, first_cid: str) -> None:
    """In the order of their dates, by a place that survives equal seconds."""
    seen, url = [], f"{CONTACTS}/{first_cid}/transactions?pageSize=3"
    while url:
        _, body = await api.get(url)
        seen += body["result"]["elements"]
        url = body["result"]["nextPage"]
        url = url and url[url.index("/API") :]
    assert [each["transactionId"] for each in seen] == [transaction_ctr(n.to_bytes(16, "big")) for n in range(1, 8)]
    assert seen[2] == {
        "transactionId": transaction_ctr((3).to_bytes(16, "big")),
        "contactId": first_cid,
        "mailingListId": None,
        "transactionDate": "2026-01-31 12:00:01",
        "data": {"total": "3"},
    }


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/API/v3/directories/POOL_nobody/contacts", "unknown_directory"),
        (f"{CONTACTS}/CID_000000000000001", "unknown_contact"),
        (f"{CONTACTS}/nonsense", "unknown_contact"),
        (f"{CONTACTS}/{contact_cid(206)}", "unknown_contact"),
        (f"{CONTACTS}/{contact_cid(900)}", "unknown_contact"),
        (f"{CONTACTS}/{contact_cid(900)}/transactions", "unknown_contact"),
        ("/API/v3/surveys", "unknown_call"),
    ],
)
async def test_what_is_not_there(api: Any, path: str, code: str) -> None:
    """404 in the envelope, also for a contact of another directory."""
    status, body = await api.get(path)
    assert status == 404
    assert body["meta"]["httpStatus"] == "404 - Not Found"
    assert body["meta"]["error"]["errorCode"] == code
    assert set(body) == {"meta"}


async def test_another_method(api: Any) -> None:
    """405, with the methods that there are."""
    status, body = await api.call("DELETE", CONTACTS)
    assert (status, body["meta"]["error"]["errorCode"]) == (405, "method_not_allowed")
    assert api.headers["Allow"] == "GET, HEAD, POST"
    status, _ = await api.call("PATCH", CONTACTS, None)
    assert status == 401


@pytest.mark.parametrize(
    "query",
    [
        "pageSize=0",
        "pageSize=501",
        "pageSize=ten",
        "pageSize=%D9%A3",
        "skipToken=x",
        "skipToken=CTR_001TSm0PiyImxIY",
    ],
)
async def test_bad_paging(api: Any, query: str) -> None:
    """A page that cannot be is said so, not guessed at."""
    status, body = await api.get(f"{CONTACTS}?{query}")
    assert (status, body["meta"]["error"]["errorCode"]) == (400, "QVAL_3")


@pytest.mark.parametrize("token", ["x", "1.00", "999999999999999999." + "0" * 32, "1." + "g" * 32])
async def test_bad_places_of_transactions(api: Any, first_cid: str, token: str) -> None:
    """A token of our own making only, and no date beyond the calendar."""
    status, body = await api.get(f"{CONTACTS}/{first_cid}/transactions?skipToken={token}")
    assert (status, body["meta"]["error"]["errorCode"]) == (400, "QVAL_3")
