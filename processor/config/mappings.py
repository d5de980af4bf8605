"""One mapping of a connection: its filter, action and fields, checked and compiled to a rule."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from processor.config.clearing import read_clear_on_null
from processor.config.faults import Findings, Path, nearest
from processor.config.fields import compile_fields, is_literal, left_to_default
from processor.config.shapes import LATER, NAME, Shape, load
from processor.domain.actions import ACTIONS, Action, resolve_fields, with_fallbacks
from processor.domain.directory.shortcut import compile_shortcut
from processor.domain.filters import parse_filter, selectors
from processor.domain.filters.tree import Filter
from processor.domain.rules import Directory, Rule
from processor.errors import FilterSyntaxError

__all__ = ["Place", "read_mapping"]

_SERVED = ("addContactToXmd", "upsertContactTransaction")
_CREATION_ONLY = ("language", "unsubscribed")
"""Fields whose defaults count on creation only (configuration rule 4)."""
_IDENTITY = r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]{0,199}[^\s\x00-\x1f\x7f])?$"
_WHEN = "write a filter such as 'type = \"identify\"', {segment: …}, {jmespath: …} or always"


@dataclass(frozen=True, slots=True)
class Place:
    """What a mapping takes from where it stands. ``directories``: those of the document, by id."""

    connection: str
    enabled: bool
    sources: frozenset[str] | None
    directories: Mapping[str, Directory]


class _Mapping(Shape):
    name: str = Field(pattern=NAME, description="a name of up to 100 characters without `/`")
    id: str | None = Field(None, pattern=_IDENTITY, description="an id of up to 200 characters, such as crm/contact")
    enabled: bool = True
    action: str = Field(description=f"an action: {' or '.join(_SERVED)}")
    when: Any = None
    fields_: Any = Field(None, alias="fields")
    clear_on_null: Any = None


def read_mapping(data: Any, path: Path, place: Place, found: Findings) -> Rule | None:
    """The mapping as a rule; ``None`` when it has faults, which then are in ``found``."""
    before = len(found.faults)
    shape = load(_Mapping, data, path, found)
    if not isinstance(data, dict):
        return None
    action = _action(data.get("action"), (*path, "action"), found)
    filter_ = _filter(data, action, path, found)
    fields = data.get("fields", {})
    if not isinstance(fields, dict):
        found.fault((*path, "fields"), "this must be keys with values: the action's fields and what they are given")
        return None
    if action is None:
        return None
    spec = with_fallbacks(action, resolve_fields(action, fields))
    payload = compile_fields(action, fields, spec, (*path, "fields"), found)
    clear = read_clear_on_null(data.get("clear_on_null"), action, spec, (*path, "clear_on_null"), found)
    _directory(fields.get("directoryId"), fields, place.directories, (*path, "fields"), found)
    if action.name == "upsertContactTransaction" and fields.get("transactionData") is None:
        found.warn((*path, "fields"), "without transactionData the transactions hold nothing but their date")
    if shape is None or filter_ is None or payload is None or len(found.faults) > before:
        return None
    types, events = selectors(filter_)
    creation_only = frozenset(name for name in _CREATION_ONLY if left_to_default(action, name, spec))
    return Rule(
        mapping=shape.id or f"{place.connection}/{shape.name}",
        connection=place.connection,
        action=action.name,
        enabled=place.enabled and shape.enabled,
        sources=place.sources,
        matches=filter_.matches,
        payload=payload,
        clear_on_null=clear,
        creation_only=creation_only,
        types=types,
        events=events,
        filter=filter_,
        shortcut=compile_shortcut(spec, creation_only) if action.name == "addContactToXmd" else None,
        spec=spec,
        directory=_named_directory(fields.get("directoryId")),
    )


def _action(name: Any, path: Path, found: Findings) -> Action | None:
    if not isinstance(name, str):
        return None  # the model has said so
    if name in _SERVED:
        return ACTIONS[name]
    found.fault(path, LATER if name in ACTIONS else f"no action; {nearest(name, _SERVED)}")
    return None


def _filter(data: dict[str, Any], action: Action | None, path: Path, found: Findings) -> Filter | None:
    if "when" not in data:
        return parse_filter(action.trigger) if action is not None and action.trigger is not None else None
    where = (*path, "when")
    if not isinstance(data["when"], str | dict):
        found.fault(where, f"no filter; {_WHEN}, or leave the key out for the action's own trigger")
        return None
    try:
        return parse_filter(data["when"])
    except FilterSyntaxError as error:
        found.fault(where, str(error))
        return None


def _named_directory(pool: Any) -> str | None:
    return pool if isinstance(pool, str) and is_literal(pool) else None


def _directory(
    pool: Any, fields: dict[str, Any], directories: Mapping[str, Directory], path: Path, found: Findings
) -> None:
    if pool is None:
        found.fault((*path, "directoryId"), "this field is needed; write the id of a directory, such as POOL_customers")
        return
    if is_literal(pool) and pool not in directories:
        hint = nearest(str(pool), directories) if directories else "the document has none"
        found.warn((*path, "directoryId"), f"no directory `{pool}` in this document; {hint}")
    wanted = fields.get("mailingListId")
    if wanted is None or not is_literal(wanted):
        return
    owners = [directories[pool]] if is_literal(pool) and pool in directories else list(directories.values())
    if not any(wanted in dict(owner.mailing_lists) for owner in owners):
        found.warn((*path, "mailingListId"), f"no mailing list `{wanted}` in this document; the API may have made it")
