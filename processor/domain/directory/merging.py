"""Two contacts that are one person: made one, and taken apart again.

Per field the value with the greatest stamp stays, as in ``fold``; only extRef stays the winner's where it has one,
because a merge says who somebody is, not when. The loser's keys are adopted, so that it is still found.
"""

from collections.abc import Sequence

from processor.domain.directory.command import Stamp, Value
from processor.domain.directory.contact import Contact, bounded, order

__all__ = ["combined", "separated"]


def combined(winner: Contact, loser: Contact, keys: Sequence[bytes]) -> Contact:
    """The winner after it has taken the loser in. ``keys``: those of the loser, which it adopts."""
    values, stamps = dict(winner.values), dict(winner.stamps)
    for name, stamp in loser.stamps.items():
        value = loser.values[name]
        if name not in stamps or _gives_way(name, (stamps[name], values[name]), (stamp, value)):
            values[name], stamps[name] = value, stamp
    adopted = tuple(dict.fromkeys((*winner.adopted, *keys)))
    return bounded(Contact(values, stamps, adopted))


def separated(now: Contact, before: Contact, merged: Contact) -> Contact:
    """The winner without the loser: a field that stands as the merge left it is what it was before; one that was
    written since stays. ``merged``: what ``combined`` made of ``before``."""
    values, stamps = dict(now.values), dict(now.stamps)
    for name, stamp in merged.stamps.items():
        if stamps.get(name) != stamp or values.get(name) != merged.values[name]:
            continue
        if name in before.stamps:
            values[name], stamps[name] = before.values[name], before.stamps[name]
        else:
            del values[name], stamps[name]
    for name, stamp in before.stamps.items():  # what gave way to the bound on embedded fields
        if name not in merged.stamps and name not in stamps:
            values[name], stamps[name] = before.values[name], stamp
    given = frozenset(merged.adopted) - frozenset(before.adopted)
    return bounded(Contact(values, stamps, tuple(key for key in now.adopted if key not in given)))


def _gives_way(name: str, mine: tuple[Stamp, Value], other: tuple[Stamp, Value]) -> bool:
    """Whether the winner's value of a field gives way to the loser's."""
    if name == "extRef":
        return not mine[1]
    return (other[0], order(other[1])) > (mine[0], order(mine[1]))
