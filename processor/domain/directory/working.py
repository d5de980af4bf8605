"""What commands make of the part of a directory that one transaction has read: pure, the SQL stands around it.

Commands are applied in their order, later ones see what earlier ones did (design section 5, schema section 4).
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import chain

from processor.domain.directory import joining
from processor.domain.directory.command import Command
from processor.domain.directory.contact import Contact, born, carried, fold
from processor.domain.directory.joining import NOBODY, Became, Merge
from processor.domain.directory.matching import IMPLICIT, MergeRules, complete_rules, ref_key, stored_keys
from processor.domain.directory.ownership import SUPPRESSED, Ownership
from processor.domain.directory.row import Row, new_row, to_row
from processor.domain.outcome import Rejection

__all__ = ["Working"]

_NO_LIST = Rejection("unknown_mailing_list", "no mailing list has that id: create it, or name one that exists")


def _by_its_name(command: Command, contact: Contact) -> Command:
    """Who was merged into somebody is found by the former extRef and keeps the one of the merge."""
    if ref_key({**command.initial, **command.values}) not in contact.adopted:
        return command
    values, initial = (
        {name: value for name, value in given.items() if name != "extRef"}
        for given in (command.values, command.initial)
    )
    return command._replace(values=values, initial=initial)


@dataclass(slots=True)
class Working:
    """``finding``: the rules by which the commands' keys were made; ``storing``: those whose keys are stored, more of
    them while new rules are being filled in. ``lists``: the mailing lists that exist, of those that commands name."""

    finding: MergeRules
    storing: MergeRules
    keys: Ownership
    new_id: Callable[[], int]
    lists: AbstractSet[str] = frozenset()
    winners: dict[int, int] = field(default_factory=dict)
    """Contacts that were merged away, to those that took them in."""
    contacts: dict[int, Contact] = field(default_factory=dict)
    made_by: dict[int, Mapping[str, str]] = field(default_factory=dict)
    dirty: set[int] = field(default_factory=set)
    made: set[int] = field(default_factory=set)
    merges: list[Merge] = field(default_factory=list)
    ambiguous: int = 0
    """Commands whose keys led to more than one contact; the first rule that had a match decided."""
    _suppressing: bool = field(init=False)
    _same_rules: bool = field(init=False)
    _rule_names: Sequence[str] = field(init=False)
    _new: dict[int, Command] = field(default_factory=dict)
    """Contacts that one command has made, and no other has touched. Most stay so, and need not be worked out."""
    _key_fields: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self._suppressing = SUPPRESSED in self.keys.before.values()
        self._same_rules = list(map(tuple, self.finding)) == list(map(tuple, self.storing))
        self._rule_names = ["+".join(rule) for rule in self.finding]
        self._key_fields = frozenset(chain(IMPLICIT, *self.storing))

    def winner(self, contact: int) -> int:
        """Who the contact is now."""
        while contact in self.winners:
            contact = self.winners[contact]
        return contact

    def row(self, contact: int) -> Row:
        """A contact of ``dirty`` as it is to be stored."""
        command, made_by = self._new.get(contact), self.made_by[contact]
        return to_row(self.contacts[contact], made_by) if command is None else new_row(command, made_by)

    def held(self, number: int) -> Contact | None:
        """The contact as it is now; ``None`` for one that was not read and not made."""
        command = self._new.pop(number, None)
        if command is not None:
            self.contacts[number] = born(command)
        return self.contacts.get(number)

    def orphans(self) -> list[bytes]:
        """Keys whose owner does not carry them."""
        held = {number: carried(self.storing, contact) for number, contact in self.contacts.items()}
        read = self.keys.before.items()
        return [key for key, owner in read if owner and key not in held.get(owner, ())]

    def apply(self, command: Command) -> Became:
        """Do what the command wants; the contact that it was about, and what became of it."""
        if (command.transaction is not None or command.memberships) and not self._lists_exist(command):
            return None, _NO_LIST
        if self._suppressing and self._is_suppressed(command):
            return None, "suppressed"
        if command.formerly is not None:
            return joining.stitch(self, command, command.formerly)
        if command.absorbs is not None:
            return joining.absorb(self, command, command.absorbs)
        return self._write(command)

    def _lists_exist(self, command: Command) -> bool:
        named = [membership.mailing_list for membership in command.memberships]
        if command.transaction is not None and command.transaction.mailing_list is not None:
            named.append(command.transaction.mailing_list)
        return all(name in self.lists for name in named)

    def _is_suppressed(self, command: Command) -> bool:
        """By its extRef whatever else it says; by another key where that is the one which decides."""
        if self.keys.owners.get(ref_key({**command.initial, **command.values}) or b"") == SUPPRESSED:
            return True
        return command.contact is None and self.owner(command) == SUPPRESSED

    def owner(self, command: Command) -> int | None:
        owners = self.keys.owners
        return next((owner for key in command.keys if (owner := owners.get(key)) is not None), None)

    def _find(self, command: Command) -> tuple[int | None, int]:
        """(The contact, the position of the key that led to it); the first key that has a contact decides."""
        found, place = None, 0
        for position, key in enumerate(command.keys):
            owner = self.keys.owners.get(key)
            if owner is None or owner in (found, SUPPRESSED):
                continue
            if found is not None:
                self.ambiguous += 1
                break
            found, place = owner, position
        return found, place

    def _write(self, command: Command) -> Became:
        place = 0
        if command.contact is None:
            number, place = self._find(command)
            if number is None:
                number = command.unmatched
                number = None if number is None else self.winner(number)
        else:
            number = self.winner(command.contact)
            if self.held(number) is None:
                return None, NOBODY
        before = None if number is None else self.held(number)
        if number is None or before is None:
            return self._make(self.new_id() if number is None else number, command), "changed"
        after, result = fold(before, _by_its_name(command, before) if before.adopted else command)
        if result == "changed":
            if command.contact is None:
                rule = self._rule(command, place)
                made_by = self.made_by[number]
                self.made_by[number] = {**made_by, "matchedRule": rule, "matchedMessage": command.message_id}
            self.change(number, before, after)
        return number, result

    def _make(self, number: int, command: Command) -> int:
        self._new[number] = command
        rule = self._rule(command, 0)
        self.made_by[number] = {"message": command.message_id, "mapping": command.mapping, "rule": rule}
        self.made.add(number)
        self.dirty.add(number)
        known = command.keys if self._same_rules else None
        for key in stored_keys(self.storing, {**command.initial, **command.values}, known):
            self.keys.give(number, key)
        return number

    def _rule(self, command: Command, place: int) -> str:
        """The name of the rule behind one of the command's keys; ``none`` where it has no key."""
        if not command.keys:
            return "none"
        if len(command.keys) == len(self.finding):
            return self._rule_names[place]
        return "+".join(complete_rules(self.finding, {**command.initial, **command.values})[place])

    def change(self, number: int, before: Contact, after: Contact) -> None:
        """Keep the contact's new state, and give it the keys of its new values."""
        if before.adopted and self._moves_keys(before, after):
            after = self._keep_both_names(before, after)
        self.put(number, before, after)

    def _moves_keys(self, before: Contact, after: Contact) -> bool:
        values, old = after.values, before.values
        return after.adopted != before.adopted or any(values.get(name) != old.get(name) for name in self._key_fields)

    def put(self, number: int, before: Contact, after: Contact) -> None:
        self.contacts[number] = after
        self.dirty.add(number)
        if not self._moves_keys(before, after):
            return
        held, kept = carried(self.storing, before), carried(self.storing, after)
        for key in kept:
            if key not in held:
                self.keys.claim(number, key)
        for key in held:
            if key not in kept:
                self.keys.release(number, key)

    def _keep_both_names(self, before: Contact, after: Contact) -> Contact:
        """One of several people in one, who says the value of another again, still is all of them: what was merged
        does not fall apart because both names stay in use."""
        old, new = stored_keys(self.storing, before.values), stored_keys(self.storing, after.values)
        if not any(key in before.adopted and key not in old for key in new):
            return after
        return after._replace(adopted=tuple(dict.fromkeys((*after.adopted, *old))))
