"""Two contacts made one and taken apart, and what an event says of a person beside any mapping."""

from hypothesis import given
from hypothesis import strategies as st

from processor.domain.directory.command import Command
from processor.domain.directory.contact import MAX_EMBEDDED_FIELDS, Contact, fold
from processor.domain.directory.from_person import forgetting, stitching
from processor.domain.directory.merging import combined, separated
from processor.domain.events.event import event_of
from processor.domain.rules import Directory, Rule, Rules

FIELDS = ["extRef", "email", "unsubscribed", "embeddedData.plan"]
COMMANDS = st.builds(
    lambda at, message, values: Command("POOL_1", "c/m", "web", message, at, values=values),
    st.integers(0, 5),
    st.text("abc", min_size=1, max_size=2),
    st.dictionaries(st.sampled_from(FIELDS), st.one_of(st.none(), st.sampled_from(["a", "b"])), min_size=1),
)


def folded(commands: list[Command]) -> Contact:
    contact = Contact()
    for command in commands:
        contact, _ = fold(contact, command)
    return contact


CONTACTS = st.lists(COMMANDS, min_size=1, max_size=4).map(folded)


@given(CONTACTS, CONTACTS)
def test_what_is_taken_apart_is_as_it_was(winner: Contact, loser: Contact) -> None:
    """With nothing written between; the loser is not touched at all."""
    merged = combined(winner, loser, [b"k"])
    assert separated(merged, winner, merged) == winner


@given(CONTACTS, CONTACTS, COMMANDS)
def test_what_was_written_since_stays(winner: Contact, loser: Contact, since: Command) -> None:
    """A later command's fields are the winner's own."""
    later = since._replace(at_ms=100)
    merged = combined(winner, loser, [])
    now, _ = fold(merged, later)
    apart = separated(now, winner, merged)
    assert all(apart.values[name] == value for name, value in later.values.items())
    assert all(apart.values.get(name) == winner.values.get(name) for name in FIELDS if name not in later.values)


@given(CONTACTS, CONTACTS)
def test_each_field_is_the_later_one_but_for_the_name(winner: Contact, loser: Contact) -> None:
    """extRef stays the winner's where it has one."""
    merged = combined(winner, loser, [])
    for name in FIELDS[1:]:
        stamps = [contact.stamps[name] for contact in (winner, loser) if name in contact.stamps]
        assert merged.stamps.get(name) == (max(stamps) if stamps else None)
    assert merged.values.get("extRef") == (winner.values.get("extRef") or loser.values.get("extRef"))


def test_a_merge_over_the_bound_can_be_taken_back() -> None:
    """Embedded fields that gave way come back."""
    half = MAX_EMBEDDED_FIELDS // 2 + 10
    sides = [
        folded([Command("POOL_1", "c/m", "web", side, 1, {f"embeddedData.{side}{n:03}": "x" for n in range(half)})])
        for side in ("b", "a")
    ]
    merged = combined(*sides, [])
    assert len(merged.values) == MAX_EMBEDDED_FIELDS
    assert separated(merged, sides[0], merged) == sides[0]


def rules(*, stitch: bool = True, enabled: bool = True, directory: str | None = "POOL_1") -> Rules:
    rule = Rule("crm/c", "crm", "addContactToXmd", enabled, frozenset(["web"]), bool, bool, directory=directory)
    directories = {name: Directory(name, name, stitch=stitch) for name in ("POOL_1", "POOL_2")}
    return Rules(1, {}, directories, (rule,))


def event(type_: str, source: str = "web", **ids: str) -> object:
    return event_of({"type": type_, "messageId": "m1", "event": "E", **ids}, source, 1_000)


def test_stitching_is_of_identify_and_alias_that_name_two_ids() -> None:
    """In the directories that an enabled mapping of the source names literally, whatever its filter says."""
    both = {"userId": "ada", "anonymousId": "anon"}
    (command,) = stitching(event("identify", **both), rules())
    assert (command.directory, command.values, len(command.keys)) == ("POOL_1", {"extRef": "ada"}, 1)
    (alias,) = stitching(event("alias", userId="ada", previousId="anon"), rules())
    assert (alias.formerly, alias.keys) == (command.formerly, command.keys)
    for other in (
        event("track", **both),
        event("identify", userId="ada"),
        event("identify", userId="ada", anonymousId=" ADA"),
        event("identify", source="app", **both),
    ):
        assert stitching(other, rules()) == []
    for off in (rules(stitch=False), rules(enabled=False), rules(directory=None)):
        assert stitching(event("identify", **both), off) == []


def test_a_delete_event_forgets_in_every_directory() -> None:
    """By the user id, else the anonymous one."""
    found = forgetting(event("delete", userId="ada", anonymousId="x"), rules().directories)
    assert [(command.directory, command.forget) for command in found] == [("POOL_1", "ada"), ("POOL_2", "ada")]
    (first, _) = forgetting(event("delete", anonymousId="x"), rules().directories)
    assert first.forget == "x"
