"""Builds one gold table: compute, check, then publish; a table whose inputs have not changed is left alone.

The result of the SQL is computed once and held, checked against the gold contract (keys, nulls, its quality checks),
and only then takes the place of the published rows, in one commit. A check that fails leaves the published table as it
was.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from pipelines.contracts.domain import Domain
from pipelines.contracts.model import Contract
from pipelines.engine.arrow_types import TIMESTAMP, to_arrow_schema
from pipelines.errors import QualityError, SchemaError, UsageError
from pipelines.failpoints import failpoint
from pipelines.gold.render import render
from pipelines.history import data_version
from pipelines.quality import sql
from pipelines.quality.checks import table_checks
from pipelines.quality.evaluate import Result, evaluate
from pipelines.quality.held import held
from pipelines.quality.rules import rules
from pipelines.settings import Layer, RunSettings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from pipelines.engine import Engine

BUILDS = "gold_builds"
"""Table under checkpoints: which inputs a gold table was built from."""

_BUILDS_SCHEMA = pa.schema(
    [
        ("table", pa.string()),
        ("contract", pa.string()),
        ("inputs", pa.string()),
        ("rows", pa.int64()),
        ("version", pa.int64()),
        ("run_id", pa.string()),
        ("built_at", TIMESTAMP),
    ]
)
_views = itertools.count()


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did.

    Attributes:
        table: The gold table.
        path: Where it is.
        rows: Rows that it has.
        version: The commit that published its rows.
        inputs: Commit that last changed each silver table that it was built from, by dataset.
        unchanged: It was left alone: it was built from the same inputs before, or nothing was ever delivered to any
            of its sources and `inputs` is empty.
        results: What the checks found; empty where it was left alone.
    """

    table: str
    path: str
    rows: int
    version: int
    inputs: dict[str, int]
    unchanged: bool
    results: tuple[Result, ...]


def build(engine: Engine, settings: RunSettings, domain: Domain, table: Contract) -> Built:
    """Build one gold table.

    Args:
        engine: The open engine.
        settings: Roots and sources.
        domain: The domain.
        table: Contract of the gold table.

    Raises:
        UsageError: no chosen source feeds it.
        SchemaError: the SQL's columns are not the contract's.
        QualityError: a check failed; the published table is as it was.
    """
    feeds = _feeds(engine, settings, domain, table)
    path = settings.table_path(Layer.GOLD, table.dataset)
    if not feeds:
        return Built(table.dataset, path, 0, 0, {}, unchanged=True, results=())
    inputs = {
        source.dataset: data_version(engine, settings.table_path(Layer.SILVER, source.dataset)) for source in feeds
    }
    if same := _unchanged(engine, settings, table, inputs):
        return same
    frame = _frame(engine, settings, table, feeds)
    with held(engine, frame, settings.path(Layer.CHECKPOINTS, domain.name, "gold", table.dataset)) as result:
        results = _check(engine, table, result)
        engine.ensure(path, to_arrow_schema(frame.schema))
        failpoint("gold.before_commit")
        engine.overwrite(path, result)
        failpoint("gold.committed")
    built = Built(
        table.dataset, path, engine.count(path), data_version(engine, path), inputs, unchanged=False, results=results
    )
    _record(engine, settings, table, built)
    return built


def _feeds(engine: Engine, settings: RunSettings, domain: Domain, table: Contract) -> tuple[Contract, ...]:
    """The job's sources that feed the table and to which anything was ever delivered."""
    chosen = domain.choose(settings.sources)
    feeds = domain.feeds(table, chosen)
    if not feeds:
        names = ", ".join(source.dataset for source in chosen)
        raise UsageError(f"none of {names} has what {table.dataset} needs", where=str(table.path))
    return tuple(source for source in feeds if engine.count(settings.table_path(Layer.BRONZE, source.dataset)) > 0)


def _frame(engine: Engine, settings: RunSettings, table: Contract, feeds: Sequence[Contract]) -> DataFrame:
    """The SQL's result with the contract's columns, types and order, of silver as it is now whenever it is computed."""
    paths = {source.dataset: settings.table_path(Layer.SILVER, source.dataset) for source in feeds}
    views = {dataset: _view(engine.read(path, engine.version(path))) for dataset, path in paths.items()}
    frame = engine.sql(render(table, feeds, lambda source: sql.name(views[source.dataset])))
    wanted = [column.name for column in table.columns]
    if sorted(frame.columns) != sorted(wanted):
        raise SchemaError(
            f"the SQL of {table.dataset} gives {', '.join(frame.columns)}; its contract has {', '.join(wanted)}",
            where=str(table.path),
            fix="make the SELECT list and the contract's properties the same",
        )
    return frame.selectExpr(
        *(f"CAST({sql.name(column.name)} AS {column.type}) AS {sql.name(column.name)}" for column in table.columns)
    )


def _check(engine: Engine, table: Contract, result: DataFrame) -> tuple[Result, ...]:
    results = evaluate(engine.spark, _view(result), rules(table), table_checks(table))
    failed = [result for result in results if not result.success and result.on_failure != "warn"]
    if failed:
        said = "; ".join(f"{result.id} ({result.description})" for result in failed)
        raise QualityError(
            f"{table.dataset} was not published: {said}",
            where=str(table.path),
            fix="look at its SQL and its silver; the published table is as it was",
        )
    return results


def _view(frame: DataFrame) -> str:
    """Name a frame for SQL; a process that runs many tasks never gives one name twice."""
    name = f"levee_gold_{os.getpid()}_{next(_views)}"
    frame.createOrReplaceTempView(name)
    return name


def _unchanged(engine: Engine, settings: RunSettings, table: Contract, inputs: dict[str, int]) -> Built | None:
    """The last build, where nothing that it came from, nor the table itself, has changed since."""
    builds = settings.record_path(BUILDS)
    path = settings.table_path(Layer.GOLD, table.dataset)
    if not engine.exists(path):
        return None
    found = engine.rows(builds, matching={"table": table.dataset}).to_pylist()
    last = max(found, key=lambda row: row["built_at"], default=None)
    if last is None or json.loads(last["inputs"]) != inputs or last["contract"] != table.digest:
        return None
    if last["version"] != data_version(engine, path):
        return None  # changed behind our back: heal it
    return Built(table.dataset, path, last["rows"], last["version"], inputs, unchanged=True, results=())


def _record(engine: Engine, settings: RunSettings, table: Contract, built: Built) -> None:
    row = {
        "table": built.table,
        "contract": table.digest,
        "inputs": json.dumps(built.inputs, sort_keys=True),
        "rows": built.rows,
        "version": built.version,
        "run_id": settings.run_id,
        "built_at": datetime.now(UTC),
    }
    engine.append(settings.record_path(BUILDS), pa.Table.from_pylist([row], schema=_BUILDS_SCHEMA))
