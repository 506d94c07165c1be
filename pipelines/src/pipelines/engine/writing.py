"""The commits that the pipelines make to Delta tables by path, each behind the schema gate.

A table is created empty, then written by one of five commits. Four are safe to repeat: `replace_where` (a set of
deliveries), `merge` (rows by key), `replace_keys` (all rows of some keys), `overwrite` (the whole table). `insert`
writes no row anew and so costs what it adds; its caller must know that the table has none of the rows.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from pipelines.contracts.catalogue import TableEntry
from pipelines.engine import registration, schema_gate
from pipelines.engine.arrow_types import from_arrow_schema
from pipelines.engine.commits import OvertakenError, retried
from pipelines.engine.predicates import is_in
from pipelines.engine.reading import TableReader
from pipelines.settings import EngineName

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType

_views = itertools.count()


@dataclass(frozen=True, slots=True)
class TableWriter(TableReader):
    """Writes Delta tables."""

    def ensure(self, path: str, like: pa.Schema) -> None:
        """Create the table empty, or add the columns that it lacks; where it has a name, let the catalogue know it.

        Raises:
            SchemaError: the table has columns that are not `like`'s, or of another type.
        """
        if (entry := self.tables.get(path)) is not None:
            retried(lambda: self._register(path, like, entry), path)
        elif not self.exists(path):
            self._create(path, like)
        retried(lambda: self._evolve(path, from_arrow_schema(like)), path)

    def insert(self, path: str, frame: DataFrame) -> None:
        """Commit `frame` beside the table's rows, and touch none of these: not safe to repeat.

        Raises:
            SchemaError: the frame does not fit the table.
            PipelineError: other writers came first again and again.
        """
        self._gate(path, frame)
        retried(lambda: frame.write.format("delta").mode("append").save(path), path)

    def replace_where(
        self,
        path: str,
        frame: DataFrame,
        column: str,
        values: Sequence[str],
        *,
        asserted: Sequence[str] | None = None,
        leaving: str | None = None,
    ) -> None:
        """Commit `frame` in place of the table's rows whose `column` is one of `values`, in one transaction.

        The predicate is asserted on every row: a row outside it fails the commit (Sail would take it).

        Args:
            path: The table.
            frame: New rows.
            column: Text column.
            values: Values whose rows leave.
            asserted: Values that the new rows may have; `values` by default.
            leaving: SQL condition of further rows that leave.

        Raises:
            SchemaError: the frame does not fit the table.
            PipelineError: other writers came first again and again.
        """
        self._gate(path, frame)
        predicate = is_in(column, values) if leaving is None else f"({is_in(column, values)} OR {leaving})"
        checked = self._asserted(frame, column, is_in(column, values if asserted is None else asserted))

        def commit() -> None:
            writer = checked.write.format("delta").mode("overwrite")
            writer.option("replaceWhere", predicate).save(path)

        retried(commit, path)

    def overwrite(self, path: str, frame: DataFrame) -> None:
        """Commit `frame` in place of all rows, also of those that others commit meanwhile.

        To Delta whoever replaces the rows of an empty table only adds some, and two who do so at once conflict in
        nothing: so what was overtaken is written again.

        Raises:
            SchemaError: the frame does not fit the table.
            PipelineError: other writers came first again and again.
        """
        self._gate(path, frame)

        def commit() -> None:
            before = self.version(path)
            frame.write.format("delta").mode("overwrite").save(path)
            if self.version(path) > before + 1:
                raise OvertakenError(f"{path} was at version {before}")

        retried(commit, path)

    def merge(
        self,
        path: str,
        frame: DataFrame,
        keys: Sequence[str],
        *,
        update: bool = False,
    ) -> None:
        """Commit rows by key: new ones are inserted, known ones stay or are replaced.

        Args:
            path: The table.
            frame: Rows with distinct keys.
            keys: Columns that are compared, null-safely.
            update: Whether a known row is replaced.

        Raises:
            SchemaError: the frame does not fit the table.
        """
        self._gate(path, frame)
        on = " AND ".join(f"t.`{key}` <=> s.`{key}`" for key in keys)
        clauses = ["WHEN MATCHED THEN UPDATE SET *"] if update else []
        self._merge(path, frame, on, *clauses, "WHEN NOT MATCHED THEN INSERT *")

    def replace_keys(
        self, path: str, frame: DataFrame, rows: Sequence[str], scope: DataFrame | None, keys: Sequence[str]
    ) -> None:
        """Commit `frame` in place of all rows of some keys, in one `MERGE`: the same again changes nothing.

        Args:
            path: The table.
            frame: New rows.
            rows: Columns that name a row of the table and of the frame, never null.
            scope: The keys, distinct, of which all rows that the frame has not leave; ``None`` for all of the table.
            keys: Columns of the scope, never null; of `rows`.

        Raises:
            SchemaError: the frame does not fit the table.
            PipelineError: other writers came first again and again.
        """
        self._gate(path, frame)
        named = ", ".join(f"`{name}`" for name in rows)
        there = self.read(path) if scope is None else self.read(path).join(scope, list(keys), "left_semi")
        known = there.select(frame.columns).selectExpr("*", "true AS _known")
        both = frame.selectExpr("*", "false AS _known").unionByName(known)
        gone = f"min(_known) OVER (PARTITION BY {named}) AS _gone"
        source = both.selectExpr("*", gone).where("_known = _gone").drop("_known")
        self._merge(
            path,
            source,
            _equal(rows),
            "WHEN MATCHED AND s._gone THEN DELETE",
            "WHEN MATCHED THEN UPDATE SET *",
            "WHEN NOT MATCHED AND NOT s._gone THEN INSERT *",
        )

    def delete_rows(self, path: str, frame: DataFrame) -> None:
        """Delete the rows of a table that have the values of a row of `frame` in all of its columns.

        Raises:
            PipelineError: other writers came first again and again.
        """
        self._merge(path, frame, _equal(frame.columns), "WHEN MATCHED THEN DELETE")

    def _merge(self, path: str, source: DataFrame, on: str, *clauses: str) -> None:
        """Run a `MERGE` into the table ``t`` of the frame ``s``."""
        view = f"levee_merge_{threading.get_ident()}_{next(_views)}"
        statement = f"MERGE INTO delta.`{path}` AS t USING {view} AS s ON {on} {' '.join(clauses)}"
        source.createOrReplaceTempView(view)
        try:
            retried(lambda: self.spark.sql(statement).collect(), path)
        finally:
            self.spark.catalog.dropTempView(view)

    def _create(self, path: str, like: pa.Schema) -> None:
        if self.name is EngineName.DATABRICKS:
            self.spark.createDataFrame([], from_arrow_schema(like)).write.format("delta").mode("ignore").save(path)
            return
        from pipelines.engine import local

        retried(lambda: local.create(path, like), path)

    def _register(self, path: str, like: pa.Schema, entry: TableEntry) -> None:
        there = self.exists(path)
        columns = from_arrow_schema(like)
        statement = registration.register(entry, path) if there else registration.create(entry, path, columns)
        self.spark.sql(statement).collect()

    def _evolve(self, path: str, like: StructType) -> None:
        added = schema_gate.check(self.schema(path), like, path, may_add=True).added
        if added:
            empty = self.spark.createDataFrame([], like)
            empty.write.format("delta").mode("append").option("mergeSchema", "true").save(path)

    def _gate(self, path: str, frame: DataFrame) -> None:
        schema_gate.check(self.schema(path), frame.schema, path, may_add=False)

    def _asserted(self, frame: DataFrame, column: str, predicate: str) -> DataFrame:
        if self.name is not EngineName.SAIL:
            return frame  # Delta's own writer asserts it
        from pyspark.sql import functions as F  # noqa: N812 - the customary name

        outside = F.raise_error(F.lit(f"a row is outside the predicate on {column} that it was to be written under"))
        checked = F.when(F.expr(predicate), F.col(column)).otherwise(outside)
        quoted = {name: F.col(f"`{name.replace('`', '``')}`") for name in frame.columns}  # a dot is no path here
        return frame.select(*(checked.alias(name) if name == column else quoted[name] for name in frame.columns))


def _equal(columns: Sequence[str]) -> str:
    """SQL that is true where ``t`` and ``s`` have the same values."""
    return " AND ".join(f"t.`{name}` = s.`{name}`" for name in columns)
