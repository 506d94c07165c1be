"""What the catalogue says of a table: its contract, its lineage, what runs left; and no value that is personal."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pipelines.bronze.ingest import ingest
from pipelines.catalogue import Records, described
from pipelines.catalogue.__main__ import main
from pipelines.contracts import Contract, load_domain
from pipelines.engine import Engine
from pipelines.silver.refine import refine
from tests.pipelines.conftest import Lake

COLUMNS: tuple[Mapping[str, Any], ...] = (
    {"name": "id", "logicalType": "integer", "physicalType": "int", "required": True},
    {
        "name": "mail",
        "logicalType": "string",
        "classification": "personal",
        "customProperties": [{"property": "masking", "value": {"method": "hash"}}],
    },
    {"name": "price", "logicalType": "number", "physicalType": "decimal(9,2)", "classification": "confidential"},
)
SECRET = "ann@private.example"


@pytest.fixture
def refined(sail: Engine, lake: Lake, make_contract: Callable[..., Contract]) -> Contract:
    contract = make_contract(*COLUMNS)
    lake.deliver("a.csv", f"id,mail,price\n1,{SECRET},2.50\n2,{SECRET},3.00\nx,{SECRET},1.00\n")
    ingest(sail, contract, lake.settings)
    refine(sail, contract, lake.settings)
    return contract


def test_a_sample_is_of_open_columns(sail: Engine, lake: Lake, refined: Contract) -> None:
    said = Records(sail, lake.settings, 5, sensitive=False).of(refined)
    assert said["sample"]["columns"] == ["id"]
    assert sorted(row[0] for row in said["sample"]["rows"]) == ["1", "2"]
    assert said["sample"]["left_out"] == ["mail", "price"]


def test_a_sample_that_is_asked_for_more_is_masked(sail: Engine, lake: Lake, refined: Contract) -> None:
    said = Records(sail, lake.settings, 1, sensitive=True).of(refined)
    assert said["sample"]["columns"] == ["id", "mail", "price"]
    assert len(said["sample"]["rows"]) == 1
    assert SECRET not in json.dumps(said)


def test_no_sample_is_taken_where_none_is_wanted(sail: Engine, lake: Lake, refined: Contract) -> None:
    assert Records(sail, lake.settings, 0, sensitive=False).of(refined)["sample"] is None


def test_records_tell_where_rows_went(sail: Engine, lake: Lake, refined: Contract) -> None:
    said = Records(sail, lake.settings, 1, sensitive=False).of(refined)
    (batch,) = said["batches"]
    assert {key: batch[key] for key in ("rows", "good", "duplicates", "quarantined")} == {
        "rows": 3,
        "good": 2,
        "duplicates": 0,
        "quarantined": 1,
    }
    assert (said["state"]["rows"], said["state"]["quarantined"]) == (2, 1)
    assert said["state"]["status"] == "succeeded"


def test_a_lake_where_nothing_ran_says_nothing(
    sail: Engine, lake: Lake, make_contract: Callable[..., Contract]
) -> None:
    said = Records(sail, lake.settings, 5, sensitive=True).of(make_contract(*COLUMNS))
    assert said == {"state": None, "quality": [], "batches": [], "sample": None}


def test_lineage_goes_from_bronze_to_gold() -> None:
    domain = load_domain("sales")
    retail = described(domain, domain.contract("online_retail"))
    edges = {(edge["to"], edge["table"], edge["column"], edge["subtype"]) for edge in retail["edges"]}
    assert ("customer_id", "bronze.online_retail", "CustomerID", "TRANSFORMATION") in edges
    assert ("country", "bronze.online_retail", "Country", "IDENTITY") in edges
    assert ("amount", "silver.online_retail", "unit_price", "TRANSFORMATION") in edges
    country = described(domain, domain.contract("revenue_by_country"))
    assert country["inputs"]
    assert ("revenue", "AGGREGATION") in {(edge["to"], edge["subtype"]) for edge in country["edges"]}


def test_the_command_says_what_contracts_say_alone(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.json"
    assert main(["--domain", "sales", "--json", str(file)]) == 0
    said = json.loads(file.read_text())
    assert (said["schema"], said["domain"]) == (1, "sales")
    assert len(said["tables"]) == len(load_domain("sales").contracts)
    assert all(table["state"] is None and table["columns"] for table in said["tables"])
    assert {tuple(table["contacts"]) for table in said["tables"]} == {("sales-data email sales-data@levee.example",)}


def test_the_command_tells_a_wrong_domain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--domain", "sails", "--json", str(tmp_path / "c.json")]) == 2
    assert "did you mean `sales`?" in capsys.readouterr().err
