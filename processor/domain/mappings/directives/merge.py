"""``@merge``: the keys of several objects in one; of the same key the last object's wins, with ``left`` the first's."""

from typing import Any

from processor.domain.mappings.contract import Builder, Checker, Directive
from processor.domain.mappings.javascript import truthy
from processor.domain.mappings.paths import Resolve

__all__ = ["MERGE"]


def _check(value: Any, checker: Checker) -> None:
    if not checker.object(value, "direction", "objects"):
        return
    direction = value.get("direction")
    if (direction if checker.document else str(value.get("direction", "left")).lower()) not in ("left", "right"):
        checker.at("direction").fault("write left or right")
    objects = value.get("objects")
    if not isinstance(objects, list):
        checker.at("objects").fault("write a list of objects")
        return
    for index, item in enumerate(objects):
        place = checker.at("objects").at(str(index))
        if not isinstance(item, dict):
            place.fault("write an object or a directive here")
        place.anything(item)


def _build(value: Any, builder: Builder) -> Resolve:
    if not isinstance(value, dict) or not truthy(value.get("direction")) or not isinstance(value.get("objects"), list):
        return builder.failing("@merge needs a direction and a list of objects")
    direction = builder.build(value["direction"])
    objects = [builder.kept(item) for item in value["objects"]]
    allowance = builder.allowance()

    def merged(event: Any) -> Any:
        made = [item(event) for item in objects]
        if direction(event) == "left":
            made.reverse()
        out: dict[str, Any] = {}
        for item in made:
            if type(item) is dict:
                allowance.spend(len(item))
                out.update(item)
            elif type(item) is list or type(item) is str:
                allowance.spend(len(item))
                out.update((str(index), part) for index, part in enumerate(item))
        return out

    return builder.cleaned(merged)


MERGE = Directive(_check, _build)
