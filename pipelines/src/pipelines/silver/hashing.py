"""Hashes of rows: what tells whether two records are the same."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines import sql

HASH_CHARACTERS = 32
"""Hexadecimal characters of a row's hash, 128 bits: of a billion rows two share one with a chance of 10^-21."""


def row_hash(columns: Sequence[str]) -> str:
    """Return SQL of a hash over columns that no two different rows share: of the lengths of their texts, then of these.

    The first `HASH_CHARACTERS` of SHA-256, hexadecimal.
    """
    names = [f"CAST({sql.name(column)} AS STRING)" for column in columns]
    lengths = [f"coalesce(CAST(length({name}) AS STRING), '-')" for name in names]
    digest = f"sha2(concat_ws(',', {', '.join(lengths)}, {', '.join(names)}), 256)"
    return f"substring({digest}, 1, {HASH_CHARACTERS})"


__all__ = ["HASH_CHARACTERS", "row_hash"]
