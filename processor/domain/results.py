"""Results: what comes back, from a survey platform or another system, as one shape (configuration.md, rule 8)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from processor.domain.events.limits import dump
from processor.domain.events.normalise import MAX_ID_BYTES, MAX_MESSAGE_ID, number_as_text
from processor.domain.events.times import format_ms, parse_ms
from processor.domain.signing import verify
from processor.errors import RejectedError

__all__ = ["MAX_KIND", "SURVEY_RESPONSE", "Coming", "Result", "result_of"]

SURVEY_RESPONSE = "survey.response"
MAX_KIND = 100
"""Characters of a kind; ours have 17 at most."""
_LINK = ("isthmus_run", "isthmus_contact", "isthmus_sig")
_MOST_CAUSES = 100


@dataclass(frozen=True, slots=True)
class Coming:
    """How a result came. ``missing_id`` names one without an id; it is told whether the result has a moment of its own.

    ``secrets``: of this installation, by which survey links are signed.
    """

    received_at: str
    missing_id: Callable[[bool], str]
    secrets: Sequence[bytes] = field(default=(), repr=False)


class Result(NamedTuple):
    """``value``: the bytes of ``{id, kind, occurredAt, subject, data}``. ``forged``: it carried a link's three fields
    without a valid signature, and they were removed."""

    subject: str
    value: bytes
    forged: bool


def result_of(item: object, coming: Coming) -> Result:
    """Hold what was posted, or made by a source's mapping, to the shape; ``item`` stays as it is.

    Raises ``RejectedError``: ``not_a_result``, ``bad_id``, ``bad_number``, ``bad_moment``, or what ``dump`` raises.
    """
    if not isinstance(item, dict):
        raise RejectedError("not_a_result", "A result is a JSON object {id, kind, occurredAt, subject, data}.")
    kind, data = item.get("kind"), item.get("data")
    if not isinstance(kind, str) or not 0 < len(kind) <= MAX_KIND:
        raise RejectedError("not_a_result", f"A result needs `kind`, a text of at most {MAX_KIND} characters.")
    if not isinstance(data, dict):
        raise RejectedError("not_a_result", "A result needs `data`, a JSON object.")
    moment = _moment(item.get("occurredAt"))
    id_ = _text(item, "id", MAX_MESSAGE_ID) or coming.missing_id(moment is not None)
    subject = _text(item, "subject", MAX_ID_BYTES) or id_
    data, linked, forged = _settle_link(kind, data, coming.secrets)
    result = {
        "id": id_,
        "kind": kind,
        "occurredAt": moment or coming.received_at,
        "subject": linked or subject,
        "data": data,
        **_course(item),
    }
    return Result(result["subject"], dump(result), forged)


def _moment(given: object) -> str | None:
    """The moment as we write it, ``None`` where none is given."""
    if given is None or given == "":
        return None
    moment = parse_ms(given)
    if moment is None:
        raise RejectedError("bad_moment", "`occurredAt` must be a moment as ISO 8601 writes it, or be left out.")
    return format_ms(moment)


def _text(item: Mapping[str, Any], name: str, most_bytes: int) -> str:
    """A name as text, a number too; empty where there is none."""
    value = item.get(name)
    if value is None or value == "":
        return ""
    text = value if isinstance(value, str) else number_as_text(name, value)
    if len(text.encode(errors="replace")) > most_bytes:
        raise RejectedError("bad_id", f"`{name}` is over {most_bytes} bytes; send a shorter one.")
    return text


def _settle_link(kind: str, data: dict[str, Any], secrets: Sequence[bytes]) -> tuple[dict[str, Any], str, bool]:
    """The data, the subject by which the survey's link was made out, and whether somebody forged such a link.

    Only a valid signature says which run an answer belongs to; anybody can write the rest of a link.
    """
    embedded = data.get("embeddedData")
    if kind == SURVEY_RESPONSE and "run" in data:
        data = {name: value for name, value in data.items() if name != "run"}
    if not isinstance(embedded, dict) or not any(name in embedded for name in _LINK):
        return data, "", False
    run, contact, signature = (embedded.get(name) for name in _LINK)
    if not isinstance(run, str) or not isinstance(contact, str):
        run = contact = ""
    if run and contact and verify(secrets, signature, "survey link", run, contact):
        kept = {name: value for name, value in embedded.items() if name != "isthmus_sig"}
        return {**data, "embeddedData": kept, "run": run}, contact, False
    kept = {name: value for name, value in embedded.items() if name not in _LINK}
    return {**data, "embeddedData": kept}, "", True


def _course(item: Mapping[str, Any]) -> dict[str, Any]:
    """How often it was sent on and by which workflows: these can only keep it from starting another."""
    found: dict[str, Any] = {}
    hops, causes = item.get("hops"), item.get("causes")
    if type(hops) is int and hops > 0:
        found["hops"] = min(hops, 1_000)
    if isinstance(causes, list) and all(isinstance(cause, str) for cause in causes):
        found["causes"] = causes[:_MOST_CAUSES]
    return found
