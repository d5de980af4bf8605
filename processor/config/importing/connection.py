"""An export as a connection that ``isthmus config check`` accepts, with what is said and what is left behind."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from processor.config.document import check
from processor.config.faults import Path, shown
from processor.config.fields import ROOT, is_literal
from processor.config.importing.export import Export, Subscription
from processor.config.importing.fields import import_fields, refused_always, shown_url
from processor.config.importing.fragment import fragment
from processor.config.importing.notes import Note, Notes
from processor.config.importing.triggers import import_trigger
from processor.domain.actions import ACTIONS
from processor.errors import DocumentError, Fault

__all__ = ["Imported", "import_segment"]

_LONGEST = 100
"""Characters of a name."""
_NO_NAME = re.compile(r"[/\x00-\x1f\x7f\ud800-\udfff]+")
_ELSEWHERE = (
    "its workflow is elsewhere, and workflows of this installation are served from a later version; it posts to"
)
_NO_SUBSCRIPTIONS = (
    "a destination without its subscriptions; give the answer of GET /destinations/{id}/subscriptions too, or alone"
)


@dataclass(frozen=True, slots=True)
class Imported:
    """``text``: the section ``connections`` as YAML, with ``connection`` as its only entry."""

    connection: Mapping[str, Any]
    text: str
    warnings: tuple[Note, ...]
    not_carried: tuple[Note, ...]


def import_segment(export: Export) -> Imported:
    """Raises ``DocumentError`` for an export without subscriptions, or one too large for a document."""
    if export.subscriptions is None:
        raise DocumentError([Fault("subscriptions", _NO_SUBSCRIPTIONS)])
    notes = Notes()
    name = _name(export.name or "", set(), "segment")
    if export.name and name != export.name:
        notes.warn("", "name", f"the connection `{export.name}` is named `{name}` here")
    if export.more:
        notes.leave("", "", "the answer has further pages; give the files of all of them")
    if export.settings:
        listed = ", ".join(export.settings)
        notes.leave("", "settings", f"the settings of the destination ({listed}): nothing here calls Qualtrics")
    mappings: list[dict[str, Any]] = []
    for subscription in export.subscriptions:
        mapping = _mapping(subscription, {mapping["name"] for mapping in mappings}, notes)
        if mapping is not None:
            mappings.append(mapping)
    connection = {"name": name, "sources": "all", "enabled": export.enabled, "mappings": mappings}
    text = _settled(connection, notes)
    return Imported(connection, text, tuple(notes.warnings), tuple(notes.not_carried))


def _mapping(subscription: Subscription, taken: set[str], notes: Notes) -> dict[str, Any] | None:
    action = ACTIONS.get(subscription.action)
    if action is None:
        notes.leave(subscription.name, "action", f"`{subscription.action}` is no action of the Qualtrics destination")
        return None
    if action.name == "triggerXflowWorkflow":
        url = shown_url(subscription.fields.get("workflowUrl"))
        notes.leave(subscription.name, "fields.workflowUrl", f"{_ELSEWHERE} {url}")
        return None
    when = import_trigger(subscription.trigger)
    if when.value is None:
        notes.leave(subscription.name, "when", str(when.message))
        return None
    refused = refused_always(subscription.fields)
    if refused is not None:
        notes.leave(subscription.name, "fields", f"the fields cannot be read: {refused}")
        return None
    name = _name(subscription.name, taken, action.name)
    if name != subscription.name:
        notes.warn(name, "name", f"the subscription `{subscription.name}` is named `{name}` here")
    if subscription.model:
        notes.warn(name, "", "it reads a model of Reverse ETL, whose rows come here only if they are sent as events")
    if when.message is not None:
        notes.warn(name, "when", when.message)
    fields = import_fields(action, subscription.fields, name, notes)
    return {"name": name, "enabled": subscription.enabled, "action": action.name, "when": when.value, "fields": fields}


def _name(wanted: str, taken: set[str], fallback: str) -> str:
    """A name that the document accepts and no other mapping has."""
    base = _NO_NAME.sub("-", wanted).strip()[:_LONGEST].rstrip() or fallback
    name, count = base, 1
    while name in taken:
        count += 1
        name = f"{base[: _LONGEST - 1 - len(str(count))].rstrip()} {count}"
    return name


def _settled(connection: dict[str, Any], notes: Notes) -> str:
    """The connection's text once the check finds nothing; what it does find is taken out and listed."""
    while True:
        text = fragment(connection)
        faults = _faults(text)
        if not faults:
            return text
        found = _places(connection["mappings"], faults) or _alone(connection)
        if not found:
            raise DocumentError(faults)
        _take_out(connection["mappings"], found, notes)


def _faults(text: str) -> tuple[Fault, ...]:
    try:
        check(f"version: 1\n{text}")
    except DocumentError as error:
        return error.faults
    return ()


_Found = dict[tuple[int, Path], list[str]]
"""What the check says, by the index of a mapping and the keys below its fields; no keys: about all of the mapping."""


def _places(mappings: list[dict[str, Any]], faults: tuple[Fault, ...]) -> _Found:
    found: _Found = {}
    for index, mapping in enumerate(mappings):
        whole = ("connections", 0, "mappings", index)
        for fault in faults:
            if not _within(fault.path, whole):
                continue
            keys = _member(mapping["fields"], (*whole, "fields"), fault.path)
            message = fault.message
            if not keys or _final(keys, mapping["fields"][keys[0]]):
                keys, message = (), f"{fault.path.removeprefix(shown(whole)).removeprefix('.')}: {message}"
            found.setdefault((index, keys), []).append(message)
    return found


def _member(value: Any, place: Path, path: str) -> Path:
    """The keys of the smallest part of ``value`` that can be spared: a member of an object, not of a directive."""
    if not isinstance(value, dict) or any(key.startswith("@") for key in value):
        return ()
    for key, item in value.items():
        if _within(path, (*place, key)):
            return (key, *_member(item, (*place, key), path))
    return ()


def _within(path: str, place: Path) -> bool:
    where = shown(place)
    return path == where or path.startswith((f"{where}.", f"{where}["))


def _final(keys: Path, value: Any) -> bool:
    """A needed field without a value, a fixed value that fits no event: there too Segment refuses every event."""
    return keys[0] == ROOT or value is None or is_literal(value)


def _alone(connection: Mapping[str, Any]) -> _Found:
    """Mappings that do not even hold by themselves, where the check could not say which one it stumbled upon."""
    found: _Found = {}
    for index, mapping in enumerate(connection["mappings"]):
        faults = _faults(fragment({**connection, "mappings": [mapping]}))
        if faults:
            found[index, ()] = [fault.message for fault in faults]
    return found


def _take_out(mappings: list[dict[str, Any]], found: _Found, notes: Notes) -> None:
    lost = {index for index, keys in found if not keys}
    for (index, keys), messages in found.items():
        mapping = mappings[index]
        if not keys:
            notes.forget(mapping["name"])
            notes.leave(mapping["name"], "", "; ".join(messages))
        elif index not in lost:
            _spare(mapping["fields"], keys)
            end = "it became null" if len(keys) == 1 else "it is left out"
            notes.leave(mapping["name"], shown(("fields", *keys)), f"{'; '.join(messages)}; {end}")
    for index in sorted(lost, reverse=True):
        del mappings[index]


def _spare(fields: dict[str, Any], keys: Path) -> None:
    *above, last = keys
    parent: Any = fields
    for key in above:
        parent = parent.get(key) if isinstance(parent, dict) else None
    if parent is fields:
        fields[str(last)] = None
    elif isinstance(parent, dict):
        parent.pop(last, None)
