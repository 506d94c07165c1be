"""Delta tables through deltalake, in this process: what their logs tell, and the rows of small ones.

A query of an engine takes 10 ms and more, on Spark a second, for what a log tells in one or two. A Databricks runtime
has no deltalake: there nothing imports this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import deltalake
import pyarrow as pa
import pyarrow.compute as pc


def exists(path: str) -> bool:
    """Whether there is a Delta table at `path`."""
    return deltalake.DeltaTable.is_deltatable(path)


def version(path: str) -> int:
    """Number of the table's newest commit."""
    return deltalake.DeltaTable(path).version()


def history(path: str) -> list[dict[str, Any]]:
    """The table's commits, newest first."""
    return deltalake.DeltaTable(path).history()


def schema(path: str) -> pa.Schema:
    """Columns of the table."""
    return pa.schema(deltalake.DeltaTable(path).schema().to_arrow())


def count(path: str, at: int | None = None) -> int | None:
    """Rows of a version of the table, the newest by default; ``None`` where its log does not tell.

    A writer may leave out a file's number of rows, and a deletion vector takes from it.
    """
    table = deltalake.DeltaTable(path, version=at)
    if _has_deletion_vectors(table):
        return None
    numbers = pa.table(table.get_add_actions(flatten=True))["num_records"]
    # pyarrow makes its functions when it is imported.
    return None if numbers.null_count else int(pc.sum(numbers, min_count=0).as_py())  # ty: ignore[missing-attribute]


def count_by(path: str, key: str, marked: str, within: tuple[str, str, str], at: int) -> pa.Table | None:
    """Count a version's rows, and those whose `marked` is not null, by `key`; ``None`` where files hide rows.

    Args:
        path: The table.
        key: Column whose values are told apart.
        marked: Column.
        within: A text column, and the least and the greatest of its values that count; other files are not opened.
        at: Number of the version.
    """
    table = deltalake.DeltaTable(path, version=at)
    if _has_deletion_vectors(table):
        return None
    column, *bounds = within
    least, greatest = ("'" + bound.replace("'", "''") + "'" for bound in bounds)
    return _queried(
        table,
        f'SELECT "{key}", count(*), count("{marked}") FROM asked '  # noqa: S608 - the bounds are quoted
        f'WHERE "{column}" BETWEEN {least} AND {greatest} GROUP BY 1',
    )


def rows(path: str, columns: Sequence[str] | None = None, where: str | None = None) -> pa.Table:
    """Return rows of a small table; ``where`` is SQL."""
    table = deltalake.DeltaTable(path)
    names = ", ".join(f'"{name}"' for name in columns) if columns else "*"
    found = _queried(table, f"SELECT {names} FROM asked" + (f" WHERE {where}" if where else ""))  # noqa: S608 - the caller's SQL
    declared = pa.schema(table.schema().to_arrow())
    return found.cast(pa.schema([declared.field(name) for name in found.column_names]))  # views into plain texts


def create(path: str, like: pa.Schema) -> None:
    """Create an empty table, where there is none."""
    deltalake.DeltaTable.create(path, like, mode="ignore")


def append(path: str, added: pa.Table) -> None:
    """Append rows; where there is no table, the same commit makes it."""
    deltalake.write_deltalake(path, added, mode="append")


def optimize(path: str, z_order_by: Sequence[str] = ()) -> None:
    """Compact the table's small files, clustered by `z_order_by` where it is given."""
    optimizer = deltalake.DeltaTable(path).optimize
    _ = optimizer.z_order(list(z_order_by)) if z_order_by else optimizer.compact()


def vacuum(path: str, hours: int) -> None:
    """Delete files that left the table more than `hours` ago."""
    deltalake.DeltaTable(path).vacuum(retention_hours=hours, dry_run=False)


def _has_deletion_vectors(table: deltalake.DeltaTable) -> bool:
    return "deletionVectors" in (table.protocol().reader_features or ())


def _queried(table: deltalake.DeltaTable, query: str) -> pa.Table:
    """Answer SQL over the table, which it calls ``asked``."""
    return pa.table(deltalake.QueryBuilder().register("asked", table).execute(query).read_all())
