"""A contact and its row: what was written comes back, and a stamp is kept once."""

from hypothesis import given
from hypothesis import strategies as st

from processor.domain.directory.command import EMBEDDED, STANDARD_FIELDS, Command, Value
from processor.domain.directory.contact import MAX_EMBEDDED_FIELDS, Contact, born
from processor.domain.directory.row import from_row, new_row, to_row

A, B = (1, 10, "m-a", "crm/contact"), (1, 20, "m-b", "crm/contact")


def test_a_contact_comes_back_from_its_row() -> None:
    """Standard fields in columns, embedded ones in JSON, a cleared field with its stamp."""
    contact = Contact(
        {"extRef": "u", "email": None, "unsubscribed": False, f"{EMBEDDED}plan": "x", f"{EMBEDDED}old": None},
        {"extRef": A, "email": B, "unsubscribed": A, f"{EMBEDDED}plan": B, f"{EMBEDDED}old": B},
    )
    standard, embedded, why = to_row(contact, {"source": "web"})
    assert standard == ["u", None, None, None, None, None, False]
    assert embedded == {"plan": "x"}
    assert (why["by"], why["w"]) == ({"source": "web"}, [A, B])
    assert from_row(standard, embedded, {**why, "w": [list(stamp) for stamp in why["w"]]}) == contact


def test_a_column_that_nobody_wrote_is_no_value() -> None:
    """A standard field without a stamp is absent, not cleared."""
    contact = from_row(["u", None, None, None, None, None, None], {}, {"w": [A], "f": {"extRef": 0}})
    assert contact == Contact({"extRef": "u"}, {"extRef": A})


NAMES = st.sampled_from([*STANDARD_FIELDS, f"{EMBEDDED}plan", f"{EMBEDDED}old"])
FIELDS = st.dictionaries(NAMES, st.one_of(st.none(), st.booleans(), st.text(max_size=3)))


@given(FIELDS, FIELDS, st.integers(0, 9))
def test_the_row_of_a_new_contact_is_that_of_what_its_command_makes(
    values: dict[str, Value], initial: dict[str, Value], at_ms: int
) -> None:
    """Made of the command directly, for any fields of both kinds; to the order of the fields in why."""
    command = Command("POOL_1", "crm/contact", "web", "m-1", at_ms, values, initial)
    new, plain = new_row(command, {"message": "m-1"}), to_row(born(command), {"message": "m-1"})
    assert new == plain
    assert list(new[2]["f"]) == list(plain[2]["f"])


def test_the_row_of_a_new_contact_has_no_more_fields_than_it_may() -> None:
    """More than 500 embedded fields in one command are cut there too."""
    values: dict[str, Value] = {f"{EMBEDDED}f{number:04}": "x" for number in range(520)}
    _, embedded, why = new_row(Command("POOL_1", "crm/contact", "web", "m-1", 0, values), {})
    assert len(embedded) == len(why["f"]) == MAX_EMBEDDED_FIELDS
