"""Searches: what is allowed, and the sentence for what is not."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.api.refusals import RefusedError
from processor.api.v3.filters import parse_search
from processor.ports.queries import DateCriterion, ListCriterion, TextCriterion

SEARCH = "/API/v3/directories/POOL_customers/contacts/search"
EMAIL = {"filterType": "email", "comparison": "eq", "value": " person7@SHOP.example "}
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.sampled_from(["email", "created", "eq", "gt", "and"]) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["conjunction", "filters"]), inner),
    max_leaves=8,
)
CREATED = {"filterType": "created", "comparison": "gte", "value": "2026-01-31T13:00:00+01:00"}


async def test_one_filter(api: Any) -> None:
    """A single filter stands alone; text is trimmed and its case ignored."""
    status, body = await api.call("POST", SEARCH, json={"filter": EMAIL})
    assert status == 200
    assert [each["email"] for each in body["result"]["elements"]] == ["Person7@shop.example"]
    assert body["result"]["nextPage"] is None


async def test_a_conjunction(api: Any) -> None:
    """Two to five filters, all of which have to hold; a date without a zone is UTC."""
    other = {"filterType": "lastModified", "comparison": "lt", "value": "2027-01-01"}
    status, _ = await api.call(
        "POST", SEARCH, json={"filter": {"conjunction": "and", "filters": [EMAIL, CREATED, other]}}
    )
    assert status == 200
    assert api.queries.criteria == (
        TextCriterion("email", "eq", "person7@SHOP.example"),
        DateCriterion("created", "gte", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        DateCriterion("lastModified", "lt", datetime(2027, 1, 1, tzinfo=UTC)),
    )


async def test_members_of_a_list(api: Any) -> None:
    """By the list's id."""
    for comparison in ("eq", "neq"):
        filter_ = {"filterType": "inList", "comparison": comparison, "value": "CG_all"}
        status, _ = await api.call("POST", SEARCH, json={"filter": filter_})
        assert status == 200
        assert api.queries.criteria == (ListCriterion(comparison, "CG_all"),)


async def test_without_embedded_data(api: Any) -> None:
    """includeEmbedded leaves it out; includeSegments changes nothing; another word is refused."""
    for query, embedded in (("", {"plan": "gold"}), ("includeEmbedded=true", {"plan": "gold"})):
        _, body = await api.call("POST", f"{SEARCH}?{query}&includeSegments=true", json={"filter": EMAIL})
        assert body["result"]["elements"][0]["embeddedData"] == embedded
    _, body = await api.call("POST", f"{SEARCH}?includeEmbedded=false", json={"filter": EMAIL})
    assert body["result"]["elements"][0]["embeddedData"] == {}
    status, body = await api.call("POST", f"{SEARCH}?includeEmbedded=perhaps", json={"filter": EMAIL})
    assert (status, body["meta"]["error"]["errorMessage"][:15]) == (400, "includeEmbedded")


async def test_a_search_has_pages(api: Any) -> None:
    """As lists have, by the query of the address."""
    filter_ = {"filterType": "lastName", "comparison": "eq", "value": "lovelace"}
    _, body = await api.call("POST", f"{SEARCH}?pageSize=200", json={"filter": filter_})
    url = body["result"]["nextPage"]
    _, body = await api.call("POST", url[url.index("/API") :], json={"filter": filter_})
    assert len(body["result"]["elements"]) == 5


@pytest.mark.parametrize(
    ("filter_", "said"),
    [
        (None, '"filter"'),
        ({"filterType": "infoFieldState", "value": "x"}, "filterType must be one of email, firstName"),
        ({"filterType": ["email"]}, "filterType must be one of"),
        ({**EMAIL, "comparison": "like"}, "email: comparison must be one of eq, neq"),
        ({**CREATED, "comparison": "eq"}, "created: comparison must be one of gt, lt, gte, lte"),
        ({"filterType": "inList", "comparison": "gt", "value": "CG_all"}, "inList: comparison must be one of eq, neq"),
        ({"filterType": "inList", "comparison": "eq", "value": ""}, "inList: value must be the id"),
        ({**EMAIL, "value": "  "}, "email: value must be text"),
        ({**EMAIL, "value": 5}, "email: value must be text"),
        ({**CREATED, "value": "yesterday"}, "created: value must be an ISO-8601 date"),
        ({**CREATED, "value": "0001-01-01T00:00:00+10:00"}, "created: value must be an ISO-8601 date"),
        ({"conjunction": "or", "filters": [EMAIL, EMAIL]}, 'conjunction must be "and"'),
        ({"conjunction": "and", "filters": [EMAIL]}, "2 to 5"),
        ({"conjunction": "and", "filters": [EMAIL] * 6}, "2 to 5"),
        ({"conjunction": "and", "filters": [EMAIL, "x"]}, "A filter must be an object"),
    ],
)
async def test_what_is_not_allowed(api: Any, filter_: object, said: str) -> None:
    """400 QVAL_3 with a sentence that names what is allowed."""
    status, body = await api.call("POST", SEARCH, json={"filter": filter_})
    assert status == 400
    assert body["meta"]["error"]["errorCode"] == "QVAL_3"
    assert said in body["meta"]["error"]["errorMessage"]


@given(JSON | st.builds(dict, filterType=JSON, comparison=JSON, value=JSON))
def test_anything_is_read_or_refused(filter_: object) -> None:
    """Whatever is posted, only our own error comes out."""
    with suppress(RefusedError):
        parse_search(filter_)
