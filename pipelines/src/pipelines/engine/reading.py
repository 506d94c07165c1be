"""What the pipelines ask of Delta tables by path: their rows, and what their logs tell of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipelines.engine.arrow_types import from_arrow_schema
from pipelines.engine.opened import OpenedSession
from pipelines.engine.predicates import IN_LIST, is_in
from pipelines.errors import PipelineError
from pipelines.settings import EngineName

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType


@dataclass(frozen=True, slots=True)
class TableReader(OpenedSession):
    """Reads Delta tables."""

    def exists(self, path: str) -> bool:
        """Whether there is a Delta table at `path`."""
        if self.name is EngineName.DATABRICKS:
            return self.spark.catalog.tableExists(f"delta.`{path}`")
        from pipelines.engine import local

        return local.exists(path)

    def read(self, path: str, version: int | None = None) -> DataFrame:
        """Return a version of the table, the newest by default.

        Raises:
            PipelineError: there is no table.
        """
        if not self.exists(path):
            raise PipelineError("there is no table", where=path, fix="run the layer that makes it: `levee run DOMAIN`")
        reader = self.spark.read.format("delta")
        return (reader if version is None else reader.option("versionAsOf", version)).load(path)

    def among(self, frame: DataFrame, column: str, values: Sequence[str]) -> DataFrame:
        """Return the frame's rows whose `column` is one of `values`, however many these are.

        An IN list of thousands is planned slowly and tried value by value; a join is neither.
        """
        return frame.where(is_in(column, values)) if _few(values) else self._joined(frame, column, values, "left_semi")

    def apart(self, frame: DataFrame, column: str, values: Sequence[str]) -> DataFrame:
        """Return the frame's other rows, those that `among` leaves out; `column` has no nulls."""
        if _few(values):
            return frame.where(f"NOT {is_in(column, values)}")
        return self._joined(frame, column, values, "left_anti")

    def count(self, path: str, version: int | None = None) -> int:
        """Rows of a version of the table, the newest by default; 0 where there is no table.

        From its log, so it costs next to nothing.
        """
        if not self.exists(path):
            return 0
        if self.name is EngineName.DATABRICKS:
            return self.read(path, version).count()
        from pipelines.engine import local

        told = local.count(path, version)
        return self.read(path, version).count() if told is None else told

    def count_by(
        self, path: str, key: str, marked: str, *, within: tuple[str, str, str], version: int
    ) -> dict[str, tuple[int, int]]:
        """Count a version's rows, and those whose `marked` is not null, by the values of `key`.

        Args:
            path: The table.
            key: Text column.
            marked: Column.
            within: A text column, and the least and the greatest of its values that count.
            version: Number of the version.
        """
        if self.name is not EngineName.DATABRICKS:
            from pipelines.engine import local

            if (told := local.count_by(path, key, marked, within, version)) is not None:
                return {row[0]: (row[1], row[2]) for row in zip(*told.to_pydict().values(), strict=True)}
        from pyspark.sql import functions as F  # noqa: N812 - the customary name

        column, least, greatest = within
        rows = self.read(path, version).where(F.col(column).between(least, greatest))
        counted = rows.groupBy(key).agg(F.count("*"), F.count(marked)).collect()
        return {row[0]: (row[1], row[2]) for row in counted}

    def version(self, path: str) -> int:
        """Number of the table's newest commit."""
        if self.name is EngineName.DATABRICKS:
            return int(self.spark.sql(f"DESCRIBE HISTORY delta.`{path}` LIMIT 1").collect()[0]["version"])
        from pipelines.engine import local

        return local.version(path)

    def schema(self, path: str) -> StructType:
        """Columns of the table."""
        if self.name is EngineName.DATABRICKS:
            return self.read(path).schema
        from pipelines.engine import local

        return from_arrow_schema(local.schema(path))

    def newest(self, path: str, column: str) -> datetime | None:
        """Return the greatest value of a column of times, UTC, from the table's log; ``None`` where it has none."""
        if not self.exists(path):
            return None
        told = None
        if self.name is not EngineName.DATABRICKS:
            from pipelines.engine import local

            told = local.greatest(path, column)
        if told is None:
            newest = self.read(path).selectExpr(f"CAST(max(`{column}`) AS STRING) AS newest")
            told = newest.collect()[0]["newest"]
        return _utc(told)

    def _joined(self, frame: DataFrame, column: str, values: Sequence[str], how: str) -> DataFrame:
        return frame.join(self.frame(pa.table({column: pa.array(values, pa.string())})), [column], how)


def _few(values: Sequence[str]) -> bool:
    return len(values) <= IN_LIST


def _utc(value: Any) -> datetime | None:
    """A time as a table's log or a query tells it: a timestamp, a date, or the text of one."""
    if value is None:
        return None
    told = datetime.fromisoformat(value) if isinstance(value, str) else value
    moment = told if isinstance(told, datetime) else datetime.combine(told, time())
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
