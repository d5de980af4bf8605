"""What happened to a source's requests beside their answers, for its report: marks of our own calls, forged links."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

from processor.domain.events.mark import is_marked
from processor.ports.revisions import CurrentRevision

__all__ = ["Notes", "What"]

What = Literal["mark_own", "mark_hops", "mark_other", "mark_forged", "link_forged", "workflow_disabled"]


class Notes:
    """Counts since the start, by source and what it was. Services drop what is ours; here it is only counted."""

    def __init__(self, revision: CurrentRevision) -> None:
        self._revision = revision
        self.counts: Counter[tuple[str, str]] = Counter()

    def note(self, source: str, what: What) -> None:
        self.counts[source, what] += 1

    def event(self, source: str, event: Mapping[str, Any]) -> None:
        """Count the mark of an event that carries one."""
        if not is_marked(event):
            return
        match self._revision.current.rules.marks.read(event):
            case "own":
                self.note(source, "mark_own")
            case "hops":
                self.note(source, "mark_hops")
            case "other":
                self.note(source, "mark_other")
            case _:
                self.note(source, "mark_forged")
