"""The SQL that makes a table known to a catalogue under a name, where it is written by path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.contracts.catalogue import TableEntry
from pipelines.sql import name, text

if TYPE_CHECKING:
    from pyspark.sql.types import StructType


def create(entry: TableEntry, path: str, columns: StructType) -> str:
    """Return the statement that makes an empty table at `path`, and its entry with comments."""
    parts = (
        f"{name(field.name)} {field.dataType.simpleString()}"
        + (f" COMMENT {text(comment)}" if (comment := entry.columns.get(field.name)) else "")
        for field in columns.fields
    )
    return (
        f"CREATE TABLE IF NOT EXISTS {_full(entry)} ({', '.join(parts)}) "
        f"USING DELTA COMMENT {text(entry.comment)} LOCATION {text(path)}"
    )


def register(entry: TableEntry, path: str) -> str:
    """Return the statement that makes the entry of a table that is there; its columns are those of its log."""
    return f"CREATE TABLE IF NOT EXISTS {_full(entry)} USING DELTA LOCATION {text(path)}"


def _full(entry: TableEntry) -> str:
    return ".".join(name(part) for part in (entry.catalog, entry.schema, entry.table))
