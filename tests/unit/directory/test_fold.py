"""Folding commands into a contact: later wins, nothing is erased by silence, and order does not matter."""

from hypothesis import given
from hypothesis import strategies as st

from processor.domain.directory.command import EMBEDDED, Command
from processor.domain.directory.contact import MAX_EMBEDDED_FIELDS, Contact, fold

FIELDS = ["extRef", "email", "unsubscribed", "embeddedData.plan"]
VALUES = st.one_of(st.none(), st.sampled_from(["", "a", "b", "ä"]), st.booleans())


def command(at_ms: int = 0, message: str = "m", mapping: str = "c/m", **kinds: dict) -> Command:
    return Command("POOL_1", mapping, "web", message, at_ms, **kinds)


COMMANDS = st.builds(
    command,
    at_ms=st.integers(0, 5),
    message=st.sampled_from("abc"),
    mapping=st.sampled_from(["c/one", "c/two"]),
    values=st.dictionaries(st.sampled_from(FIELDS), VALUES),
    initial=st.dictionaries(st.sampled_from(FIELDS), VALUES),
)


def folded(commands: list[Command]) -> Contact:
    contact = Contact()
    for item in commands:
        contact, _ = fold(contact, item)
    return contact


@given(st.lists(COMMANDS, max_size=8).flatmap(lambda c: st.tuples(st.just(c), st.permutations(c + c))))
def test_any_order_and_any_repetition_gives_the_same_contact(case: tuple[list[Command], list[Command]]) -> None:
    once, shuffled_twice = case
    assert folded(once) == folded(shuffled_twice)


def test_one_event_that_says_two_things_has_one_answer() -> None:
    """On one stamp the greater value stays, whichever comes first: cleared, then a boolean, then text."""
    for lesser, greater in ((None, ""), (None, True), (True, "True"), (False, True), ("a", "ä")):
        both = [command(0, "m", values={"email": value}) for value in (lesser, greater)]
        assert folded(both).values == folded(both[::-1]).values == {"email": greater}


def test_the_later_event_wins_whatever_arrives_last() -> None:
    new = command(20, "new", values={"email": "new@x"})
    old = command(10, "old", values={"email": "old@x", "phone": "1"})
    contact = folded([new, old])
    assert contact.values == {"email": "new@x", "phone": "1"}


def test_an_initial_value_fills_what_is_empty_and_loses_to_any_other() -> None:
    """Among initial values the earliest wins."""
    default = command(30, "d", initial={"language": "EN"})
    earlier = command(10, "e", initial={"language": "DE"})
    said = command(5, "s", values={"language": "FR"})
    assert folded([default, earlier]).values == {"language": "DE"}
    assert folded([default, said, earlier]).values == {"language": "FR"}


def test_clearing_is_a_value_with_a_stamp() -> None:
    contact = folded([command(20, "clear", values={"phone": None}), command(10, "old", values={"phone": "1"})])
    assert contact.values == {"phone": None}


def test_says_what_became_of_a_command() -> None:
    first = command(10, "a", values={"email": "a@x"})
    contact, result = fold(Contact(), first)
    assert result == "changed"
    assert fold(contact, first) == (contact, "repeated")
    assert fold(contact, command(5, "b", values={"email": "b@x"})) == (contact, "superseded")
    assert fold(contact, command(5, "b", initial={"email": "b@x"})) == (contact, "repeated")


def test_keeps_500_embedded_fields_by_name_whatever_the_order() -> None:
    many = [command(1, f"m{n}", values={f"{EMBEDDED}f{n:04}": "x"}) for n in range(MAX_EMBEDDED_FIELDS + 20)]
    forwards, backwards = folded(many), folded(many[::-1])
    assert forwards == backwards
    assert len(forwards.values) == MAX_EMBEDDED_FIELDS
    assert forwards.stamps.keys() == forwards.values.keys()
