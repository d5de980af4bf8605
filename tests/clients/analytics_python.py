"""segment-analytics-python as a process: makes half of the calls, waits, makes the others, waits, ends."""

import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import segment.analytics as analytics

analytics.write_key = os.environ["WRITE_KEY"]
analytics.host = os.environ["ISTHMUS"]
analytics.on_error = lambda error, _items: print(error, file=sys.stderr)


def make(call: dict[str, Any]) -> None:
    user, n = call["userId"], {"n": call["n"]}
    more: dict[str, Any] = {"timestamp": datetime.fromisoformat(call["timestamp"])}
    match call["type"]:
        case "identify":
            analytics.identify(user, n, **more)
        case "track":
            analytics.track(user, call["event"], n, **more)
        case "page" | "screen" as type_:
            getattr(analytics, type_)(user, call["category"], call["name"], n, **more)
        case "group":
            analytics.group(user, call["groupId"], n, **more)
        case "alias":
            analytics.alias(call["previousId"], user, **more)


calls = json.loads(Path(os.environ["CALLS"]).read_text())
for word, part in (("half", calls[: len(calls) // 2]), ("sent", calls[len(calls) // 2 :])):
    for each in part:
        make(each)
    print(word, flush=True)
    sys.stdin.readline()
analytics.shutdown()
