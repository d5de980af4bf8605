"""A revision of the configuration, compiled: what a decision needs to know and nothing else.

Made once per revision by ``config.compile``; read by every decision; never changed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from processor.domain.events.event import TYPES
from processor.domain.events.mark import Marks
from processor.domain.sources import Source

if TYPE_CHECKING:  # ingress reads rules and must not load what filters need
    from processor.domain.directory.shortcut import Shortcut
    from processor.domain.filters.tree import Filter

__all__ = ["ALWAYS_KNOWN_SOURCE", "Directory", "Rule", "Rules"]

ALWAYS_KNOWN_SOURCE = "kafka"
"""The reserved id of records that other producers wrote onto our own topics (design section 1)."""


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory of contacts and how people are found in it."""

    id: str
    name: str
    merge_rules: tuple[tuple[str, ...], ...] = (("extRef",),)
    """In order: AND inside, OR between; field names as in ``directory.command.STANDARD_FIELDS``."""
    default_mailing_list: str | None = None
    mailing_lists: tuple[tuple[str, str], ...] = ()
    """(id, name) of the lists that the document owns."""
    create_unmatched: bool = False
    stitch: bool = False
    """Whether an anonymous contact becomes the known one by an identify or an alias (design section 5)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One mapping: a filter, a field mapping and an action, compiled."""

    mapping: str
    """The identity of the mapping: its ``id``, else ``connection/name``."""
    connection: str
    action: str
    """``addContactToXmd``, ``upsertContactTransaction`` or ``triggerXflowWorkflow``."""
    enabled: bool
    sources: frozenset[str] | None
    """Ids of the sources it listens to; ``None``: all."""
    matches: Callable[[Any], bool]
    payload: Callable[[Any], Any]
    """Event to the payload before the framework's last step: a dict, or ``MISSING``."""
    clear_on_null: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    """Field name to the mapping whose explicit ``None`` clears that field."""
    creation_only: frozenset[str] = frozenset()
    """Fields left to the action's default that count on creation only: ``language``, ``unsubscribed``."""
    types: frozenset[str] | None = None
    """Event types that the filter can match at all; ``None``: any. Only an index, ``matches`` decides."""
    events: frozenset[str] | None = None
    """Names of track calls that the filter can match at all; ``None``: any."""
    filter: "Filter | None" = field(default=None, repr=False)
    """What ``matches`` was made of, for whoever explains a verdict; ``None`` where nobody kept it."""
    shortcut: "Shortcut | None" = field(default=None, repr=False)
    """The same as ``payload`` and what follows it, quicker, where the mapping has the usual shape."""
    spec: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What ``payload`` was made of: the mapping's JSON, the action's defaults laid under."""
    directory: str | None = None
    """The directory that the mapping names literally."""


@dataclass(frozen=True, slots=True)
class Rules:
    """One revision, ready to decide by."""

    revision: int
    sources: Mapping[str, Source]
    directories: Mapping[str, Directory]
    rules: tuple[Rule, ...]
    marks: Marks = field(default_factory=Marks, compare=False)
    topics: Mapping[str, Source] = field(init=False, repr=False, compare=False)
    """Other systems' topics and the sources that name them."""
    _index: dict[tuple[str, str, str], tuple[Rule, ...]] = field(default_factory=dict, repr=False, compare=False)
    _named: tuple[frozenset[str], frozenset[str], frozenset[str]] = field(init=False, repr=False, compare=False)
    """Sources, types and event names that some rule names, and Segment's types: all others are alike to every rule."""
    _stitching: tuple[tuple[str, frozenset[str] | None], ...] = field(init=False, repr=False, compare=False)
    """(directory that stitches, sources of an enabled mapping that names it; ``None``: all)."""

    def __post_init__(self) -> None:
        topics = {source.topic: source for source in self.sources.values() if source.topic is not None}
        object.__setattr__(self, "topics", topics)
        sources, types, events = (
            frozenset(name for rule in self.rules for name in getattr(rule, each) or ())
            for each in ("sources", "types", "events")
        )
        object.__setattr__(self, "_named", (sources, types | TYPES, events))
        stitches = frozenset(name for name, directory in self.directories.items() if directory.stitch)
        stitching = (
            (rule.directory, rule.sources)
            for rule in self.rules
            if rule.enabled and rule.directory is not None and rule.directory in stitches
        )
        object.__setattr__(self, "_stitching", tuple(stitching))

    @property
    def stitches(self) -> bool:
        """Whether any event may make two contacts one."""
        return bool(self._stitching)

    def accepts_own(self, source: str) -> bool:
        """Whether events that this installation sent out are taken from that source."""
        known = self.sources.get(source)
        return known is not None and known.accept_own

    def stitching(self, source: str) -> Sequence[str]:
        """The directories in which an event of this source may make two contacts one."""
        return tuple(dict.fromkeys(name for name, sources in self._stitching if sources is None or source in sources))

    def candidates(self, source: str, type_: str, event: str) -> tuple[Rule, ...]:
        """The rules that can concern such an event, in the document's order, disabled ones included.

        ``event`` names a track call; another call may hold an ``event`` too, which only ``matches`` reads.
        Remembers its answers by what the rules name, so that names from outside cannot fill the memory.
        """
        found = self._index.get((source, type_, event))  # what is remembered by its own names is right as it is
        if found is not None:
            return found
        sources, types, events = self._named
        key = (
            source if source in sources else "",
            type_ if type_ in types else "",
            event if event in events else "",
        )
        found = self._index.get(key)
        if found is None:
            found = self._index[key] = tuple(
                rule
                for rule in self.rules
                if (rule.sources is None or source in rule.sources)
                and (rule.types is None or type_ in rule.types)
                and (rule.events is None or type_ != "track" or event in rule.events)
            )
        return found
