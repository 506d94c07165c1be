"""The whole job of `sales` on a year of one shop's real invoices, counted to the row and to the tenth of a penny.

The expected numbers were counted with DuckDB over the same files: identical lines removed first, then the four rules.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines import sources, summary
from pipelines.contracts import JobSpec, Layer, job_spec, load_domain
from pipelines.contracts.jobs import RUN
from pipelines.engine import Engine
from pipelines.history import data_version
from pipelines.jobs import TASKS
from pipelines.quality.results import RESULTS
from pipelines.settings import EngineName, RunSettings

KEY = "0123456789abcdef" * 4
SALES = load_domain("sales")
BROKEN = {
    "customer_present": 135_037,
    "quantity_positive": 10_587,
    "not_a_cancellation": 9_251,
    "unit_price_positive": 2_512,
}
BROKEN_RECORDS = {
    "customer_present": 135_080,
    "quantity_positive": 10_624,
    "not_a_cancellation": 9_288,
    "unit_price_positive": 2_517,
}
"""The same with repeats of identical records."""

pytestmark = [
    pytest.mark.timeout(1800),  # the first test of each engine waits for the whole run
    pytest.mark.skipif(
        not sources.find("online-retail").available(os.environ),
        reason="needs the data set online-retail: set LEVEE_DATA to the folder that holds it",
    ),
]


class Lake:
    """One lake, and the job run on it."""

    def __init__(self, folder: Path, engine: EngineName) -> None:
        self.roots = {layer.value: str(folder / layer.value) for layer in Layer}
        self.job: JobSpec = job_spec(SALES, sources={"online_retail"}, roots=self.roots)
        # A file, as the runner gives it: the workers of a Spark that already runs never see a variable set later.
        key = folder / "pseudonym-key"
        key.write_text(KEY)
        key.chmod(0o600)
        self.variables = {"LEVEE_ENGINE": engine.value, "LEVEE_PSEUDONYM_KEY_FILE": str(key)}
        self.settings = RunSettings.parse(self.argv(self.job.tasks[0].parameters), self.variables)
        sources.land(
            sources.find("online-retail").deliveries(os.environ, folder),
            Path(self.settings.deliveries("online_retail")),
        )

    @staticmethod
    def argv(parameters: Mapping[str, str]) -> list[str]:
        return [f"--{name}={value}" for name, value in parameters.items() if name not in RUN]

    def run(self, monkeypatch: pytest.MonkeyPatch, run_id: str) -> None:
        for name, value in (self.variables | {"LEVEE_RUN_ID": run_id}).items():
            monkeypatch.setenv(name, value)
        for task in self.job.tasks:
            assert TASKS[task.entry_point](self.argv(task.parameters)) == 0, task.key


@pytest.fixture(
    scope="module",
    params=[EngineName.SAIL, pytest.param(EngineName.SPARK, marks=[pytest.mark.spark, pytest.mark.slow])],
    ids=str,
)
def lake(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    made = Lake(tmp_path_factory.mktemp("sales"), request.param)
    with pytest.MonkeyPatch.context() as patch:
        made.run(patch, "first")
    return made


@pytest.fixture
def told(lake: Lake) -> dict:
    return summary.summary(Engine.open(lake.settings.engine), lake.settings, SALES)


def test_every_row_is_somewhere(told: dict) -> None:
    assert told["clean_vs_quarantined"] == [
        {
            "dataset": "online_retail",
            "rows": 541_909,
            "silver": 392_692,
            "duplicates": 5_268,
            "quarantined": 143_949,
        }
    ]
    assert {row["rule"]: row["rows"] for row in told["quarantine_by_rule"]} == BROKEN


def test_revenue_is_exact_however_it_is_cut(lake: Lake, told: dict) -> None:
    engine = Engine.open(lake.settings.engine)
    for table in ("revenue_by_month", "revenue_by_customer", "revenue_by_country"):
        column = engine.rows(lake.settings.table_path(Layer.GOLD, table), ["revenue"])["revenue"]
        assert sum(column.to_pylist()) == Decimal("8887208.894"), table
    assert f"{sum(Decimal(row['revenue']) for row in told['sales_over_time']):,.2f}" == "8,887,208.89"
    assert len(told["sales_over_time"]) == 13
    assert told["revenue_by_country"][0]["country"] == "United Kingdom"


def test_prices_of_a_tenth_of_a_penny_are_kept(lake: Lake) -> None:
    silver = Engine.open(lake.settings.engine).read(lake.settings.table_path(Layer.SILVER, "online_retail"))
    assert dict(silver.dtypes)["unit_price"] == "decimal(18,3)"
    assert silver.where("unit_price <> round(unit_price, 2)").count() == 4


def test_the_suite_counted_what_quarantine_holds(lake: Lake) -> None:
    results = Engine.open(lake.settings.engine).rows(lake.settings.record_path(RESULTS)).to_pylist()
    failed = {row["check_id"]: row["failed"] for row in results if row["batch"] == "candidates" and row["failed"]}
    assert failed == BROKEN_RECORDS
    assert all(row["success"] is not False for row in results if row["batch"] != "candidates")


def test_a_second_run_changes_nothing(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine.open(lake.settings.engine)
    tables = [
        lake.settings.table_path(layer, name)
        for layer, name in (
            (Layer.BRONZE, "online_retail"), (Layer.SILVER, "online_retail"), (Layer.QUARANTINE, "online_retail"),
            (Layer.GOLD, "revenue_by_month"), (Layer.GOLD, "revenue_variance"), (Layer.CHECKPOINTS, RESULTS),
        )
    ]  # fmt: skip
    before = {path: data_version(engine, path) for path in tables}
    lake.run(monkeypatch, "second")
    assert {path: data_version(engine, path) for path in tables} == before


def test_every_task_run_is_recorded(told: dict) -> None:
    first = [run for run in told["runs"] if run["run_id"] == "first"]
    assert {run["task"] for run in first} == {"bronze", "silver", "quality", "gold", "maintain"}
    assert {run["status"] for run in first} == {"succeeded"}
    assert json.dumps(told)
