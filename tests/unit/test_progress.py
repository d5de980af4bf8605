"""Where reading goes on: a table of what was stored against what the broker shows."""

from uuid import UUID

import pytest

from processor.domain.progress import Admission, Seen, Stored, admit

OLD, NEW = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("stored", "seen", "expected"),
    [
        (None, Seen(OLD, 5, 9), Admission(OLD, 1, 5, 5)),
        (Stored(OLD, 3, 0, 7), Seen(OLD, 0, 9), Admission(OLD, 4, 0, 7)),
        (Stored(OLD, 3, 0, 9), Seen(OLD, 0, 9), Admission(OLD, 4, 0, 9)),
        (Stored(OLD, 3, 0, 7), Seen(NEW, 0, 2), Admission(NEW, 4, 0, 0, anomaly="recreated")),
        (Stored(OLD, 3, 0, 7), Seen(OLD, 20, 30), Admission(OLD, 4, 0, 20, 13, "expired")),
        (Stored(OLD, 3, 2, 7), Seen(OLD, 0, 4), Admission(OLD, 4, -1, 4, anomaly="truncated")),
    ],
)
def test_admits(stored: Stored | None, seen: Seen, expected: Admission) -> None:
    assert admit(stored, seen) == expected
