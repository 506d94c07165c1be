"""Bronze keeps rows for days and silver for years: what has left bronze stays in silver, whatever runs after."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pipelines.bronze.ingest import ingest
from pipelines.contracts import Contract, Domain, Layer
from pipelines.engine import Engine
from pipelines.ledger import Ledger, Status, latest
from pipelines.maintain import maintain
from pipelines.silver.refine import refine
from pipelines.summary import summary

if TYPE_CHECKING:
    from conftest import Lake, MakeContract

KEPT = {"bronze": 30, "silver": 3650, "quarantine": 3650}


@pytest.fixture
def contract(make_contract: MakeContract) -> Contract:
    return make_contract(layerRetention=KEPT, redelivery={"policy": "replace"})


@pytest.fixture
def aged(sail: Engine, lake: Lake, contract: Contract) -> Lake:
    """A lake whose first delivery came 60 days ago, after its maintenance."""
    lake.deliver("old.csv", "id,name,price\n1,a,1.00\nx,b,2.00\n")
    long_ago = replace(lake.run(1), started=lake.settings.started - timedelta(days=60))
    ingest(sail, contract, long_ago)
    refine(sail, contract, long_ago)
    lake.deliver("new.csv", "id,name,price\n2,c,3.00\n")
    ingest(sail, contract, lake.run(2))
    refine(sail, contract, lake.run(2))
    domain = Domain("test", contract.path.parent, (contract,), ())
    bronze = next(cared for cared in maintain(sail, lake.run(3), domain) if cared.care.layer is Layer.BRONZE)
    assert bronze.expired_rows == 2
    return lake


def test_rows_leave_bronze_by_its_own_retention_and_the_ledger_says_so(
    sail: Engine, aged: Lake, contract: Contract
) -> None:
    assert aged.rows(sail, Layer.BRONZE, "id") == [("2",)]
    assert aged.rows(sail, Layer.SILVER, "id") == [(1,), (2,)]
    last = latest(Ledger(sail, aged.settings).entries(Layer.BRONZE, "things"))
    assert {entry.file: entry.status for entry in last.values()} == {
        "old.csv": Status.EXPIRED,
        "new.csv": Status.COMMITTED,
    }
    assert ingest(sail, contract, aged.run(4)).files == 0  # what still lies in landing does not come back


def test_a_replay_leaves_what_bronze_no_longer_has(sail: Engine, aged: Lake, contract: Contract) -> None:
    refine(sail, contract, aged.run(4), again=True)
    assert aged.rows(sail, Layer.SILVER, "id") == [(1,), (2,)]
    assert len(aged.rows(sail, Layer.QUARANTINE, "_raw")) == 1


def test_what_left_bronze_still_counts_as_delivered(sail: Engine, aged: Lake, contract: Contract) -> None:
    domain = Domain("test", contract.path.parent, (contract,), ())
    assert summary(sail, aged.settings, domain)["clean_vs_quarantined"] == [
        {"dataset": "things", "rows": 3, "silver": 2, "duplicates": 0, "quarantined": 1}
    ]


def test_a_newer_delivery_supersedes_one_that_bronze_no_longer_has(
    sail: Engine, aged: Lake, contract: Contract
) -> None:
    aged.deliver("old.csv", "id,name,price\n7,a,1.00\n")
    ingest(sail, contract, aged.run(4))
    refine(sail, contract, aged.run(4))
    assert aged.rows(sail, Layer.SILVER, "id") == [(2,), (7,)]
    assert aged.rows(sail, Layer.QUARANTINE, "_raw") == []
