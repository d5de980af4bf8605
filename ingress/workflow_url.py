"""``POST /workflows/ID/events``: what starts a workflow from outside, in the manner of Qualtrics' JSON event.

Source: spec/qualtrics-workflows.md, section 2. The answers have Qualtrics' envelope.
"""

from http import HTTPStatus
from uuid import uuid4

import orjson
from aiohttp import web

from ingress.answers import status_of, waiting_headers
from ingress.callers import Callers, ForbiddenError, UnknownWorkflowError, basic_password, bearer
from ingress.credentials import UnauthorizedError
from ingress.reception import Reception
from ingress.results import given_id
from ingress.visit import Visit
from processor.domain.events.limits import dump
from processor.domain.events.normalise import MAX_MESSAGE_ID, number_as_text
from processor.domain.events.parsing import parse
from processor.domain.signing import same_text
from processor.errors import RejectedError
from processor.logs import Log
from processor.ports.publisher import Outgoing
from processor.ports.revisions import HttpWorkflow

__all__ = ["MAX_BYTES", "WorkflowUrl"]

MAX_BYTES = 100 * 1024
"""Of one event. Source: Qualtrics' page of the JSON event, "100 KB"."""
_TRIGGER = "trigger"


class WorkflowUrl:
    """Each answer is made here: nobody but Qualtrics' clients reads this envelope."""

    def __init__(self, reception: Reception, callers: Callers, log: Log) -> None:
        self._reception = reception
        self._callers = callers
        self._log = log

    async def post(self, visit: Visit) -> web.StreamResponse:
        """202 once Kafka has acknowledged; every refusal in the same envelope."""
        request_id = str(uuid4())
        try:
            await self._take(visit)
        except ConnectionError:
            raise  # the caller has gone
        except Exception as error:  # noqa: BLE001 - the rim: whatever it is, the caller gets an answer and we a line
            status = status_of(error)
            code, message = getattr(error, "code", "error"), str(error)
            if status == 500:
                self._log.error("request_failed", error=type(error).__name__, exc_info=error, request_id=request_id)
                code, message = "internal_error", "A fault of ours; the log has it by this requestId."
            failure = {"errorMessage": message, "errorCode": code}
            return _answer(status, request_id, {"error": failure}, waiting_headers(error))
        return _answer(202, request_id, {}, {})

    async def _take(self, visit: Visit) -> None:
        workflow = self._workflow(visit)
        visit.source = f"workflow:{workflow.id}"
        body = await self._reception.read(visit, MAX_BYTES)
        await self._reception.in_time(self._publish(visit, workflow, body))

    async def _publish(self, visit: Visit, workflow: HttpWorkflow, body: bytes) -> None:
        try:
            event = parse(body)
            if type(event) is not dict:
                raise RejectedError("not_an_object", "What starts a workflow is a JSON object; send {…}.")
            name = given_id(visit) or _message_id(event) or str(uuid4())
            value = dump(event)
        except RejectedError as reason:
            await self._reception.keep(visit, body, reason)
            raise
        if not workflow.enabled:
            self._reception.notes.note(visit.source, "workflow_disabled")
        headers = [*visit.headers(), ("message-id", name.encode())]
        await self._reception.publish("workflow.events", (Outgoing(workflow.id.encode(), value, headers),))

    def _workflow(self, visit: Visit) -> HttpWorkflow:
        """The workflow that the caller may start. Raises ``UnauthorizedError``, ``UnknownWorkflowError``."""
        request = visit.request
        workflow = self._callers.workflow(request.match_info["workflow"])
        shown = [request.query.get("token", ""), bearer(request), basic_password(request)]
        good = () if workflow is None else workflow.url_tokens
        # Each is compared, known workflow or not, so that the time says nothing.
        matches = [same_text(good, value) for value in shown]
        if workflow is not None and any(matches):
            return workflow
        tokens = [token for value in shown[1:] if value and (token := self._callers.token(value)) is not None]
        if not tokens:
            message = "The token is missing or wrong; `isthmus workflows url ID` prints it."
            raise UnauthorizedError("invalid_token", message)
        if not any(_TRIGGER in token.scopes for token in tokens):
            raise ForbiddenError("missing_scope", f"The token {tokens[0].name} lacks the scope {_TRIGGER}.")
        if workflow is None:
            raise UnknownWorkflowError
        return workflow


def _message_id(event: dict[str, object]) -> str:
    """The body's own messageId. Raises ``RejectedError`` where it cannot be one."""
    given = event.get("messageId")
    if given is None or given == "":
        return ""
    name = given if isinstance(given, str) else number_as_text("messageId", given)
    if len(name) > MAX_MESSAGE_ID:
        raise RejectedError("bad_message_id", "`messageId` must be text of fewer than 100 characters.")
    return name


def _answer(status: int, request_id: str, more: dict[str, object], headers: dict[str, str]) -> web.Response:
    meta = {"httpStatus": f"{status} - {HTTPStatus(status).phrase}", "requestId": request_id, **more}
    return web.Response(
        status=status, body=orjson.dumps({"meta": meta}), content_type="application/json", headers=headers
    )
