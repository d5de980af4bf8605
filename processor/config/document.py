"""The document as a whole: read, checked section by section, every fault at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from processor.config.connections import read_connections
from processor.config.directories import read_directories
from processor.config.faults import Findings, nearest
from processor.config.reading import read
from processor.config.shapes import LATER
from processor.config.sources import SourceEntry, read_sources
from processor.config.tokens import Token, read_tokens
from processor.config.workflows import WorkflowEntry, read_workflows
from processor.domain.rules import Directory, Rule
from processor.errors import DocumentError, Fault

__all__ = ["Checked", "check"]

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Checked:
    """A document without a fault. Its filters and mappings are compiled, its secrets not resolved."""

    text: str = field(repr=False)
    data: Mapping[str, Any] = field(repr=False)
    tokens: tuple[Token, ...]
    directories: tuple[Directory, ...]
    sources: tuple[SourceEntry, ...]
    rules: tuple[Rule, ...] = field(repr=False)
    workflows: tuple[WorkflowEntry, ...]
    warnings: tuple[Fault, ...]

    SECTIONS: ClassVar[tuple[str, ...]] = (
        "version", "api_tokens", "directories", "sources", "connections", "workflows",
    )  # fmt: skip
    LATER: ClassVar[tuple[str, ...]] = ("segment_accounts", "segment_tasks", "hosts", "notify")


def check(text: str, *, rules: bool = True) -> Checked:
    """Read and check everything. Raises ``DocumentError`` with every fault, and nothing else, for any text.

    Without ``rules`` the connections are left alone, for a process that decides nothing: it need not compile mappings,
    nor load what they are made with.
    """
    reading = read(text)
    data, found = reading.data, Findings(reading.lines)
    if not isinstance(data, dict):
        raise DocumentError([Fault("", "the document must be keys with values; begin with `version: 1`", 1)])
    for key in data:
        if key in Checked.LATER:
            found.fault((key,), LATER)
        elif key not in Checked.SECTIONS:
            found.fault((key,), f"unknown key; {nearest(key, (*Checked.SECTIONS, *Checked.LATER))}")
    version = data.get("version")
    if type(version) is not int or version != _VERSION:
        found.fault(("version",), f"this program reads version {_VERSION}; write `version: {_VERSION}`")
    tokens = read_tokens(data.get("api_tokens"), found)
    directories = read_directories(data.get("directories"), found)
    sources = read_sources(data.get("sources"), found, rules=rules)
    workflows = read_workflows(data.get("workflows"), found)
    known = {directory.id: directory for directory in directories}
    for name in _ids(data.get("directories")):
        known.setdefault(name, Directory(name, name))  # it has a fault of its own; that is enough
    made: tuple[Rule, ...] = ()
    if rules:
        made = read_connections(data.get("connections"), _ids(data.get("sources")), known, found)
    if found.faults:
        raise DocumentError(found.in_order())
    return Checked(text, data, tokens, directories, sources, made, workflows, tuple(found.warnings))


def _ids(section: Any) -> list[str]:
    entries = section if isinstance(section, list) else []
    return [entry["id"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)]
