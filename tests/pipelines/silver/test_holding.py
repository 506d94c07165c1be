"""A batch that may not be published: it is held, others go on, and somebody may let it go on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipelines.bronze.ingest import ingest
from pipelines.errors import QualityError, UsageError
from pipelines.ledger import Ledger, Status, latest
from pipelines.quality.task import check
from pipelines.settings import Acceptance, Layer
from pipelines.silver.holding import BatchHeldError, accept
from pipelines.silver.refine import refine

if TYPE_CHECKING:
    from pipelines.contracts import Contract
    from pipelines.engine import Engine
    from tests.pipelines.conftest import Lake, MakeContract

HEADER = "id,name,price\n"
BAD = HEADER + "1,one,1\n2,two,-2\n3,three,zero\n,four,4\n"
GOOD = HEADER + "5,five,5\n6,six,6\n"
PRICE = {
    "name": "price",
    "logicalType": "number",
    "physicalType": "decimal(9,2)",
    "logicalTypeOptions": {"exclusiveMinimum": 0},
}
ID = {"name": "id", "logicalType": "integer", "physicalType": "int", "required": True}
NAME = {"name": "name", "logicalType": "string"}
BREAKER = {"maximumQuarantinePercent": 50, "minimumRows": 4}


@pytest.fixture
def contract(make_contract: MakeContract) -> Contract:
    return make_contract(ID, NAME, PRICE, circuitBreaker=BREAKER)


def test_the_breaker_holds_a_batch_until_somebody_accepts_it(sail: Engine, lake: Lake, contract: Contract) -> None:
    lake.deliver("a.csv", BAD)
    ingest(sail, contract, lake.settings)
    (held,) = refine(sail, contract, lake.settings).held
    assert "75.00 % of 4 records would go to quarantine, the circuit breaker trips above 50 %" in held.message
    assert "(id_required 25.00 %, price_exclusive_minimum 25.00 %, price_type 25.00 %)" in held.message
    assert f"levee replay things --accept {held.batch_id} --reason WHY" in (held.fix or "")
    assert lake.rows(sail, Layer.SILVER) == lake.rows(sail, Layer.QUARANTINE) == []

    lake.deliver("b.csv", GOOD)  # what comes later goes on, and the held batch is not judged again
    ingest(sail, contract, lake.run(2))
    later = refine(sail, contract, lake.run(2))
    assert (later.held, later.silver, later.quarantine) == ([], 2, 0)
    with pytest.raises(QualityError, match="1 batches of things are held: the batch"):
        check(sail, lake.run(2), contract)

    for number in (3, 3):  # a run that dies after it was told is begun again, with the same words
        accept(sail, lake.run(number), contract, Acceptance(held.batch_id, "ann", "the shop was on strike"))
    assert refine(sail, contract, lake.run(3)).quarantine == 3
    assert lake.rows(sail, Layer.SILVER, "id") == [(1,), (5,), (6,)]
    words = Ledger(sail, lake.settings).entries(Layer.SILVER, "things")
    assert [(entry.status, entry.detail) for entry in words if entry.file == "a.csv"][1:] == [
        (Status.ACCEPTED, "ann: the shop was on strike"),
        (Status.COMMITTED, None),
    ]
    assert all(
        line.success is not False for line in check(sail, lake.run(3), contract).lines if line.batch != "candidates"
    )
    assert refine(sail, contract, lake.run(4)).batches == []


def test_a_replay_under_a_better_contract_frees_it(
    sail: Engine, lake: Lake, contract: Contract, make_contract: MakeContract
) -> None:
    lake.deliver("a.csv", BAD)
    ingest(sail, contract, lake.settings)
    assert refine(sail, contract, lake.settings).held
    assert refine(sail, contract, lake.run(2)).held == []  # it waits
    assert refine(sail, contract, lake.run(3), again=True).held  # judged again, it is as bad as before
    better = make_contract(ID, NAME, {**PRICE, "logicalTypeOptions": {}}, circuitBreaker=BREAKER)
    assert refine(sail, better, lake.run(4), again=True).held == []
    assert [row[0] for row in lake.rows(sail, Layer.SILVER, "id")] == [1, 2]


@pytest.mark.parametrize(
    ("percent", "rows", "trips"), [(74.9, 4, True), (75, 4, False), (74.9, 5, False), (0, 1, True), (100, 1, False)]
)
def test_when_the_breaker_trips(
    sail: Engine, lake: Lake, make_contract: MakeContract, percent: float, rows: int, trips: bool
) -> None:
    breaker = {"maximumQuarantinePercent": percent, "minimumRows": rows}
    contract = make_contract(ID, NAME, PRICE, circuitBreaker=breaker)
    lake.deliver("a.csv", BAD)
    ingest(sail, contract, lake.settings)
    assert bool(refine(sail, contract, lake.settings).held) == trips


def test_a_rule_that_stops_the_pipeline_fails_the_task_after_the_others(
    sail: Engine, lake: Lake, make_contract: MakeContract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.silver.refine.BATCH_FILES", 1)
    stop = {
        "id": "positive", "metric": "invalidValues", "mustBe": 0, "arguments": {"exclusiveMinimum": 0},
        "customProperties": [{"property": "onFailure", "value": "stopPipeline"}],
    }  # fmt: skip
    contract = make_contract(ID, NAME, {**PRICE, "logicalTypeOptions": {}, "quality": [stop]})
    lake.deliver("a.csv", BAD)
    lake.deliver("b.csv", GOOD)
    ingest(sail, contract, lake.settings)
    with pytest.raises(BatchHeldError, match="positive is broken in 1 records"):
        refine(sail, contract, lake.settings)
    assert lake.rows(sail, Layer.SILVER, "id") == [(5,), (6,)]
    states = {
        entry.file: entry.status
        for entry in latest(Ledger(sail, lake.settings).entries(Layer.SILVER, "things")).values()
    }
    assert states == {"a.csv": Status.HELD, "b.csv": Status.COMMITTED}


def test_nothing_is_accepted_without_a_name_a_reason_and_a_held_batch(
    sail: Engine, lake: Lake, contract: Contract
) -> None:
    lake.deliver("a.csv", BAD)
    ingest(sail, contract, lake.settings)
    (held,) = refine(sail, contract, lake.settings).held
    word = Acceptance(held.batch_id, "ann", "it is right")
    with pytest.raises(UsageError, match="who and why"):
        accept(sail, lake.settings, contract, replace(word, reason=" "))
    with pytest.raises(UsageError, match="no batch 0000 of things is held") as caught:
        accept(sail, lake.settings, contract, replace(word, batch_id="0000"))
    assert held.batch_id in (caught.value.fix or "")
