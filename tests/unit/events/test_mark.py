"""The mark of our own calls: who made it, how far it has come, and that nobody else can make one."""

import pytest

from processor.domain.events.mark import MAX_HOPS, Marks

OURS = Marks("home", (b"new", b"old"))


def marked(mark):
    return {"type": "track", "context": {"isthmus": mark}}


@pytest.mark.parametrize(
    ("maker", "hops", "verdict"),
    [
        (OURS, 1, "own"),
        (Marks("home", (b"old",)), 1, "own"),
        (OURS, MAX_HOPS, "hops"),
        (Marks("away", (b"new",)), 2, "other"),
        (Marks("away", (b"new",)), MAX_HOPS, "hops"),
        (Marks("home", (b"guessed",)), 1, "forged"),
    ],
)
def test_verdict(maker, hops, verdict):
    """By whom and how often, with two secrets while one is rotated."""
    assert OURS.read(marked(maker.make("nps", hops))) == verdict


@pytest.mark.parametrize("change", [{"hops": 0}, {"task": "x"}, {"installation": "away"}, {"signature": "0" * 64}])
def test_every_part_is_signed(change):
    """A part that was changed makes it a stranger's, which is ignored."""
    event = marked(OURS.make("nps", 1) | change)
    assert OURS.read(event) == "forged"
    assert OURS.drop(event, accept_own=False) is None


@pytest.mark.parametrize(
    "mark",
    [
        None,
        1,
        [],
        {},
        {"installation": "home"},
        OURS.make("nps", 1) | {"hops": True},
        OURS.make("nps", 1) | {"hops": 1.0},
    ],
)
def test_no_mark_of_ours(mark):
    """Whatever else stands there is ignored, not dropped."""
    assert OURS.read(marked(mark)) == "forged"


@pytest.mark.parametrize("event", [{}, {"context": None}, {"context": {}}, {"context": []}])
def test_unmarked(event):
    """Nearly every event."""
    assert OURS.read(event) is None


def test_drop():
    """An own event unless the source takes them; one that goes in a circle always."""
    own, circle = marked(OURS.make("nps", 1)), marked(OURS.make("nps", 3))
    assert [OURS.drop(own, accept_own=taken) for taken in (False, True)] == ["own", None]
    assert [OURS.drop(circle, accept_own=taken) for taken in (False, True)] == ["hops", "hops"]
    assert OURS.drop(marked(Marks("away", (b"old",)).make("t", 2)), accept_own=False) is None
