"""The events of Segment's own benchmark: a pure function of their number, the same in any language.

``segment_engine.mjs`` says how they are made and holds the digests; a test holds ours to them.
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import orjson

__all__ = ["EVENTS_DIGEST", "MAPPING", "PAYLOADS_DIGEST", "digest", "make_event"]

EVENTS_DIGEST = "21ad22d31a91425d4226408310113dfae960a199d1fce6858f104d1cbdd3cc45"
"""SHA-256 of the first 1,000 events as compact JSON, each followed by a line feed."""
PAYLOADS_DIGEST = "b601457186da4b000fd5a24af009cdd4a96a7e08edca41a71105d9efc68e5849"
"""The same of their payloads."""


def _path(path: str) -> dict[str, Any]:
    return {"@path": path}


def _or_else(path: str, other: Any) -> dict[str, Any]:
    return {"@if": {"exists": _path(path), "then": _path(path), "else": other}}


MAPPING: dict[str, Any] = {
    "directoryId": "POOL_bench",
    "extRef": _path("$.userId"),
    "email": _or_else("$.email", _path("$.traits.email")),
    "phone": _path("$.traits.phone"),
    "firstName": _path("$.traits.firstName"),
    "lastName": _path("$.traits.lastName"),
    "language": _or_else("$.traits.language", "EN"),
    "unsubscribed": False,
}

_FIRST = [
    "Amara", "Björn", "Chloé", "Diego", "Elif", "Farid", "Grace", "Hiro",
    "Ines", "Jürgen", "Kavya", "Liam", "Mei", "Noor", "Olga", "Pavel",
]  # fmt: skip
_LAST = [
    "Adeyemi", "Bauer", "Castro", "Dubois", "Eriksen", "Fischer", "García", "Haddad",
    "Ito", "Jansen", "Kowalski", "López", "Müller", "Novak", "Okafor", "Patel",
]  # fmt: skip
_CITY = ["Lagos", "Berlin", "São Paulo", "Lyon", "Oslo", "Pune", "Osaka", "Gdańsk"]
_COUNTRY = ["NG", "DE", "BR", "FR", "NO", "IN", "JP", "PL"]
_LANGUAGE = ["EN", "DE", "PT", "FR", "NO", "JA", "PL", "ES"]
_PLAN = ["free", "starter", "team", "business"]
_PAGE = ["/", "/pricing", "/signup", "/account/profile", "/docs/start", "/blog/2024/release-notes"]
_BROWSER = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_4) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15",  # noqa: E501
    "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
]
_MASK = 0xFFFFFFFF

Draw = Callable[[int], int]
"""The next number below its argument."""


def make_event(number: int) -> dict[str, Any]:
    """Event ``number``, from 0. The order of the draws is the generator's definition."""
    draw = _draws(number)
    first, last, place, user = _FIRST[draw(16)], _LAST[draw(16)], draw(8), draw(1_000_000)
    anonymous = f"{draw(16_777_216):08}-{draw(10_000):04}-4{draw(1_000):03}-{draw(16_777_216):08}"
    time = (
        f"2024-{1 + draw(12):02}-{1 + draw(28):02}T{draw(24):02}:{draw(60):02}:{draw(60):02}.{draw(1_000):03}Z"
    )  # fmt: skip
    page = _PAGE[draw(6)]
    event: dict[str, Any] = {
        "anonymousId": anonymous,
        "channel": "client",
        "context": None,
        "integrations": {"All": True},
        "messageId": None,
        "originalTimestamp": time,
        "receivedAt": time,
        "sentAt": time,
        "timestamp": time,
        "traits": _traits(draw, first, last, place, user),
        "type": "identify",
    }
    event["context"] = _context(draw, place, page)
    event["messageId"] = f"msg-{number:09}-{draw(16_777_216):08}"
    event["userId"] = f"user-{user}" if draw(20) > 0 else None
    if draw(10) == 0:
        event["email"] = f"direct{user}@mail.example"
    return event


def digest(items: Iterable[Any]) -> str:
    made = hashlib.sha256()
    for item in items:
        made.update(orjson.dumps(item, option=orjson.OPT_APPEND_NEWLINE))
    return made.hexdigest()


def _draws(number: int) -> Draw:
    state = (number * 2654435761 + 12345) & _MASK
    state ^= state >> 15
    state = (state * 2246822519) & _MASK
    state ^= state >> 13

    def draw(below: int) -> int:
        nonlocal state
        state = (state * 1664525 + 1013904223) & _MASK
        return (state >> 8) % below

    return draw


def _traits(draw: Draw, first: str, last: str, place: int, user: int) -> dict[str, Any]:
    traits: dict[str, Any] = {"firstName": first, "lastName": last}
    if draw(20) > 0:
        traits["email"] = f"user{user}@mail{draw(50)}.example"
    if draw(100) < 60:
        traits["phone"] = f"+{1 + draw(98)}{draw(1_000_000):06}{draw(1_000):03}"
    if draw(100) < 50:
        traits["language"] = _LANGUAGE[place]
    traits["plan"] = _PLAN[draw(4)]
    traits["logins"] = draw(500)
    traits["newsletter"] = draw(2) == 1
    traits["company"] = {
        "id": f"co-{draw(5_000)}",
        "name": f"{_LAST[draw(16)]} & {_LAST[draw(16)]}",
        "employees": 1 + draw(2_000),
    }
    traits["address"] = {"city": _CITY[place], "country": _COUNTRY[place], "postalCode": f"{draw(100_000):05}"}
    traits["createdAt"] = f"2023-{1 + draw(12):02}-{1 + draw(28):02}"
    return traits


def _context(draw: Draw, place: int, page: str) -> dict[str, Any]:
    return {
        "app": {"name": "storefront", "version": f"3.{draw(20)}.{draw(10)}", "build": 1_000 + draw(900)},
        "ip": f"203.0.113.{draw(256)}",
        "library": {"name": "web-sdk", "version": "2.14.0"},
        "locale": f"{_LANGUAGE[place].lower()}-{_COUNTRY[place]}",
        "page": {
            "path": page,
            "referrer": "https://search.example/" if draw(3) == 0 else "",
            "search": "?utm_source=mail" if draw(4) == 0 else "",
            "title": f"Storefront {page}",
            "url": f"https://store.example{page}",
        },
        "userAgent": _BROWSER[draw(4)],
    }
