"""The figures of Isthmus, as ratios of one run on one machine: ``make bench``, what each means: docs/speed.md.

    python tests/bench/run.py [--short] [--only NAME] [--strict] [--json]

Absolute numbers are of this machine at this minute; only the ratios, taken side by side, can be compared.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

# As tests/conftest.py does it: the tests' folder, and never the repository, whose packages would hide the wheel's.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from bench.directory_steps import decide_loop, directory, fill_topic
from bench.end_to_end import end_to_end
from bench.figures import Figure, as_json, table
from bench.ingest_steps import ingest
from bench.mapping_steps import mapping
from bench.rig import BenchError, Rig

STEPS = ("mapping", "ingest", "decide", "directory", "end-to-end")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="run.py", description="Isthmus, measured.")
    parser.add_argument("--short", action="store_true", help="two minutes at most; a miss is only printed")
    parser.add_argument("--only", choices=STEPS, help="one step")
    parser.add_argument("--strict", action="store_true", help="a miss fails a short run too")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args(arguments)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="isthmus-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL may have to run as another user
        rig = Rig(Path(folder))
        try:
            rig.start()
            figures = _measure(rig, [chosen.only] if chosen.only else STEPS, short=chosen.short)
        except BenchError as error:
            print(f"bench: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130
        finally:
            rig.stop()
    if chosen.json:
        print(as_json(figures))
    else:
        print(f"\n{'; '.join(rig.words)}; {time.monotonic() - began:.0f} s\n\n{table(figures)}")
    missed = any(figure.verdict.startswith("MISSED") for figure in figures)
    return int(missed and (chosen.strict or not chosen.short))


def _measure(rig: Rig, names: Sequence[str], *, short: bool) -> list[Figure]:
    rounds = 1 if short else 3
    total = 90_000 if short else 400_000
    if {"decide", "directory"}.intersection(names):
        _say("filling a topic")
        fill_topic(rig, total)
    work: dict[str, Callable[[], list[Figure]]] = {
        "mapping": lambda: mapping(rig, rounds=rounds, events=20_000 if short else 100_000),
        "ingest": lambda: ingest(rig, rounds=rounds, seconds=3 if short else 5, minute=0 if short else 60),
        "decide": lambda: decide_loop(rig, rounds=rounds, total=total),
        "directory": lambda: directory(rig, rounds=1 if short else 2, total=total, stored=0 if short else 1_000_000),
        "end-to-end": lambda: end_to_end(rig, seconds=2 if short else 5, half_seconds=6 if short else 15),
    }
    figures = []
    for name in names:
        _say(f"measuring {name}")
        figures += work[name]()
    return figures


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
