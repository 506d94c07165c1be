"""The one place that knows how the engines differ: Delta tables by path, the same on every engine.

A table is created empty, then written by one of five commits, each behind the schema gate. Four are safe to repeat:
`replace_where` (a set of deliveries), `merge` (rows by key), `replace_keys` (all rows of some keys), `overwrite` (the
whole table). `insert` writes no row anew and so costs what it adds; its caller must know that the table has none of the
rows.
"""

from __future__ import annotations

import contextlib
import getpass
import itertools
import os
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipelines.contracts.catalogue import TableEntry
from pipelines.engine import registration, schema_gate
from pipelines.engine.arrow_types import from_arrow_schema
from pipelines.engine.capabilities import CAPABILITIES, Capability, hazards_of, refuse
from pipelines.engine.commits import retried
from pipelines.engine.predicates import IN_LIST, is_in
from pipelines.engine.records import Records, greatest, selected
from pipelines.engine.sessions import session
from pipelines.errors import PipelineError, UsageError
from pipelines.settings import EngineName

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

_views = itertools.count()


@dataclass(frozen=True, slots=True)
class Engine:
    """An open session and what the pipelines ask of it.

    Attributes:
        name: Which engine.
        spark: Its Spark Connect session.
        tables: Names by path, under which `ensure` registers tables in the catalogue.
        records: What is gathered for the tables of records.
    """

    name: EngineName
    spark: SparkSession
    tables: Mapping[str, TableEntry] = field(default_factory=dict)
    records: Records = field(default_factory=Records)

    @classmethod
    def open(cls, name: EngineName, tables: Mapping[str, TableEntry] | None = None) -> Engine:
        """Open the engine, or take this process's open one.

        Args:
            name: Which engine.
            tables: Names by path, for an engine whose catalogue outlives the session; others leave them aside.

        Raises:
            PipelineError: it is not installed or does not start.
        """
        lasting = Capability.LASTING_CATALOGUE in CAPABILITIES[name]
        return cls(name, session(name), tables if tables and lasting else {})

    def can(self, capability: Capability) -> bool:
        """Whether the engine has the capability."""
        return capability in CAPABILITIES[self.name]

    def nodes(self) -> int | None:
        """Machines that the session runs on; ``None`` where the cluster does not tell.

        On Databricks the cluster's own tag (``spark.databricks.clusterUsageTags.clusterWorkers``) and its driver.
        """
        if self.name is not EngineName.DATABRICKS:
            return 1
        workers = self.spark.conf.get("spark.databricks.clusterUsageTags.clusterWorkers", None)
        return int(workers) + 1 if workers and workers.isdecimal() else None

    def actor(self) -> str:
        """Who runs the session: ``LEVEE_ACTOR``, else the workspace's user on Databricks, this machine's elsewhere.

        The one answer for every record: of runs, decisions, erasures and restores.

        Raises:
            UsageError: this machine has no name for its user.
        """
        if told := os.environ.get("LEVEE_ACTOR", "").strip():
            return told
        if self.name is EngineName.DATABRICKS:
            return str(self.spark.sql("SELECT current_user() AS user").collect()[0]["user"])
        try:
            return getpass.getuser()
        except (KeyError, OSError) as error:
            raise UsageError("nobody knows who runs this: the user has no name", fix="set LEVEE_ACTOR=NAME") from error

    def interrupt(self) -> None:
        """Stop whatever the session is computing; what was asked for fails, what is committed stays."""
        self.spark.interruptAll()

    # Frames

    def sql(self, statement: str) -> DataFrame:
        """Return the frame of a query that somebody wrote.

        Raises:
            PipelineError: it asks for what this engine does silently wrong.
        """
        for hazard in sorted(hazards_of(statement)):
            refuse(self.name, hazard)
        return self.spark.sql(statement)

    def frame(self, table: pa.Table) -> DataFrame:
        """Return a frame of rows that the driver holds."""
        return self.spark.createDataFrame(table)

    def map_arrow(
        self,
        frame: DataFrame,
        function: Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]],
        schema: StructType | str,
        *,
        partitions: int | None = None,
    ) -> DataFrame:
        """Run `function` over the frame's batches in the workers; it must be importable there, or a `partial` of such.

        Args:
            frame: Input.
            function: Batches to batches.
            schema: Columns that it yields.
            partitions: Pieces to spread the input over; as it is by default.
        """
        spread = frame.repartition(partitions) if partitions else frame
        return spread.mapInArrow(function, schema)

    # Tables

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
        """Commit `frame` in place of all rows.

        Raises:
            SchemaError: the frame does not fit the table.
        """
        self._gate(path, frame)
        retried(lambda: frame.write.format("delta").mode("overwrite").save(path), path)

    def merge(
        self,
        path: str,
        frame: DataFrame,
        keys: Sequence[str],
        *,
        update_when: str | None = None,
        delete_unmatched: str | None = None,
    ) -> None:
        """Commit rows by key: new ones are inserted, known ones stay or are updated.

        Args:
            path: The table, ``t`` in conditions.
            frame: Rows with distinct keys, ``s`` in conditions.
            keys: Columns that are compared, null-safely.
            update_when: Condition on which a known row is replaced; ``None``: never.
            delete_unmatched: Condition on which a row of the table goes whose key the frame has not.

        Raises:
            SchemaError: the frame does not fit the table.
        """
        self._gate(path, frame)
        on = " AND ".join(f"t.`{key}` <=> s.`{key}`" for key in keys)
        clauses = [f"WHEN MATCHED AND ({update_when}) THEN UPDATE SET *"] if update_when else []
        clauses.append("WHEN NOT MATCHED THEN INSERT *")
        if delete_unmatched:
            clauses.append(f"WHEN NOT MATCHED BY SOURCE AND ({delete_unmatched}) THEN DELETE")
        self._merge(path, frame, on, *clauses)

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

    # Inside

    def _merge(self, path: str, source: DataFrame, on: str, *clauses: str) -> None:
        """Run a `MERGE` into the table ``t`` of the frame ``s``."""
        view = f"levee_merge_{threading.get_ident()}_{next(_views)}"
        statement = f"MERGE INTO delta.`{path}` AS t USING {view} AS s ON {on} {' '.join(clauses)}"
        source.createOrReplaceTempView(view)
        try:
            retried(lambda: self.spark.sql(statement).collect(), path)
        finally:
            self.spark.catalog.dropTempView(view)

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

    def _joined(self, frame: DataFrame, column: str, values: Sequence[str], how: str) -> DataFrame:
        return frame.join(self.frame(pa.table({column: pa.array(values, pa.string())})), [column], how)

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


def _few(values: Sequence[str]) -> bool:
    return len(values) <= IN_LIST


def _utc(value: Any) -> datetime | None:
    """A time as a table's log or a query tells it: a timestamp, a date, or the text of one."""
    if value is None:
        return None
    told = datetime.fromisoformat(value) if isinstance(value, str) else value
    moment = told if isinstance(told, datetime) else datetime.combine(told, time())
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


__all__ = ["Engine"]
