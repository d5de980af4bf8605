"""A trial as plain JSON: the one shape of ``isthmus try --json`` and of ``POST /control/v1/try``."""

from collections.abc import Mapping
from typing import Any

from processor.domain.directory.command import Command, Transaction
from processor.domain.directory.ids import transaction_ctr
from processor.domain.events.times import format_ms
from processor.domain.mappings import MISSING
from processor.domain.trying.clauses import Clause
from processor.domain.trying.trials import Trial

__all__ = ["shown_trial"]

_LEAST, _GREATEST = -(2**63), 2**64 - 1


def shown_trial(trial: Trial) -> dict[str, Any]:
    """What a program reads; every key is always there, ``null`` where there is nothing."""
    return {
        "mapping": trial.mapping,
        "action": trial.action,
        "enabled": trial.enabled,
        "sources": "all" if trial.sources is None else list(trial.sources),
        "source": trial.event.source,
        "verdict": trial.verdict,
        "filter": _clause(trial.clause),
        "mapped": _storable(trial.mapped),
        "payload": _storable(trial.payload),
        "effect": None if trial.command is None else _effect(trial, trial.command),
        "deadLetter": _dead_letter(trial),
    }


def _clause(clause: Clause) -> dict[str, Any]:
    shown: dict[str, Any] = {"text": _storable(clause.text), "holds": clause.holds}
    if clause.joiner is not None:
        shown |= {"joiner": clause.joiner, "clauses": [_clause(each) for each in clause.clauses]}
    if clause.reading:
        shown["reading"] = _storable(clause.reading)
    return shown


def _effect(trial: Trial, command: Command) -> dict[str, Any]:
    return {
        "directory": command.directory,
        "foundBy": [list(fields) for fields in trial.found_by],
        "values": _storable(command.values),
        "onlyWhenCreated": _storable(command.initial),
        "leftOut": command.dropped,
        "transaction": None if command.transaction is None else _transaction(command.transaction),
    }


def _transaction(transaction: Transaction) -> dict[str, Any]:
    return {
        "id": transaction_ctr(transaction.key),
        "date": _date(transaction.date_ms),
        "mailingList": _storable(transaction.mailing_list),
        "data": _storable(transaction.data),
    }


def _date(ms: int) -> str:
    try:
        return format_ms(ms)
    except ValueError:
        return f"{ms} ms"


def _dead_letter(trial: Trial) -> dict[str, str] | None:
    if trial.rejection is None:
        return None
    return {
        "mapping": trial.mapping,
        "code": trial.rejection.code,
        "reason": trial.rejection.message,
        "source": trial.event.source,
        "message": trial.event.message_id,
    }


def _storable(value: Any) -> Any:
    """A mapping may give what no JSON text holds; it is shown all the same."""
    if isinstance(value, Mapping):
        return {_text(str(key)): _storable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_storable(inner) for inner in value]
    if isinstance(value, str):
        return _text(value)
    if type(value) is int and not _LEAST <= value <= _GREATEST:
        return str(value)
    return None if value is MISSING else value


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="backslashreplace").decode()
    return text
