"""SQL predicates that every engine plans well."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.sql import text

IN_LIST = 64
"""Literals in one IN list: the planning time of Sail's replaceWhere grows with the square of its length."""


def is_in(column: str, values: Sequence[str]) -> str:
    """Return ``column IN (values)`` as lists of `IN_LIST` joined by OR.

    Args:
        column: Name of a text column.
        values: Any texts; where there is none the predicate is false.
    """
    if not values:
        return "(1 = 0)"
    lists = [values[start : start + IN_LIST] for start in range(0, len(values), IN_LIST)]
    return "(" + " OR ".join(f"{column} IN ({', '.join(map(text, part))})" for part in lists) + ")"
