"""An event of each type as Segment's libraries send it, with the fields that mappings use."""

from dataclasses import dataclass
from typing import Any

from processor.domain.events.event import TYPES
from processor.domain.events.times import format_ms
from processor.errors import RejectedError

__all__ = ["SAMPLE_TYPES", "Making", "sample_of"]

SAMPLE_TYPES = ("identify", "track", "page", "screen", "group", "alias")


@dataclass(frozen=True, slots=True)
class Making:
    """What a new event needs from outside: the moment, a messageId, and a mailing list; ``None``: there is none."""

    now_ms: int
    message_id: str
    mailing_list: str | None = "CG_all"


def sample_of(type_: str, making: Making) -> dict[str, Any]:
    """A whole event. Raises ``RejectedError("unknown_type")``."""
    if type_ not in TYPES:
        raise RejectedError("unknown_type", f"`type` must be one of {', '.join(SAMPLE_TYPES)}")
    event: dict[str, Any] = {
        "type": type_,
        "messageId": making.message_id,
        "timestamp": format_ms(making.now_ms),
        "userId": "user-1",
        "anonymousId": "4d1e2b6c-5b0f-4c6e-9a51-7f2f6f0c9d11",
        "context": _context(making),
    }
    return event | _own(type_, making)


def _own(type_: str, making: Making) -> dict[str, Any]:
    match type_:
        case "identify":
            return {"traits": _traits(making)}
        case "track":
            return {"event": "Transaction Created", "properties": _properties()}
        case "page":
            page = {"title": "Boots", "url": "https://shop.example/boots", "path": "/boots", "referrer": ""}
            return {"name": "Boots", "category": "Shop", "properties": page}
        case "screen":
            return {"name": "Basket", "category": "Shop", "properties": {"items": 2}}
        case "group":
            return {"groupId": "company-1", "traits": {"name": "Shop Ltd", "industry": "Retail", "employees": 40}}
        case "alias":
            return {"previousId": "4d1e2b6c-5b0f-4c6e-9a51-7f2f6f0c9d11"}
        case _:
            return {}


def _traits(making: Making) -> dict[str, Any]:
    traits: dict[str, Any] = {
        "email": "ada@shop.example",
        "phone": "+41 44 000 00 00",
        "firstName": "Ada",
        "lastName": "Lovelace",
        "language": "EN",
        "plan": "pro",
        "address": {"street": "Dock 1", "city": "Zurich", "postalCode": "8001", "country": "CH"},
    }
    return traits if making.mailing_list is None else traits | {"qualtricsMailingListId": making.mailing_list}


def _properties() -> dict[str, Any]:
    return {
        "orderId": "order-1",
        "total": 42.5,
        "currency": "CHF",
        "products": [{"productId": "boots-1", "name": "Boots", "price": 42.5, "quantity": 1}],
    }


def _context(making: Making) -> dict[str, Any]:
    return {
        "ip": "192.0.2.1",
        "locale": "en-GB",
        "timezone": "Europe/Zurich",
        "userAgent": "Mozilla/5.0",
        "library": {"name": "isthmus-sample", "version": "1"},
        "page": {"url": "https://shop.example/boots", "path": "/boots", "title": "Boots"},
        "campaign": {"name": "spring", "source": "newsletter", "medium": "email"},
        "traits": _traits(making),
    }
