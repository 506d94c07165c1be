"""Care by contract: what is planned, that it changes no row, and that it is not given twice."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import deltalake
import pyarrow as pa
import pytest

from pipelines.contracts import Layer, load_domain
from pipelines.contracts.model import TIME_TRAVEL_HOURS
from pipelines.engine import Engine, care
from pipelines.engine.arrow_types import TIMESTAMP
from pipelines.maintain import expired_rows, maintain, plan, tables
from pipelines.settings import EngineName, RunSettings

SALES = load_domain("sales")


@pytest.fixture
def settings(tmp_path: Path) -> RunSettings:
    roots = [f"--{layer}={tmp_path}/lake/{layer}" for layer in Layer]
    return RunSettings.parse(["--domain=sales", "--sources=cdnow", *roots], {"LEVEE_RUN_ID": "run-1"})


def test_each_table_of_the_jobs_sources_is_planned_by_its_contract(settings: RunSettings) -> None:
    wanted = {(care.layer, care.name): care for care in plan(settings, SALES)}
    assert set(wanted) == {
        (Layer.BRONZE, "cdnow"), (Layer.SILVER, "cdnow"), (Layer.QUARANTINE, "cdnow"),
        (Layer.SILVER, "sales"),
        (Layer.GOLD, "customer_cohorts"), (Layer.GOLD, "customer_value"), (Layer.GOLD, "revenue_by_customer"),
        (Layer.GOLD, "revenue_by_month"), (Layer.GOLD, "revenue_by_week"), (Layer.GOLD, "revenue_trends"),
        (Layer.GOLD, "revenue_variance"),
    }  # fmt: skip
    assert wanted[Layer.SILVER, "cdnow"].cluster_by == ("ordered_at",)
    assert wanted[Layer.BRONZE, "cdnow"].cluster_by == ()  # bronze has the source's own columns
    assert wanted[Layer.SILVER, "cdnow"].vacuum_hours == 168  # personal, by its contract
    for care_ in wanted.values():
        assert care_.vacuum_hours == TIME_TRAVEL_HOURS[SALES.contract(care_.name).classification]


def test_files_are_compacted_rows_stay_and_care_is_not_given_twice(engine: Engine, settings: RunSettings) -> None:
    path = settings.table_path(Layer.SILVER, "cdnow")
    now = [settings.started] * 2
    for number in range(5):
        columns = {"ordered_at": [number, number + 10], "_ingested_at": pa.array(now, TIMESTAMP)}
        engine.append(path, pa.table(columns))
    before = sorted(engine.rows(path)["ordered_at"].to_pylist())
    (cared,) = maintain(engine, settings, SALES)
    assert (cared.care.layer, cared.unchanged) == (Layer.SILVER, False)
    assert cared.after > cared.before
    assert len(deltalake.DeltaTable(path).file_uris()) == 1
    assert sorted(engine.rows(path)["ordered_at"].to_pylist()) == before
    (run,) = engine.rows(settings.record_path("runs")).to_pylist()
    assert json.loads(run["not_run"]) == [
        "liquid clustering of silver.cdnow: needs databricks; their rows are in Z-order instead"
    ]
    (again,) = maintain(engine, settings, SALES)
    assert (again.unchanged, again.after) == (True, cared.after)


def test_the_record_says_what_a_table_was_made_of_before_and_after(sail: Engine, settings: RunSettings) -> None:
    path = settings.table_path(Layer.SILVER, "cdnow")
    for number in range(5):
        times = pa.array([settings.started], TIMESTAMP)
        sail.append(path, pa.table({"ordered_at": [number], "_ingested_at": times}))

    (cared,) = maintain(sail, settings, SALES)

    before, after = cared.files_before, cared.files_after
    assert before is not None
    assert after is not None
    assert (before.files, before.small_files, before.without_statistics, before.stored_files) == (5, 5, 0, 5)
    assert (after.files, after.stored_files) == (1, 6)  # the five stay for a week, and are paid for
    assert after.stored_bytes == before.bytes + after.bytes
    (row,) = sail.rows(settings.record_path("maintenance")).to_pylist()
    assert (row["files_before"], row["files_after"], row["stored_files_after"]) == (5, 1, 6)


def test_tables_of_records_are_compacted_when_they_are_many_files(
    sail: Engine, settings: RunSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "SCATTERED", 3)
    many, few = settings.record_path("batches"), settings.record_path("gold_builds")
    for path, commits in ((many, 4), (few, 3)):
        for number in range(commits):
            sail.append(path, pa.table({"n": [number]}))

    maintain(sail, settings, SALES)

    assert len(deltalake.DeltaTable(many).file_uris()) == 1
    assert sorted(sail.rows(many)["n"].to_pylist()) == [0, 1, 2, 3]
    assert len(deltalake.DeltaTable(few).file_uris()) == 3


@dataclass
class Statements:
    """Takes the place of a Databricks session, which is nowhere but there: what would be said to it."""

    said: list[str] = field(default_factory=list)

    def sql(self, statement: str) -> Statements:
        self.said.append(statement)
        return self

    def collect(self) -> list[Any]:
        return []


def test_databricks_clusters_liquidly_and_spark_by_z_order() -> None:
    statements = Statements()
    spark = cast("Any", statements)

    care.optimize(Engine(EngineName.DATABRICKS, spark), "s3://b/t", ["a", "b"])
    care.optimize(Engine(EngineName.DATABRICKS, spark), "s3://b/t")
    care.analyze(Engine(EngineName.DATABRICKS, spark), "s3://b/t")
    care.optimize(Engine(EngineName.SPARK, spark), "s3://b/t", ["a", "b"])
    care.analyze(Engine(EngineName.SPARK, spark), "s3://b/t")

    assert statements.said == [
        "ALTER TABLE delta.`s3://b/t` CLUSTER BY (`a`, `b`)",
        "OPTIMIZE delta.`s3://b/t`",
        "OPTIMIZE delta.`s3://b/t`",
        "ANALYZE TABLE delta.`s3://b/t` COMPUTE STATISTICS FOR ALL COLUMNS",
        "OPTIMIZE delta.`s3://b/t` ZORDER BY (`a`, `b`)",
    ]


def test_an_empty_lake_wants_nothing(sail: Engine, settings: RunSettings) -> None:
    assert maintain(sail, settings, SALES) == ()


def test_rows_past_the_contracts_retention_go_and_are_counted(sail: Engine, settings: RunSettings) -> None:
    path = settings.table_path(Layer.QUARANTINE, "cdnow")  # 400 days, by its contract
    ages = [settings.started - timedelta(days=days) for days in (0, 399, 401, 500)]
    sail.append(path, pa.table({"_ingested_at": pa.array(ages, TIMESTAMP), "n": [0, 1, 2, 3]}))
    (cared,) = maintain(sail, settings, SALES)
    assert (cared.expired_rows, cared.unchanged) == (2, False)
    assert sorted(sail.rows(path)["n"].to_pylist()) == [0, 1]
    assert expired_rows(sail, settings, path) == 2
    (again,) = maintain(sail, settings, SALES)
    assert (again.expired_rows, again.unchanged) == (0, True)
    later = replace(settings, started=settings.started + timedelta(days=2))
    (third,) = maintain(sail, later, SALES)  # nobody wrote the table, time went by
    assert third.expired_rows == 1
    assert expired_rows(sail, settings, path) == 3


def test_gold_has_no_age_of_its_own(settings: RunSettings) -> None:
    assert {care.layer for care in plan(settings, SALES) if care.expired} == {
        Layer.BRONZE, Layer.SILVER, Layer.QUARANTINE,
    }  # fmt: skip
