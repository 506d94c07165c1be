"""The marts' figures against the same figures computed another way, by DuckDB and by hand, over drawn sales."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from pipelines.contracts import Layer

CODES = [f"p{n:02d}" for n in range(12)]
MILL = Decimal("0.001")


def drawn(dice: random.Random, number: int, currency: str) -> Iterator[dict[str, Any]]:
    """Sales of 13 months, none in one of them; many customers with one, several with equal ones."""
    start = dt.datetime(2010, 12, 1, tzinfo=dt.UTC)
    for _ in range(number):
        at = start + dt.timedelta(minutes=dice.randrange(13 * 30 * 24 * 60))
        if at.month == 5:
            continue
        quantity = dice.randint(1, 20)
        yield {
            "customer_id": f"c{int(dice.paretovariate(0.7)) % 40:02d}", "stock_code": dice.choice(CODES),
            "description": "x", "country": "France", "ordered_at": at, "quantity": quantity, "currency": currency,
            "amount": quantity * Decimal(dice.randint(1, 9999)) / 1000,
        }  # fmt: skip


def cents(value: Decimal) -> Decimal:
    return value.quantize(MILL, ROUND_HALF_UP)


def month_before(month: dt.date, months: int = 1) -> dt.date:
    years, rest = divmod(month.year * 12 + month.month - 1 - months, 12)
    return dt.date(years, rest + 1, 1)


@pytest.fixture
def books(sail, settings, fill, make):
    """Builds a mart over drawn sales of two shops; DuckDB has the same sales as `lines`, `costs` and `plan`."""
    dice = random.Random(20111209)
    shop, cds = list(drawn(dice, 300, "GBP")), list(drawn(dice, 120, "USD"))
    costs = [
        {
            "dataset": "online_retail",
            "currency": "GBP",
            "product_id": code,
            "unit_cost": Decimal(dice.randint(1, 4000)) / 1000,
        }
        for code in CODES[:8]
    ]
    plan = [
        {
            "dataset": "online_retail",
            "currency": "GBP",
            "month": dt.date(2011, n, 1),
            "planned_revenue": Decimal(99 * n),
        }
        for n in range(1, 13)
    ]
    fill(shop)
    fill([{k: row[k] for k in ("customer_id", "ordered_at", "quantity", "amount", "currency")} for row in cds], "cdnow")
    fill(costs, "product_costs")
    fill(plan, "sales_plan")
    lines = pa.Table.from_pylist([
        *({"dataset": "online_retail", **row} for row in shop),
        *({"dataset": "cdnow", **row, "stock_code": None} for row in cds),
    ])  # fmt: skip
    known = duckdb.connect()
    known.execute("SET TimeZone = 'UTC'")
    for name, table in (("lines", lines), ("costs", pa.Table.from_pylist(costs)), ("plan", pa.Table.from_pylist(plan))):
        known.register(name, table)
    both = replace(settings, sources=("online_retail", "cdnow", "product_costs", "sales_plan"))

    class Books:
        def __call__(self, mart: str) -> list[dict[str, Any]]:
            make(sail, both, mart)
            return sail.rows(both.table_path(Layer.GOLD, mart)).to_pylist()

        def duckdb(self, query: str) -> list[dict[str, Any]]:
            return known.sql(query).to_arrow_table().to_pylist()

    return Books()


MONTHS = """
    SELECT dataset, make_date(year(ordered_at), month(ordered_at), 1) AS month, count(*) AS lines,
        sum(quantity)::BIGINT AS quantity, sum(amount)::DECIMAL(28, 3) AS revenue
    FROM lines GROUP BY ALL
"""


def same(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    """Rows are equal in the columns that are expected, ratios within 1e-9."""
    assert expected
    names = list(expected[0])
    ordered = [sorted(({n: row[n] for n in names} for row in rows), key=lambda row: str([row[n] for n in names[:4]]))
               for rows in (found, expected)]  # fmt: skip
    assert len(ordered[0]) == len(ordered[1])
    for one, other in zip(*ordered, strict=True):
        assert one == {n: pytest.approx(v, rel=1e-9) if isinstance(v, float) else v for n, v in other.items()}


def test_months_trends_and_variance(books) -> None:
    months = books.duckdb(MONTHS)
    same(books("revenue_by_month"), months)
    by = {(row["dataset"], row["month"]): row for row in months}
    trends, variance = [], []
    for (dataset, month), row in by.items():
        before, year_ago = (by.get((dataset, month_before(month, n))) for n in (1, 12))
        window = [near["revenue"] for n in range(3) if (near := by.get((dataset, month_before(month, n))))]
        trends.append({
            "dataset": dataset, "starts_on": month, "revenue": row["revenue"],
            "previous_revenue": before["revenue"] if before else None,
            "change_ratio": float(row["revenue"] / before["revenue"]) - 1 if before else None,
            "moving_average": cents(sum(window) / 3) if len(window) == 3 else None,
            "year_on_year": float(row["revenue"] / year_ago["revenue"]) - 1 if year_ago else None,
        })  # fmt: skip
        if before:
            volume = cents((row["quantity"] - before["quantity"]) * before["revenue"] / before["quantity"])
            change = row["revenue"] - before["revenue"]
            variance.append({
                "dataset": dataset, "month": month, "change": change, "volume_effect": volume,
                "price_effect": change - volume, "change_ratio": float(change / before["revenue"]),
            })  # fmt: skip
    assert 0 < len(variance) < len(months)
    same([row for row in books("revenue_trends") if row["period"] == "month"], trends)
    same(books("revenue_variance"), variance)


def test_weeks_begin_on_mondays(books) -> None:
    weeks = books.duckdb("""
        SELECT dataset, (ordered_at::DATE - (isodow(ordered_at::DATE)::INTEGER - 1)) AS week,
            sum(amount)::DECIMAL(28, 3) AS revenue
        FROM lines GROUP BY ALL
    """)
    assert {row["week"].weekday() for row in weeks} == {0}
    same(books("revenue_by_week"), weeks)


def test_profit_and_plan(books) -> None:
    same(books("profit_by_month"), books.duckdb("""
        SELECT dataset, make_date(year(ordered_at), month(ordered_at), 1) AS month,
            coalesce(sum(amount) FILTER (unit_cost IS NOT NULL), 0)::DECIMAL(28, 3) AS revenue,
            coalesce(sum(quantity * unit_cost), 0)::DECIMAL(28, 3) AS cost,
            coalesce(sum(amount - quantity * unit_cost), 0)::DECIMAL(28, 3) AS profit,
            (sum(amount - quantity * unit_cost) / sum(amount) FILTER (unit_cost IS NOT NULL))::DOUBLE AS margin,
            coalesce(sum(amount) FILTER (unit_cost IS NULL), 0)::DECIMAL(28, 3) AS uncosted_revenue
        FROM lines LEFT JOIN (SELECT product_id AS stock_code, unit_cost FROM costs) USING (stock_code) GROUP BY ALL
    """))  # fmt: skip
    same(books("revenue_against_plan"), books.duckdb(f"""
        WITH sold AS ({MONTHS}),
        months AS (
            SELECT dataset, month, coalesce(planned_revenue, 0) AS planned, coalesce(revenue, 0) AS revenue
            FROM sold FULL JOIN (SELECT dataset, month, planned_revenue FROM plan) USING (dataset, month)
        )
        SELECT dataset, month, planned::DECIMAL(28, 3) AS planned_revenue, revenue::DECIMAL(28, 3) AS revenue,
            (revenue - planned)::DECIMAL(28, 3) AS variance,
            (CASE WHEN planned > 0 THEN revenue / planned - 1 END)::DOUBLE AS variance_ratio,
            (SELECT sum(o.planned) FROM months AS o WHERE o.dataset = m.dataset AND o.month <= m.month
                AND year(o.month) = year(m.month))::DECIMAL(28, 3) AS planned_to_date,
            (SELECT sum(o.revenue) FROM months AS o WHERE o.dataset = m.dataset AND o.month <= m.month
                AND year(o.month) = year(m.month))::DECIMAL(28, 3) AS revenue_to_date,
            (SELECT CASE sign(date_diff('month', m.month, max(s.month))) WHEN 1 THEN 'closed' WHEN 0 THEN 'open'
                ELSE 'ahead' END FROM sold AS s WHERE s.dataset = m.dataset) AS status
        FROM months AS m
    """))  # fmt: skip


def test_customers_and_cohorts(books) -> None:
    customers = books.duckdb("""
        SELECT dataset, customer_id, count(DISTINCT ordered_at::DATE) AS frequency, sum(amount) AS value,
            max(ordered_at)::DATE AS last, count(*) AS lines
        FROM lines GROUP BY ALL
    """)
    expected = []
    for one in customers:
        all_of = [other for other in customers if other["dataset"] == one["dataset"]]
        scores = {
            f"{name}_score": 1 + 5 * sum(other[key] < one[key] for other in all_of) // len(all_of)
            for name, key in (("recency", "last"), ("frequency", "frequency"), ("monetary", "value"))
        }
        ended = max(other["last"] for other in all_of)
        expected.append({
            "dataset": one["dataset"], "customer_id": one["customer_id"], "frequency": one["frequency"], **scores,
            "recency_days": (ended - one["last"]).days, "lifetime_value": one["value"],
            "average_day": cents(one["value"] / one["frequency"]),
        })  # fmt: skip
    found = books("customer_value")
    same(found, expected)
    once = [row for row in found if row["frequency"] == 1]
    assert len(once) > 5
    assert len({row["frequency_score"] for row in once if row["dataset"] == once[0]["dataset"]}) == 1
    assert not {row["segment"] for row in once} & {"loyal", "champion", "at_risk"}
    whole = {
        dataset: sum(c["value"] for c in customers if c["dataset"] == dataset) for dataset in ("cdnow", "online_retail")
    }
    same(books("revenue_by_customer"), [
        {"dataset": one["dataset"], "customer_id": one["customer_id"], "lines": one["lines"], "revenue": one["value"],
         "share": float(one["value"] / whole[one["dataset"]])} for one in customers
    ])  # fmt: skip
    same(books("customer_cohorts"), books.duckdb("""
        WITH firsts AS (SELECT dataset, customer_id, min(ordered_at) AS first FROM lines GROUP BY ALL),
        sales AS (
            SELECT dataset, customer_id, amount, date_trunc('month', first)::DATE AS cohort,
                date_diff('month', date_trunc('month', first), ordered_at) AS months_since
            FROM lines JOIN firsts USING (dataset, customer_id)
        ),
        sizes AS (SELECT dataset, cohort, count(DISTINCT customer_id) AS size FROM sales GROUP BY ALL)
        SELECT s.dataset, s.cohort, s.months_since, any_value(z.size) AS cohort_customers,
            count(DISTINCT s.customer_id) AS active_customers,
            (count(DISTINCT s.customer_id) / any_value(z.size))::DOUBLE AS retention,
            sum(s.amount)::DECIMAL(28, 3) AS revenue
        FROM sales AS s JOIN sizes AS z USING (dataset, cohort) GROUP BY s.dataset, s.cohort, s.months_since
    """))  # fmt: skip


def test_products(books) -> None:
    products = books.duckdb("""
        SELECT stock_code AS product_id, count(DISTINCT customer_id) AS customers, sum(quantity)::BIGINT AS quantity,
            sum(amount)::DECIMAL(28, 3) AS revenue,
            (CASE WHEN any_value(unit_cost) IS NOT NULL THEN sum(amount - quantity * unit_cost) END)::DECIMAL(28, 3)
                AS profit
        FROM lines LEFT JOIN (SELECT product_id AS stock_code, unit_cost FROM costs) USING (stock_code)
        WHERE dataset = 'online_retail' GROUP BY ALL
    """)
    total, before, expected = sum(row["revenue"] for row in products), Decimal(0), []
    for rank, row in enumerate(sorted(products, key=lambda row: (-row["revenue"], row["product_id"])), 1):
        classed = "A" if before < total * 8 / 10 else "B" if before < total * 95 / 100 else "C"
        told = {"revenue_rank": rank, "share": float(row["revenue"] / total), "abc_class": classed}
        expected.append({**row, **told})
        before += row["revenue"]
    assert {row["abc_class"] for row in expected} == {"A", "B", "C"}
    same(books("product_performance"), expected)
