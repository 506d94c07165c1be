"""The cost report on terminals of any width."""

from decimal import Decimal

import pytest
from rich.console import Console

from levee.cost import Basis, CostReport, Line, Range, ResourceCost
from levee.report import cost

POOL = ResourceCost(
    urn="urn:pulumi:prod::p::databricks:index/instancePool:InstancePool::databricks-aws-compute-pool",
    type="databricks:index/instancePool:InstancePool",
    name="databricks-aws-compute-pool",
    component="",
    capability="databricks",
    cost_centre="cc-1",
    lines=(
        Line(
            "Idle machines (m6gd.2xlarge)",
            "hours",
            Basis.ASSUMED,
            Range(Decimal(730), Decimal(1460), Decimal(7300)),
            Decimal("0.4032"),
            Range(Decimal("294.34"), Decimal("588.67"), Decimal("2943.36")),
        ),
        Line("Requests", "1M requests", Basis.USAGE_MISSING),
    ),
)


def printed(width):
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(cost.tables(CostReport("p", "prod", (POOL,)), width=width))
    return captured.get()


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_every_figure_is_there_and_no_word_is_broken(width):
    text = printed(width)
    assert max(map(len, text.splitlines())) <= width
    for word in ("databricks-aws-compute-pool", "m6gd.2xlarge", "1,460 hours", "$0.4032", "$588.67", "$294 to $2,943"):
        assert word in text
    assert "1 line by usage" in text


def test_quantities_have_columns_of_their_own_where_there_is_room():
    assert "unit price" in printed(100)
    assert "1,460 hours at $0.4032" in printed(60)
