"""Text into typed columns, by SQL that every engine reads alike.

Engines disagree on what a cast takes (``1e3`` is a decimal to Spark and none to Sail; both round what has too many
digits). So each type has a grammar of its own, a regular expression before the cast; text outside it becomes null and
the rule ``<column>_type`` sends the row to quarantine:

=====================  ================================================================================================
``string``             the text as it is
``tinyint`` … `bigint`  digits with an optional sign, in range
``decimal(p,s)``       digits, a point, at most `s` digits after it that are not zeros at the end; never rounded
``float``, ``double``  the same with any digits, and an exponent; no ``NaN``, no ``Infinity``
``boolean``            ``true`` or ``false`` in any case
``date``               the column's pattern, by default ``yyyy-MM-dd``; a day that the calendar has
``timestamp``          the column's pattern, by default ISO 8601 with ``T`` or a blank; UTC where no offset is given
=====================  ================================================================================================

Blanks around the text are dropped for every type but ``string``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipelines import sql
from pipelines.contracts.model import Column
from pipelines.errors import ContractError

INTEGERS = ("tinyint", "smallint", "int", "integer", "bigint")
ISO_DATE = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
ISO_TIMESTAMP = (
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?$"
)
CAST_AS_THEY_ARE = ("yyyy-MM-dd", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss")
"""Patterns whose text every engine casts as it is; putting its parts in order takes longer than the cast."""
_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")

_FIELDS = {
    "yyyy": ("year", "([0-9]{4})"),
    "MM": ("month", "([0-9]{2})"),
    "M": ("month", "([0-9]{1,2})"),
    "dd": ("day", "([0-9]{2})"),
    "d": ("day", "([0-9]{1,2})"),
    "HH": ("hour", "([0-9]{2})"),
    "H": ("hour", "([0-9]{1,2})"),
    "mm": ("minute", "([0-9]{2})"),
    "m": ("minute", "([0-9]{1,2})"),
    "ss": ("second", "([0-9]{2})"),
    "s": ("second", "([0-9]{1,2})"),
    "SSS": ("fraction", "([0-9]{3})"),
    "SSSSSS": ("fraction", "([0-9]{6})"),
}
"""Letters of a Java ``DateTimeFormatter`` pattern that are read, each with its part and its digits."""
_TOKEN = re.compile(r"'([^']*)'|([A-Za-z])\2*|[^A-Za-z']")


@dataclass(frozen=True, slots=True)
class DatePattern:
    """A Java date pattern as two regular expressions.

    Attributes:
        regex: What the text must look like, a group a part.
        iso: The parts in ISO 8601's order, for ``regexp_replace``.
    """

    regex: str
    iso: str


def typed(column: Column) -> str:
    """Return SQL that reads a column from the source's fields (as text, null where absent); null where it cannot.

    Raises:
        ContractError: the column's type or date pattern is not one that is read.
    """
    text = column.expression or sql.name(column.sources[0])
    if column.expression is None and len(column.sources) > 1:
        raise ContractError(
            f"column {column.name} has {len(column.sources)} sources and no transformLogic to join them",
            fix="add `transformLogic` with a SQL expression over them",
        )
    if column.type == "string":
        return f"CAST({text} AS STRING)"
    trimmed = f"trim(CAST({text} AS STRING))"
    if column.type == "boolean":
        return f"CASE lower({trimmed}) WHEN 'true' THEN true WHEN 'false' THEN false END"
    if column.type in ("date", "timestamp") and column.format:
        pattern = date_pattern(column.format, column.name)
        if column.format in CAST_AS_THEY_ARE:
            return _gated(trimmed, pattern.regex, trimmed, column.type)
        value = f"regexp_replace({trimmed}, {sql.text(pattern.regex)}, {sql.text(pattern.iso)})"
        return _gated(trimmed, pattern.regex, value, column.type)
    return _gated(trimmed, grammar(column.type, column.name), trimmed, column.type)


def grammar(kind: str, name: str) -> str:
    """Return the regular expression of a type's text, the same in Java and Rust.

    Raises:
        ContractError: silver has no such type.
    """
    if kind in INTEGERS:
        return "^[+-]?[0-9]{1,19}$"
    if match := _DECIMAL.fullmatch(kind):
        scale = int(match[2])
        return f"^[+-]?([0-9]+([.][0-9]{{0,{scale}}}0*)?|[.][0-9]{{1,{max(scale, 1)}}}0*)$"
    if kind in ("float", "double"):
        return "^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,3})?$"
    if kind == "date":
        return ISO_DATE
    if kind == "timestamp":
        return ISO_TIMESTAMP
    raise ContractError(
        f"column {name} is of the type {kind}, which silver does not read",
        fix="use string, int, bigint, decimal(p,s), double, boolean, date or timestamp",
    )


def date_pattern(pattern: str, name: str) -> DatePattern:
    """Translate a Java date pattern.

    Raises:
        ContractError: it has letters that are not read, a part twice, or no year.
    """
    regex, groups = "^", {}
    for token in _TOKEN.finditer(pattern):
        text = token.group()
        if token.group(1) is not None:
            regex += _literal(token.group(1) or "'")
        elif text in _FIELDS:
            part, digits = _FIELDS[text]
            if part in groups:
                raise ContractError(f"column {name}: the date pattern {pattern!r} has the {part} twice")
            groups[part] = len(groups) + 1
            regex += digits
        elif text[0].isalpha():
            raise ContractError(
                f"column {name}: the letters {text!r} of the date pattern {pattern!r} are not read",
                fix=f"use {', '.join(_FIELDS)}, or bring the text into ISO 8601 with transformLogic",
            )
        else:
            regex += _literal(text)
    if "year" not in groups:
        raise ContractError(f"column {name}: the date pattern {pattern!r} has no year")

    def part(what: str, default: str) -> str:
        return f"${{{groups[what]}}}" if what in groups else default

    iso = f"{part('year', '')}-{part('month', '01')}-{part('day', '01')}"
    if groups.keys() & {"hour", "minute", "second", "fraction"}:
        iso += f" {part('hour', '00')}:{part('minute', '00')}:{part('second', '00')}.{part('fraction', '0')}"
    return DatePattern(regex + "$", iso.replace("${", "$").replace("}", ""))


def _literal(text: str) -> str:
    return "".join(char if char.isalnum() or char == " " else f"[{char}]" for char in text)


def _gated(text: str, regex: str, value: str, kind: str) -> str:
    return f"CASE WHEN {text} RLIKE {sql.text(regex)} THEN TRY_CAST({value} AS {kind.upper()}) END"
