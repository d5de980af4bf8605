"""Steps 1 to 3: the echo, one event a request, a hundred events a request. Interleaved, the middle of each is kept."""

from bench import events
from bench.figures import Figure, median
from bench.rig import Load, Rig

__all__ = ["ingest"]

PREFIX = "ingest."


def ingest(rig: Rig, *, rounds: int, seconds: float) -> list[Figure]:
    rig.topics(PREFIX)
    echo = rig.echo()
    ingress = rig.service("ingress", dsn=rig.database(), prefix=PREFIX)
    here = f"http://127.0.0.1:{ingress.port}/v1"
    one = b"\n".join(_single(person) for person in range(256))
    many = b"\n".join(events.batch_of((events.IDENTIFY, events.PURCHASE), f"bench-{n}", 100) for n in range(16))
    rig.wrk("post", many, f"{here}/batch", seconds / 2)  # the broker's compiler has to see it first
    rig.wrk("post", one, f"{here}/track", seconds / 2)
    echoes: list[Load] = []
    singles: list[Load] = []
    batches: list[Load] = []
    for _ in range(rounds):
        echoes.append(rig.wrk("post", one, f"http://127.0.0.1:{echo.port}/v1/track", seconds))
        singles.append(rig.wrk("post", one, f"{here}/track", seconds))
        batches.append(rig.wrk("post", many, f"{here}/batch", seconds))
    memory = f"{ingress.peak_mb:.0f} MB"
    echo.stop()
    ingress.stop()
    ratio = median([single.per_second / echo.per_second for echo, single in zip(echoes, singles, strict=True)])
    rate = median([load.per_second for load in batches]) * 100
    return [
        Figure("echo", median([load.per_second for load in echoes]), "requests/s", note=_told(echoes)),
        Figure(
            "single ingest",
            median([load.per_second for load in singles]),
            "requests/s",
            ratio=ratio,
            to="echo",
            needed=0.5,
            judged=ratio,
            note=_told(singles),
        ),
        Figure("batch ingest", rate, "events/s", needed=100_000, judged=rate, note=f"{_told(batches)}, {memory}"),
    ]


def _single(person: int) -> bytes:
    return events.fill(events.PURCHASE, f"bench-{person:032d}", person, events.now()).encode()


def _told(loads: list[Load]) -> str:
    failed = sum(load.failed for load in loads)
    return f"p99 {median([load.p99_ms for load in loads]):.1f} ms" + (f", {failed} failed" if failed else "")
