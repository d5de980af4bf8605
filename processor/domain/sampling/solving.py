"""A filter's tree to values that satisfy it: for each field one that passes all of its conditions.

Groups are opened depth first, plain conditions before alternatives, so that a dead end shows early. What this file
does not know it guesses at; whoever asks verifies the whole event with the filter itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from processor.domain.events.limits import MAX_DEPTH
from processor.domain.filters import Broken, Condition, Group, Node, verdict
from processor.domain.mappings.javascript import MISSING
from processor.domain.sampling.guesses import guesses
from processor.domain.sampling.placing import Path, put

__all__ = ["Values", "solve"]

Values = dict[Path, Any]
"""What to write into an event, by path from its root; ``MISSING``: leave it out."""

_TESTS = 100_000
"""Conditions that are tried on a value at most, for one filter: a second's work."""


@dataclass(slots=True)
class _State:
    """A way through the tree, as far as it was followed. ``pending``: what has still to hold, the next one last."""

    pending: list[Node]
    conditions: dict[Path, tuple[Condition, ...]] = field(default_factory=dict)
    values: Values = field(default_factory=dict)

    def towards(self, branch: Node) -> "_State":
        return _State([*self.pending, branch], dict(self.conditions), dict(self.values))


def solve(tree: Node) -> Iterator[Values]:
    """Ways to satisfy the tree, the first as it is written; none where there is none, or none was found in time."""
    solver = _Solver()
    branches: list[Iterator[_State]] = [iter((_State([tree]),))]
    while branches and solver.left > 0:
        state = next(branches[-1], None)
        if state is None:
            branches.pop()
            continue
        node = solver.follow(state)
        if node is None:
            yield state.values
        elif isinstance(node, Group):
            branches.append(_branches(state, node))


def _branches(state: _State, group: Group) -> Iterator[_State]:
    return (state.towards(child) for child in group.children)


def _is_group(node: Node) -> bool:
    return isinstance(node, Group)


class _Solver:
    """``left``: tests that may still be made."""

    def __init__(self) -> None:
        self.left = _TESTS

    def follow(self, state: _State) -> Node | None:
        """Settle nodes up to an ``or``, which is returned; ``None`` when all hold, another node at a dead end."""
        while state.pending:
            node = state.pending.pop()
            if isinstance(node, Broken) or (isinstance(node, Group) and node.joiner == "or"):
                return node
            if isinstance(node, Group):
                in_order = sorted(node.children, key=_is_group)
                state.pending.extend(reversed(in_order))
            elif isinstance(node, Condition) and not self._settle(state, node):
                return node
        return None

    def _settle(self, state: _State, node: Condition) -> bool:
        """Find the field a value that this condition lets through too; whether there is one."""
        path = (node.root, *node.path)
        conditions = state.conditions[path] = (*state.conditions.get(path, ()), node)
        if path in state.values and self._passes(path, state.values[path], (node,)):
            return True
        for guess in guesses(path, conditions):
            if self._passes(path, guess, conditions):
                state.values[path] = guess
                return True
        return False

    def _passes(self, path: Path, value: Any, conditions: tuple[Condition, ...]) -> bool:
        self.left -= len(conditions)
        if self.left <= 0:
            return False
        event: dict[str, Any] = {}
        if value is not MISSING:
            if len(path) > MAX_DEPTH:
                return False  # ingress takes no event that could hold it
            put(event, path, value)
        return all(verdict(condition, event) for condition in conditions)
