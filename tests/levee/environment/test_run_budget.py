"""What job runs may spend, as the environment says."""

from pathlib import Path

from levee.environment import Environment, run_budget

ROOT = Path(__file__).parents[3]


def environment(**budgets: object) -> Environment:
    value = Environment.load(ROOT, "local").model_dump(mode="json", exclude={"name"})
    return Environment.from_config("local", {**value, "budgets": {"total": {"monthly_usd": 50}, **budgets}})


def test_the_environments_budget_is_the_cost_centres_where_it_has_none_of_its_own() -> None:
    assert run_budget(environment(cost_centres={"cc-2": {"monthly_usd": 1}})) == {
        "cost_centre": "cc-1001",
        "monthly_usd": "50.0",
        "warn_at": 0.8,
        "policy": "warn",
        "grace_seconds": 60,
        "source": "environments/Pulumi.local.yaml: budgets.total",
    }


def test_the_cost_centres_own_budget_comes_before_the_environments() -> None:
    told = run_budget(
        environment(
            cost_centres={"cc-1001": {"monthly_usd": 7.5, "warn_at": 0.5}}, runs={"policy": "ask", "grace_seconds": 5}
        )
    )
    assert (told["monthly_usd"], told["warn_at"], told["policy"], told["grace_seconds"]) == ("7.5", 0.5, "ask", 5)
    assert told["source"] == "environments/Pulumi.local.yaml: budgets.cost_centres.cc-1001"


def test_what_runs_may_spend_comes_before_both() -> None:
    told = run_budget(environment(cost_centres={"cc-1001": {"monthly_usd": 7.5}}, runs={"monthly_usd": 0.0025}))
    assert (told["monthly_usd"], told["cost_centre"]) == ("0.0025", "cc-1001")
    assert told["source"] == "environments/Pulumi.local.yaml: budgets.runs.monthly_usd"
