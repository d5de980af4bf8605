"""A caller of the API in a process of its own: people and what they bought, as a Qualtrics client writes them."""

import http.client
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import urlsplit

__all__ = ["Caller", "Written", "write_people"]

_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Caller:
    """``number`` makes what this one writes its own; ``people``: how many there are; ``begins``: seconds since 1970."""

    url: str
    token: str
    directory: str
    number: int
    people: int
    begins: float


@dataclass(slots=True)
class Written:
    """What was answered: to each person their contacts' ids, to each order its transactions' ids, how often what."""

    contacts: dict[int, set[str]] = field(default_factory=dict)
    transactions: dict[str, set[str]] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)


def write_people(caller: Caller) -> Written:
    """Everybody twice, each time with an order; some calls are sent again. All callers begin at once and go about it in
    the same way, so that they meet at each person."""
    random = Random(caller.people)
    turns = [(person, turn) for person in range(caller.people) for turn in range(2)]
    random.shuffle(turns)
    written = Written()
    connection = http.client.HTTPConnection(urlsplit(caller.url).netloc, timeout=_TIMEOUT_S)
    time.sleep(max(0.0, caller.begins - time.time()))
    try:
        for person, turn in turns:
            name = f"{caller.number}-{person}-{turn}"
            body = {**_who(caller, person), "embeddedData": {f"caller{caller.number}": str(turn)}}
            for _ in range(1 + (turn == 1)):
                made = _post(connection, caller, "contacts", body, f"c{name}", written)
                written.contacts.setdefault(person, set()).add(made["id"])
            order = {"contactId": made["id"], "transactionDate": "2026-01-31 12:00:00", "data": {"order": name}}
            for _ in range(1 + (random.random() < 0.34)):
                done = _post(connection, caller, "transactions", {"t": order}, f"t{name}", written)
                written.transactions.setdefault(name, set()).add(done["createdTransactions"]["t"]["id"])
    finally:
        connection.close()
    return written


def _who(caller: Caller, person: int) -> dict[str, Any]:
    """Two of the callers know the reference too, all of them the address, each in another spelling."""
    address = f"person{person}@example.com"
    if caller.number % 2:
        return {"email": f" {address.upper()}"}
    return {"extRef": f"user-{person}", "email": address, "phone": f"+{person}", "lastName": f"Name {person}"}


def _post(
    connection: http.client.HTTPConnection, caller: Caller, what: str, body: Any, once: str, written: Written
) -> Any:
    headers = {"X-API-TOKEN": caller.token, "Idempotency-Key": once, "Content-Type": "application/json"}
    connection.request("POST", f"/API/v3/directories/{caller.directory}/{what}", json.dumps(body), headers)
    answer = connection.getresponse()
    answered = json.loads(answer.read())
    written.statuses[answer.status] += 1
    assert answer.status == 200, answered
    return answered["result"]
