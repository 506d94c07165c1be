"""Stands before every write: a frame that does not fit its table is refused, whatever the engine would have done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.errors import SchemaError

if TYPE_CHECKING:
    from pyspark.sql.types import StructType


@dataclass(frozen=True, slots=True)
class SchemaDifference:
    """How a frame's columns differ from its table's; types in Spark's simple spelling.

    Attributes:
        added: Columns that the table lacks, with their types.
        lacking: Columns that the frame lacks, with their types.
        changed: Columns of both, with (table's type, frame's type).
    """

    added: Mapping[str, str]
    lacking: Mapping[str, str]
    changed: Mapping[str, tuple[str, str]]

    @property
    def same(self) -> bool:
        """No difference but the order."""
        return not (self.added or self.lacking or self.changed)


def compare(table: StructType, frame: StructType) -> SchemaDifference:
    """Compare two schemas by name and type; order and nullability do not count (Delta columns are nullable)."""
    there = {field.name: field.dataType.simpleString() for field in table.fields}
    here = {field.name: field.dataType.simpleString() for field in frame.fields}
    return SchemaDifference(
        added={name: kind for name, kind in here.items() if name not in there},
        lacking={name: kind for name, kind in there.items() if name not in here},
        changed={name: (kind, here[name]) for name, kind in there.items() if name in here and here[name] != kind},
    )


def check(table: StructType, frame: StructType, where: str, *, may_add: bool) -> SchemaDifference:
    """Refuse a frame that its table cannot take.

    Args:
        table: Schema of the table.
        frame: Schema of what is to be written.
        where: The table, for the message.
        may_add: Whether new columns are an evolution that the caller carries out.

    Returns:
        The difference, at most `added`.

    Raises:
        SchemaError: a column is missing or has another type, or is new and `may_add` is false.
    """
    difference = compare(table, frame)
    complaints = [f"{name} is {old} in the table and {new} here" for name, (old, new) in difference.changed.items()]
    complaints += [f"{name} ({kind}) is in the table and not here" for name, kind in difference.lacking.items()]
    if not may_add:
        complaints += [f"{name} ({kind}) is here and not in the table" for name, kind in difference.added.items()]
    if complaints:
        raise SchemaError(
            f"the rows do not fit the table: {'; '.join(complaints)}",
            where=where,
            fix="give the changed column a new name in the contract, or move the table away and run again",
        )
    return difference
