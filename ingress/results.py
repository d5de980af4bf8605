"""``POST /v1/results``: one result, an array of them, or a platform's own JSON that the source makes one of."""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any
from uuid import uuid4

from ingress.callers import Callers, ForbiddenError, bearer
from ingress.credentials import Credentials, UnauthorizedError, UnknownKeyError
from ingress.raw_arrays import cut, is_array, is_closed
from ingress.reception import OverCapError, Reception
from ingress.tracking import MAX_BATCH_BYTES
from ingress.visit import Visit
from processor.domain.events.normalise import MAX_MESSAGE_ID, message_id_of
from processor.domain.events.parsing import parse
from processor.domain.results import Coming, Result, result_of
from processor.errors import RejectedError
from processor.ports.publisher import Outgoing
from processor.ports.revisions import HttpSource

__all__ = ["MAX_RESULTS", "MAX_RESULT_BYTES", "Results", "given_id"]

MAX_RESULTS_BYTES = MAX_BATCH_BYTES
"""Bytes of one request."""
MAX_RESULTS = 2_500
"""Results of one request, as of a batch of events."""
MAX_RESULT_BYTES = 100 * 1024
"""Bytes of one result, as of an event that a workflow takes."""


class Results:
    """Returns when every record is acknowledged, and raises otherwise."""

    def __init__(
        self, reception: Reception, callers: Callers, credentials: Credentials, secrets: tuple[bytes, ...]
    ) -> None:
        self._reception = reception
        self._callers = callers
        self._credentials = credentials
        self._secrets = secrets

    async def post(self, visit: Visit) -> None:
        source = self._by_header(visit)
        try:
            body = await self._reception.read(visit, MAX_RESULTS_BYTES)
            array = is_array(body)
            if source is None:
                # Whose it is stands in the body: only a plain object has room for that.
                source = self._by_body(visit, None if array else parse(body))
        except OverCapError:
            raise
        except UnauthorizedError:
            raise
        except RejectedError as reason:
            if source is None:
                raise UnknownKeyError from None
            await self._reception.keep(visit, visit.body, reason)
            raise
        if not source.results:
            raise ForbiddenError("no_results", f"The source {source.id} takes no results; give it `results: true`.")
        self._reception.let_in(visit, lambda: sum(1 for _ in _pieces(body)) if array else 1)
        await self._reception.in_time(self._array(visit, source) if array else self._single(visit, source))

    def _by_header(self, visit: Visit) -> HttpSource | None:
        """The source of a caller who shows a write key or an API token in a header."""
        request = visit.request
        shown = bearer(request)
        token = self._callers.token(shown) if shown else None
        if token is not None:
            if "results" not in token.scopes:
                raise ForbiddenError("missing_scope", f"The token {token.name} lacks the scope results.")
            source = self._callers.results_source(request.query.get("source"))
            visit.source = source.id
            return source
        if "X-API-TOKEN" in request.headers:
            raise UnknownKeyError
        known = self._credentials.by_header(request.headers.get("Authorization"))
        if known is None:
            return None
        visit.source, visit.key = known
        return self._callers.source(visit.source)

    def _by_body(self, visit: Visit, document: Any) -> HttpSource:
        visit.source, visit.key = self._credentials.by_body(document)
        source = self._callers.source(visit.source)
        if source is None:
            raise UnknownKeyError
        return source

    async def _single(self, visit: Visit, source: HttpSource) -> None:
        try:
            record = self._record(visit, source, visit.body, None)
        except RejectedError as reason:
            await self._reception.keep(visit, visit.body, reason)
            raise
        await self._reception.publish("results", (record,))

    async def _array(self, visit: Visit, source: HttpSource) -> None:
        """A bad one is kept, and never fails the others."""
        if not is_closed(visit.body):
            reason = RejectedError("not_json", "The body is an array without an end.")
            await self._reception.keep(visit, visit.body, reason)
            raise reason
        good: list[Outgoing] = []
        bad: list[Outgoing] = []
        for index, raw in _pieces(visit.body):
            try:
                if index == MAX_RESULTS:
                    raise RejectedError("too_many", f"An array holds at most {MAX_RESULTS} results.")
                good.append(self._record(visit, source, raw, index))
            except RejectedError as reason:
                bad.append(self._reception.rejected(visit, raw, reason, index))
        if good:
            await self._reception.publish("results", good)
        if bad:
            await self._reception.publish("segment.rejected", bad)

    def _record(self, visit: Visit, source: HttpSource, raw: bytes, index: int | None) -> Outgoing:
        """Raises ``RejectedError``."""
        if len(raw) > MAX_RESULT_BYTES:
            raise RejectedError("too_large", f"A result is over {MAX_RESULT_BYTES} bytes; send less in it.")
        item = parse(raw)
        if isinstance(item, dict):
            item.pop("writeKey", None)
        made = item if source.result is None else source.result(item)

        def missing_id(has_moment: bool) -> str:
            key = given_id(visit)
            if key:
                return key if index is None else _shortened(f"{key}:{index}")
            return message_id_of(source.id, 0, raw) if has_moment else str(uuid4())

        result: Result = result_of(made, Coming(visit.received_at, missing_id, self._secrets))
        if result.forged:
            self._reception.notes.note(source.id, "link_forged")
        return Outgoing(result.subject.encode(errors="replace"), result.value, visit.headers())


def given_id(visit: Visit) -> str:
    """What the caller names the request by, in the header Idempotency-Key; empty without one."""
    return _shortened(visit.request.headers.get("Idempotency-Key", "").strip())


def _shortened(key: str) -> str:
    """A key that is too long for an id, or holds what cannot be written, goes by its hash."""
    if len(key) <= MAX_MESSAGE_ID and key.isprintable() and key.isascii():
        return key
    return blake2b(key.encode(errors="surrogateescape"), digest_size=24).hexdigest()


def _pieces(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements; behind the most that are read, what is left in one piece."""
    for index, (start, end) in enumerate(cut(body, len(body))):
        if index == MAX_RESULTS:
            yield index, b"[" + body[start:]
            return
        yield index, body[start:end]
