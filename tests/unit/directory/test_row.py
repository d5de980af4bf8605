"""A contact and its row: what was written comes back, and a stamp is kept once."""

from processor.domain.directory.command import EMBEDDED
from processor.domain.directory.contact import Contact
from processor.domain.directory.row import from_row, to_row

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
