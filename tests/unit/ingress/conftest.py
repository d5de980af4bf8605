"""The ingress that most tests of it ask."""

from collections.abc import AsyncIterator

import pytest
from support.ingress_rig import Rig, serving


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    """Knows one source, ``web``, with the key ``wk_secret``."""
    async with serving() as made:
        yield made
