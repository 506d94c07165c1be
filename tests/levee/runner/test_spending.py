"""The budget's report and the metrics' server, asked of a wheel that answers as a script says."""

import json
from io import StringIO

import pytest
from rich.console import Console

from levee.errors import EngineError
from levee.report import budget as shown
from levee.runner import observing, spending

DECISION = {
    "decided_at": "2026-11-22T12:00:00+00:00",
    "task": "silver",
    "dataset": "cdnow",
    "verdict": "refused",
    "expected_usd": None,
    "reason": "the budget is spent",
}
REPORT = {
    "schema": 1,
    "month": "2026-11",
    "cost_centre": "cc-1001",
    "policy": "refuse",
    "source": "the environment",
    "budget_usd": "50",
    "spent_usd": "49.5",
    "left_usd": "0.5",
    "forecast_usd": "75.25",
    "spent_by_domain": {"sales": "49.5"},
    "runs": 12,
    "runs_without_a_price": 2,
    "decisions": [DECISION],
}


@pytest.fixture
def wheel(monkeypatch, prepared):
    """Makes a wheel that runs a script."""
    for module in ("costs", "observe"):
        monkeypatch.setattr(f"levee.runner.{module}.ensure_data_env", lambda *_: prepared)

    def make(script):
        prepared.python.write_text(f"#!/bin/sh\n{script}\n")

    return make


def test_where_nothing_ran_nothing_was_spent(stack, task, tmp_path):
    assert spending(stack(task("good")), root=tmp_path) == ()


def test_the_wheel_is_told_the_deployed_budget_and_its_report_is_handed_on(stack, task, tmp_path, console, wheel):
    (tmp_path / ".levee" / "local" / "runs").mkdir(parents=True)
    (tmp_path / "report.json").write_text(json.dumps(REPORT))
    wheel(f'for last; do :; done\ncp {tmp_path}/report.json "$last"\nprintf "%s\\n" "$@" > {tmp_path}/told')
    deployed = task("good")
    deployed["pythonWheelTask"]["namedParameters"]["budget"] = '{"monthly_usd": "50.0"}'
    (found,) = spending(stack(deployed), root=tmp_path, console=console)
    assert found == REPORT
    assert '--budget={"monthly_usd": "50.0"}' in (tmp_path / "told").read_text().splitlines()


def test_the_table_says_what_is_over_and_what_was_decided():
    console = Console(width=120, record=True, file=StringIO())
    console.print(shown.table([REPORT]))
    text = console.export_text()
    for said in ("cc-1001, 2026-11", "policy refuse", "75.25", "over the budget", "2 without a price", "refused"):
        assert said in text
    console.print(shown.table([]))
    assert "nothing has run yet" in console.export_text()


def test_metrics_are_served_until_the_block_is_left(stack, task, tmp_path, console, wheel):
    wheel('echo \'{"url": "http://127.0.0.1:1/metrics"}\'\nexec sleep 60')
    with observing(stack(task("good")), 0, root=tmp_path, console=console) as (url, process):
        assert url == "http://127.0.0.1:1/metrics"
        assert process.poll() is None
    assert process.poll() is not None


def test_a_server_that_does_not_start_says_why(stack, task, tmp_path, console, wheel):
    wheel("echo port 9464 cannot be had >&2\nexit 3")
    with (
        pytest.raises(EngineError, match="port 9464 cannot be had"),
        observing(stack(task("good")), 9464, root=tmp_path, console=console),
    ):
        pass
