"""An open session: what it is, what it can, and the frames that come from nowhere but the driver or a text."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import pyarrow as pa

from pipelines.contracts.catalogue import TableEntry
from pipelines.engine.capabilities import CAPABILITIES, Capability, hazards_of, refuse
from pipelines.engine.records import Records
from pipelines.engine.sessions import session
from pipelines.errors import UsageError
from pipelines.settings import EngineName

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """An open session.

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
    def open(cls, name: EngineName, tables: Mapping[str, TableEntry] | None = None) -> Self:
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
