"""Gold tables: exact, the same on every engine, rebuilt only when they must be, not published when a check fails."""

import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.contracts import ContractError, Domain, Layer, domains_folder, job_spec, load_domain
from pipelines.engine import Engine
from pipelines.errors import QualityError, SchemaError
from pipelines.gold.build import build
from pipelines.gold.render import render
from pipelines.settings import RunSettings

SALES = load_domain("sales")


def rows(engine: Engine, settings: RunSettings, table: str) -> list[dict]:
    found = engine.rows(settings.table_path(Layer.GOLD, table)).to_pylist()
    return sorted(found, key=lambda row: [str(value) for value in row.values()])


def built(engine: Engine, settings: RunSettings, table: str, domain: Domain = SALES):
    return build(engine, settings, domain, domain.contract(table))


def test_revenue_by_month_is_exact(sail, settings, fill, sold) -> None:
    fill(sold)
    result = built(sail, settings, "revenue_by_month")
    assert (result.rows, result.unchanged) == (3, False)
    shown = [
        (str(r["month"]), r["lines"], r["quantity"], r["revenue"]) for r in rows(sail, settings, "revenue_by_month")
    ]
    assert shown == [
        ("2011-01-01", 2, 3, Decimal("15.251")),
        ("2011-02-01", 2, 5, Decimal("30.001")),
        ("2011-04-01", 1, 1, Decimal("9.990")),
    ]


def test_customers_and_countries_share_the_whole(sail, settings, fill, sold) -> None:
    fill(sold)
    for table, key in (("revenue_by_customer", "customer_id"), ("revenue_by_country", "country")):
        built(sail, settings, table)
        found = {row[key]: row for row in rows(sail, settings, table)}
        assert sum(row["share"] for row in found.values()) == pytest.approx(1, abs=1e-9)
        assert sum(row["revenue"] for row in found.values()) == Decimal("55.242")
    assert (found["France"]["customers"], found["France"]["revenue"]) == (2, Decimal("25.241"))


def test_variance_adds_up_to_the_last_digit(sail, settings, fill, sold) -> None:
    fill(sold)
    built(sail, settings, "revenue_variance")
    (february,) = rows(sail, settings, "revenue_variance")  # April has no March before it
    assert february["change"] == Decimal("14.750")
    assert february["volume_effect"] == Decimal("10.167")  # two pieces more at 15.251 / 3
    assert february["price_effect"] == Decimal("4.583")
    assert february["volume_effect"] + february["price_effect"] == february["change"]
    assert february["change_ratio"] == pytest.approx(14.750 / 15.251, abs=1e-9)


def test_two_sources_stay_apart(sail, settings, fill, sold) -> None:
    fill(sold)
    fill([row | {"currency": "USD"} for row in sold], dataset="cdnow")
    both = replace(settings, sources=("online_retail", "cdnow"))
    built(sail, both, "revenue_by_month")
    found = rows(sail, both, "revenue_by_month")
    assert {(row["dataset"], row["currency"]) for row in found} == {("online_retail", "GBP"), ("cdnow", "USD")}
    assert sum(row["revenue"] for row in found) == 2 * Decimal("55.242")


def test_the_same_inputs_are_not_built_again_and_changed_ones_are(sail, settings, fill, sold) -> None:
    fill(sold)
    first = built(sail, settings, "revenue_by_month")
    again = built(sail, settings, "revenue_by_month")
    assert again.unchanged
    assert sail.version(first.path) == first.version
    fill(sold[:1])
    changed = built(sail, settings, "revenue_by_month")
    assert (changed.unchanged, changed.rows) == (False, 1)


def test_care_of_the_input_is_no_change(sail, settings, fill, sold) -> None:
    fill(sold)
    built(sail, settings, "revenue_by_month")
    sail.optimize(settings.table_path(Layer.SILVER, "online_retail"), ["ordered_at"])
    assert built(sail, settings, "revenue_by_month").unchanged


def test_a_table_that_was_changed_behind_our_back_is_healed(sail, settings, fill, sold) -> None:
    fill(sold)
    path = built(sail, settings, "revenue_by_month").path
    sail.overwrite(path, sail.read(path).limit(1))
    assert not built(sail, settings, "revenue_by_month").unchanged
    assert sail.count(path) == 3


def test_nothing_delivered_is_no_failure(sail, settings, fill) -> None:
    fill([])
    result = built(sail, settings, "revenue_by_month")
    assert (result.rows, result.inputs, sail.exists(result.path)) == (0, {}, False)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A copy of the sales domain to change."""
    return Path(shutil.copytree(domains_folder() / "sales", tmp_path / "domains" / "sales"))


def test_a_check_that_fails_leaves_the_published_table_as_it_was(sail, settings, fill, sold, own) -> None:
    fill(sold)
    built(sail, settings, "revenue_by_month")
    query = own / "gold" / "revenue_by_month.sql"
    query.write_text(
        query.read_text().replace("CAST(date_trunc('month', ordered_at) AS DATE) AS month", "NULL AS month")
    )
    broken = load_domain("sales", own.parent)
    with pytest.raises(QualityError, match=r"not published: month_required"):
        built(sail, settings, "revenue_by_month", broken)
    assert sum(row["revenue"] for row in rows(sail, settings, "revenue_by_month")) == Decimal("55.242")


def test_columns_that_are_not_the_contracts_are_refused(sail, settings, fill, sold, own) -> None:
    fill(sold)
    query = own / "gold" / "revenue_by_month.sql"
    query.write_text(query.read_text().replace("AS revenue", "AS turnover"))
    with pytest.raises(SchemaError, match="turnover"):
        built(sail, settings, "revenue_by_month", load_domain("sales", own.parent))


def test_profit_follows_where_a_contract_has_costs(sail, settings, fill, sold, silver_schema, own) -> None:
    contract = own / "online_retail.odcs.yaml"
    cost = (
        "      - name: cost\n        logicalType: number\n        physicalType: decimal(18,3)\n"
        "        classification: confidential\n        transformLogic: 0.6 * amount\n"
        "    quality:\n      - id: has_sales"
    )
    contract.write_text(contract.read_text().replace("    quality:\n      - id: has_sales", cost))
    domain = load_domain("sales", own.parent)
    assert "profit_by_month" not in job_spec(domain).skipped
    with_cost = silver_schema.append(pa.field("cost", pa.decimal128(18, 3)))
    costs = [(row["amount"] * Decimal("0.6")).quantize(Decimal("0.001")) for row in sold]
    fill([row | {"cost": cost} for row, cost in zip(sold, costs, strict=True)], schema=with_cost)
    built(sail, settings, "profit_by_month", domain)
    january = rows(sail, settings, "profit_by_month")[0]
    assert (january["revenue"], january["cost"], january["profit"]) == (
        Decimal("15.251"),
        Decimal("9.151"),  # 6.0006 and 3.15, each to a tenth of a penny
        Decimal("6.100"),
    )
    assert january["margin"] == pytest.approx(6.1 / 15.251, abs=1e-9)


def test_sources_that_disagree_about_a_type_are_refused(own) -> None:
    contract = own / "cdnow.odcs.yaml"
    contract.write_text(contract.read_text().replace("decimal(18,3)", "decimal(18,2)"))
    domain = load_domain("sales", own.parent)
    table = domain.contract("revenue_by_month")
    with pytest.raises(ContractError, match=r"decimal\(18,2\), decimal\(18,3\)"):
        render(table, domain.sources, lambda source: source.dataset)


@pytest.mark.parametrize(("new", "message"), [("{{ gold }}", r"no \{\{ gold \}\}"), ("silver", "reads no silver")])
def test_sql_that_reads_something_else_is_refused(own, new, message) -> None:
    query = own / "gold" / "revenue_by_month.sql"
    query.write_text(query.read_text().replace("{{ silver }}", new))
    domain = load_domain("sales", own.parent)
    with pytest.raises(ContractError, match=message):
        render(domain.contract("revenue_by_month"), domain.sources, lambda source: source.dataset)


def test_every_engine_builds_the_same(engine, settings, fill, sold) -> None:
    fill(sold)
    for table in ("revenue_by_customer", "revenue_variance"):
        built(engine, settings, table)
    customers = rows(engine, settings, "revenue_by_customer")
    assert [(row["customer_id"], row["lines"], row["revenue"]) for row in customers] == [
        ("a", 2, Decimal("15.251")),
        ("b", 2, Decimal("30.001")),
        ("c", 1, Decimal("9.990")),
    ]
    assert [row["share"] for row in customers] == pytest.approx(
        [15.251 / 55.242, 30.001 / 55.242, 9.99 / 55.242], abs=1e-9
    )
    assert str(customers[0]["last_ordered_at"]) == "2011-01-31 23:59:59.999999+00:00"
    (february,) = rows(engine, settings, "revenue_variance")
    assert (february["volume_effect"], february["price_effect"]) == (Decimal("10.167"), Decimal("4.583"))
    assert built(engine, settings, "revenue_variance").unchanged
