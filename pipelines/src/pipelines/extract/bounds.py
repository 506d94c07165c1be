"""Values that a source can be read from, to or between: as JSON has them, less an overlap, and cut into ranges."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pipelines.bronze.formats.values import text_of
from pipelines.errors import SchemaError

Bound = int | Decimal | date | datetime | str
"""A value with an order: a number, a date, a time with or without an offset, a text."""

_UNSAFE = re.compile(r"[^A-Za-z0-9.+-]+")


def encode(value: Bound | None) -> dict[str, str] | None:
    """Return a bound as JSON has it, its type beside it."""
    if value is None:
        return None
    plain = text_of(value)
    assert plain is not None, "only null has no text"
    return {"type": type(value).__name__, "value": plain}


def decode(saved: Mapping[str, str] | None) -> Any:
    """Return the bound that `encode` saved."""
    if saved is None:
        return None
    value = saved["value"]
    match saved["type"]:
        case "int":
            return int(value)
        case "Decimal":
            return Decimal(value)
        case "datetime":
            return datetime.fromisoformat(value)
        case "date":
            return date.fromisoformat(value)
        case _:
            return value


def parse(value: Any, kind: str, where: str) -> datetime | Decimal:
    """Return a JSON value as a time in UTC or as a number.

    Raises:
        SchemaError: it is none.
    """
    try:
        if kind == "number":
            return Decimal(str(value))
        found = datetime.fromisoformat(value)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ArithmeticError, TypeError, ValueError):
        raise SchemaError(f"{value!r} is no {kind}", where=where, fix="correct extraction.rest.incremental") from None


def less(value: Bound, overlap: timedelta | int, where: str) -> Bound:
    """Return a bound less an overlap.

    Raises:
        SchemaError: the one is a time and the other a number, or the bound is a text.
    """
    if not overlap:
        return value
    timed = isinstance(value, date) and isinstance(overlap, timedelta)
    counted = isinstance(value, int | Decimal) and isinstance(overlap, int)
    if not timed and not counted:
        kind = "text" if isinstance(value, str) else "time" if isinstance(value, date) else "number"
        raise SchemaError(
            f"an overlap of {overlap} cannot be taken off the {kind} {text_of(value)}",
            where=where,
            fix="write `overlap` as a duration (PT1H) for times, as a number for numbers",
        )
    if timed and not isinstance(value, datetime):
        return value - timedelta(days=-(-overlap // timedelta(days=1)))  # whole days, rounded up
    return value - overlap  # ty: ignore[unsupported-operator] - both were told apart above


def cut(least: Any, greatest: Any, pieces: int) -> list[Bound]:
    """Return the `pieces` - 1 or fewer bounds between ranges of equal width; none where there is no width.

    Args:
        least: Smallest value, a `Bound`; ``None`` where there is none.
        greatest: Greatest value, of the same type.
        pieces: Ranges wanted.
    """
    if isinstance(least, str) or isinstance(greatest, str) or least is None or greatest is None:
        return []
    if isinstance(least, Decimal) and not (least.is_finite() and greatest.is_finite()):
        return []
    width = greatest - least
    whole = isinstance(least, int)
    bounds = [least + (width * piece // pieces if whole else width * piece / pieces) for piece in range(1, pieces)]
    return [bound for bound in dict.fromkeys(bounds) if bound > least]


def label(value: Bound | None) -> str:
    """Return a bound as part of a file's name."""
    plain = text_of(value)
    return "start" if plain is None else _UNSAFE.sub("_", plain.replace(":", ""))[:40]
