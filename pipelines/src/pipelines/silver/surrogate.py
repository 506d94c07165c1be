"""Surrogate keys: a number that stands for the columns it is made of, the same in every table, run and engine.

63 bits of SHA-256 over the columns' texts and lengths, so that it is never negative: -1 and the like stay free for
members that are unknown. Of ten million keys two share one with a chance of 5 in a million, and then the batch fails.
It is made after masking, for a plain hash of a five-digit customer number is undone by trying all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pipelines import sql
from pipelines.contracts.model import Contract
from pipelines.errors import QualityError
from pipelines.silver.hashing import row_hash

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

BITS = 63
"""Of a key."""


def surrogate_key(columns: Sequence[str]) -> str:
    """Return SQL of the key of published columns; null where one of them is."""
    digest = row_hash(columns)
    # Fifteen digits are read as a number by every engine; sixteen may be more than a bigint holds.
    high = f"CAST(conv(substring({digest}, 1, 15), 16, 10) AS BIGINT)"
    low = f"CAST(conv(substring({digest}, 16, 1), 16, 10) AS BIGINT)"
    whole = f"({high} * 8 + {low} % 8) & {(1 << BITS) - 1}L"
    there = " AND ".join(f"{sql.name(name)} IS NOT NULL" for name in columns)
    return f"CASE WHEN {there} THEN {whole} END"


def check_collisions(contract: Contract, rows: DataFrame, known: Callable[[], DataFrame]) -> None:
    """Check that no two keys share a surrogate.

    Args:
        contract: The contract.
        rows: Rows to come.
        known: The rows that are there.

    Raises:
        QualityError: two do.
    """
    for column, of in contract.surrogate_keys.items():
        both = rows.select(column, *of).unionByName(known().select(column, *of))
        named = both.where(f"{sql.name(column)} IS NOT NULL").distinct().groupBy(column).count()
        if found := named.where("count > 1").limit(1).collect():
            raise QualityError(
                f"{found[0]['count']} keys of {', '.join(of)} share the surrogate {found[0][0]}",
                where=f"{contract.dataset}.{column}",
                fix="make it of one column more, or of the columns in another order; nothing was written",
            )


__all__ = ["check_collisions", "surrogate_key"]
