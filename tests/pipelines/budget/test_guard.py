"""Runs under budgets, on the real engine: what is refused, asked, warned of and stopped, and what is left behind."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from pipelines.bronze import ingest as bronze
from pipelines.bronze.ingest import ingest
from pipelines.budget import guard, purse
from pipelines.budget.metering import PROCESS
from pipelines.budget.record import TABLE as DECISIONS
from pipelines.budget.terms import Budget, NodeRate, Policy
from pipelines.engine import Engine
from pipelines.errors import BudgetError
from pipelines.observe.facts import TaskRun
from pipelines.runs import TABLE as RUNS
from pipelines.runs import recorded
from pipelines.settings import Layer, RunSettings
from pipelines.silver.refine import refine

if TYPE_CHECKING:
    from conftest import Lake, MakeContract

DOLLAR_A_SECOND = NodeRate(usd_per_hour=Decimal(3600), source="the test's own price")


@pytest.fixture(autouse=True)
def _no_purse_of_another_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purse, "_purses", {})
    monkeypatch.setattr(purse, "FRESH_SECONDS", 0.0)


def under(settings: RunSettings, policy: Policy, monthly: str, *, grace: float = 0.1) -> RunSettings:
    budget = Budget(cost_centre="cc-1", monthly_usd=Decimal(monthly), policy=policy, grace_seconds=grace, source="test")
    return replace(settings, rates={"local": DOLLAR_A_SECOND}, budget=budget)


def rows(engine: Engine, settings: RunSettings, table: str) -> list[dict[str, Any]]:
    return engine.rows(settings.record_path(table)).to_pylist()


def verdicts(engine: Engine, settings: RunSettings) -> list[str]:
    return [row["verdict"] for row in sorted(rows(engine, settings, DECISIONS), key=lambda row: row["decided_at"])]


def test_a_run_costs_its_seconds_at_the_rate_of_its_node(
    engine: Engine, lake: Lake, make_contract: MakeContract
) -> None:
    settings = under(lake.settings, "refuse", "1000000")
    lake.deliver("a.csv", "id,name,price\n1,one,1\n")
    ingest(engine, make_contract(), settings)
    (run,) = rows(engine, settings, RUNS)
    assert run["cost_usd"] == DOLLAR_A_SECOND.cost(run["executor_seconds"]) > 0
    assert run["cost_centre"] == "cc-1"
    assert json.loads(run["rate"]) == {
        "node_type": "local",
        "source": "the test's own price",
        "usd_per_hour": "3600",
    }
    (decision,) = rows(engine, settings, DECISIONS)
    assert (decision["verdict"], decision["expected_usd"]) == ("allowed", None)
    assert decision["expected_basis"].startswith("unknown: no run of this task has succeeded")


def test_without_a_rate_a_run_has_no_price_and_says_so(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    with recorded(sail, lake.settings, "quality", make_contract()):
        pass
    (run,) = rows(sail, lake.settings, RUNS)
    assert (run["cost_usd"], run["rate"], run["cost_centre"]) == (None, None, None)
    assert run["executor_seconds"] == pytest.approx(run["seconds"], abs=0.5)


def test_a_run_is_refused_when_the_month_is_spent_and_nothing_is_written(
    sail: Engine, lake: Lake, make_contract: MakeContract, caplog: pytest.LogCaptureFixture
) -> None:
    settings = under(lake.settings, "refuse", "0")
    lake.deliver("a.csv", "id,name,price\n1,one,1\n")
    with (
        caplog.at_level(logging.INFO, "levee.budget"),
        pytest.raises(BudgetError, match=r"the run does not start: the budget of cc-1, .* is spent") as raised,
    ):
        ingest(sail, make_contract(), settings)
    assert (raised.value.exit_code, raised.value.where) == (1, "bronze test.things, test")
    assert not sail.exists(settings.table_path(Layer.BRONZE, "things"))
    (run,) = rows(sail, settings, RUNS)
    assert run["status"] == "failed"
    assert "does not start" in run["error"]
    (line,) = [json.loads(record.message) for record in caplog.records if record.name == "levee.budget"]
    assert (line["specversion"], line["type"], line["subject"]) == (
        "1.0",
        "levee.budget.refused",
        "bronze test.things",
    )
    assert line["data"]["verdict"] == "refused"


def test_history_says_what_a_run_will_cost_by_the_bytes_it_has_before_it(
    engine: Engine, lake: Lake, make_contract: MakeContract
) -> None:
    settings, contract = under(lake.settings, "refuse", "1000000"), make_contract()
    lake.deliver("a.csv", "id,name,price\n1,one,1\n")
    ingest(engine, contract, settings)
    refine(engine, contract, settings)
    lake.deliver("b.csv", "id,name,price\n" + "".join(f"{n},some name,1\n" for n in range(10, 30)))
    ingest(engine, contract, settings)
    bronze_runs = [row for row in rows(engine, settings, RUNS) if row["task"] == "bronze"]
    first = min(bronze_runs, key=lambda row: row["started_at"])
    second = max(bronze_runs, key=lambda row: row["started_at"])
    decision = max(rows(engine, settings, DECISIONS), key=lambda row: row["decided_at"])
    scaled = first["cost_usd"] * second["bytes"] / first["bytes"]
    assert decision["expected_usd"] == scaled.quantize(Decimal("1e-9"))
    assert second["bytes"] > 5 * first["bytes"]
    with pytest.raises(BudgetError, match="the run is expected to cost"):
        refine(engine, contract, under(lake.settings, "refuse", str(decision["spent_usd"] + second["cost_usd"] + 1)))


def test_asked_it_waits_for_somebodys_word_and_keeps_who_gave_it(
    sail: Engine, lake: Lake, make_contract: MakeContract
) -> None:
    settings, contract = under(lake.settings, "ask", "0"), make_contract()
    lake.deliver("a.csv", "id,name,price\n1,one,1\n")
    with pytest.raises(BudgetError) as raised:
        ingest(sail, contract, settings)
    assert "levee run test --confirm-cost" in str(raised.value)
    ingest(sail, contract, replace(settings, confirmed_by="ann"))
    assert verdicts(sail, settings) == ["asked", "confirmed"]
    assert [row["confirmed_by"] for row in rows(sail, settings, DECISIONS)].count("ann") == 1
    assert sail.count(settings.table_path(Layer.BRONZE, "things")) == 1


@pytest.mark.parametrize("task", ["restore", "erase"])
def test_what_a_person_asks_for_by_hand_is_priced_and_never_held(
    sail: Engine, lake: Lake, make_contract: MakeContract, task: str
) -> None:
    settings = under(lake.settings, "refuse", "0")
    with recorded(sail, settings, task, make_contract()):
        pass
    (run,) = rows(sail, settings, RUNS)
    assert (run["status"], run["cost_centre"]) == ("succeeded", "cc-1")
    assert run["cost_usd"] > 0
    assert verdicts(sail, settings) == []


def test_every_domain_that_shares_the_cost_centre_spends_from_it(
    sail: Engine, lake: Lake, make_contract: MakeContract
) -> None:
    other = under(replace(lake.settings, domain="other"), "refuse", "1000000")
    with recorded(sail, other, "quality", make_contract()):
        pass
    cost = rows(sail, other, RUNS)[0]["cost_usd"]
    with recorded(sail, under(lake.settings, "warn", "0.000001"), "quality", make_contract()):
        pass
    (decision,) = rows(sail, lake.settings, DECISIONS)
    assert decision["spent_usd"] >= cost
    assert decision["verdict"] == "warned"


def test_a_run_that_spends_what_is_left_stops_between_two_batches_and_the_next_goes_on(
    engine: Engine, lake: Lake, make_contract: MakeContract, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = make_contract()
    for number in range(5):
        lake.deliver(f"{number}.csv", f"id,name,price\n{number},one,1\n")
    monkeypatch.setattr(bronze, "BATCH_FILES", 1)
    monkeypatch.setattr(guard, "LONGEST", 0.05)
    jump = [0.0]
    monkeypatch.setattr(PROCESS, "clock", lambda: jump[0])
    recorded_batches: list[str] = []

    def spend(name: str) -> None:
        if name == "bronze.recorded":
            recorded_batches.append(name)
            if len(recorded_batches) == 2:
                jump[0] += 100.0
                at_work = guard._current.get()
                assert at_work is not None
                assert at_work.stopping.wait(60)

    monkeypatch.setattr(bronze, "failpoint", spend)
    settings = under(lake.settings, "refuse", "50", grace=300.0)
    with pytest.raises(BudgetError, match="the run was stopped: the budget of cc-1") as raised:
        ingest(engine, contract, settings)
    assert raised.value.exit_code == 1
    assert engine.count(settings.table_path(Layer.BRONZE, "things")) == 2
    assert verdicts(engine, settings) == ["allowed", "stopped"]
    ingest(engine, contract, lake.run(2))
    refine(engine, contract, lake.run(2))
    assert [row[0] for row in lake.rows(engine, Layer.SILVER, "id")] == [0, 1, 2, 3, 4]


def test_a_task_that_does_not_stop_by_itself_is_interrupted_and_its_table_is_whole(
    sail: Engine, lake: Lake, make_contract: MakeContract
) -> None:
    settings = under(lake.settings, "refuse", "0.2")
    path = settings.table_path(Layer.BRONZE, "things")
    sail.ensure(path, pa.schema([("x", pa.float64())]))
    sail.insert(path, sail.spark.sql("SELECT 1D AS x"))
    endless = "SELECT sum(sqrt(id)) AS x FROM range(1000000000000)"
    with (
        pytest.raises(BudgetError, match="the run was stopped") as raised,
        recorded(sail, settings, "bronze", make_contract()),
    ):
        sail.insert(path, sail.spark.sql(endless))
    assert raised.value.__cause__ is not None
    assert verdicts(sail, settings) == ["allowed", "stopped"]
    assert (sail.count(path), sail.version(path)) == (1, 1)
    assert rows(sail, settings, RUNS)[0]["status"] == "failed"
    assert sail.spark.sql("SELECT 1").collect()[0][0] == 1


def test_under_the_policy_warn_an_overspent_run_goes_on_and_is_recorded(
    sail: Engine, lake: Lake, make_contract: MakeContract, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []
    monkeypatch.setattr(guard.Guard, "_spent", lambda self, real=guard.Guard._spent: (real(self), told.append(self)))
    settings = under(lake.settings, "warn", "0.01")
    with recorded(sail, settings, "quality", make_contract()):
        at_work = guard._current.get()
        assert at_work is not None
        while not told:
            at_work.ended.wait(0.01)
        guard.boundary()
    assert verdicts(sail, settings) == ["allowed", "overspent"]
    assert rows(sail, settings, RUNS)[0]["status"] == "succeeded"


def test_money_that_was_spent_in_a_later_month_still_counts_after_the_clock_went_back(
    sail: Engine, lake: Lake, make_contract: MakeContract
) -> None:
    settings, contract = under(lake.settings, "refuse", "1000000"), make_contract()
    with recorded(sail, settings, "quality", contract):
        pass
    cost = rows(sail, settings, RUNS)[0]["cost_usd"]
    pinched = under(lake.settings, "refuse", str(cost))
    run = TaskRun(pinched, "quality", contract, sail.name)
    before = datetime(2020, 1, 31, tzinfo=UTC)
    with pytest.raises(BudgetError), guard.guarded(sail, run, lambda: None, clock=lambda: before):
        pass
    after = datetime(2100, 1, 1, tzinfo=UTC)
    with guard.guarded(sail, run, lambda: None, clock=lambda: after):
        pass
    assert sorted(verdicts(sail, settings)) == ["allowed", "refused", "warned"]
