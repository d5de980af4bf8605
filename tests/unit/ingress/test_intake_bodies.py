"""Any bytes at all: webhook, results and a workflow's address answer in JSON, and never with a fault of ours."""

import asyncio
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.intake_rig import IntakeRig, basic, signature

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "userId", "kind", "data", "messageId", "id", "x"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)
BODIES = (
    st.binary(max_size=40)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.sampled_from(
        [
            b"[" * 5_000,
            b'{"a":' * 5_000,
            b"[[]" * 100,
            b'["\\',
            b"\xef\xbb\xbf{}",
            b"nul",
            b'[{"a":1}',
            b"[,,]",
            b"\x00",
        ]
    )
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(st.lists(BODIES, min_size=1, max_size=20))
def test_any_bytes(bodies: list[bytes]) -> None:
    """Taken or refused, and what is written is JSON."""
    asyncio.run(_post_all(bodies))


async def _post_all(bodies: list[bytes]) -> None:
    async with IntakeRig() as rig:
        for body in bodies:
            first = body if not body.lstrip().startswith(b"[") else b"x"
            asked: list[tuple[str, dict[str, str]]] = [
                ("/webhooks/segment/web", {**signature(first), "X-Isthmus-Batch-Token": "batch token"}),
                ("/webhooks/segment/tokened", {**basic("wk_tokened"), "X-Isthmus-Batch-Token": "other token"}),
                ("/v1/results", basic("wk_tool")),
                ("/v1/results", basic("wk_surveys")),
                ("/workflows/onboarding/events?token=token_old", {}),
            ]
            for path, headers in asked:
                status, answer = await rig.post(path, body, headers)
                assert status in (200, 202, 400, 401), (path, body, answer)
                assert isinstance(answer, dict)
        written: dict[str, list[Any]] = {
            topic: rig.values(topic) for topic in ("segment.events", "results", "workflow.events")
        }
        assert all(type(value) is dict for values in written.values() for value in values)
