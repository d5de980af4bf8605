from processor.up.backoff import Backoff


def test_doubles_up_to_the_most():
    """A child that dies at once is started later and later, never later than 10 s."""
    backoff = Backoff()
    assert [backoff.after(0.1) for _ in range(8)] == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]


def test_a_long_life_begins_anew():
    """Thirty seconds of life are forgiven."""
    backoff = Backoff()
    for _ in range(5):
        backoff.after(1)
    assert backoff.after(30) == 0.2
    assert backoff.deaths == 1


def test_endless_deaths_do_not_overflow():
    """A week of crashing is still ten seconds."""
    backoff = Backoff(deaths=1_000_000)
    assert backoff.after(0) == 10.0
