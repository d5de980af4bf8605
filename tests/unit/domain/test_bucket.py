"""The token bucket: how much passes in which time, and what the refused are told."""

from hypothesis import given
from hypothesis import strategies as st

from processor.domain.bucket import Bucket


def test_a_seconds_worth_at_once() -> None:
    """Five pass, the sixth waits a fifth of a second, and then passes."""
    bucket = Bucket(5, 100.0)
    assert [bucket.take(100.0) for _ in range(5)] == [0.0] * 5
    assert bucket.take(100.0) == 0.2
    assert bucket.take(100.2) == 0.0
    assert bucket.take(100.2) > 0


def test_less_than_one_a_second() -> None:
    """One passes at once, the next only when its time has come."""
    bucket = Bucket(0.1, 0.0)
    assert bucket.take(0.0) == 0.0
    assert bucket.take(0.0) == 10.0
    assert bucket.take(10.0) == 0.0


def test_more_than_it_holds() -> None:
    """A batch beyond the burst passes when the bucket is full, else it never would."""
    bucket = Bucket(10, 0.0)
    assert bucket.take(0.0, 500) == 0.0
    assert bucket.take(0.5, 500) == 0.5


@given(st.floats(0.1, 50), st.lists(st.floats(0, 2), max_size=60))
def test_never_more_than_the_rate(per_s: float, pauses: list[float]) -> None:
    """In any stretch of time no more passes than the burst and the rate together; a wait, once kept, is enough."""
    bucket, now, passed = Bucket(per_s, 0.0), 0.0, 0
    for pause in pauses:
        now += pause
        wait = bucket.take(now)
        passed += wait == 0
        if wait:
            now += wait + 1e-6
            assert bucket.take(now) == 0.0
            passed += 1
    assert passed <= max(per_s, 1) + now * per_s + 1e-3
