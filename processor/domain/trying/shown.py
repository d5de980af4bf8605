"""A trial as plain JSON: the one shape of ``isthmus try --json`` and of ``POST /control/v1/try``."""

from collections.abc import Mapping
from typing import Any

from processor.domain.directory.command import Command, Transaction
from processor.domain.directory.ids import transaction_ctr
from processor.domain.events.times import format_ms
from processor.domain.mappings import MISSING
from processor.domain.trying.clauses import Clause
from processor.domain.trying.trials import Trial
from processor.errors import RejectedError

__all__ = ["shown_trial"]

_LEAST, _GREATEST = -(2**63), 2**64 - 1
_MOST_PIECES = 100_000
"""Of one trial. A piece is a value, or as many characters of a text as follow here."""
_PIECE = 64


def shown_trial(trial: Trial) -> dict[str, Any]:
    """What a program reads; every key is always there, ``null`` where there is nothing.

    Raises ``RejectedError("too_large")``: a mapping may give an event's content a thousand times over.
    """
    plain = _Plain(trial.mapping)
    return {
        "mapping": trial.mapping,
        "action": trial.action,
        "enabled": trial.enabled,
        "sources": "all" if trial.sources is None else list(trial.sources),
        "source": trial.event.source,
        "verdict": trial.verdict,
        "filter": _clause(trial.clause),
        "mapped": plain.value(trial.mapped),
        "payload": plain.value(trial.payload),
        "effect": None if trial.command is None else _effect(trial, trial.command, plain),
        "deadLetter": _dead_letter(trial),
    }


def _clause(clause: Clause) -> dict[str, Any]:
    shown: dict[str, Any] = {"text": _text(clause.text), "holds": clause.holds}
    if clause.joiner is not None:
        shown |= {"joiner": clause.joiner, "clauses": [_clause(each) for each in clause.clauses]}
    if clause.reading:
        shown["reading"] = _text(clause.reading)
    return shown


def _effect(trial: Trial, command: Command, plain: "_Plain") -> dict[str, Any]:
    return {
        "directory": command.directory,
        "foundBy": [list(fields) for fields in trial.found_by],
        "values": plain.value(command.values),
        "onlyWhenCreated": plain.value(command.initial),
        "leftOut": command.dropped,
        "transaction": None if command.transaction is None else _transaction(command.transaction, plain),
    }


def _transaction(transaction: Transaction, plain: "_Plain") -> dict[str, Any]:
    return {
        "id": transaction_ctr(transaction.key),
        "date": _date(transaction.date_ms),
        "mailingList": plain.value(transaction.mailing_list),
        "data": plain.value(transaction.data),
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


class _Plain:
    """Values as any JSON text holds them, also where a mapping gives what none does. ``left``: pieces to go."""

    def __init__(self, mapping: str) -> None:
        self.mapping = mapping
        self.left = _MOST_PIECES

    def value(self, value: Any) -> Any:
        self.left -= 1
        if isinstance(value, str):
            self.left -= len(value) // _PIECE
        if self.left < 0:
            raise RejectedError("too_large", f"what `{self.mapping}` makes of this event is too large to be shown")
        if isinstance(value, Mapping):
            return {_text(str(key)): self.value(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.value(inner) for inner in value]
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
