"""What an hour of a node costs, before there is a plan; ``tests/stacks`` compares it with the deployed job's price."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from levee.cost import node_hour, shipped
from levee.environment import Environment

ROOT = Path(__file__).parents[3]
JOB = "databricks-gcp-sales"


def environment(node_type: str, **usage: Any) -> Environment:
    """The laptop's, with a workspace on Google Cloud."""
    value = Environment.load(ROOT, "local").model_dump(mode="json", exclude={"name"})
    workspace = {"host": "https://4.4.gcp.databricks.com", "node_type": node_type}
    domains = {"sales": {"cloud": "gcp"}}
    return Environment.from_config("local", {**value, "databricks": {"gcp": workspace}, "domains": domains, **usage})


def test_it_is_the_dbu_and_the_machine_of_one_node() -> None:
    found = node_hour(environment("n2-highmem-8"), "gcp", JOB)
    assert found is not None
    dbu = Decimal("0.15") * Decimal("0.34")  # the environment's own rating
    machine = Decimal(found.source.split("Machines (n2-highmem-8) $")[1].split()[0])
    assert machine > shipped().prices("gcp")["machine/gcp/n2-highmem-8"].tiers[0].usd  # the region's
    assert found.usd == (dbu + machine).quantize(Decimal("1e-9"))
    assert found.source.startswith("DBU (n2-highmem-8) $0.15 a DBU (dbu, 20")


def test_what_an_environment_says_of_the_job_by_name_counts() -> None:
    said = {"usage": {"names": {"databricks-gcp-*": {"dbu_per_node_hour": 2, "run_hours": 0}}}}
    plain, dear = (
        node_hour(environment("n2-highmem-8"), "gcp", JOB),
        node_hour(environment("n2-highmem-8", **said), "gcp", JOB),
    )
    assert plain is not None
    assert dear is not None
    assert dear.usd - plain.usd == Decimal("0.15") * (2 - Decimal("0.34"))


def test_a_node_that_nobody_prices_has_no_rate_and_nothing_is_invented() -> None:
    assert node_hour(environment("n9-made-up"), "gcp", JOB) is None
