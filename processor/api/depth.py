"""How deep a body nests, counted before it is parsed: a parser recurses once a level."""

import re

from processor.errors import RejectedError

__all__ = ["check_depth"]

_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\]]', re.DOTALL)


def check_depth(body: bytes, most: int) -> None:
    """Raises ``RejectedError("too_deep")``. What is no JSON at all is the parser's to refuse."""
    if body.count(b"{") + body.count(b"[") <= most:
        return
    depth = 0
    for token in _TOKEN.finditer(body):
        first = token.group()[:1]
        if first in b"{[":
            depth += 1
            if depth > most:
                raise RejectedError("too_deep", f"Objects and arrays nest deeper than {most}; flatten them.")
        elif first in b"}]":
            depth -= 1
