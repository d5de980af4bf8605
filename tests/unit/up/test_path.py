import pytest

from processor.up.path import Answer, read_answer
from processor.up.pending import behind


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b'{"status":"ok","checks":{"kafka":"ok"},"pending":0}', Answer(True, "/health/path answers 200", 0)),
        (
            503,
            b'{"status":"failing","checks":{"kafka":"ok","directory":"Nobody reads."}}',
            Answer(False, "directory: Nobody reads.", None),
        ),
        (404, b"<html>", Answer(False, "/health/path answers 404", None)),
        (200, b"[]", Answer(True, "/health/path answers 200", None)),
    ],
)
def test_answer_is_read(status, body, expected):
    """What is waited for is a sentence whatever answers on that port."""
    assert read_answer(status, body) == expected


def test_pending_counts_the_slowest_service():
    """A partition that nobody has read is wholly pending; one that is read to its end is not."""
    ends = {("e", 0): 10, ("e", 1): 5, ("r", 0): 0}
    assert behind(ends, []) == 15
    assert behind(ends, [("e", 0, 10), ("e", 1, 5)]) == 0
    assert behind(ends, [("e", 0, 10), ("e", 0, 7), ("e", 1, 5)]) == 3
