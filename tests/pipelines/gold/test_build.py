"""Models: exact, the same on every engine, rebuilt only when they must be, not published when a check fails."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from pipelines.contracts import Layer, load_domain
from pipelines.engine import Engine, care
from pipelines.errors import ContractError, QualityError, UsageError
from pipelines.settings import RunSettings


def rows(engine: Engine, settings: RunSettings, table: str) -> list[dict]:
    found = engine.rows(settings.table_path(Layer.GOLD, table)).to_pylist()
    return sorted(found, key=lambda row: [str(value) for value in row.values()])


def test_revenue_by_month_is_exact(sail, settings, fill, sold, make) -> None:
    fill(sold)
    result = make(sail, settings, "revenue_by_month")
    assert (result.rows, result.unchanged) == (3, False)
    shown = [
        (str(r["month"]), r["lines"], r["quantity"], r["revenue"]) for r in rows(sail, settings, "revenue_by_month")
    ]
    assert shown == [
        ("2011-01-01", 2, 3, Decimal("15.251")),
        ("2011-02-01", 2, 5, Decimal("30.001")),
        ("2011-04-01", 1, 1, Decimal("9.990")),
    ]


def test_customers_and_countries_share_the_whole(sail, settings, fill, sold, make) -> None:
    fill(sold)
    for table, key in (("revenue_by_customer", "customer_id"), ("revenue_by_country", "country")):
        make(sail, settings, table)
        found = {row[key]: row for row in rows(sail, settings, table)}
        assert sum(row["share"] for row in found.values()) == pytest.approx(1, abs=1e-9)
        assert sum(row["revenue"] for row in found.values()) == Decimal("55.242")
    assert (found["France"]["customers"], found["France"]["revenue"]) == (2, Decimal("25.241"))


def test_variance_adds_up_to_the_last_digit(sail, settings, fill, sold, make) -> None:
    fill(sold)
    make(sail, settings, "revenue_variance")
    (february,) = rows(sail, settings, "revenue_variance")  # April has no March before it
    assert february["change"] == Decimal("14.750")
    assert february["volume_effect"] == Decimal("10.167")  # two pieces more at 15.251 / 3
    assert february["price_effect"] == Decimal("4.583")
    assert february["volume_effect"] + february["price_effect"] == february["change"]
    assert february["change_ratio"] == pytest.approx(14.750 / 15.251, abs=1e-9)


def test_two_sources_stay_apart(sail, settings, fill, sold, make) -> None:
    fill(sold)
    fill([row | {"currency": "USD"} for row in sold], dataset="cdnow")
    both = replace(settings, sources=("online_retail", "cdnow"))
    make(sail, both, "revenue_by_month")
    found = rows(sail, both, "revenue_by_month")
    assert {(row["dataset"], row["currency"]) for row in found} == {("online_retail", "GBP"), ("cdnow", "USD")}
    assert sum(row["revenue"] for row in found) == 2 * Decimal("55.242")


def test_the_same_inputs_are_not_built_again_and_changed_ones_are(sail, settings, fill, sold, make) -> None:
    fill(sold)
    first = make(sail, settings, "revenue_by_month")
    again = make(sail, settings, "revenue_by_month")
    assert again.unchanged
    assert sail.version(first.path) == first.version
    fill(sold[:1])
    changed = make(sail, settings, "revenue_by_month")
    assert (changed.unchanged, changed.rows) == (False, 1)


def test_care_of_the_input_is_no_change(sail, settings, fill, sold, make) -> None:
    fill(sold)
    make(sail, settings, "revenue_by_month")
    care.optimize(sail, settings.table_path(Layer.SILVER, "online_retail"), ["ordered_at"])
    assert make(sail, settings, "revenue_by_month").unchanged


def test_a_table_that_was_changed_behind_our_back_is_healed(sail, settings, fill, sold, make) -> None:
    fill(sold)
    path = make(sail, settings, "revenue_by_month").path
    sail.overwrite(path, sail.read(path).limit(1))
    assert not make(sail, settings, "revenue_by_month").unchanged
    assert sail.count(path) == 3


def test_nothing_delivered_is_no_failure(sail, settings, fill, make) -> None:
    fill([])
    result = make(sail, settings, "revenue_by_month")
    assert (result.rows, result.inputs, sail.exists(result.path)) == (0, {}, False)


def test_a_check_that_fails_leaves_the_published_table_as_it_was(sail, settings, fill, sold, own, make) -> None:
    fill(sold)
    make(sail, settings, "revenue_by_month")
    query = own / "gold" / "revenue_by_month.sql"
    query.write_text(query.read_text().replace("sum(amount) AS revenue", "CAST(NULL AS DECIMAL(28, 3)) AS revenue"))
    broken = load_domain("sales", own.parent)
    with pytest.raises(QualityError, match=r"not published: revenue_required"):
        make(sail, settings, "revenue_by_month", broken)
    assert sum(row["revenue"] for row in rows(sail, settings, "revenue_by_month")) == Decimal("55.242")


def test_columns_that_are_not_the_contracts_are_refused(sail, settings, fill, sold, own, make) -> None:
    fill(sold)
    query = own / "gold" / "revenue_by_month.sql"
    query.write_text(query.read_text().replace("AS revenue", "AS turnover"))
    with pytest.raises(ContractError, match="turnover"):
        make(sail, settings, "revenue_by_month", load_domain("sales", own.parent))


def test_a_table_of_an_earlier_release_gets_the_new_column(sail, settings, fill, sold, own, make) -> None:
    both = replace(settings, sources=("online_retail", "sales_plan"))
    march = {"dataset": "online_retail", "currency": "GBP", "month": date(2011, 3, 1), "planned_revenue": Decimal(9)}
    fill(sold)
    fill([march, march | {"month": date(2011, 5, 1)}], "sales_plan")
    model, query = (own / "gold" / f"revenue_against_plan.{kind}" for kind in ("odcs.yaml", "sql"))
    now = model.read_text(), query.read_text()
    model.write_text(re.sub(r"(?s)      - name: status\n.*?(?=    quality:)", "", now[0]))
    query.write_text(re.sub(r"(?s),\s+CASE\s+WHEN month < .*? AS status", "", now[1]))
    make(sail, both, "revenue_against_plan", load_domain("sales", own.parent))
    assert "status" not in rows(sail, both, "revenue_against_plan")[0]
    model.write_text(now[0])
    query.write_text(now[1])
    make(sail, both, "revenue_against_plan", load_domain("sales", own.parent))
    found = {row["month"].month: row["status"] for row in rows(sail, both, "revenue_against_plan")}
    assert found == {1: "closed", 2: "closed", 3: "closed", 4: "open", 5: "ahead"}


def test_profit_follows_where_finance_lands_costs(sail, settings, fill, sold, make) -> None:
    both = replace(settings, sources=("online_retail", "product_costs"))
    fill([line | {"stock_code": "p"} for line in sold])
    fill([], "product_costs")
    waiting = make(sail, both, "profit_by_month")
    assert (waiting.inputs, sail.exists(waiting.path)) == ({}, False)  # nothing was delivered yet
    cost = {"dataset": "online_retail", "currency": "GBP", "product_id": "p", "unit_cost": Decimal("1.5")}
    fill([cost], "product_costs")
    make(sail, both, "profit_by_month")
    january = rows(sail, both, "profit_by_month")[0]
    assert (january["revenue"], january["cost"], january["profit"]) == (
        Decimal("15.251"),
        Decimal("4.500"),
        Decimal("10.751"),
    )
    assert january["margin"] == pytest.approx(10.751 / 15.251, abs=1e-9)


def test_a_model_that_the_chosen_sources_do_not_allow_is_refused(sail, settings, fill, sold, make) -> None:
    fill(sold)
    with pytest.raises(UsageError, match=r"profit_by_month needs silver\.product_costs, which online_retail"):
        make(sail, settings, "profit_by_month")


def test_every_engine_builds_the_same(engine, settings, fill, sold, make) -> None:
    fill(sold)
    for table in ("revenue_by_customer", "revenue_variance"):
        make(engine, settings, table)
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
    assert make(engine, settings, "revenue_variance").unchanged
