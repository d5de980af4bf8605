"""Contacts that become one, and two again, among those that a transaction has read (``working``)."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING

from processor.domain.directory.command import Command, CommandResult
from processor.domain.directory.contact import Contact, carried
from processor.domain.directory.matching import ref_key, stored_keys
from processor.domain.directory.merging import combined, separated
from processor.domain.outcome import Rejection

if TYPE_CHECKING:
    from processor.domain.directory.working import Working

__all__ = ["NOBODY", "Became", "Merge", "absorb", "separate", "stitch"]

Became = tuple[int | None, CommandResult | Rejection]
"""The contact that a command was about, where it has one, and what became of the command."""

NOBODY = Rejection("unknown_contact", "no contact has that id: remove contactId, or name one that exists")
_SAME = Rejection("same_contact", "the two ids are of one contact: there is nothing to merge")


@dataclass(frozen=True, slots=True)
class Merge:
    """A contact that took another in: the winner as it was, and as it was then."""

    winner: int
    loser: int
    before: Contact
    after: Contact
    by: str


def stitch(working: "Working", command: Command, formerly: bytes) -> Became:
    """The contact known by the former extRef gets the new one, or goes into the contact that has that one.

    By arrival: whichever of the two references has the later stamp (design section 5).
    """
    old, new = working.keys.owners.get(formerly), working.owner(command)
    before = None if old is None or old == new else working.held(old)
    if old is None or before is None or ref_key(before.values) != formerly:
        return (new, "repeated")  # nobody, done before, or somebody who only adopted that key
    if new is not None:
        working.held(new)  # worked out, as `old` is
        return _merge(working, new, old, command.mapping), "changed"
    rank, at_ms, *_ = before.stamps["extRef"]
    stamp = (1, max(command.at_ms, at_ms + 1) if rank else command.at_ms, command.message_id, command.mapping)
    after = Contact(
        {**before.values, **command.values},
        {**before.stamps, **dict.fromkeys(command.values, stamp)},
        (*before.adopted, formerly),
    )
    working.made_by[old] = {**working.made_by[old], "matchedRule": "stitch", "matchedMessage": command.message_id}
    working.change(old, before, after)
    return old, "changed"


def absorb(working: "Working", command: Command, absorbs: int) -> Became:
    winner, loser = working.winner(command.contact or 0), working.winner(absorbs)
    if working.held(winner) is None or working.held(loser) is None:
        return None, NOBODY
    if winner == loser:
        return winner, _SAME
    return _merge(working, winner, loser, command.mapping), "changed"


def _merge(working: "Working", winner: int, loser: int, by: str) -> int:
    before, gone = working.contacts[winner], working.contacts[loser]
    keys = carried(working.storing, gone)
    for key in keys:
        working.keys.transfer(loser, winner, key)
    mine = stored_keys(working.storing, before.values)
    after = combined(before, gone, [key for key in keys if key not in mine])
    now = stored_keys(working.storing, after.values)
    # What gave way to the loser's values still leads here: nobody else gets it, and it is there to be given back.
    kept = (key for key in mine if key not in now)
    after = after._replace(adopted=tuple(dict.fromkeys((*after.adopted, *kept))))
    working.change(winner, before, after)
    working.winners[loser] = winner
    working.merges.append(Merge(winner, loser, before, after, by))
    return winner


def separate(working: "Working", merge: Merge, moved: AbstractSet[bytes]) -> None:
    """Take a merge back; both contacts and all their keys are here. ``moved``: keys that were the loser's own."""
    winner, loser = merge.winner, merge.loser
    now, lost = working.contacts[winner], working.contacts[loser]
    theirs = carried(working.storing, lost)
    for key in theirs:  # before the winner lets go of it, for then whoever waits would have it
        if key in moved:
            working.keys.transfer(winner, loser, key)
    working.put(winner, now, separated(now, merge.before, merge.after))
    kept = carried(working.storing, working.contacts[winner])
    for key in theirs:
        if key not in moved:
            working.keys.claim(loser, key)
        elif key in kept:
            working.keys.claim(winner, key)
