"""What to do when this machine cannot run a test."""

import os
from typing import NoReturn

import pytest

__all__ = ["lacking"]


def lacking(what: str) -> NoReturn:
    """Skip with one line that says what is lacking. In CI a skipped test proves nothing, so there it fails."""
    if os.environ.get("CI") == "true":
        pytest.fail(what, pytrace=False)
    pytest.skip(what)
