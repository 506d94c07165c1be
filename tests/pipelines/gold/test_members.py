"""Unknown members: no fact is lost for a key that its dimension lacks, and it finds the member that comes late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlglot

from pipelines.errors import ContractError, QualityError
from pipelines.gold.checks import check_model
from pipelines.gold.dbt import project
from pipelines.gold.lineage import Edge
from pipelines.gold.testing import cases, run_case
from pipelines.settings import Layer

if TYPE_CHECKING:
    from tests.pipelines.conftest import Shop

KEY: dict[str, Any] = {"name": "buyer_key", "logicalType": "integer", "physicalType": "bigint"}
MADE = {**KEY, "customProperties": [{"property": "surrogateKey", "value": {"of": ["buyer"]}}]}
BUYER, NAME = {"name": "buyer"}, {"name": "name", "required": True}
DAY = {"name": "since", "logicalType": "date"}
AMOUNT = {"name": "amount", "logicalType": "number", "physicalType": "decimal(9,2)"}
UNKNOWN = {"key": -1, "values": {"name": "Unknown", "since": "1900-01-01"}}
JOINED = "SELECT b.name, sum(s.amount) AS amount FROM gold.sales AS s INNER JOIN gold.buyers AS b "
JOINED += "ON s.buyer_key = b.buyer_key GROUP BY b.name"


def dimension(shop: Shop, unknown: Any = UNKNOWN, *more: Any, sql: str = "", **model: Any) -> None:
    shop.contract(
        "buyers", {**KEY, "primaryKey": True}, NAME, DAY, BUYER, *more,
        sql=sql or "SELECT buyer_key, name, since, buyer FROM silver.shoppers",
        model={"inputs": ["silver.shoppers"], **({"unknownMember": unknown} if unknown else {}), **model},
    )  # fmt: skip


def facts(shop: Shop, key: Any = KEY, **model: Any) -> None:
    keys = {"inputs": ["silver.orders", "gold.buyers"], "dimensions": {"buyer_key": "gold.buyers"}}
    sql = "SELECT buyer_key, amount\nFROM silver.orders -- as they came"
    shop.contract("sales", key, AMOUNT, sql=sql, model={**keys, **model})


@pytest.fixture
def star(shop: Shop) -> Shop:
    """Orders of Ann, of Bob, whom nobody has told of yet, and of nobody; a dimension, facts, and what both tell."""
    shop.contract("shoppers", {**BUYER, "required": True}, NAME, DAY, MADE)
    shop.contract("orders", {"name": "id"}, BUYER, AMOUNT, MADE)
    dimension(shop)
    facts(shop)
    shop.contract("by_name", NAME, AMOUNT, sql=JOINED, model={"inputs": ["gold.sales", "gold.buyers"]})
    return shop


def told(shop: Shop) -> dict[str, float]:
    for model in ("buyers", "sales", "by_name"):
        shop.build(model)
    return {name: float(amount) for name, amount in shop.rows(Layer.GOLD, "by_name", "name", "amount")}


def test_no_fact_is_lost_and_an_early_one_finds_its_member(star: Shop) -> None:
    star.deliver("shoppers", "1.csv", "buyer,name,since\nann,Ann,2020-01-01\n")
    star.deliver("orders", "1.csv", "id,buyer,amount\n1,ann,1\n2,bob,2\n3,,4\n4,bob,8\n")
    assert told(star) == {"Ann": 1, "Unknown": 14}
    assert star.rows(Layer.GOLD, "buyers", "buyer_key", "name", "buyer")[0] == (-1, "Unknown", None)
    assert len(star.rows(Layer.GOLD, "buyers")) == 2
    keys = [key for (key,) in star.rows(Layer.SILVER, "orders", "buyer_key") if key is not None]
    star.deliver("shoppers", "2.csv", "buyer,name,since\nbob,Bob,2021-01-01\n")
    assert told(star) == {"Ann": 1, "Bob": 10, "Unknown": 4}
    assert sorted(key for (key,) in star.rows(Layer.GOLD, "sales", "buyer_key")) == sorted([-1, *keys])
    assert star.build("sales").unchanged


def test_without_the_property_the_join_loses_them(star: Shop) -> None:
    """What the property is for: with it switched off the same SQL loses facts."""
    dimension(star, unknown=None)
    facts(star, inputs=["silver.orders"], dimensions={})
    star.deliver("shoppers", "1.csv", "buyer,name,since\nann,Ann,2020-01-01\n")
    star.deliver("orders", "1.csv", "id,buyer,amount\n1,ann,1\n2,bob,2\n")
    assert told(star) == {"Ann": 1}


def test_a_member_with_the_key_of_the_unknown_one_is_refused(star: Shop) -> None:
    dimension(star, sql="SELECT CAST(-1 AS BIGINT) AS buyer_key, name, since, buyer FROM silver.shoppers")
    star.deliver("shoppers", "1.csv", "buyer,name,since\nann,Ann,2020-01-01\n")
    with pytest.raises(QualityError, match=r"buyers was not published: primary_key"):
        star.build("buyers")


def test_lineage_tests_and_the_export_tell_of_it(star: Shop) -> None:
    domain = star.domain
    buyers, sales = domain.contract("buyers"), domain.contract("sales")
    assert (
        Edge("gold.buyers", "buyer_key", "INDIRECT", "CONDITIONAL") in check_model(domain, sales).columns["buyer_key"]
    )
    given = "gold.buyers: [{buyer_key: 7}], silver.orders: [{buyer_key: 7}, {buyer_key: 8}, {amount: 1}]"
    for name, text in (
        ("buyers", "    given: {}\n    expect: [{buyer_key: -1, name: Unknown, since: 1900-01-01}]\n"),
        ("sales", f"    given: {{{given}}}\n    expect: [{{buyer_key: 7}}, {{buyer_key: -1}}, {{buyer_key: -1}}]\n"),
    ):
        (buyers.path.parent / f"{name}.test.yaml").write_text(f"tests:\n  - name: unknown\n{text}")
    for model in (buyers, sales):
        (case,) = cases(domain, model)
        assert run_case(star.engine, domain, model, case).passed, model.dataset
    for adapter in ("spark", "duckdb"):
        files = project(domain, adapter)
        exported = str(files["models/gold/sales.sql"])
        assert "ref('buyers')" in exported
        assert "source('silver', 'orders')" in exported
        text = exported.replace("{{ ref('buyers') }}", "buyers").replace("{{ source('silver', 'orders') }}", "orders")
        assert "COALESCE" in sqlglot.transpile(text, read=adapter)[0]
        assert "Unknown" in str(files["models/gold/buyers.sql"])


@pytest.mark.parametrize(
    ("unknown", "more", "said"),
    [
        ({"key": -1, "values": {"name": "x", "nick": "y"}}, {}, "names the column 'nick', which there is not"),
        ({"key": -1}, {}, "column name is required, and the unknown member has none"),
        ({"key": -1, "values": {"name": "x", "buyer_key": 3}}, {}, "buyer_key of the unknown member is its `key`"),
        ({"key": 1, "values": {"name": "x"}}, {}, "less than or equal to 0"),
        (UNKNOWN, {"materialisation": "incremental"}, "a dimension with an unknown member is built in full"),
    ],
)
def test_an_unknown_member_that_does_not_fit_is_refused(star: Shop, unknown: Any, more: Any, said: str) -> None:
    dimension(star, unknown, **more)
    with pytest.raises(ContractError, match=said) as caught:
        _ = star.domain
    assert "buyers.odcs.yaml:" in (caught.value.where or "")


def test_an_unknown_member_is_of_its_columns_types(star: Shop) -> None:
    dimension(star, {"key": 0, "values": {"name": 3}})
    domain = star.domain
    with pytest.raises(ContractError, match="3 is no value of the type string"):
        check_model(domain, domain.contract("buyers"))


@pytest.mark.parametrize(
    ("key", "model", "said"),
    [
        (KEY, {"dimensions": {"buyer": "gold.buyers"}}, "dimensions names the column 'buyer', which there is not"),
        ({"name": "buyer_key"}, {}, r"buyer_key is a key of gold\.buyers and no integer"),
        (KEY, {"inputs": ["silver.orders"]}, r"buyer_key is a key of gold\.buyers, which is no input"),
        (KEY, {"optional": ["gold.buyers"]}, "which may be absent"),
        (KEY, {"materialisation": "incremental"}, "so the table is built in full"),
        (KEY, {"dimensions": {"buyer_key": "silver.orders"}}, r"key of silver\.orders, which has no unknown member"),
    ],
)
def test_keys_that_do_not_fit_are_refused(star: Shop, key: Any, model: Any, said: str) -> None:
    facts(star, key, **model)
    with pytest.raises(ContractError, match=said) as caught:
        _ = star.domain
    assert "sales.odcs.yaml:" in (caught.value.where or "")
