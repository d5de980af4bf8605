"""The section ``workflows``, as far as their URLs need it: who may post to which. The rest of it comes later."""

from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field

from processor.config.faults import Findings
from processor.config.secrets import Secret, read_secret
from processor.config.shapes import ID, Shape, items, load, unique

__all__ = ["WorkflowEntry", "read_workflows"]


@dataclass(frozen=True, slots=True)
class WorkflowEntry:
    """An entry of ``workflows``, its token not resolved yet."""

    id: str
    enabled: bool
    url_tokens: tuple[Secret, ...]


class _Workflow(Shape):
    later: ClassVar[frozenset[str]] = frozenset(
        (
            "max_event_age", "directory", "contact", "limit", "order", "fields", "conditions", "on_task_failure",
            "tasks", "on_result",
        )
    )  # fmt: skip

    id: str = Field(pattern=ID, description="1 to 40 of A–Z a–z 0–9 . _ -, such as onboarding")
    enabled: bool = True
    url_token: Any = None


def read_workflows(data: Any, found: Findings) -> tuple[WorkflowEntry, ...]:
    """Every workflow that holds; what does not hold is in ``found``."""
    entries = items(data, ("workflows",), found)
    unique("id", entries, found)
    workflows = []
    for path, entry in entries:
        shape = load(_Workflow, entry, path, found)
        tokens: tuple[Secret, ...] = ()
        if isinstance(entry, dict) and "url_token" in entry:
            tokens = read_secret(entry["url_token"], (*path, "url_token"), found)
        if shape is not None:
            workflows.append(WorkflowEntry(shape.id, shape.enabled, tokens))
    return tuple(workflows)
