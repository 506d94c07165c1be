"""The masking methods: pure functions of Arrow arrays, each under the name by which contracts choose it.

All are deterministic: of the same values, contract and key come the same masks, in whatever batches they are read. Each
distinct value is masked once. Null stays null, but where `redact` puts a text in every row.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.contracts.extensions.masking import Masking
from pipelines.privacy import free_text, tokens
from pipelines.privacy.keys import derived

REMEMBERED = 1 << 16
"""Digests and tokens that a worker keeps: the same customer comes again in every batch of rows."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a method knows beside the values.

    Attributes:
        key: The masking key.
        subjects: Text of whom each row is about, for `shift`; ``None`` for the others.
    """

    key: bytes
    subjects: pa.Array | None = None


Method = Callable[[pa.Array, Masking, Context], pa.Array]


def hashed(values: pa.Array, masking: Masking, context: Context) -> pa.Array:
    """HMAC-SHA256 (RFC 2104): the first `characters` of the digest, hexadecimal."""
    return _distinct(values, lambda value: _digest(context.key, value)[: masking.characters], pa.string())


def tokenised(values: pa.Array, _masking: Masking, context: Context) -> pa.Array:
    """Format-preserving tokens (:mod:`pipelines.privacy.tokens`)."""
    key = derived(context.key, "token")
    return _distinct(values, lambda value: _token(key, value), pa.string())


def redacted(values: pa.Array, masking: Masking, _context: Context) -> pa.Array:
    """The contract's text in every row, or null."""
    return pa.array([masking.text] * len(values), values.type)


def generalised(values: pa.Array, masking: Masking, _context: Context) -> pa.Array:
    """Dates to the first of their month or year, numbers to the lower bound of their band, texts to their prefix."""
    if masking.to is not None:
        return pc.floor_temporal(values, unit=masking.to)  # ty: ignore[missing-attribute] - made at import
    if masking.prefix is not None:
        return pc.utf8_slice_codeunits(values, 0, masking.prefix)  # ty: ignore[missing-attribute]
    return _distinct(values, lambda value: _band(value, masking, values.type), values.type)


def shifted(values: pa.Array, masking: Masking, context: Context) -> pa.Array:
    """Dates moved by days that the row's subject and the key decide; null where the row has no subject.

    Intervals between two dates of one subject stay, the days of two subjects tell nothing of each other.
    """
    if context.subjects is None:
        raise ValueError("dates are shifted by subject, and none was given")
    key = derived(context.key, "shift")
    days = _distinct(context.subjects, lambda subject: _days(key, subject, masking.days), pa.int32())
    if pa.types.is_date32(values.type):
        moved = pc.add(values.cast(pa.int32()), days)  # ty: ignore[missing-attribute]
        return moved.cast(pa.date32())
    whole = pc.multiply(days.cast(pa.int64()), 86_400)  # ty: ignore[missing-attribute]
    return pc.add(values, whole.cast(pa.duration("s")))  # ty: ignore[missing-attribute]


def searched(values: pa.Array, masking: Masking, _context: Context) -> pa.Array:
    """Free text without what pattern recognisers find in it (:mod:`pipelines.privacy.free_text`)."""
    return _distinct(values, lambda value: free_text.detected(value, masking.entities), pa.string())


METHODS: Mapping[str, Method] = {
    "hash": hashed,
    "token": tokenised,
    "redact": redacted,
    "generalise": generalised,
    "shift": shifted,
    "detect": searched,
}
"""The functions of :data:`pipelines.contracts.extensions.masking.METHODS`."""


def mask(values: pa.Array, masking: Masking, context: Context) -> pa.Array:
    """Mask an array as a contract says; the result has its type."""
    return METHODS[masking.method](values, masking, context).cast(values.type)


def mask_one(value: str, masking: Masking, key: bytes) -> str | None:
    """Mask one text, by a method that needs nothing else of its row."""
    return mask(pa.array([value], pa.string()), masking, Context(key))[0].as_py()


def _distinct(values: pa.Array, function: Callable[[Any], Any], made: pa.DataType) -> pa.Array:
    """Apply a function to each distinct value, once."""
    encoded = values.dictionary_encode()
    results = [None if value is None else function(value) for value in encoded.dictionary.to_pylist()]
    return pa.array(results, made).take(encoded.indices)


@lru_cache(maxsize=REMEMBERED)
def _digest(key: bytes, value: str) -> str:
    return hmac.digest(key, value.encode(), "sha256").hex()


@lru_cache(maxsize=REMEMBERED)
def _token(key: bytes, value: str) -> str:
    return tokens.token(key, value)


def _days(key: bytes, subject: str, most: int) -> int:
    """Return a number of days from -`most` to `most` that is not 0."""
    number = int.from_bytes(hmac.digest(key, subject.encode(), "sha256"), "big") % (2 * most)
    return number - most if number < most else number - most + 1


def _band(value: float | Decimal, masking: Masking, kind: pa.DataType) -> float | Decimal:
    width, number = Decimal(str(masking.band)), Decimal(str(value))
    if masking.ceiling is not None:
        number = min(number, Decimal(str(masking.ceiling)))
    lower = (number / width).to_integral_value(ROUND_FLOOR) * width
    if pa.types.is_decimal(kind):
        return lower
    return int(lower) if pa.types.is_integer(kind) else float(lower)
