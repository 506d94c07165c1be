"""Spark SQL text: names, literals and comparisons, written so that every engine reads them alike."""

from __future__ import annotations

from typing import Any

from pipelines.errors import ContractError

BOUNDS = {
    "minimum": ">=",
    "exclusiveMinimum": ">",
    "maximum": "<=",
    "exclusiveMaximum": "<",
}
"""Bounds of the standard's ``logicalTypeOptions`` and their operator."""


def name(identifier: str) -> str:
    """Quote an identifier."""
    return "`" + identifier.replace("`", "``") + "`"


def text(value: str) -> str:
    """Quote a string; Spark reads a backslash in a string literal as an escape."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def literal(value: Any, type_: str, where: str | None = None) -> str:
    """Write `value` as a literal that compares with a column of the Spark SQL type `type_`.

    Raises:
        ContractError: the value is not of that type.
    """
    kind = type_.split("(", maxsplit=1)[0]
    match value:
        case bool():
            if kind == "boolean":
                return "true" if value else "false"
        case int() if kind not in ("string", "boolean", "date", "timestamp"):
            return str(value)
        case float() if kind in ("double", "float"):
            return f"CAST({text(repr(value))} AS DOUBLE)"
        case float() if kind == "decimal":
            return f"CAST({text(repr(value))} AS DECIMAL(38, 18))"
        case str() if kind == "string":
            return text(value)
        case str() if kind == "date":
            return f"DATE {text(value)}"
        case str() if kind == "timestamp":
            return f"TIMESTAMP {text(value)}"
        case _:
            pass
    raise ContractError(f"{value!r} is no value of the type {type_}", where=where)


def all_of(conditions: list[str]) -> str:
    """Join conditions with AND."""
    return " AND ".join(f"({condition})" for condition in conditions) if conditions else "true"
