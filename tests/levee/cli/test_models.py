"""``levee models`` as a user calls it: the wheel's answer in words and as JSON, and its exit codes."""

import json
import shutil
from pathlib import Path

import pytest

from levee.cli import models
from levee.cli.app import run
from levee.runner import engine_of
from pipelines.contracts import domains_folder

ROOT = Path(__file__).resolve().parents[3]
AT = ["--cwd", str(ROOT)]


@pytest.fixture
def own(tmp_path, monkeypatch) -> Path:
    """A copy of the domains to change, which the commands read."""
    folder = Path(shutil.copytree(domains_folder(), tmp_path / "domains"))
    monkeypatch.setattr(models, "domains_folder", lambda: folder)
    return folder / "sales" / "gold"


def test_a_test_that_fails_is_a_gate_that_said_no(own, capsys):
    assert run(["models", "test", "revenue_by_week", "--json", *AT]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(test["model"], test["passed"]) for test in told["tests"]] == [("gold.revenue_by_week", True)]
    query = own / "revenue_by_week.sql"
    query.write_text(query.read_text().replace("'week'", "'month'"))
    assert run(["models", "test", "revenue_by_week", *AT]) == 1
    said = capsys.readouterr().out
    assert "missing    " in said
    assert "unexpected " in said


def test_the_engine_is_that_of_the_surroundings_unless_one_is_asked_for(monkeypatch, capsys):
    monkeypatch.setenv("LEVEE_ENGINE", "flink")
    assert run(["models", "test", "revenue_by_week", *AT]) == 2
    said = capsys.readouterr().err
    assert "'flink' is no engine" in said
    assert "set LEVEE_ENGINE to one of sail, spark" in said
    assert run(["models", "test", "revenue_by_week", "--engine", "sail", "--json", *AT]) == 0
    assert json.loads(capsys.readouterr().out)["engine"] == "sail"
    monkeypatch.delenv("LEVEE_ENGINE")
    assert engine_of(None) == "sail"
    monkeypatch.setenv("LEVEE_ENGINE", "spark")
    assert [engine_of(None), engine_of("sail")] == ["spark", "sail"]


def test_a_model_that_is_wrong_is_told_with_its_line(own, capsys):
    query = own / "revenue_by_week.sql"
    query.write_text(query.read_text().replace("sum(amount)", "sum(amuont)"))
    assert run(["models", "test", "revenue_by_week", *AT]) == 2
    said = "".join(capsys.readouterr().err.split())
    assert "Column'amuont'couldnotberesolved" in said
    assert "revenue_by_week.sql:7" in said


def test_models_are_listed_shown_and_exported(tmp_path, capsys):
    assert run(["models", "list", "--json", *AT]) == 0
    names = [model["name"] for model in json.loads(capsys.readouterr().out)["models"]]
    assert names.index("silver.sales") < names.index("gold.revenue_by_month") < names.index("gold.revenue_trends")
    assert run(["models", "show", "revenue_by_month", *AT]) == 0
    assert "silver.sales.amount (aggregation)" in capsys.readouterr().out
    assert run(["models", "export", "--output", str(tmp_path / "dbt"), *AT]) == 0
    assert "{{ ref('sales') }}" in (tmp_path / "dbt" / "models" / "gold" / "revenue_by_month.sql").read_text()
    assert run(["models", "show", "revenue_by_mont", *AT]) == 2
