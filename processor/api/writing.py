"""From a call to the one write path, and from what became of its commands to an answer or a refusal."""

from processor.api.operations import Call
from processor.api.refusals import STATUSES, RefusedError, no_contact, refused, spoken
from processor.api.repeats import once
from processor.domain.directory.command import Command
from processor.domain.directory.from_request import Asking
from processor.domain.outcome import Rejection
from processor.ports.directory import Became

__all__ = ["asking_of", "refusal_of", "write_one"]

_SUPPRESSED = "This person asked to be forgotten, and nothing was written; lift the suppression first."


def asking_of(call: Call) -> Asking:
    """Who asks, of the directory in the address. Raises ``RefusedError`` (404)."""
    return Asking(call.directory(), call.token.name, call.request_id, call.parts.now_ms(), call.key)


async def write_one(call: Call, command: Command) -> int:
    """Write one command, once for each ``Idempotency-Key``; the number of its contact. Raises ``RefusedError``."""
    key = once(call.request, call.token, call.key)
    revision = call.compiled.revision
    [became] = await call.writer.write(call.directory(), [command], revision=revision, once=key)
    if (refusal := refusal_of(became)) is not None:
        raise refusal
    if became.contact is None:
        raise no_contact()
    return became.contact


def refusal_of(became: Became) -> RefusedError | None:
    """Why nothing was written; ``None``: it was, or it stood there already."""
    if isinstance(became.result, Rejection):
        code = became.result.code
        if code == "unknown_contact":
            return no_contact()
        return RefusedError(STATUSES.get(code, 400), code, spoken(became.result.message))
    return refused("suppressed", _SUPPRESSED) if became.result == "suppressed" else None
