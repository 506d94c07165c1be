"""The one place that knows how the engines differ: a session, Delta tables by path, and tables of records.

Tables are read (:mod:`pipelines.engine.reading`) and written (:mod:`pipelines.engine.writing`) by frames, the same on
every engine. Tables of records are small ones whose rows the driver holds.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from pipelines.engine.commits import retried
from pipelines.engine.records import greatest, selected
from pipelines.engine.writing import TableWriter
from pipelines.settings import EngineName


@dataclass(frozen=True, slots=True)
class Engine(TableWriter):
    """An open session and what the pipelines ask of it."""

    def rows(
        self, path: str, columns: Sequence[str] | None = None, matching: Mapping[str, str] | None = None
    ) -> pa.Table:
        """Return rows of a table of records to the driver: those whose text columns have the values of `matching`.

        Where there is no table there are no rows, and no columns.
        """
        if self.records.gathering:
            return selected(self.records.all(self, path), columns, matching or {})
        return self._committed(path, columns, matching or {})

    def greatest(self, path: str, column: str) -> int | None:
        """Return the greatest value of an integer column of a table of records; ``None`` where there is none."""
        if self.records.gathering:
            return greatest(self.records.all(self, path), column)
        if not self.exists(path):
            return None
        if self.name is not EngineName.DATABRICKS:
            from pipelines.engine import local

            if (told := local.greatest(path, column)) is not None:
                return told
        return self.read(path).selectExpr(f"max(`{column}`)").collect()[0][0]

    def append(self, path: str, rows: pa.Table) -> None:
        """Append rows that the driver holds to a table of records, and create it where there is none.

        Raises:
            SchemaError: the rows do not fit the table.
        """
        if self.records.gathering:
            self.records.add(self, path, rows)
        else:
            self.commit_records(path, rows)

    @contextlib.contextmanager
    def gathered_records(self) -> Generator[None]:
        """Commit appends to tables of records many at a time (:mod:`pipelines.engine.records`)."""
        with self.records.gathered(self):
            yield

    def version_of_records(self, path: str) -> int:
        """Number of the newest commit of a table of records; -1 where there is no table."""
        return self.version(path) if self.exists(path) else -1

    def read_records(self, path: str) -> pa.Table:
        """Every committed row of a table of records."""
        return self._committed(path, None, {})

    def commit_records(self, path: str, rows: pa.Table) -> None:
        """Commit rows to a table of records; where there is none, make it."""
        if self.name is EngineName.DATABRICKS:
            self.ensure(path, rows.schema)
            self.frame(rows).write.format("delta").mode("append").save(path)
            return
        from pipelines.engine import local  # Spark takes a second or more for a commit of one row

        if self.exists(path):
            self.ensure(path, rows.schema)
        retried(lambda: local.append(path, rows), path)

    def _committed(self, path: str, columns: Sequence[str] | None, matching: Mapping[str, str]) -> pa.Table:
        """Rows of a table of records that are committed."""
        if not self.exists(path):
            return pa.table({})
        if self.name is not EngineName.DATABRICKS:
            from pipelines.engine import local

            return local.rows(path, columns, matching)
        from pyspark.sql import functions as F  # noqa: N812 - the customary name

        frame = self.read(path)
        for column, value in matching.items():
            frame = frame.where(F.col(column) == value)
        return (frame.select(*columns) if columns else frame).toArrow()


__all__ = ["Engine"]
