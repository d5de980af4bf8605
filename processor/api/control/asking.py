"""What ``try`` and ``sample`` are asked, checked, and what they answer. Plain functions: they run in a thread.

A document that a caller hands in is checked and compiled, its secrets are never resolved: it is somebody else's.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from processor.api.depth import check_depth
from processor.api.refusals import RefusedError, spoken
from processor.config import check, rules_of
from processor.domain.events.limits import dump
from processor.domain.events.parsing import parse
from processor.domain.rules import Rules
from processor.domain.sampling import SAMPLE_TYPES, Making, known_list, sample_for, sample_of
from processor.domain.trying import Given, named, read_event, shown_trial, try_event
from processor.errors import DocumentError, Fault, RejectedError

__all__ = ["MAX_ANSWER_BYTES", "MAX_DEPTH", "sample", "try_out"]

MAX_DEPTH = 128
"""Objects and arrays within each other in a body; an event of more than 64 then still gets ingress's own answer."""
MAX_ANSWER_BYTES = 8 * 1024 * 1024
"""Of all trials together: a document of a megabyte can hold thousands of mappings."""
_KEYS = ("event", "mapping", "source", "config")
_NOT_FOUND = frozenset(("unknown_mapping", "unknown_source", "no_sample"))


def try_out(body: bytes, rules: Rules, now_ms: int, new_id: str) -> dict[str, Any]:
    """``{event, mapping?, source?, config?}`` to ``{event, mappings, warnings}``."""
    check_depth(body, MAX_DEPTH)
    asked = _asked(parse(body))
    warnings: Sequence[Fault] = ()
    if "config" in asked:
        rules, warnings = _compiled(asked["config"])
    given = Given(_raw(asked["event"]), now_ms, new_id)
    mapping, source = asked.get("mapping"), asked.get("source")
    try:
        wanted = rules.rules if mapping is None else [named(rules, mapping)]
        event = read_event(given, source or "").body
        mappings, size = [], 0
        for trial in try_event(given, rules, wanted, source):
            event = trial.event.body
            mappings.append(shown_trial(trial))
            size += len(orjson.dumps(mappings[-1]))
            if size > MAX_ANSWER_BYTES:
                raise RejectedError("too_large", f"the answer has over {MAX_ANSWER_BYTES} bytes: name one mapping")
    except RejectedError as error:
        raise _refused(error) from None
    return {"event": event, "mappings": mappings, "warnings": [_shown(warning) for warning in warnings]}


def sample(query: Mapping[str, str], rules: Rules, now_ms: int, new_id: str) -> dict[str, Any]:
    """``type`` or ``mapping`` to ``{event}``."""
    type_, mapping = query.get("type"), query.get("mapping")
    if (type_ is None) is (mapping is None):
        raise _bad(f"Give either type, one of {', '.join(SAMPLE_TYPES)}, or mapping.")
    message_id = f"sample-{new_id}"
    try:
        if mapping is None:
            return {"event": sample_of(type_ or "", Making(now_ms, message_id))}
        rule = named(rules, mapping)
        return {"event": sample_for(rule, Making(now_ms, message_id, known_list(rule, rules)))}
    except RejectedError as error:
        raise _refused(error) from None


def _asked(document: Any) -> dict[str, Any]:
    if not isinstance(document, dict) or "event" not in document:
        raise _bad('The body must be an object with "event".')
    unknown = sorted(set(document) - set(_KEYS))
    if unknown:
        raise _bad(f"The body holds more than {', '.join(_KEYS)}; leave the rest out.")
    asked = {key: value for key, value in document.items() if key == "event" or value is not None}
    for key in _KEYS[1:]:
        if not isinstance(asked.get(key, ""), str):
            raise _bad(f"{key} must be text.")
    return asked


def _compiled(text: str) -> tuple[Rules, Sequence[Fault]]:
    try:
        checked = check(text)
    except DocumentError as error:
        details = {"faults": [_shown(fault) for fault in error.faults]}
        raise RefusedError(400, error.code, "The document has faults.", details) from None
    return rules_of(checked, 0), checked.warnings


def _raw(event: Any) -> bytes:
    """The event's bytes. Raises ``RejectedError`` for half a character or a number that no event may hold."""
    try:
        return orjson.dumps(event)
    except TypeError:
        return dump(event)


def _shown(fault: Fault) -> dict[str, object]:
    return {"path": fault.path, "line": fault.line, "message": fault.message}


def _refused(error: RejectedError) -> RefusedError:
    return RefusedError(404 if error.code in _NOT_FOUND else 400, error.code, spoken(error.message))


def _bad(message: str) -> RefusedError:
    return RefusedError(400, "bad_request", message)
