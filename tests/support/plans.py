"""What a pool was asked, and how PostgreSQL would answer: which rows of large tables a statement reads, and by what.

The statements are those that the code sent, with the values that it sent: nothing here can drift from it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg

__all__ = ["LARGE", "Asked", "faults"]

LARGE = frozenset(
    ("contacts", "match_keys", "transactions", "effect_keys", "dead_letters", "list_members", "idempotency_keys")
)
"""Tables that grow with the number of people or of events."""
MOST_ROWS = 20_000
"""That one statement may read of a large table: a batch of 3,000 commands with three keys each needs 9,000."""
_PLANNED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
_BY_INDEX = ("Index Scan", "Index Only Scan")  # a bitmap's rows are counted at its heap
_REMARKS = re.compile(r"\A(\s+|--[^\n]*\n)*")
_Plan = Mapping[str, Any]


@dataclass(slots=True)
class Asked:
    """Statements by their text, each with the values of the last time. COPY has no plan and is not noted."""

    statements: dict[str, tuple[Any, ...]] = field(default_factory=dict)

    async def watch(self, pool: Any, connections: int) -> None:
        """Note what is asked over this pool, which has so many connections at most."""
        held = [await pool.acquire() for _ in range(connections)]
        for connection in held:
            connection.add_query_logger(self._note)
            await pool.release(connection)

    def _note(self, logged: Any) -> None:
        text = _REMARKS.sub("", logged.query)
        if text.upper().startswith(_PLANNED) and ";" not in text:  # several at once: the pool's own clearing up
            values = logged.args or ()
            self.statements[text] = tuple(values[0] if isinstance(values, list) else values)


async def faults(connection: Any, statement: str, values: tuple[Any, ...]) -> tuple[list[str], set[str]]:
    """(what is wrong with the plans of a statement, the large tables in them).

    A prepared statement is planned for its values the first five times and, from the sixth on, perhaps once for any
    values: both plans are looked at, and the first is run where it can be, in a transaction that is rolled back.
    """
    generic = await _generic(connection, statement, len(values))
    custom = await _custom(connection, statement, values)
    found, tables = [], set()
    for name, plan in (("any values", generic[0]["Plan"]), ("these values", custom[0]["Plan"])):
        for node, limited in _nodes(plan):
            table = node.get("Relation Name", "")
            if table in LARGE:
                tables.add(table)
                found += [f"{name}: {words}" for words in _faults_of(node, limited)]
    return found, tables


async def _generic(connection: Any, statement: str, places: int) -> Any:
    await connection.execute(f"SET plan_cache_mode = force_generic_plan; PREPARE planned AS {statement}")
    given = f"({', '.join(['NULL'] * places)})" if places else ""
    plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE planned{given}")
    await connection.execute("DEALLOCATE planned; RESET plan_cache_mode")
    return plan


async def _custom(connection: Any, statement: str, values: tuple[Any, ...]) -> Any:
    transaction = connection.transaction()
    await transaction.start()
    try:
        return await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *values)
    except asyncpg.IntegrityConstraintViolationError:  # what it inserts is there now
        await transaction.rollback()
        await (transaction := connection.transaction()).start()
        return await connection.fetchval(f"EXPLAIN (FORMAT JSON) {statement}", *values)
    finally:
        await transaction.rollback()


def _nodes(plan: _Plan, limited: bool = False) -> Iterator[tuple[_Plan, bool]]:
    """Each node, and whether a LIMIT stands over it."""
    limited = limited or plan["Node Type"] == "Limit"
    yield plan, limited
    for child in plan.get("Plans", ()):
        yield from _nodes(child, limited)


def _faults_of(node: _Plan, limited: bool) -> Iterator[str]:
    kind, table = node["Node Type"], node["Relation Name"]
    if kind == "Seq Scan":
        yield f"{kind} of {table}"
    if kind in _BY_INDEX and "Index Cond" not in node and not limited and node["Plan Rows"] > MOST_ROWS:
        yield f"all of {node['Index Name']}"
    left_out = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    read = (node.get("Actual Rows", 0) + left_out) * node.get("Actual Loops", 1)
    if read > MOST_ROWS or (kind == "Bitmap Heap Scan" and node["Plan Rows"] > MOST_ROWS):
        yield f"{read:,.0f} rows of {table} read by {node.get('Index Name', kind)}"
