"""What log lines must never show."""

import io
from collections.abc import Iterator

import pytest
import structlog

from processor.logs import configure, get_log


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize("format_", ["console", "json"])
def test_no_local_variables(format_: str) -> None:
    """The traceback of a fault of ours names lines of code, and shows no value: bodies and keys are among them."""
    stream = io.StringIO()
    configure(format_, "info", service="tests", instance="tests", stream=stream)
    write_key = "wk_" + "secret"
    try:
        {}[len(write_key)]
    except KeyError as error:
        get_log().error("request_failed", error=type(error).__name__, exc_info=error)
    said = stream.getvalue()
    assert "KeyError" in said
    assert "test_logs.py" in said
    assert write_key not in said
