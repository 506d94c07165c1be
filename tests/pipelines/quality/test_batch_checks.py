"""Checks on a batch against earlier ones: the formulas, what is said without history, and a batch that is held."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.bronze.ingest import ingest
from pipelines.contracts import ContractError
from pipelines.quality.batch_checks import batch_checks, freshness, judge, robust_z, stability_index
from pipelines.quality.measures import Metric, Metrics
from pipelines.quality.task import check
from pipelines.silver.refine import refine

if TYPE_CHECKING:
    from pipelines.contracts import Contract
    from pipelines.engine import Engine
    from tests.pipelines.conftest import Lake, MakeContract

PRICE = {"name": "price", "logicalType": "number", "physicalType": "decimal(9,2)"}
WHEN = {"name": "at", "logicalType": "timestamp"}
COUNTS = st.lists(st.integers(0, 1000), min_size=3, max_size=3).filter(any)


def looking(name: str, **look: Any) -> dict[str, Any]:
    return {"id": name, "type": "custom", "engine": "levee", "implementation": look}


def of(rows: int, *bins: int, definition: str = "") -> Metrics:
    counted = [Metric("bin", "spread", n, definition, Decimal(count), Decimal(0)) for n, count in enumerate(bins)]
    records = Metric("records", "", 0, "", Decimal(rows), Decimal(0))
    return Metrics((records, Metric("malformed", "", 0, "", None, Decimal(0)), *counted))


def test_the_modified_z_score_by_hand() -> None:
    history = [2.1, 2.6, 2.4, 2.5, 2.3, 2.1, 2.3, 2.6, 8.2, 8.3]  # median 2.45, MAD 0.15
    assert robust_z(8.2, history) == pytest.approx(0.6745 * (8.2 - 2.45) / 0.15)
    assert robust_z(5, [5, 5, 5]) == 0
    assert robust_z(4, [5, 5, 5]) == -math.inf
    assert robust_z(9, [5, 5, 5, 5, 9]) == pytest.approx(4 / (math.sqrt(math.pi / 2) * 0.8))


@given(COUNTS, COUNTS)
def test_the_stability_index_is_a_distance(now: list[int], before: list[int]) -> None:
    assert stability_index(now, before) >= -1e-12
    assert stability_index(now, before) == pytest.approx(stability_index(before, now))
    assert stability_index(now, now) == 0


def test_the_stability_index_by_hand() -> None:
    expected = (0.6 - 0.5) * math.log(0.6 / 0.5) + (0.4 - 0.5) * math.log(0.4 / 0.5)
    assert stability_index([60, 40], [50, 50]) == pytest.approx(expected)


def test_without_history_a_check_is_not_run_and_says_so(contract) -> None:
    made = contract(PRICE, quality=[looking("enough", volume={"atLeast": 3})])
    (found,) = judge(batch_checks(made), of(10), [of(10), of(11)])
    assert (found.success, found.not_run) == (None, "2 earlier batches, it asks for 3")


@pytest.mark.parametrize(
    ("rows", "look", "holds"),
    [
        (105, {}, True),
        (500, {}, False),
        (0, {}, False),
        (109, {"withinPercent": 10}, True),
        (111, {"withinPercent": 10}, False),
    ],
)
def test_volume(contract, rows: int, look: dict[str, Any], holds: bool) -> None:
    made = contract(PRICE, quality=[looking("enough", volume=look)])
    history = [of(n) for n in (90, 110, 95, 105, 100)]
    (found,) = judge(batch_checks(made), of(rows), history)
    assert found.success is holds


def test_distribution_counts_only_bins_of_its_own_definition(contract) -> None:
    bounds = {"column": "price", "bounds": [1, 10], "atLeast": 2}
    made = contract(PRICE, quality=[looking("spread", distribution=bounds)])
    (asked,) = batch_checks(made)
    assert asked.measure
    history = [of(10, 5, 3, 2, definition=asked.measure.digest), of(10, 4, 4, 2, definition=asked.measure.digest)]
    (same,) = judge([asked], of(20, 9, 7, 4), history)
    (other,) = judge([asked], of(20, 0, 0, 20), history)
    (unknown,) = judge([asked], of(20, 9, 7, 4), [*history[:1], of(10, 1, 1, 8, definition="another")])
    assert (same.success, other.success, unknown.not_run) == (True, False, "1 earlier batches, it asks for 2")


def test_freshness_is_the_age_of_the_newest_value(contract) -> None:
    (asked,) = batch_checks(contract(WHEN, quality=[looking("fresh", freshness={"column": "at", "withinHours": 24})]))
    now = datetime(2026, 1, 2, tzinfo=UTC)
    micros = Decimal(int((now - timedelta(hours=30)).timestamp() * 1e6))
    metrics = Metrics((Metric("max", "fresh", 0, "", micros, None),))
    found = freshness(asked, metrics, now)
    assert (found.success, found.observed) == (False, 30.0)
    assert freshness(asked, metrics, now - timedelta(hours=6)).success
    assert "nothing has been published" in (freshness(asked, Metrics(()), now).not_run or "")


@pytest.mark.parametrize(
    ("look", "message"),
    [
        ({"freshness": {"column": "at"}}, "does not say how fresh"),
        ({"freshness": {"column": "price", "withinHours": 1}}, "cannot look at price, a decimal"),
        ({"distribution": {"column": "gone", "bounds": [1]}}, "names the column 'gone'"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(contract, look: dict[str, Any], message: str) -> None:
    with pytest.raises(ContractError, match=message):
        batch_checks(contract(PRICE, WHEN, quality=[looking("wrong", **look)]))


def test_a_batch_unlike_its_history_is_held(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    looks = [
        looking("enough", volume={"atLeast": 3, "withinPercent": 50}),
        looking("spread", distribution={"column": "price", "bounds": [10], "atLeast": 3}) | {"severity": "warning"},
        looking("fresh", freshness={"column": "at", "withinHours": 1}) | {"severity": "warning"},
    ]
    contract = make_contract(PRICE, WHEN, quality=looks)
    for number in range(4):
        deliver(sail, lake, contract, number, [1, 2, 30])
    lines = {line.check_id: line for line in check(sail, lake.settings, contract).lines if line.batch == "newest"}
    assert (lines["enough"].success, lines["spread"].success, lines["fresh"].success) == (True, True, False)
    deliver(sail, lake, contract, 4, [50, 60, 70])
    lines = {line.check_id: line for line in check(sail, lake.settings, contract).lines if line.batch == "newest"}
    assert (lines["enough"].success, lines["spread"].success) == (True, False)
    (held,) = deliver(sail, lake, contract, 5, [1])
    assert "enough (enough) found 66.67" in str(held)


def deliver(sail: Engine, lake: Lake, contract: Contract, number: int, prices: list[int]) -> list[Exception]:
    rows = "".join(f"{price}.{number}{n},2026-01-01T00:00:0{n}\n" for n, price in enumerate(prices))
    lake.deliver(f"{number}.csv", "price,at\n" + rows)
    ingest(sail, contract, lake.run(number))
    return list(refine(sail, contract, lake.run(number)).held)
