"""Checks of Levee's own in a lake: financial templates, references, sums that are reconciled."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from pipelines.bronze.ingest import ingest
from pipelines.contracts import ContractError
from pipelines.contracts.checks import check_references
from pipelines.contracts.references import waves
from pipelines.errors import QualityError
from pipelines.quality.checks import table_checks
from pipelines.quality.currencies import DECIMALS
from pipelines.quality.evaluate import evaluate
from pipelines.quality.rules import rules
from pipelines.quality.task import check
from pipelines.settings import Layer
from pipelines.silver.refine import refine

if TYPE_CHECKING:
    from pipelines.contracts import Contract
    from pipelines.engine import Engine
    from tests.pipelines.conftest import Lake, MakeContract

AMOUNT = {"name": "amount", "logicalType": "number", "physicalType": "decimal(18,4)"}
MONEY = {"name": "money", "logicalType": "string"}
BUYER = {"name": "buyer", "logicalType": "string"}


def looking(name: str, **look: Any) -> dict[str, Any]:
    return {"id": name, "type": "custom", "engine": "levee", "implementation": look}


def test_there_are_the_currencies_of_the_standard() -> None:
    """As many of each minor unit as list one of 2026-01-01 has; what left it before is gone."""
    assert Counter(DECIMALS.values()) == {0: 17, 2: 139, 3: 7, 4: 2}
    assert (DECIMALS["JPY"], DECIMALS["EUR"], DECIMALS["KWD"], DECIMALS["CLF"]) == (0, 2, 3, 4)
    funds = {"BOV": 2, "CHE": 2, "CHW": 2, "CLF": 4, "COU": 2, "MXV": 2, "USN": 2, "UYI": 0, "UYW": 4, "XAD": 2}
    assert {code: DECIMALS[code] for code in funds} == funds
    assert not {"XAU", "XDR", "XSU", "XXX", "XTS"} & set(DECIMALS)  # no minor unit
    assert not {"ANG", "BGN", "CUC", "DEM", "HRK", "SLL", "ZWL"} & set(DECIMALS)  # withdrawn


def test_financial_rules_on_every_engine(engine: Engine, contract) -> None:
    made = contract(
        AMOUNT,
        MONEY,
        quality=[
            looking("positive", notNegative="amount"),
            looking("known", currency="money"),
            looking("decimals", currencyDecimals={"amount": "amount", "currency": "money"}),
        ],
    )
    rows = [("1.23", "EUR"), ("-1", "EUR"), ("1.234", "EUR"), ("1", "JPY"), ("1.5", "JPY"), ("1.234", "KWD"),
            ("1.2345", "KWD"), ("1.2345", "CLF"), ("1", "DEM"), (None, None), ("0", "eur")]  # fmt: skip
    table = {"amount": [value and Decimal(value) for value, _ in rows], "money": [code for _, code in rows]}
    schema = pa.schema([("amount", pa.decimal128(18, 4)), ("money", pa.string())])
    frame = engine.frame(
        pa.table(table, schema=schema).append_column("_source_amount", pa.nulls(len(rows), pa.string()))
    )
    found = {
        rule.id: sorted(row["money"] for row in frame.where(f"NOT ({rule.predicate})").collect())
        for rule in rules(made)[-3:]
    }
    assert found == {"positive": ["EUR"], "known": ["DEM", "eur"], "decimals": ["EUR", "JPY", "KWD"]}


def test_debit_equals_credit_in_every_group(sail: Engine, contract) -> None:
    columns = [{"name": "entry", "logicalType": "string"}, {**AMOUNT, "name": "debit"}, {**AMOUNT, "name": "credit"}]
    made = contract(
        *columns, quality=[looking("balanced", balance={"debit": "debit", "credit": "credit", "per": ["entry"]})]
    )
    rows = [("a", 10, None), ("a", None, 10), ("b", 5, 5), ("c", 3, 2), (None, 1, None)]
    sail.frame(
        pa.Table.from_pylist([dict(zip(("entry", "debit", "credit"), row, strict=True)) for row in rows])
    ).selectExpr(
        "entry", "CAST(debit AS DECIMAL(18, 4)) AS debit", "CAST(credit AS DECIMAL(18, 4)) AS credit"
    ).createOrReplaceTempView("journal")
    (found,) = evaluate(sail.spark, "journal", (), table_checks(made))
    assert (found.observed, found.success) == (2.0, False)


@pytest.fixture
def lake_of_two(make_contract: MakeContract, lake: Lake) -> tuple[Contract, Contract]:
    buyers = make_contract({**BUYER, "required": True}, {"name": "name", "logicalType": "string"})
    buyers = replace(buyers, dataset="buyers")
    orphans = looking("known_buyer", references={"dataset": "buyers", "columns": ["buyer"]})
    return buyers, make_contract({**BUYER, "quality": [orphans]}, AMOUNT)


def test_orphans_go_to_quarantine(engine: Engine, lake: Lake, lake_of_two: tuple[Contract, Contract]) -> None:
    buyers, orders = lake_of_two
    landing = Path(lake.settings.deliveries("buyers"))
    landing.mkdir(parents=True)
    (landing / "b.csv").write_text("buyer,name\na,Ann\nb,Bob\na,Anne\n")
    lake.deliver("o.csv", "buyer,amount\na,1\nc,2\n,3\nc,2\n")
    of_buyers = replace(lake.settings, dataset="buyers")
    ingest(engine, buyers, of_buyers)
    refine(engine, buyers, of_buyers)
    ingest(engine, orders, lake.settings)
    refine(engine, orders, lake.settings)
    assert lake.rows(engine, Layer.SILVER, "buyer") == [("a",), (None,)]
    assert lake.rows(engine, Layer.QUARANTINE, "_rules", "_copies") == [("known_buyer", 2)]
    assert {line.check_id: line.failed for line in check(engine, lake.settings, orders).candidates}["known_buyer"] == 2


def test_what_is_referred_to_comes_first_and_must_be_there(lake_of_two: tuple[Contract, Contract]) -> None:
    buyers, orders = lake_of_two
    assert [[contract.dataset for contract in wave] for wave in waves([orders, buyers])] == [["buyers"], ["things"]]
    check_references([orders, buyers])
    with pytest.raises(ContractError, match="refers to 'buyers', which is no source of the domain") as caught:
        check_references([orders])
    assert ":" in (caught.value.where or "")
    with pytest.raises(ContractError, match=r"refers to buyers\.buyer, which there is not"):
        check_references([orders, replace(buyers, columns=buyers.columns[1:])])
    with pytest.raises(ContractError, match="in a circle"):
        waves([orders, circle(orders)])


def circle(orders: Contract) -> Contract:
    """A contract ``buyers`` that refers to ``things``."""
    (asked,) = orders.columns[0].quality
    assert asked.look
    assert asked.look.references
    back = asked.look.model_copy(update={"references": asked.look.references.model_copy(update={"dataset": "things"})})
    column = replace(orders.columns[0], quality=(replace(asked, look=back),))
    return replace(orders, dataset="buyers", columns=(column, *orders.columns[1:]))


def test_sums_are_the_same_from_bronze_to_silver(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    made = make_contract(BUYER, AMOUNT, quality=[looking("sum", reconciliation={"column": "amount"})])
    lake.deliver("a.csv", "buyer,amount\na,1.5\na,1.5\nb,x\nc,2.25\n")
    lake.deliver("b.csv", "buyer,amount\na,1.5\nd,4\n")
    ingest(sail, made, lake.settings)
    refine(sail, made, lake.settings)
    lake.deliver("c.csv", "buyer,amount\na,1.5\na,1.5\ne,8\n")  # what came before is not in silver twice
    ingest(sail, made, lake.run(2))
    refine(sail, made, lake.run(2))
    (line,) = [line for line in check(sail, lake.run(2), made).lines if line.check_id == "sum"]
    assert (line.batch, line.observed, line.success) == ("table", 0.0, True)
    path = lake.settings.table_path(Layer.SILVER, "things")
    sail.overwrite(path, sail.read(path).where("buyer <> 'd'"))
    with pytest.raises(QualityError, match=r"does not hold its contract: sum"):
        check(sail, lake.run(3), made)


def test_the_sum_of_gold_is_silvers(sail: Engine, make_contract: MakeContract) -> None:
    look = looking("sum", reconciliation={"column": "amount", "from": "orders", "expression": "pieces * price"})
    made = replace(make_contract(AMOUNT, quality=[look]), layer="gold")
    sail.spark.sql("SELECT CAST(7.5 AS DECIMAL(18, 4)) AS amount").createOrReplaceTempView("a_gold")
    sail.spark.sql("SELECT 3 AS pieces, CAST(2.5 AS DECIMAL(9, 2)) AS price").createOrReplaceTempView("a_silver")
    (found,) = evaluate(sail.spark, "a_gold", (), table_checks(made), silver={"orders": "a_silver"})
    assert (found.observed, found.success) == (0.0, True)
