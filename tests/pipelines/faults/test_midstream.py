"""A source changes its schema between two deliveries: what fits goes on, what does not is named, nothing is lost."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from pipelines.bronze.ingest import ingest
from pipelines.contracts import Contract
from pipelines.engine import Engine
from pipelines.errors import SchemaError
from pipelines.settings import Layer
from pipelines.silver.refine import refine

if TYPE_CHECKING:
    from tests.pipelines.conftest import Lake, MakeContract

CHANGED = {
    "1.csv": "id,name,price\n1,one,1\n",
    "2.csv": "price,colour,id,name\n2,red,2,two\n",  # a column more, and another order
    "3.csv": "id,name,cost\n3,three,3\n",  # a column has another name
    "4.csv": "id,name,price\n4,four,4 EUR\n",  # a column has another type
    "5.csv": "id,name,price\n5,five,5\n",  # as before
}


@pytest.mark.parametrize(
    ("drift", "rejected", "in_bronze"),
    [
        ("rescue", {"3.csv"}, [("2", '{"colour":"red"}')]),
        ("add", {"3.csv"}, [("2", None)]),
        ("fail", {"2.csv", "3.csv"}, []),
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_a_schema_changes_in_midstream(
    sail: Engine,
    lake: Lake,
    make_contract: MakeContract,
    drift: str,
    rejected: set[str],
    in_bronze: list[tuple[str, str | None]],
    *,
    at_once: bool,
) -> None:
    contract = make_contract(ingestion={"format": "csv", "drift": drift})
    told: set[str] = set()
    names = list(CHANGED)
    for number, group in enumerate([names] if at_once else [names[:1], names[1:3], names[3:]]):
        for name in group:
            lake.deliver(name, CHANGED[name])
        told |= _ingested(sail, contract, lake, number)
        for batch in refine(sail, contract, lake.run(number)).batches:
            assert batch.balanced
    assert told == rejected
    good = [n for n in (1, 2, 5) if f"{n}.csv" not in rejected]
    assert lake.rows(sail, Layer.SILVER, "id") == [(n,) for n in good]
    assert lake.rows(sail, Layer.QUARANTINE, "_file", "_rules") == [("4.csv", "price_type")]
    assert [row for row in lake.rows(sail, Layer.BRONZE, "id", "_rescued") if row[0] == "2"] == in_bronze
    if drift == "add":
        assert ("2", "red") in lake.rows(sail, Layer.BRONZE, "id", "colour")


def _ingested(sail: Engine, contract: Contract, lake: Lake, number: int) -> set[str]:
    """Files that were rejected; a run all of whose files were says so and fails."""
    with contextlib.suppress(SchemaError):
        return {one.file for one in ingest(sail, contract, lake.run(number)).rejected}
    return {row["file"] for row in sail.rows(lake.settings.table_path(Layer.QUARANTINE, "_files")).to_pylist()}
