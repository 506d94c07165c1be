"""What `levee budget` shows: sums of the month, a forecast, the newest decisions."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelines.budget.__main__ import main
from pipelines.budget.report import forecast, report
from pipelines.budget.terms import Budget
from pipelines.engine import Engine
from pipelines.runs import recorded
from pipelines.settings import Layer

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Lake, MakeContract

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BUDGET = Budget(cost_centre="cc-1", monthly_usd=Decimal(10), policy="ask", source="test")


def row(days_ago: float, usd: str | None) -> dict[str, Any]:
    cost = Decimal(usd) if usd else None
    return {"started_at": NOON - timedelta(days=days_ago), "cost_centre": "cc-1", "cost_usd": cost}


def test_the_month_goes_on_as_its_last_seven_days_went() -> None:
    rows = [row(15, "1"), row(6, "3"), row(1, "4"), row(25, "100")]
    assert forecast(rows, "cc-1", NOON) == Decimal(8) + Decimal("10.5") * 1  # a dollar a day, ten days and a half left


def test_a_cost_centre_that_began_today_is_forecast_by_its_day() -> None:
    assert forecast([row(0.1, "2")], "cc-1", NOON) == Decimal(2) + Decimal("10.5") * 2
    assert forecast([row(0.1, None)], "cc-1", NOON) == Decimal(0)


def test_the_report_adds_up_the_domains_and_counts_what_has_no_price() -> None:
    decided = [{"decided_at": NOON - timedelta(hours=n), "left_usd": Decimal(n)} for n in (3, 1, 2)]
    found = report(BUDGET, {"sales": [row(1, "4"), row(1, None)], "other": [row(2, "7")], "none": []}, decided, NOON)
    assert (found["spent_usd"], found["left_usd"], found["month"]) == ("11", "0", "2026-11")
    assert found["spent_by_domain"] == {"sales": "4", "other": "7"}
    assert (found["runs"], found["runs_without_a_price"]) == (3, 1)
    assert [each["left_usd"] for each in found["decisions"]] == ["1", "2", "3"]


def test_the_command_reads_the_tables_of_real_runs(
    sail: Engine, lake: Lake, make_contract: MakeContract, tmp_path: Path
) -> None:
    money = ['--rates={"local": {"usd_per_hour": "3600", "source": "test"}}', f"--budget={BUDGET.model_dump_json()}"]
    arguments = ["--domain=test", *money, *(f"--{layer.value}={lake.settings.roots[layer]}" for layer in Layer)]
    settings = lake.settings.parse(arguments)
    with recorded(sail, settings, "quality", make_contract()):
        pass
    assert main([*arguments, "--json", str(tmp_path / "report.json")]) == 0
    found = json.loads((tmp_path / "report.json").read_text())
    assert 0 < Decimal(found["spent_usd"]) <= Decimal(found["forecast_usd"])
    assert Decimal(found["spent_usd"]) + Decimal(found["left_usd"]) == 10
    assert [each["verdict"] for each in found["decisions"]] == ["allowed"]
