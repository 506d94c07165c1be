"""The type that fits every text of a field, in silver's own grammar: what is inferred here can be cast there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

from pipelines.silver.typing import ISO_DATE, ISO_TIMESTAMP, DatePattern, date_pattern, grammar

_INTEGER: Final = re.compile(r"[+-]?(0|[1-9][0-9]*)")
"""Without leading zeros: those are numbers of things, not amounts."""
_DECIMAL: Final = re.compile(r"[+-]?(0|[1-9][0-9]*)?([.][0-9]+)?")
_DOUBLE: Final = re.compile(grammar("double", ""))
_BOOLEANS: Final = frozenset({"true", "false"})
_LEAST_DIGITS: Final = 18
_MOST_DIGITS: Final = 38
_DATES: Final = (
    *("dd/MM/yyyy", "MM/dd/yyyy", "d/M/yyyy", "M/d/yyyy", "dd.MM.yyyy", "d.M.yyyy"),
    *("dd-MM-yyyy", "MM-dd-yyyy", "yyyy/MM/dd", "yyyy.MM.dd"),
)
_TIMES: Final = tuple(f"{date} {time}" for date in _DATES for time in ("HH:mm", "H:mm", "HH:mm:ss", "H:mm:ss"))
PATTERNS: Final = (*_DATES, *_TIMES, "yyyyMMdd HHmmss", "yyyyMMddHHmmss")
"""Java patterns that are tried, the stricter first; ISO 8601 needs none."""
NULL_TEXTS: Final = ("NULL", "null", "\\N", "N/A", "n/a", "#N/A", "NA", "NaN", "nan", "None", "none", "-", "?")
"""Texts that may mean null."""
CERTAIN_NULLS: Final = frozenset({"NULL", "\\N", "N/A", "#N/A"})
"""Those that mean it in a column of texts, too."""


@dataclass(frozen=True, slots=True)
class Guess:
    """The type of a field.

    Attributes:
        type: Spark SQL type.
        format: Java pattern of a date or time; ``None`` for ISO 8601.
        remark: What a reader should know of the guess; empty for nothing.
    """

    type: str
    format: str | None = None
    remark: str = ""

    @property
    def logical(self) -> str:
        """The standard's type."""
        kind = self.type.partition("(")[0]
        return {"decimal": "number", "double": "number", "float": "number"}.get(
            kind, "integer" if kind in ("tinyint", "smallint", "int", "bigint") else kind
        )


STRING: Final = Guess("string")


def guess(texts: Iterable[str]) -> Guess:
    """The narrowest type that every text can be cast to; ``string`` where none fits, or there is no text."""
    values = sorted({text.strip() for text in texts})
    if not values:
        return Guess("string", remark="no value was seen")
    if {value.lower() for value in values} <= _BOOLEANS:
        return Guess("boolean")
    if all(map(_INTEGER.fullmatch, values)):
        return _integer(values)
    if all(_DECIMAL.fullmatch(value) and value.strip("+-") for value in values):
        return _decimal(values)
    if all(map(_DOUBLE.fullmatch, values)) and not any(re.match(r"[+-]?0[0-9]", value) for value in values):
        return Guess("double", remark="some have an exponent")
    return _moment(values)


def _integer(values: Sequence[str]) -> Guess:
    largest = max(abs(int(value)) for value in values)
    if largest >= 10 ** (_MOST_DIGITS):
        return STRING
    if largest >= 2**63:
        return Guess(f"decimal({_MOST_DIGITS},0)")
    # ten times what was seen still fits
    return Guess("int" if largest * 10 < 2**31 else "bigint")


def _decimal(values: Sequence[str]) -> Guess:
    whole = max(len(value.lstrip("+-").partition(".")[0]) for value in values)
    scale = max(len(value.partition(".")[2]) for value in values)
    if whole + scale > _MOST_DIGITS:
        return STRING
    return Guess(f"decimal({_LEAST_DIGITS if whole + scale <= _LEAST_DIGITS else _MOST_DIGITS},{scale})")


def _moment(values: Sequence[str]) -> Guess:
    if all(re.fullmatch(ISO_DATE, value) and _is_date(value) for value in values):
        return Guess("date")
    if all(re.fullmatch(ISO_TIMESTAMP, value) and _is_date(value[:10]) for value in values):
        return Guess("timestamp")
    fitting = [pattern for pattern in PATTERNS if all(_read(value, pattern) for value in values)]
    if not fitting:
        return STRING
    best = fitting[0]
    swapped = best.translate(str.maketrans({"d": "M", "M": "d"}))
    remark = f"{swapped} fits, too: nothing seen tells day from month" if swapped in fitting else ""
    return Guess("timestamp" if "H" in best else "date", best, remark)


def _read(value: str, pattern: str) -> bool:
    compiled = _pattern(pattern)
    match = re.fullmatch(compiled.regex, value)
    if match is None:
        return False
    parts = re.sub(r"\$(\d)", r"\\g<\1>", compiled.iso)
    day, _, time = match.expand(parts).partition(" ")
    year, month, number = day.split("-")
    return _is_date(f"{year}-{month:0>2}-{number:0>2}") and (not time or _is_time(time))


@cache
def _pattern(pattern: str) -> DatePattern:
    return date_pattern(pattern, "")


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_time(text: str) -> bool:
    hour, minute, second = (int(part.partition(".")[0]) for part in text.split(":"))
    return hour < 24 and minute < 60 and second < 60
