"""Care by contract: what is planned, that it changes no row, and that it is not given twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import deltalake
import pyarrow as pa
import pytest

from pipelines.contracts import Layer, load_domain
from pipelines.engine import Engine
from pipelines.engine.arrow_types import TIMESTAMP
from pipelines.maintain import expired_rows, maintain, plan
from pipelines.settings import RunSettings

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
    assert wanted[Layer.SILVER, "cdnow"].z_order_by == ("ordered_at",)
    assert wanted[Layer.BRONZE, "cdnow"].z_order_by == ()  # bronze has the source's own columns
    assert {care.vacuum_hours for care in wanted.values()} == {168}


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
    (again,) = maintain(engine, settings, SALES)
    assert (again.unchanged, again.after) == (True, cared.after)


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
