"""Trials for people: the filter as a tree, the payload, and what would be done."""

from collections.abc import Iterator, Sequence
from textwrap import indent
from typing import assert_never

from processor.cli.tables import json_line, printable, table
from processor.domain.directory.command import Command
from processor.domain.trying import Clause, Trial, shown_trial

__all__ = ["trials_text"]


def trials_text(trials: Sequence[Trial]) -> str:
    """One paragraph a mapping, and a last line that counts those that would do something."""
    if not trials:
        return "There is no mapping to try; nothing was written."
    doing = sum(trial.verdict == "applied" for trial in trials)
    refusing = sum(trial.verdict == "dead" for trial in trials)
    counts = f"Of {len(trials)} mappings {doing} would take effect and {refusing} would refuse the event. "
    return "\n\n".join((*map(_trial, trials), f"{counts if len(trials) > 1 else ''}Nothing was written."))


def _trial(trial: Trial) -> str:
    sources = "all sources" if trial.sources is None else ", ".join(trial.sources)
    head = f"{printable(trial.mapping)}: {trial.action}, listens to {sources}; tried as from {trial.event.source}"
    parts = [table(("holds", "clause"), list(_clauses(trial.clause, 0)))]
    if trial.verdict != "no_match":
        parts.append(_fields(trial))
    parts.append("\n".join(_done(trial)))
    return "\n".join((head, *(indent(part, "  ") for part in parts)))


def _clauses(clause: Clause, depth: int) -> Iterator[tuple[str, str]]:
    holds = "yes" if clause.holds else "no"
    space = "  " * depth
    if clause.joiner is None:
        yield holds, space + clause.text + (f"   which Segment reads as  {clause.reading}" if clause.reading else "")
        return
    yield holds, space + ("all of" if clause.joiner == "and" else "one of")
    for each in clause.clauses:
        yield from _clauses(each, depth + 1)


def _fields(trial: Trial) -> str:
    """What is left after the last step and, where that is something else, what the mapping gave."""
    shown = shown_trial(trial)
    mapped, payload = shown["mapped"], shown["payload"] or {}
    if not isinstance(mapped, dict):
        return f"The mapping gives {_value(mapped)}."
    cells = [(name, _value(payload.get(name)), _value(value)) for name, value in mapped.items()]
    if all(finished == given for _, finished, given in cells):
        return table(("field", "payload"), [cell[:2] for cell in cells])
    changed = [(name, finished, "" if finished == given else given) for name, finished, given in cells]
    return table(("field", "payload", "before the last step"), changed)


def _done(trial: Trial) -> Iterator[str]:
    match trial.verdict:
        case "no_match":
            yield "Would do nothing: the filter does not match."
            return
        case "disabled":
            yield "Would do nothing: it is switched off. Switched on:"
        case "other_source":
            yield f"Would do nothing: it does not listen to {trial.event.source}. Else:"
        case "applied" | "dead":
            pass
        case _:
            assert_never(trial.verdict)
    if trial.rejection is not None:
        yield f"Would become a dead letter, {trial.rejection.code}: {printable(trial.rejection.message)}."
    if trial.command is not None:
        yield from _effect(trial, trial.command)


def _effect(trial: Trial, command: Command) -> Iterator[str]:
    found = ", else by ".join(" and ".join(fields) for fields in trial.found_by)
    who = f"found by {found}" if found else "a new one, for nobody can be found by these values"
    yield f"Would write to {command.directory}, contact {who}:"
    cells = [
        (name, "(cleared)" if value is None else _value(value), "always") for name, value in command.values.items()
    ]
    cells += [(name, _value(value), "when created") for name, value in command.initial.items()]
    if cells:
        yield indent(table(("field", "value", "written"), cells), "  ")
    if command.dropped:
        yield f"Would leave out {command.dropped} embedded fields whose name or value is too long."
    if command.transaction is not None:
        shown = shown_trial(trial)["effect"]["transaction"]
        where = f", on the list {printable(shown['mailingList'])}" if shown["mailingList"] else ""
        yield f"Would add the transaction {shown['id']} of {shown['date']}{where}:"
        if shown["data"]:
            yield indent(table(("name", "value"), list(shown["data"].items())), "  ")


def _value(value: object) -> str:
    return value if isinstance(value, str) else "-" if value is None else json_line(value)
