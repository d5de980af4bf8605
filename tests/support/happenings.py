"""What may happen to a handful of people, as Hypothesis draws it."""

from typing import Any

from hypothesis import strategies as st
from support.histories import DIRECTORY, SENT, Api, Delivered, Event, Step

from processor.domain.directory.command import Command

__all__ = [
    "ANONYMOUS",
    "alias",
    "change",
    "copies",
    "histories",
    "identify",
    "purchase",
    "recognised",
    "steps",
    "update",
]

AGES_MS = st.sampled_from((0, 1, 1_000, 60_000))
VALUES = st.sampled_from(("a", "b", "ä", "A"))
REFERENCES = st.sampled_from(("u1", "U1 ", "u2", "u3"))
ANONYMOUS = {"a1": "u1", "a2": "u1", "a3": "u2"}
"""Who somebody turns out to be."""


def _traits(**more: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    optional = {"email": VALUES, "firstName": VALUES, "language": VALUES, **more}
    return st.fixed_dictionaries({}, optional=optional)


@st.composite
def identify(draw: st.DrawFn, name: str, *, known: bool = True) -> Step:
    """Of somebody with a userId, or else of somebody who may be found by what the traits say."""
    extra = st.dictionaries(VALUES, VALUES, max_size=2)
    said = draw(_traits(phone=st.none() | VALUES, lastName=VALUES, extra=extra))
    who = {"userId": draw(REFERENCES)} if known or draw(st.booleans()) else {"anonymousId": "somebody"}
    return Event(SENT - draw(AGES_MS), {"type": "identify", "messageId": name, **who, "traits": said})


@st.composite
def purchase(draw: st.DrawFn, name: str, *, anonymous: bool = False) -> Step:
    if anonymous and draw(st.booleans()):
        who = {"anonymousId": draw(st.sampled_from(sorted(ANONYMOUS)))}
    else:
        who = {"userId": draw(REFERENCES)}
    said = {"properties": {"total": draw(VALUES), "at": "2026-01-01 12:00:00"}, "context": {"traits": draw(_traits())}}
    body = {"type": "track", "event": "Transaction Created", "messageId": name, **who, **said}
    return Event(SENT - draw(AGES_MS), body)


@st.composite
def update(draw: st.DrawFn, name: str) -> Step:
    """Through the API, where ``None`` clears a field."""
    return Api(_command(name, draw, extRef=draw(REFERENCES)))


@st.composite
def change(draw: st.DrawFn, name: str) -> Step:
    """Through the API, of a contact named by its id: whatever it is found by may change, but its extRef."""
    return Api(_command(name, draw), draw(st.integers(0, 3)))


def _command(name: str, draw: st.DrawFn, **fixed: str) -> Command:
    texts = draw(st.dictionaries(st.sampled_from(("email", "phone", "lastName")), st.none() | VALUES, max_size=3))
    more = draw(
        st.fixed_dictionaries({}, optional={"unsubscribed": st.booleans(), "embeddedData.a": st.none() | VALUES})
    )
    return Command(DIRECTORY, "api", "api", name, SENT - draw(AGES_MS), values={**texts, **more, **fixed})


@st.composite
def recognised(draw: st.DrawFn, name: str) -> Step:
    """An identify or an alias that says who an anonymous person is, always the same."""
    anonymous = draw(st.sampled_from(sorted(ANONYMOUS)))
    ids = {"userId": ANONYMOUS[anonymous]}
    ids |= draw(
        st.sampled_from(({"type": "identify", "anonymousId": anonymous}, {"type": "alias", "previousId": anonymous}))
    )
    return Event(SENT - draw(AGES_MS), {"messageId": name, **ids})


@st.composite
def alias(draw: st.DrawFn, name: str) -> Step:
    """Of anybody to anybody, in circles too."""
    ids = st.sampled_from(("u1", "u2", "u3", "a1", "a2"))
    body = {"type": "alias", "messageId": name, "previousId": draw(ids), "userId": draw(ids)}
    return Event(SENT - draw(AGES_MS), body)


@st.composite
def steps(draw: st.DrawFn, *kinds: Any, most: int = 30, prefix: str = "m") -> list[Step]:
    return [draw(draw(st.sampled_from(kinds))(f"{prefix}{number}")) for number in range(draw(st.integers(2, most)))]


@st.composite
def copies(draw: st.DrawFn, given: list[Step]) -> list[Delivered]:
    """Every step once at least, twice as many in all at most, in any order, cut into batches anywhere."""
    more = draw(st.integers(0, len(given)))
    again = draw(st.lists(st.sampled_from(given), min_size=more, max_size=more))
    return [
        Delivered(step, draw(st.integers(0, 30_000)), draw(st.integers(-5_000, 30_000)), draw(st.booleans()))
        for step in draw(st.permutations(given + again))
    ]


def histories(*kinds: Any) -> st.SearchStrategy[tuple[list[Step], list[Delivered]]]:
    """What happened, and how it arrived."""
    return steps(*kinds).flatmap(lambda made: st.tuples(st.just(made), copies(made)))
