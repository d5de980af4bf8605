"""A subscription's trigger to a mapping's ``when`` that holds for the same events."""

from dataclasses import dataclass
from typing import Any

from processor.domain.filters import Broken, Group, Node, parse_filter, same_reading, strict_text
from processor.errors import FilterSyntaxError

__all__ = ["When", "import_trigger"]


@dataclass(frozen=True, slots=True)
class When:
    """``value`` is ``None`` where nothing can be carried over; then ``message`` says why, else it is a warning."""

    value: str | dict[str, str] | None
    message: str | None = None


def import_trigger(trigger: Any) -> When:
    """The text itself where strict reads it as Segment does, else ``{segment: …}`` with the strict text to write."""
    if trigger is None or (isinstance(trigger, str) and not trigger.strip()):
        return When(None, "the trigger is empty, so Segment discards every event of this subscription")
    if not isinstance(trigger, str):
        return When(None, "the trigger is no text in Segment's filter language")
    try:
        tree = parse_filter({"segment": trigger}).tree
    except FilterSyntaxError as error:
        return When(None, f"Segment cannot read the trigger either, and discards every event: {error}")
    if tree is None:
        return When(None, "the trigger is no text in Segment's filter language")
    try:
        strict = parse_filter(trigger).tree
    except FilterSyntaxError as error:
        refused = f"strict refuses this trigger: {error}"
    else:
        if strict is not None and same_reading(strict, tree):
            return When(trigger)
        refused = "strict would read this trigger otherwise"
    written = strict_text(tree)
    advice = f"in strict text: {written}" if written is not None else f"no strict text says the same: {_why(tree)}"
    return When({"segment": trigger}, f"{refused}; kept as Segment reads it; {advice}")


def _why(node: Node) -> str:
    nodes = list(_walk(node))
    if any(isinstance(each, Broken) for each in nodes):
        return "on a part of it Segment's runtime stops, and no event matches then"
    if any(not isinstance(each, Broken | Group) and each.verb == "never" for each in nodes):
        return "one of its operators is none that Segment knows, so that part never holds"
    return "it asks what strict refuses on purpose"


def _walk(node: Node) -> list[Node]:
    inner = node.children if isinstance(node, Group) else ()
    return [node, *(each for child in inner for each in _walk(child))]
