"""A producer of another system: kafka-clients on the JVM, from the jars that the local broker runs on."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from support.lacking import lacking
from support.local_kafka import kafka

__all__ = ["produce"]

_SOURCE = Path(__file__).with_name("Producer.java")


def produce(bootstrap: str, topic: str, lines: Sequence[str], transactional_id: str = "") -> None:
    """Run these lines: ``send VALUE``, ``begin``, ``commit``, ``abort``; skips where there is no JVM."""
    missing = kafka.lacking()
    if missing is not None:
        lacking(f"A Java producer lacks {missing}.")
    named = [transactional_id] if transactional_id else []
    command = ["java", "-Xmx96m", "-cp", f"{kafka.fetch()}/*", str(_SOURCE), bootstrap, topic, *named]
    text = "".join(f"{line}\n" for line in lines)
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
