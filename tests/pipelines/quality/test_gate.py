"""When the quality task of a dataset says no, and by what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipelines.errors import QualityError
from pipelines.quality.gate import gate
from pipelines.quality.results import Line

if TYPE_CHECKING:
    from pipelines.contracts import Contract


@pytest.fixture
def things(contract: Any) -> Contract:
    return contract({"name": "id", "logicalType": "string"})


def line(batch: str, **more: Any) -> Line:
    told: dict[str, Any] = {"on_failure": "failBatch", "success": False, **more}
    return Line(batch, "rule", description="says so", **told)


@pytest.mark.parametrize("batch", ["published", "table", "newest"])
@pytest.mark.parametrize("on_failure", ["quarantine", "failBatch", "stopPipeline"])
def test_a_published_table_that_does_not_hold_its_contract_is_a_no(
    things: Contract, batch: str, on_failure: str
) -> None:
    with pytest.raises(QualityError, match=r"things does not hold its contract: rule \(says so\)"):
        gate(things, [line("candidates"), line(batch, on_failure=on_failure)])


@pytest.mark.parametrize(
    "passing",
    [
        line("table", on_failure="warn"),
        line("table", success=True),
        line("table", success=None, not_run="text for people"),
        line("candidates"),  # what broke it is in quarantine
        line("quarantine", success=True),
        line("quarantine", success=None),
    ],
)
def test_warnings_what_did_not_run_and_what_is_in_quarantine_stop_nothing(things: Contract, passing: Line) -> None:
    gate(things, [passing])


def test_a_held_batch_is_a_no_that_names_the_way_on(things: Contract) -> None:
    with pytest.raises(QualityError, match="1 batches of things are held: says so") as caught:
        gate(things, [Line("held", "b1", description="says so", on_failure="failBatch", success=False)])
    assert "levee replay things --accept b1 --reason WHY" in (caught.value.fix or "")


def test_suite_and_quarantine_that_disagree_are_told_before_all_else(things: Contract) -> None:
    apart = line("quarantine", failed=3, observed=2.0)
    with pytest.raises(QualityError, match=r"disagree \(rule: suite 3, quarantine 2\)"):
        gate(things, [line("table"), line("held"), apart])
