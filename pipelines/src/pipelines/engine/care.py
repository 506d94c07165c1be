"""Care of Delta tables by path: compaction, clustering, vacuum, restore, their commits, and what their files are like.

Where an engine lacks a command (Sail has none of them) the same is done through deltalake on the same table.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow.fs as pa_fs

from pipelines import sql
from pipelines.engine.capabilities import Capability
from pipelines.engine.commits import retried
from pipelines.settings import EngineName
from pipelines.storage import is_url

if TYPE_CHECKING:
    from pipelines.engine import Engine

SMALL_BYTES = 16 << 20
"""A file below this is small: a sixth of what OPTIMIZE aims at (100 MiB, delta-rs' default; Spark's is 1 GiB)."""

_PURGE = (
    (
        "ALTER TABLE delta.`{path}` SET TBLPROPERTIES ('delta.logRetentionDuration' = 'interval 0 seconds', "
        "'delta.deletedFileRetentionDuration' = 'interval 0 seconds')"
    ),
    "REORG TABLE delta.`{path}` APPLY (PURGE)",
    "VACUUM delta.`{path}` RETAIN 0 HOURS",
)
"""What deletes every file of a table on Databricks that its newest version does not need."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One version of a table.

    Attributes:
        version: Its number.
        at: When it was committed, UTC, by the log.
        operation: Delta's word for it, e.g. ``WRITE``, ``MERGE``, ``OPTIMIZE``.
        parameters: How it was asked for, e.g. ``mode``.
        metrics: What the engine counted, as it says it.
        engine: What wrote it; empty where the log does not tell.
        user: Who wrote it by the log (Databricks); ``None`` elsewhere.
    """

    version: int
    at: datetime
    operation: str
    parameters: Mapping[str, Any]
    metrics: Mapping[str, Any]
    engine: str
    user: str | None


@dataclass(frozen=True, slots=True)
class TableFiles:
    """What the newest version of a table is made of, and what lies around it; ``None`` where nobody tells.

    Attributes:
        files: Files that it reads.
        bytes: Their size.
        small_files: Files below `SMALL_BYTES`.
        without_statistics: Files whose log has no statistics, which no query can leave out.
        stored_files: Files that are kept, those of earlier versions included, without the log.
        stored_bytes: Their size: what is paid for.
    """

    files: int
    bytes: int
    small_files: int | None
    without_statistics: int | None
    stored_files: int | None
    stored_bytes: int | None


def optimize(engine: Engine, path: str, cluster_by: Sequence[str] = ()) -> None:
    """Compact the table's small files, its rows clustered by `cluster_by`.

    Clustered means liquid clustering where the engine has it (the table then keeps its columns), else Z-order.
    """
    names = ", ".join(sql.name(column) for column in cluster_by)
    if engine.can(Capability.LIQUID_CLUSTERING):
        if cluster_by:
            engine.spark.sql(f"ALTER TABLE delta.`{path}` CLUSTER BY ({names})").collect()
        retried(lambda: engine.spark.sql(f"OPTIMIZE delta.`{path}`").collect(), path)
        return
    if engine.can(Capability.DELTA_MAINTENANCE):
        order = f" ZORDER BY ({names})" if cluster_by else ""
        retried(lambda: engine.spark.sql(f"OPTIMIZE delta.`{path}`{order}").collect(), path)
        return
    from pipelines.engine import local

    retried(lambda: local.optimize(path, cluster_by), path)


def analyze(engine: Engine, path: str) -> None:
    """Collect the statistics of columns that the optimiser joins by; only where the engine keeps such."""
    if engine.name is EngineName.DATABRICKS:
        engine.spark.sql(f"ANALYZE TABLE delta.`{path}` COMPUTE STATISTICS FOR ALL COLUMNS").collect()


def vacuum(engine: Engine, path: str, hours: int) -> None:
    """Delete files that left the table more than `hours` ago (168 or more)."""
    if engine.can(Capability.DELTA_MAINTENANCE):
        engine.spark.sql(f"VACUUM delta.`{path}` RETAIN {hours} HOURS").collect()
        return
    from pipelines.engine import local

    local.vacuum(path, hours)


def purge(engine: Engine, path: str, before: datetime) -> int:
    """Forget every version of the table but the newest, at once; return how many files were deleted.

    Nobody may be writing the table, or reading an older version: their files go too. On Databricks the log's entries
    go when its own retention, set to nothing here, is next enforced.

    Args:
        engine: The open engine.
        path: The table.
        before: Since when nobody but the caller may write the table. What killed writers have left is older, and goes;
            on Databricks everything does that the newest version does not need.
    """
    if engine.name is EngineName.DATABRICKS:
        for statement in _PURGE:
            engine.spark.sql(statement.format(path=path)).collect()
        return 0
    from pipelines.engine import purging  # a Databricks runtime has no deltalake

    return retried(lambda: purging.purge(path, before), path)


def restore(engine: Engine, path: str, version: int) -> None:
    """Make the rows of an earlier version the newest ones: a commit on top, nothing before it changes.

    Raises:
        PipelineError: files of that version are gone.
    """
    if engine.name is EngineName.DATABRICKS:
        engine.spark.sql(f"RESTORE TABLE delta.`{path}` TO VERSION AS OF {version}").collect()
        return
    from pipelines.engine import local

    retried(lambda: local.restore(path, version), path)


def commits(engine: Engine, path: str) -> tuple[Commit, ...]:
    """The table's commits that its log still has, newest first."""
    if engine.name is EngineName.DATABRICKS:
        rows = [row.asDict() for row in engine.spark.sql(f"DESCRIBE HISTORY delta.`{path}`").collect()]
        return tuple(
            Commit(
                row["version"],
                row["timestamp"].replace(tzinfo=UTC) if row["timestamp"].tzinfo is None else row["timestamp"],
                row["operation"],
                row["operationParameters"] or {},
                row["operationMetrics"] or {},
                row["engineInfo"] or "",
                row["userName"],
            )
            for row in rows
        )
    from pipelines.engine import local

    return tuple(
        Commit(
            int(entry["version"]),
            datetime.fromtimestamp(entry["timestamp"] / 1000, UTC),
            entry.get("operation", ""),
            entry.get("operationParameters") or {},
            _metrics(entry.get("operationMetrics")),
            entry.get("engineInfo", ""),
            entry.get("userName"),
        )
        for entry in local.history(path)
    )


def rows_at(engine: Engine, path: str, version: int) -> int | None:
    """Return the rows of a version by the log, which still tells when the version's files were vacuumed.

    ``None`` where it does not tell: on Databricks, where only a count over the files would.
    """
    if engine.name is EngineName.DATABRICKS:
        return None
    from pipelines.engine import local

    return local.count_if_known(path, version)


def table_files(engine: Engine, path: str) -> TableFiles:
    """Look at a table's files.

    On Databricks the log's own detail (``DESCRIBE DETAIL``) is all that is asked: it knows neither small files nor
    those of earlier versions.
    """
    if engine.name is EngineName.DATABRICKS:
        detail = engine.spark.sql(f"DESCRIBE DETAIL delta.`{path}`").collect()[0]
        return TableFiles(detail["numFiles"], detail["sizeInBytes"], None, None, None, None)
    from pipelines.engine import local

    sizes, records = local.file_sizes(path)
    stored = _stored(path)
    return TableFiles(
        files=len(sizes),
        bytes=sum(sizes),
        small_files=sum(size < SMALL_BYTES for size in sizes),
        without_statistics=sum(number is None for number in records),
        stored_files=len(stored),
        stored_bytes=sum(stored),
    )


def _stored(path: str) -> list[int]:
    """Sizes of the files below a table's folder, its log left out."""
    system, root = pa_fs.FileSystem.from_uri(path) if is_url(path) else (pa_fs.LocalFileSystem(), path)
    infos = system.get_file_info(pa_fs.FileSelector(root, recursive=True, allow_not_found=True))
    return [info.size or 0 for info in infos if info.is_file and "/_delta_log/" not in info.path]


def _metrics(told: Any) -> dict[str, Any]:
    return json.loads(told) if isinstance(told, str) else dict(told or {})
