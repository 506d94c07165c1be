"""What the wheel is told of money: the deployed job's own price by the hour, and the environment's budget."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from levee.environment import Environment
from levee.plan import Plan, Resource
from levee.runner import Surroundings, Terms, job_of
from levee.runner.terms import budget, rate

ROOT = Path(__file__).parents[3]
HOST = "https://4.4.gcp.databricks.com"
URN = "urn:pulumi:local::levee::"


@pytest.fixture
def environment():
    """The laptop's, with other budgets."""

    def make(**budgets):
        value = Environment.load(ROOT, "local").model_dump(mode="json", exclude={"name"})
        return Environment.from_config("local", {**value, "budgets": {"total": {"monthly_usd": 50}, **budgets}})

    return make


@pytest.fixture
def deployed(stack, task):
    """A stack whose job runs on machines of a type, in a workspace on Google Cloud."""

    def make(node_type="n2-highmem-8"):
        provider = Resource(
            urn=f"{URN}pulumi:providers:databricks::here",
            type="pulumi:providers:databricks",
            name="here",
            inputs={"host": HOST},
        )
        made = stack(task("good"), variables={"LEVEE_NODE_TYPE": node_type}).resources[0]
        cluster = made.inputs["jobClusters"][0]["newCluster"]
        cluster |= {"nodeTypeId": node_type, "autoscale": {"minWorkers": 1, "maxWorkers": 3}}
        job = Resource(urn=made.urn, type=made.type, name=made.name, inputs=made.inputs, provider=f"{provider.urn}::id")
        return Plan(project="levee", stack="local", operation="deployed", offline=True, resources=(provider, job))

    return make


def test_the_rate_is_dbu_and_machine_of_one_node_for_an_hour(deployed, environment):
    plan = deployed()
    found = rate(plan, job_of(plan, "sales").urn, environment())
    assert found is not None
    dbu = Decimal("0.15") * Decimal("0.34")  # the environment's own rating
    machine = Decimal(found["source"].split("Machines (n2-highmem-8) $")[1].split()[0])
    assert Decimal(found["usd_per_hour"]) == (dbu + machine).quantize(Decimal("1e-9"))
    assert "DBU (n2-highmem-8) $0.15 a DBU (dbu, 20" in found["source"]


def test_a_node_that_nobody_prices_has_no_rate_and_nothing_is_invented(deployed, environment):
    plan = deployed("n9-made-up")
    told = Terms(environment()).variables(plan, job_of(plan, "sales"))
    assert rate(plan, job_of(plan, "sales").urn, environment()) is None
    assert "LEVEE_RATES" not in told


def test_the_cost_centres_own_budget_comes_before_the_environments(environment):
    assert budget(environment()) == {
        "cost_centre": "cc-1001",
        "monthly_usd": "50.0",
        "warn_at": 0.8,
        "policy": "warn",
        "grace_seconds": 60,
        "source": "environments/Pulumi.local.yaml: budgets.total",
    }
    own = environment(
        cost_centres={"cc-1001": {"monthly_usd": 7.5, "warn_at": 0.5}}, runs={"policy": "ask", "grace_seconds": 5}
    )
    told = budget(own)
    assert (told["monthly_usd"], told["warn_at"], told["policy"], told["grace_seconds"]) == ("7.5", 0.5, "ask", 5)
    assert told["source"] == "environments/Pulumi.local.yaml: budgets.cost_centres.cc-1001"


def test_who_confirms_a_cost_is_told_with_it(deployed, environment, monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "ann")
    plan = deployed()
    job = job_of(plan, "sales")
    assert Terms(environment(), confirmed=True).variables(plan, job)["LEVEE_CONFIRM_COST"] == "ann"
    assert "LEVEE_CONFIRM_COST" not in Terms(environment()).variables(plan, job)


def test_the_tasks_are_told(deployed, environment, tmp_path):
    plan = deployed()
    job = job_of(plan, "sales")
    told = Terms(environment()).variables(plan, job)
    variables = Surroundings(tmp_path, "local", told=told).environment(job.tasks, tmp_path / "events")
    assert json.loads(variables["LEVEE_RATES"]).keys() == {"n2-highmem-8"}
    assert json.loads(variables["LEVEE_BUDGET"])["cost_centre"] == "cc-1001"
