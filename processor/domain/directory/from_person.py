"""What an event says of a person beside any mapping: to be forgotten, or to be the same as somebody else."""

from collections.abc import Mapping

from processor.domain.directory.command import Command
from processor.domain.directory.from_payload import stamp_time
from processor.domain.directory.matching import ref_key
from processor.domain.events.event import Event
from processor.domain.rules import Directory, Rules

__all__ = ["DELETE", "STITCH", "forgetting", "stitching"]

DELETE, STITCH = "delete", "stitch"
"""What stands for the mapping in the ledger and in a contact's why."""
_FORMERLY = {"identify": "anonymousId", "alias": "previousId"}


def forgetting(event: Event, directories: Mapping[str, Directory]) -> list[Command]:
    """A ``delete`` event forgets the person in every directory, whatever the mappings are."""
    user_id = event.body.get("userId") or event.body["anonymousId"]
    at_ms = stamp_time(event)
    return [
        Command(directory, DELETE, event.source, event.message_id, at_ms, forget=user_id) for directory in directories
    ]


def stitching(event: Event, rules: Rules) -> list[Command]:
    """An identify or an alias that names two ids, in each directory that stitches (design section 5)."""
    directories = rules.stitching(event.source) if rules.stitches and event.type in _FORMERLY else ()
    if not directories:
        return []
    body = event.body
    user_id, former_id = body.get("userId"), body.get(_FORMERLY[event.type])
    known, formerly = ref_key({"extRef": user_id}), ref_key({"extRef": former_id})
    if known is None or formerly is None or known == formerly:
        return []
    return [
        Command(
            directory=directory,
            mapping=STITCH,
            source=event.source,
            message_id=event.message_id,
            at_ms=stamp_time(event),
            values={"extRef": user_id},
            keys=(known,),
            formerly=formerly,
        )
        for directory in directories
    ]
