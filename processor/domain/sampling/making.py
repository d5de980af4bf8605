"""An event that a mapping's filter lets through, filled with what the mapping reads."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from processor.domain.events.limits import MAX_DEPTH, MAX_EVENT_BYTES, dump
from processor.domain.events.normalise import Arrival, normalise
from processor.domain.events.times import format_ms
from processor.domain.mappings.javascript import MISSING, get
from processor.domain.rules import Rule, Rules
from processor.domain.sampling.placing import clashes, plausible, put, remove
from processor.domain.sampling.reading import paths_read
from processor.domain.sampling.solving import Values, solve
from processor.domain.sampling.typed import SAMPLE_TYPES, Making, sample_of
from processor.errors import RejectedError

__all__ = ["known_list", "sample_for"]

_MOST = 50
"""Ways to satisfy a filter that are looked at."""
_USUAL = {"addContactToXmd": "identify", "upsertContactTransaction": "track"}
_EXISTING = ("qualtricsContactId", "qualtricsMailingListId")
"""Fields that name something which has to be there already."""


def sample_for(rule: Rule, making: Making) -> dict[str, Any]:
    """An event, not normalised yet, that ``rule.matches`` is true of once ingress has normalised it.

    Raises ``RejectedError("no_sample")`` where none was found: a filter in JMESPath is not solved but only tried on
    the sample of each type, and no event satisfies a filter that contradicts itself.
    """
    for event in _candidates(rule, making):
        if _passes(rule, event, making):
            return event
    raise RejectedError(
        "no_sample", f"no event was found that the filter of `{rule.mapping}` lets through; {_why(rule)}"
    )


def known_list(rule: Rule, rules: Rules) -> str | None:
    """A mailing list of the mapping's directory, for ``Making``."""
    directory = rules.directories.get(str(rule.spec.get("directoryId")))
    if directory is None:
        return None
    return directory.default_mailing_list or next((id_ for id_, _ in directory.mailing_lists), None)


def _candidates(rule: Rule, making: Making) -> Iterator[dict[str, Any]]:
    tree = None if rule.filter is None else rule.filter.tree
    ways: Iterator[Values] = iter(({},)) if tree is None else solve(tree)
    for number, values in enumerate(ways):
        if number == _MOST:
            return
        for type_ in _types(rule, values):
            event = _written(sample_of(type_, making), values)
            full = deepcopy(event)
            _fill(full, rule, values, making)
            yield full
            yield event


def _types(rule: Rule, values: Values) -> list[str]:
    """The type that the filter asks for, else all, beginning with the one that suits the action."""
    known = (*SAMPLE_TYPES, "delete")
    wanted = values.get(("type",), MISSING)
    if wanted is not MISSING:
        return [wanted] if wanted in known else []
    usual = _USUAL.get(rule.action, "track")
    return [usual, *(type_ for type_ in known if type_ != usual)]


def _written(event: dict[str, Any], values: Values) -> dict[str, Any]:
    """Shorter paths first: a deeper one then finds its place made."""
    for path in sorted(values, key=len):
        if values[path] is MISSING:
            remove(event, path)
        else:
            put(event, path, deepcopy(values[path]))
    return event


def _fill(event: dict[str, Any], rule: Rule, values: Values, making: Making) -> None:
    """Give every path that the mapping reads a value, where the filter has no say."""
    for path in paths_read(rule.spec):
        if len(path) > MAX_DEPTH or any(clashes(path, asked) for asked in values):
            continue
        value = plausible(path, format_ms(making.now_ms))
        if path[-1] in _EXISTING:
            value = making.mailing_list if path[-1] == "qualtricsMailingListId" else None
        found = get(event, path)
        if value is not None and (found is MISSING or found is None):
            put(event, path, value)


def _passes(rule: Rule, event: dict[str, Any], making: Making) -> bool:
    arrival = Arrival(making.now_ms, format_ms(making.now_ms), lambda _index, _stamped: making.message_id)
    try:
        body = normalise(deepcopy(event), None, arrival)
        return len(dump(body)) <= MAX_EVENT_BYTES and rule.matches(body)
    except RejectedError:
        return False


def _why(rule: Rule) -> str:
    if rule.filter is not None and rule.filter.kind == "jmespath":
        return "a filter in JMESPath is only tried on the sample of each type: write the event by hand"
    return "it may contradict itself"
