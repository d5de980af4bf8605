"""The door's function: a mapping as Segment writes it, to a function of an event."""

from typing import Any

from processor.domain.mappings.allowance import Allowance
from processor.domain.mappings.building import Build
from processor.domain.mappings.checking import Check, json_faults
from processor.domain.mappings.contract import fail
from processor.domain.mappings.directives import TABLE
from processor.domain.mappings.paths import Resolve
from processor.errors import Fault, MappingError

__all__ = ["compile_mapping"]

_ROOT = "__segment_internal_directive"
"""Segment's own key: a directive that is given all the other keys of the mapping as its ``mapping``."""


def compile_mapping(spec: Any, *, document: bool = False) -> Resolve:
    """Segment's mapping JSON as a function from event to value, or ``MISSING`` where it gives nothing.

    ``document`` adds the rules of the configuration document to Segment's: it looks into arrays, and refuses forms
    that mislead. Raises ``MappingError`` with every fault. The function raises nothing but
    ``RejectedError("mapping_failed", …)``, where Segment's would throw; it never changes the event, but what it
    gives may hold parts of the event themselves, not copies: read only.
    """
    faults = json_faults(spec)
    if faults:
        raise MappingError(faults)
    spec = _with_root(spec)
    Check(TABLE, faults, document=document).anything(spec)
    if faults:
        raise MappingError(faults)
    build = Build(TABLE)
    resolve = build.build(spec)
    if build.steps.used:
        resolve = _counted(resolve, build.steps)

    def mapped(event: Any) -> Any:
        if type(event) is not dict:
            fail("an event is an object")
        return resolve(event)

    return mapped


def _counted(resolve: Resolve, allowance: Allowance) -> Resolve:
    def counted(event: Any) -> Any:
        allowance.begin()
        return resolve(event)

    return counted


def _with_root(spec: Any) -> Any:
    if not isinstance(spec, dict) or _ROOT not in spec:
        return spec
    root = spec[_ROOT]
    path = f"/{_ROOT}"
    if not isinstance(root, dict) or len(root) != 1:
        raise MappingError([Fault(path, "write one directive here")])
    name, options = next(iter(root.items()))
    if not isinstance(options, dict):
        raise MappingError([Fault(f"{path}/{name}", "write an object with the directive's own keys here")])
    others = {key: value for key, value in spec.items() if key != _ROOT}
    return {name: {**options, "mapping": others}}
