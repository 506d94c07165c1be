"""What a run may cost: the deployed job's own word, which the environment may not have left behind."""

import json
from pathlib import Path

import pytest

from levee.environment import Environment, run_budget
from levee.errors import UsageError
from levee.runner import Surroundings, Terms, actor, job_of

ROOT = Path(__file__).parents[3]


@pytest.fixture
def environment():
    """The laptop's, with other budgets."""

    def make(**budgets):
        value = Environment.load(ROOT, "local").model_dump(mode="json", exclude={"name"})
        return Environment.from_config("local", {**value, "budgets": {"total": {"monthly_usd": 50}, **budgets}})

    return make


@pytest.fixture
def job(stack, task):
    """A deployed job whose task was told a budget."""

    def make(budget=None):
        made = task("good")
        if budget is not None:
            made["pythonWheelTask"]["namedParameters"]["budget"] = json.dumps(dict(budget))
        return job_of(stack(made), "sales")

    return make


def test_a_budget_that_was_deployed_goes_on_as_a_parameter_and_is_not_told_again(job, environment):
    assert Terms(environment()).variables(job(run_budget(environment()))) == {}
    assert Terms(environment()).variables(job()) == {}


def test_a_budget_that_has_changed_since_is_not_run_by_the_former_one(job, environment):
    deployed = job(run_budget(environment()))
    changed = Terms(environment(total={"monthly_usd": 7}, runs={"policy": "refuse"}))
    with pytest.raises(UsageError) as refused:
        changed.variables(deployed)
    assert "monthly_usd was 50.0, is 7.0; policy was warn, is refuse" in refused.value.message
    assert refused.value.fix == "levee up local, then run again"
    assert refused.value.where == "environments/Pulumi.local.yaml: budgets.total"


def test_who_confirms_a_cost_is_told_with_it(job, environment, monkeypatch):
    monkeypatch.delenv("LEVEE_ACTOR", raising=False)
    monkeypatch.setattr("getpass.getuser", lambda: "ann")
    assert Terms(environment(), confirmed=True).variables(job()) == {"LEVEE_CONFIRM_COST": "ann"}
    monkeypatch.setenv("LEVEE_ACTOR", "robot")
    assert Terms(environment(), confirmed=True).variables(job()) == {"LEVEE_CONFIRM_COST": "robot"}


def test_the_tasks_are_told_who_runs_them(job, tmp_path, monkeypatch):
    monkeypatch.setenv("LEVEE_ACTOR", " ")
    monkeypatch.setattr("getpass.getuser", lambda: "ann")
    made = job()
    assert Surroundings(tmp_path, "local").environment(made.tasks, tmp_path / "events")["LEVEE_ACTOR"] == "ann"


def test_a_user_without_a_name_is_asked_for_one(monkeypatch):
    def nameless():
        raise OSError("No username set in the environment")

    monkeypatch.delenv("LEVEE_ACTOR", raising=False)
    monkeypatch.setattr("getpass.getuser", nameless)
    with pytest.raises(UsageError, match="nobody knows who runs this") as refused:
        actor()
    assert refused.value.fix == "set LEVEE_ACTOR=NAME"
