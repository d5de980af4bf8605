"""One event against every mapping: what each makes of it, and what would be done."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from processor.domain.actions import ACTIONS, finish
from processor.domain.decisions.directory import ACTIONS as DIRECTORY_ACTIONS
from processor.domain.directory.command import Command
from processor.domain.directory.from_payload import command_of
from processor.domain.directory.matching import complete_rules
from processor.domain.events.event import Event
from processor.domain.mappings import MISSING
from processor.domain.outcome import Rejection
from processor.domain.rules import ALWAYS_KNOWN_SOURCE, Rule, Rules
from processor.domain.trying.clauses import Clause, explain
from processor.domain.trying.given import Given, read_event
from processor.errors import RejectedError

__all__ = ["Trial", "Verdict", "named", "try_event"]

Verdict = Literal["applied", "dead", "disabled", "no_match", "other_source"]
"""What a service would do with the event for one mapping: only ``applied`` and ``dead`` leave a trace."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What one mapping makes of the event. What it would do is worked out even where it is switched off."""

    mapping: str
    action: str
    enabled: bool
    sources: tuple[str, ...] | None
    """Ids of the sources that it listens to; ``None``: all."""
    event: Event
    """As it was tried, with the source that it was tried from."""
    verdict: Verdict
    clause: Clause
    mapped: Any = None
    """The payload before the last step; ``None`` where the filter does not match, or the mapping gave nothing."""
    payload: Mapping[str, Any] | None = None
    """The payload after the last step: types coerced, empty values left out."""
    command: Command | None = None
    """What would be applied to a directory."""
    rejection: Rejection | None = None
    """What would stand in the dead letter."""
    found_by: tuple[tuple[str, ...], ...] = ()
    """Fields by which the person would be looked for, in order."""


def named(rules: Rules, mapping: str) -> Rule:
    """The rule of a mapping's identity, or of its last part alone. Raises ``RejectedError("unknown_mapping")``."""
    exact = [rule for rule in rules.rules if rule.mapping == mapping]
    ending = [rule for rule in rules.rules if rule.mapping.endswith(f"/{mapping}")]
    found = exact or ending
    if len(found) == 1:
        return found[0]
    what = f"several mappings end in `{mapping}`; name one of them" if found else f"there is no mapping `{mapping}`"
    listed = ", ".join(f"`{rule.mapping}`" for rule in (found or rules.rules)[:20])
    raise RejectedError("unknown_mapping", f"{what}: {listed}" if listed else f"{what}, the document has none")


def try_event(given: Given, rules: Rules, wanted: Sequence[Rule], source: str | None = None) -> Iterator[Trial]:
    """Each wanted rule tried alone, from ``source``, or from the first source that it listens to.

    Raises ``RejectedError``: ``unknown_source``, or what ingress would refuse the event by.
    """
    if source is not None and source not in rules.sources and source != ALWAYS_KNOWN_SOURCE:
        known = ", ".join(f"`{name}`" for name in (*rules.sources, ALWAYS_KNOWN_SOURCE))
        raise RejectedError("unknown_source", f"there is no source `{source}`: {known}")
    events: dict[str, Event] = {}
    for rule in wanted:
        name = source if source is not None else _first_source(rule, rules)
        event = events.get(name) or events.setdefault(name, read_event(given, name))
        yield _try_rule(rule, event, rules)


def _first_source(rule: Rule, rules: Rules) -> str:
    heard = [name for name in (*rules.sources, ALWAYS_KNOWN_SOURCE) if rule.sources is None or name in rule.sources]
    return heard[0] if heard else ALWAYS_KNOWN_SOURCE


def _try_rule(rule: Rule, event: Event, rules: Rules) -> Trial:
    matched = rule.matches(event.body)
    trial = Trial(
        mapping=rule.mapping,
        action=rule.action,
        enabled=rule.enabled,
        sources=None if rule.sources is None else tuple(sorted(rule.sources)),
        event=event,
        verdict="no_match",
        clause=Clause("(not kept)", matched) if rule.filter is None else explain(rule.filter, event.body),
    )
    if not matched:
        return trial
    trial = _worked_out(trial, rule, rules)
    if rule.sources is not None and event.source not in rule.sources:
        return replace(trial, verdict="other_source")
    if not rule.enabled:
        return replace(trial, verdict="disabled")
    return replace(trial, verdict="applied" if trial.rejection is None else "dead")


def _worked_out(trial: Trial, rule: Rule, rules: Rules) -> Trial:
    """As far as the event comes: mapped, finished, a command."""
    try:
        mapped = rule.payload(trial.event.body)
        trial = replace(trial, mapped=None if mapped is MISSING else mapped)
        trial = replace(trial, payload=finish({} if mapped is MISSING else mapped, ACTIONS[rule.action]))
        if rule.action not in DIRECTORY_ACTIONS:
            return trial
        command = command_of(rule, trial.event, rules.directories)
    except RejectedError as error:
        return replace(trial, rejection=Rejection(error.code, error.message, rule.mapping))
    values = {**command.initial, **command.values}
    return replace(
        trial, command=command, found_by=tuple(complete_rules(rules.directories[command.directory].merge_rules, values))
    )
