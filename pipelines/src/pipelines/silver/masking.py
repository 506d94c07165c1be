"""Personal values into pseudonyms: HMAC-SHA256 (RFC 2104) with a key that only the workers read.

A plain hash of a five-digit customer number is undone by trying all of them; with a key it is not. The function that
runs in the workers carries where the key is (a file, a variable's name), never the key: nothing of it is in a plan, a
log or an event.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import pyarrow as pa

from pipelines.settings import KeySource

if TYPE_CHECKING:
    from pyspark.sql import Column

FULL = 64
"""Hexadecimal characters of a whole digest."""


def pseudonymise(values: pa.Array, key: bytes, characters: int) -> pa.Array:
    """Return the pseudonyms of a text array: the digest's first `characters`, hexadecimal; null stays null.

    Every distinct value is hashed once.
    """
    encoded = values.cast(pa.string()).dictionary_encode()
    digests = [
        None if value is None else hmac.digest(key, value.encode(), "sha256").hex()[:characters]
        for value in encoded.dictionary.to_pylist()
    ]
    return pa.array(digests, pa.string()).take(encoded.indices)


def pseudonym(source: KeySource, characters: int) -> Callable[[Column], Column]:
    """Return a function of columns that runs `pseudonymise` in the workers, where the key is read."""
    from pyspark.sql.functions import arrow_udf

    def mask(values: pa.Array) -> pa.Array:
        return pseudonymise(values, _key(source), characters)

    mask.__annotations__ = {"values": pa.Array, "return": pa.Array}  # the classes, which the decorator looks for
    return arrow_udf(mask, "string")  # ty: ignore[no-matching-overload] - the stubs want annotations they can see


@lru_cache(maxsize=4)
def _key(source: KeySource) -> bytes:
    return source.read()
