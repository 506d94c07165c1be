"""Canonical text of values: what bronze has in a source field, whatever the format was.

=================  ====================================================================================================
text               as it is
whole number       digits with a sign where it is negative
other number       plain digits without an exponent (``1e3`` is ``1000``); JSON's and decimals keep their own digits,
                   a double has the fewest that tell it from its neighbours and at least one after the point
boolean            ``true``, ``false``
date, time         ISO 8601
timestamp          ISO 8601 in UTC with ``Z``; without ``Z`` where the source knows no zone
bytes              base64 (RFC 4648, section 4)
nested             compact JSON, keys sorted
=================  ====================================================================================================
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.bronze.formats.arrow_text import Texts, chosen, joined, mended, text

LARGEST_EXPONENT = 400
"""Numbers beyond keep their exponent: written out they would be of any length."""

quoted: Callable[[str], str] = partial(json.dumps, ensure_ascii=False)
"""JSON of a text."""


class Number(str):
    """A number of a JSON text, by its own digits."""

    __slots__ = ()


def text_of(value: Any) -> str | None:
    """Canonical text of a value; ``None`` of null."""
    if value is None or type(value) is str:
        return value
    if isinstance(value, dict | list | tuple):
        return json_of(value)
    return _scalar(value)


def json_of(value: Any) -> str:
    """Compact JSON of a value with sorted keys; what JSON has no form for becomes text."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{quoted(str(key))}:{json_of(value[key])}" for key in sorted(value, key=str)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(json_of(item) for item in value) + "]"
    if value is None:
        return "null"
    scalar = _scalar(value)
    bare = isinstance(value, Number | bool | int) or (isinstance(value, float | Decimal) and math.isfinite(value))
    return scalar if bare else quoted(scalar)


def _scalar(value: Any) -> str:
    if isinstance(value, Number):
        return plain_number(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return plain_double(repr(value))
    if isinstance(value, Decimal):
        return plain_number(str(value))
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, str | int | UUID):
        return str(value)
    raise TypeError(f"a {type(value).__name__} has no canonical text")


def moment(value: datetime) -> str:
    """ISO 8601 of a time, in UTC where it has a zone."""
    if value.tzinfo is None:
        return value.isoformat()
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def plain_number(digits: str) -> str:
    """A number without an exponent, its digits as they are."""
    if "e" not in digits and "E" not in digits:
        return str(digits)
    number = Decimal(digits)
    return f"{number:f}" if abs(number.adjusted()) <= LARGEST_EXPONENT else str(digits)


def plain_double(digits: str) -> str:
    """A double's shortest digits without an exponent, at least one of them after the point."""
    special = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(digits)
    if special is not None:
        return special
    plain = plain_number(digits)
    return plain if "." in plain or "e" in plain else plain + ".0"


def rescued(unknown: Mapping[str, pa.Array], count: int) -> pa.Array:
    """Columns that the contract does not know as one JSON object a row, null where all of them are.

    Args:
        unknown: JSON of each column's values, by its name; null where the value is.
        count: Rows.
    """
    if not unknown:
        return pa.nulls(count, pa.string())
    arrays = list(unknown.values())
    valid = arrays[0].is_valid()
    for array in arrays[1:]:
        valid = pc.call_function("or", [valid, array.is_valid()])
    return chosen(valid, json_objects(unknown, count), text(None))


def json_objects(columns: Mapping[str, pa.Array], count: int) -> pa.Array:
    """JSON objects, keys sorted, of columns of JSON."""
    if not columns:
        return pa.repeat(pa.scalar("{}", pa.string()), count)
    parts: list[Texts] = []
    for number, name in enumerate(sorted(columns)):
        parts.extend((text(f"{',' if number else '{'}{quoted(name)}:"), columns[name].fill_null("null")))
    return joined(*parts, text("}"))


def json_array(texts: pa.Array) -> pa.Array:
    """JSON of texts: quoted, and escaped where they must be; null stays null."""
    return mended(texts, r'["\\\x00-\x1f]', quoted, joined(text('"'), texts, text('"')))
