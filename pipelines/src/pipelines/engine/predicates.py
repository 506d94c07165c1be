"""SQL predicates that every engine plans well."""

from __future__ import annotations

import re
from collections.abc import Sequence

IN_LIST = 64
"""Literals in one IN list: the planning time of Sail's replaceWhere grows with the square of its length."""

_PLAIN = re.compile(r"[0-9A-Za-z_./:-]*")


def is_in(column: str, values: Sequence[str]) -> str:
    """Return ``column IN (values)`` as lists of `IN_LIST` joined by OR.

    Args:
        column: Name of a text column.
        values: One or more plain values (digests, ids), without quotes or escapes.
    """
    if not values:
        raise ValueError(f"no value for {column}")
    if strange := next((value for value in values if not _PLAIN.fullmatch(value)), None):
        raise ValueError(f"{strange!r} is no plain value")
    lists = [values[start : start + IN_LIST] for start in range(0, len(values), IN_LIST)]
    return "(" + " OR ".join(f"{column} IN ({', '.join(map(repr, part))})" for part in lists) + ")"
