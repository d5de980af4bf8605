"""Pages: ``pageSize`` and ``skipToken`` in the query, the address of the next page in the answer."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar, assert_never

from pydantic import Field

from processor.api.operations import Call
from processor.api.refusals import RefusedError, refused
from processor.api.wire import Asked, Count, Flag
from processor.config.directories import LIST_ID
from processor.domain.directory.ids import contact_cid, contact_id
from processor.ports.lists import MailingListRow, MemberRow
from processor.ports.queries import ContactRow, TransactionRow

__all__ = ["DEFAULT_PAGE", "MAX_PAGE", "ContactsPaging", "Pages", "Paging"]

DEFAULT_PAGE = 100
"""Rows of a page unless asked otherwise. Source: spec/qualtrics-directory.md, section 1."""
MAX_PAGE = 500
"""Rows of a page at most: our own bound, so that one answer stays below a megabyte or so."""

Row = TypeVar("Row", ContactRow, TransactionRow, MailingListRow, MemberRow)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PLACE = re.compile(r"(-?[0-9]{1,18})\.([0-9a-f]{32})")


class Paging(Asked):
    """Which page, and how long."""

    page_size: Count = Field(DEFAULT_PAGE, ge=1, le=MAX_PAGE, description=f"a number from 1 to {MAX_PAGE}")
    skip_token: str = Field("", description="one of an earlier nextPage")


class ContactsPaging(Paging):
    """The same of contacts. There are no segments, so ``includeSegments`` changes nothing."""

    include_embedded: Flag = Field(True, description="true or false: whether embeddedData is shown")
    include_segments: Flag = Field(False, description="true or false; segmentMembership is always empty")


class Pages:
    """One call's paging. Its queries are asked for ``limit`` rows: one more than is shown tells of a next page."""

    def __init__(self, call: Call) -> None:
        asked: Paging = call.query
        self._url = call.request.url
        self._public_url = call.parts.public_url.rstrip("/")
        self._size = asked.page_size
        self._token = asked.skip_token

    @property
    def limit(self) -> int:
        return self._size + 1

    def after_contact(self) -> int:
        """The number of the last contact seen; −1 at the start."""
        if not self._token:
            return -1
        id_ = contact_id(self._token)
        if id_ is None:
            raise _unknown_token()
        return id_

    def after_transaction(self) -> tuple[datetime, bytes] | None:
        """Date and key of the last transaction seen."""
        if not self._token:
            return None
        place = _PLACE.fullmatch(self._token)
        if place is None:
            raise _unknown_token()
        try:
            return _EPOCH + int(place[1]) * _MICROSECOND, bytes.fromhex(place[2])
        except OverflowError:
            raise _unknown_token() from None

    def after_list(self) -> str:
        """The id of the last mailing list seen; empty at the start."""
        if self._token and not re.fullmatch(LIST_ID, self._token):
            raise _unknown_token()
        return self._token

    def split(self, rows: Sequence[Row]) -> tuple[Sequence[Row], str | None]:
        """The rows of this page and the absolute address of the next one, ``None`` on the last."""
        if len(rows) <= self._size:
            return rows, None
        shown = rows[: self._size]
        url = self._url.update_query(skipToken=_token_of(shown[-1]))
        return shown, f"{self._public_url}{url.raw_path_qs}" if self._public_url else str(url)


def _token_of(last: ContactRow | TransactionRow | MailingListRow | MemberRow) -> str:
    match last:
        case ContactRow():
            return contact_cid(last.id)
        case MemberRow():
            return contact_cid(last.contact.id)
        case MailingListRow():
            return last.id
        case TransactionRow():
            return f"{(last.date - _EPOCH) // _MICROSECOND}.{last.key.hex()}"
        case _:
            assert_never(last)


def _unknown_token() -> RefusedError:
    return refused("QVAL_3", "skipToken must be one of an earlier nextPage.")
