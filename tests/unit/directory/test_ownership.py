"""Who has a key, who waits for it, and what is written of that."""

from hypothesis import given
from hypothesis import strategies as st

from processor.domain.directory.ownership import SUPPRESSED, Ownership

K, L = b"k", b"l"


def test_a_free_key_is_had_and_a_taken_one_waited_for() -> None:
    """Only what changed is moved."""
    keys = Ownership({K: None, L: 7})
    keys.claim(1, K)
    keys.claim(2, K)
    keys.claim(7, L)
    assert keys.owners == {K: 1, L: 7}
    assert keys.moved() == [K]
    assert keys.waits == {(K, 2)}


def test_a_new_contact_takes_what_is_free_and_waits_for_the_rest() -> None:
    """As any other, but there is nothing that it could have waited for so far."""
    keys = Ownership({K: None, L: 7})
    keys.give(9, K)
    keys.give(9, L)
    assert keys.owners == {K: 9, L: 7}
    assert keys.waits == {(L, 9)}
    assert keys.unwaits == set()


def test_the_oldest_that_waits_is_the_heir() -> None:
    """Known beforehand or waiting since a moment ago; who has it waits no longer."""
    keys = Ownership({K: 1}, {K: [9]})
    keys.claim(5, K)
    keys.release(1, K)
    assert keys.owners[K] == 5
    assert keys.waits == set()
    keys.release(5, K)
    assert keys.owners[K] == 9
    assert (K, 9) in keys.unwaits
    keys.release(9, K)
    assert keys.owners[K] is None


def test_an_unread_key_is_settled_by_what_was_there() -> None:
    """Claimed: had if it was free or let go, waited for if it is another's. Let go: only its owner can free it."""
    for owner, expected, waits in ((None, 2, set()), (1, 2, set()), (8, 8, {(K, 2)})):
        keys = Ownership({})
        keys.release(1, K)
        keys.claim(2, K)
        assert keys.unread() == [K]
        keys.settle({K: owner})
        assert keys.owners[K] == expected
        assert keys.waits == waits
        assert ((K, 1) in keys.unwaits) is (owner != 1)


def test_a_key_let_go_unread_is_handed_over() -> None:
    """To whoever waits in the database, unless that one ceased to wait just now."""
    keys = Ownership({})
    keys.release(1, K)
    keys.settle({K: 1})
    assert keys.let_go == {K}
    keys.hand_over([(K, 9), (K, 4)])
    assert keys.owners[K] == 4
    again = Ownership({})
    again.release(1, K)
    again.release(4, K)
    again.settle({K: 1})
    again.hand_over([(K, 4)])
    assert again.owners[K] is None


def test_a_transfer_passes_by_who_waits() -> None:
    """Read or unread; what another has is waited for by the taker in the giver's place."""
    keys = Ownership({K: 1, L: 8}, {K: [3], L: [1]})
    keys.transfer(1, 2, K)
    keys.transfer(1, 2, L)
    assert keys.owners == {K: 2, L: 8}
    assert keys.waits == {(L, 2)}
    assert (L, 1) in keys.unwaits
    unread = Ownership({})
    unread.transfer(1, 2, K)
    unread.settle({K: 1})
    assert unread.owners[K] == 2
    assert (K, 2) in unread.unwaits  # it may have waited for it


def test_a_suppressed_key_is_waited_for_and_inherited() -> None:
    """A live contact that carries a suppressed one's key has it when the suppression is lifted."""
    keys = Ownership({K: SUPPRESSED})
    keys.claim(5, K)
    assert keys.owners[K] == SUPPRESSED
    keys.release(SUPPRESSED, K)
    assert keys.owners[K] == 5


STEPS = st.lists(st.tuples(st.sampled_from(["claim", "release"]), st.integers(1, 4)), max_size=12)


@given(st.integers(0, 3), STEPS)
def test_reading_late_is_as_good_as_reading_first(first: int, steps: list[tuple[str, int]]) -> None:
    """The owner is somebody who carries the key as long as anybody does, and everybody else who carries it waits."""
    carriers = set(range(1, first + 1))
    owner = 1 if first else None
    waiting = {K: [number for number in carriers if number != owner]}
    read, unread = Ownership({K: owner}, waiting), Ownership({})
    for step, number in steps:
        if (step == "claim") is (number not in carriers):
            (carriers.add if step == "claim" else carriers.discard)(number)
            getattr(read, step)(number, K)
            getattr(unread, step)(number, K)
    unread.settle({K: owner} if K in unread.unread() else {})
    unread.hand_over((K, number) for number in waiting[K])
    for keys in (read, unread):
        found = keys.owners.get(K, owner)
        queue = (set(waiting[K]) | {n for _, n in keys.waits}) - {n for _, n in keys.unwaits}
        assert (found in carriers) if carriers else found is None
        assert queue | {found} == carriers | {found}
