"""The mark of our own calls, ``context.isthmus``, by which an event that comes back to us is known (design section 7).

It is signed: one with a wrong signature is ignored, else anybody could have events dropped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from processor.domain.signing import sign, verify

__all__ = ["MAX_HOPS", "Marks", "Verdict", "is_marked"]

MAX_HOPS = 3
"""An event that was sent on so often goes in a circle. Source: design section 7."""
_LONGEST = 200
"""Characters of an installation's or a task's name in a mark; ours are far shorter."""

Verdict = Literal["own", "hops", "other", "forged"]
"""``own``: this installation sent it. ``hops``: it was sent on too often, by whomever. ``other``: another installation
that has our secret sent it. ``forged``: the signature is not ours, the mark says nothing."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Makes and reads marks. ``secrets``: the first signs, all verify; without one every mark is a stranger's."""

    installation: str = ""
    secrets: Sequence[bytes] = field(default=(), repr=False)

    def make(self, task: str, hops: int) -> dict[str, Any]:
        """What a call of ours carries as ``context.isthmus``. ``hops``: 1, or one more than what caused it had."""
        signature = sign(self.secrets[0], *_signed(self.installation, task, hops))
        return {"installation": self.installation, "task": task, "hops": hops, "signature": signature}

    def read(self, event: Mapping[str, Any]) -> Verdict | None:
        """What the event's mark says; ``None`` without one."""
        if not is_marked(event):
            return None
        mark = event["context"]["isthmus"]
        if type(mark) is not dict:
            return "forged"
        installation, task, hops = mark.get("installation"), mark.get("task"), mark.get("hops")
        if type(installation) is not str or type(task) is not str or type(hops) is not int:
            return "forged"
        if len(installation) > _LONGEST or len(task) > _LONGEST or not 0 <= hops <= 1_000:
            return "forged"
        if not verify(self.secrets, mark.get("signature"), *_signed(installation, task, hops)):
            return "forged"
        if hops >= MAX_HOPS:
            return "hops"
        return "own" if installation == self.installation else "other"

    def drop(self, event: Mapping[str, Any], *, accept_own: bool) -> Literal["own", "hops"] | None:
        """Why a service leaves the event alone; ``None``: it does not."""
        verdict = self.read(event)
        if verdict == "hops" or (verdict == "own" and not accept_own):
            return verdict
        return None


def is_marked(event: Mapping[str, Any]) -> bool:
    """Whether there is a mark to be read; nearly always there is none, so this is asked first."""
    context = event.get("context")
    return type(context) is dict and "isthmus" in context


def _signed(installation: str, task: str, hops: int) -> tuple[str, str, str, str]:
    return "mark", installation, task, str(hops)
