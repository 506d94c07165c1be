"""Who made each version of a table, when, in which run, by which rules; and what the table was at a time.

Every version is in the table's own log; who and which run is in the run records, whose rows say which versions a task
made. Where two runs wrote at once both are named: a version is one's or the other's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from pipelines.engine import care
from pipelines.errors import PipelineError, UsageError
from pipelines.maintain.names import TableName
from pipelines.runs import TABLE as RUNS
from pipelines.settings import RunSettings

if TYPE_CHECKING:
    from pipelines.engine import Engine
    from pipelines.engine.care import Commit


_ASKED: Final = (
    "run_id",
    "dataset",
    "task",
    "actor",
    "contract_version",
    "contract_digest",
    "commits",
    "started_at",
)
"""Columns of a run record."""


@dataclass(frozen=True, slots=True)
class Author:
    """A task run that made a version, or one of those that may have.

    Attributes:
        run_id: The run.
        task: Its task.
        actor: Who ran it.
        contract_version: The contract's version: the rules it was judged by; empty where none was asked (an erasure).
        contract_digest: Digest of the contract's file; empty likewise.
    """

    run_id: str
    task: str
    actor: str
    contract_version: str
    contract_digest: str


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a table.

    Attributes:
        commit: What its log says.
        rows: Rows of the table then; ``None`` where the log does not tell.
        authors: Runs that made it; none for what was made by other hands, or before records said so.
    """

    commit: Commit
    rows: int | None
    authors: tuple[Author, ...]


@dataclass(frozen=True, slots=True)
class Audit:
    """What is known of a table.

    Attributes:
        name: The table.
        path: Where it is.
        as_of: The version asked for: the newest that was there at the time.
        versions: Every version up to it, newest first.
        columns: Name and type of its columns as of then.
    """

    name: TableName
    path: str
    as_of: int
    versions: tuple[Version, ...]
    columns: tuple[tuple[str, str], ...]

    def plain(self) -> dict[str, Any]:
        """The audit as JSON has it."""
        return {
            "table": str(self.name),
            "path": self.path,
            "as_of": self.as_of,
            "columns": [{"name": name, "type": kind} for name, kind in self.columns],
            "versions": [
                {
                    "version": version.commit.version,
                    "at": version.commit.at.isoformat(),
                    "operation": version.commit.operation,
                    "engine": version.commit.engine,
                    "user": version.commit.user,
                    "rows": version.rows,
                    "authors": [
                        {
                            "run_id": author.run_id,
                            "task": author.task,
                            "actor": author.actor,
                            "contract_version": author.contract_version,
                            "contract_digest": author.contract_digest,
                        }
                        for author in version.authors
                    ],
                }
                for version in self.versions
            ],
        }


def audit(engine: Engine, settings: RunSettings, name: TableName, at: datetime | None = None) -> Audit:
    """Say how a table came to be what it was.

    Args:
        engine: The open engine.
        settings: Roots and domain.
        name: The table.
        at: The time, with its zone; now by default.

    Raises:
        PipelineError: there is no such table.
        UsageError: it was not there yet, or its log no longer goes back to then.
    """
    path = settings.table_path(name.layer, name.dataset)
    if not engine.exists(path):
        raise PipelineError(f"there is no table {name}", where=path, fix="run the layer that makes it first")
    commits = care.commits(engine, path)
    version = version_at(commits, at, str(name))
    runs = _runs(engine, settings)
    versions = tuple(
        Version(commit, care.rows_at(engine, path, commit.version), _authors(runs, name, commit.version))
        for commit in commits
        if commit.version <= version
    )
    frame = engine.read(path, version)
    columns = tuple((field.name, field.dataType.simpleString()) for field in frame.schema.fields)
    return Audit(name, path, version, versions, columns)


def version_at(commits: Sequence[Commit], at: datetime | None, table: str) -> int:
    """Return the newest version that was there at a time; the newest of all by default.

    A clock that went backwards gives a version an earlier time than the one before it: the highest number counts.

    Raises:
        UsageError: the table's log has no version that old.
    """
    there = [commit for commit in commits if at is None or commit.at <= at]
    if not there:
        oldest = min(commits, key=lambda commit: commit.version)
        raise UsageError(
            f"{table} has no version as old as {at:%Y-%m-%d %H:%M:%S%z}",
            where=f"its oldest is {oldest.version}, of {oldest.at:%Y-%m-%d %H:%M:%S%z}",
            fix="ask for a later time",
        )
    return max(commit.version for commit in there)


def _runs(engine: Engine, settings: RunSettings) -> list[dict[str, Any]]:
    """The domain's run records, just what an audit asks; null where the table was made before it had a column."""
    table = engine.rows(settings.record_path(RUNS))
    there = [column for column in _ASKED if column in table.column_names]
    return [dict.fromkeys(_ASKED) | row for row in table.select(there).to_pylist()]


def _authors(runs: Sequence[dict[str, Any]], name: TableName, version: int) -> tuple[Author, ...]:
    found = []
    for row in sorted(runs, key=lambda row: row["started_at"]):
        own = row["dataset"] == name.dataset
        first, last = json.loads(row["commits"] or "{}").get(name.layer.value if own else str(name), (0, -1))
        if first <= version <= last:
            judged = row["task"] != "erase"
            found.append(
                Author(
                    row["run_id"],
                    row["task"],
                    row["actor"] or "",
                    row["contract_version"] if judged else "",
                    row["contract_digest"] if judged else "",
                )
            )
    return tuple(found)
