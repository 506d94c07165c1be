"""Values of a database as canonical text, the same whatever the file's form and the engine's."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from pipelines.extract.landing import Number, line


def text(value: Any) -> str | None:
    """Return the text of a value; ``None`` for null.

    Numbers are plain decimals (``NaN``, ``Infinity`` and ``-Infinity`` for what is none), times ISO 8601 in UTC
    (without an offset where the column has none), bytes base64 (RFC 4648), arrays and objects JSON; others are as
    they print.
    """
    match value:
        case None:
            return None
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float():
            return _decimal(Decimal(repr(value)))
        case Decimal():
            return _decimal(value)
        case datetime():
            return (
                value.isoformat()
                if value.tzinfo is None
                else f"{value.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"
            )
        case date() | time():
            return value.isoformat()
        case timedelta():
            return _duration(value)
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(value).decode()
        case list() | tuple() | Mapping():
            return line(_nested(value))
        case _:
            return str(value)


def _nested(value: Any) -> Any:
    """A value inside an array or object, as JSON has it: what is no JSON number is text."""
    if isinstance(value, Mapping):
        return {str(key): _nested(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_nested(inner) for inner in value]
    if value is None or isinstance(value, bool | str):
        return value
    plain = text(value)
    numeric = isinstance(value, int | float | Decimal) and Decimal(value).is_finite()
    return Number(plain) if numeric else plain


def _decimal(value: Decimal) -> str:
    if value.is_nan():
        return "NaN"
    if value.is_infinite():
        return "Infinity" if value > 0 else "-Infinity"
    return format(value, "f")


def _duration(value: timedelta) -> str:
    """ISO 8601, in days, seconds and microseconds."""
    if value < timedelta(0):
        return f"-{_duration(-value)}"
    seconds = (
        f"{value.seconds}.{value.microseconds:06d}".rstrip("0").rstrip(".") if value.microseconds else value.seconds
    )
    return f"P{value.days}DT{seconds}S"
