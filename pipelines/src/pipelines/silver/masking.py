"""Personal values into pseudonyms: HMAC-SHA256 (RFC 2104) with a key that only the workers read.

A plain hash of a five-digit customer number is undone by trying all of them; with a key it is not. The function that
runs in the workers carries where the key is (a file, a variable's name), never the key: nothing of it is in a plan, a
log or an event.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import pyarrow as pa

from pipelines.settings import KeySource

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

FULL = 64
"""Hexadecimal characters of a whole digest."""
REMEMBERED = 1 << 16
"""Digests that a worker keeps: the same customer comes again in every batch of rows."""


def pseudonymise(values: pa.Array, key: bytes, characters: int) -> pa.Array:
    """Return the pseudonyms of a text array: the digest's first `characters`, hexadecimal; null stays null.

    Every distinct value is hashed once.
    """
    encoded = values.cast(pa.string()).dictionary_encode()
    digests = [None if value is None else _digest(key, value)[:characters] for value in encoded.dictionary.to_pylist()]
    return pa.array(digests, pa.string()).take(encoded.indices)


@lru_cache(maxsize=REMEMBERED)
def _digest(key: bytes, value: str) -> str:
    return hmac.digest(key, value.encode(), "sha256").hex()


def masked(frame: DataFrame, source: KeySource, characters: Mapping[str, int]) -> DataFrame:
    """Return the frame with columns masked in the workers, where the key is read.

    Through `mapInArrow`: Arrow functions of single columns came with Spark 4.1, after the runtime that jobs are pinned
    to.

    Args:
        frame: Any rows.
        source: Where the key is.
        characters: Length of the pseudonyms by text column.
    """
    return frame.mapInArrow(partial(mask_batches, source=source, characters=dict(characters)), frame.schema)


def mask_batches(
    batches: Iterator[pa.RecordBatch], source: KeySource, characters: Mapping[str, int]
) -> Iterator[pa.RecordBatch]:
    """Mask the named columns of batches; the others go on as they are."""
    for batch in batches:
        columns = [
            pseudonymise(column, _key(source), characters[name]) if name in characters else column
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


@lru_cache(maxsize=4)
def _key(source: KeySource) -> bytes:
    return source.read()
