"""Steps 1 to 3: the echo, one event a request, a hundred events a request. Interleaved, the middle of each is kept."""

from bench import events
from bench.figures import Figure, median
from bench.rig import Load, Rig, Service

__all__ = ["ingest"]

PREFIX = "ingest."


def ingest(rig: Rig, *, rounds: int, seconds: float, minute: float) -> list[Figure]:
    """``minute``: seconds of saturation after which memory is looked at; 0 leaves that out."""
    rig.topics(PREFIX)
    echo = rig.echo()
    dsn = rig.database()
    ingress = rig.service("ingress", dsn=dsn, prefix=PREFIX)
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
    rate = median([load.per_second for load in singles])
    half = rig.wrk("post", one, f"{here}/track", seconds, rate=rate / 2)
    figures = [
        Figure("echo", median([load.per_second for load in echoes]), "requests/s", note=_told(echoes)),
        _against(echoes, "single ingest", singles, 0.6),
        _two_workers(rig, echo, (dsn, one), rounds=rounds, seconds=seconds),
        Figure("p99 at half load", half.p99_ms, "ms", needed=25, judged=half.p99_ms, at_most=True, note=_rate(half)),
        _batches(batches, memory),
    ]
    if minute:
        load = rig.wrk("post", one, f"{here}/track", minute)
        peak = ingress.peak_mb
        note = f"{minute:.0f} s of single events, {_rate(load)}"
        figures.append(Figure("ingress memory", peak, "MB", needed=120, judged=peak, at_most=True, note=note))
    echo.stop()
    ingress.stop()
    return figures


def _two_workers(rig: Rig, echo: Service, given: tuple[str, bytes], *, rounds: int, seconds: float) -> Figure:
    """Two processes on one port, interleaved with the echo, which has one."""
    dsn, one = given
    ingress = rig.service("ingress", "--workers", "2", dsn=dsn, prefix=PREFIX)
    echoes: list[Load] = []
    loads: list[Load] = []
    for _ in range(rounds):
        echoes.append(rig.wrk("post", one, f"http://127.0.0.1:{echo.port}/v1/track", seconds))
        loads.append(rig.wrk("post", one, f"http://127.0.0.1:{ingress.port}/v1/track", seconds))
    ingress.stop()
    return _against(echoes, "two workers", loads, 1.0)


def _against(echoes: list[Load], name: str, loads: list[Load], needed: float) -> Figure:
    ratio = median([load.per_second / echo.per_second for echo, load in zip(echoes, loads, strict=True)])
    rate = median([load.per_second for load in loads])
    return Figure(name, rate, "requests/s", ratio=ratio, to="echo", needed=needed, judged=ratio, note=_told(loads))


def _batches(loads: list[Load], memory: str) -> Figure:
    rate = median([load.per_second for load in loads]) * 100
    return Figure("batch ingest", rate, "events/s", needed=130_000, judged=rate, note=f"{_told(loads)}, {memory}")


def _rate(load: Load) -> str:
    return f"at {load.per_second:,.0f} requests/s"


def _single(person: int) -> bytes:
    return events.fill(events.PURCHASE, f"bench-{person:032d}", person, events.now()).encode()


def _told(loads: list[Load]) -> str:
    failed = sum(load.failed for load in loads)
    return f"p99 {median([load.p99_ms for load in loads]):.1f} ms" + (f", {failed} failed" if failed else "")
