"""What is told of a dataset's quality: batches, rules with their trend, checks, and nothing of what a record says."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.errors import UsageError
from pipelines.jobs import check_dataset
from pipelines.quality.view import shown

if TYPE_CHECKING:
    from tests.pipelines.conftest import Shop

POSITIVE = {"id": "positive", "metric": "invalidValues", "mustBe": 0, "arguments": {"exclusiveMinimum": 0}}
AMOUNT = {"name": "amount", "logicalType": "number", "physicalType": "decimal(9,2)", "quality": [POSITIVE]}
ENOUGH = {"id": "enough", "metric": "rowCount", "mustBeGreaterThan": 2, "severity": "warning"}


def told(shop: Shop, dataset: str = "orders", **asked: Any) -> dict[str, Any]:
    file = shop.folder / "request.json"
    file.write_text(json.dumps({"dataset": dataset, **asked}))
    return json.loads(json.dumps(shown(replace(shop.settings, request=file), shop.domain), default=str))


@pytest.fixture
def orders(shop: Shop) -> Shop:
    shop.contract("orders", {"name": "id"}, AMOUNT, quality=[ENOUGH])
    return shop


def test_batches_rules_and_checks_with_their_past(orders: Shop) -> None:
    contract = orders.domain.contract("orders")
    orders.deliver("orders", "1.csv", "id,amount\n1,1\n2,-2\n")
    check_dataset(orders.engine, contract, orders.settings)
    orders.deliver("orders", "2.csv", "id,amount\n3,1\n4,x\n5,-7\n6,-8\n")
    check_dataset(orders.engine, contract, replace(orders.settings, run_id="run-2"))
    found = told(orders)
    assert [(one["records"], one["quarantined"], one["malformed"]) for one in found["batches"]] == [
        (2, 1, 0),
        (4, 3, 0),
    ]
    assert all(one["at"] for one in found["batches"])
    rules = {one["rule"]: one for one in found["rules"]}
    assert list(rules) == ["amount_type", "positive"]
    assert (rules["positive"]["broken"], rules["positive"]["quarantined"]) == ([1, 2], 3)
    assert rules["positive"]["on_failure"] == "quarantine"
    assert rules["positive"]["look"] == "levee quarantine list shop.orders --rule positive"
    assert rules["amount_type"]["broken"] == [0, 1]
    checks = {(one["of"], one["check"]): one for one in found["checks"]}
    enough = checks["table", "enough"]
    assert (enough["on_failure"], enough["success"], enough["observed"]) == ("warn", False, 2.0)
    assert [(past["success"], past["observed"]) for past in enough["history"]] == [(False, 1.0), (False, 2.0)]
    assert checks["quarantine", "positive"]["success"]
    assert (found["run_id"], found["contract_version"]) == ("run-2", "1.0.0")
    last = told(orders, last=1)
    assert (len(last["batches"]), last["rules"][1]["broken"], len(last["checks"][0]["history"])) == (1, [2], 1)


def test_a_held_batch_is_told_before_the_quality_task_has_run(orders: Shop) -> None:
    breaker = {"maximumQuarantinePercent": 10, "minimumRows": 1}
    orders.contract("orders", {"name": "id"}, AMOUNT, circuitBreaker=breaker)
    orders.deliver("orders", "1.csv", "id,amount\n1,1\n2,-2\n")
    found = told(orders)
    assert found["evaluated_at"] is None
    ((held,), rules) = (found["batches"], found["rules"])
    assert "circuit breaker" in held["held"]
    assert [one["broken"] for one in rules] == [[], []]


def test_what_was_never_judged_and_what_is_no_source_are_refused(orders: Shop) -> None:
    with pytest.raises(UsageError, match="nothing of orders was ever judged") as caught:
        told(orders)
    assert caught.value.fix == "levee run shop"
    orders.contract("totals", AMOUNT, sql="SELECT amount FROM silver.orders", model={"inputs": ["silver.orders"]})
    with pytest.raises(UsageError, match="totals is a model") as caught:
        told(orders, "totals")
    assert "orders" in (caught.value.fix or "")
