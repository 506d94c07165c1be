"""Incremental models: equal to a full rebuild whatever came in whichever batches; rebuilt where they must be."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipelines.contracts import ContractError, Layer, load_domain
from pipelines.gold.build import build
from pipelines.gold.checks import check_model
from pipelines.gold.incremental import Groups, Rows, shape
from pipelines.gold.query import query

SALES = load_domain("sales")


def table(engine, settings, reference: str) -> list[tuple]:
    layer, name = reference.split(".")
    found = engine.rows(settings.table_path(Layer(layer), name)).to_pylist()
    return sorted((tuple(row[key] for key in sorted(row)) for row in found), key=repr)


def test_a_new_batch_adds_rows_and_makes_its_groups_anew(sail, settings, fill, sold, make) -> None:
    fill(sold[:3])
    first = make(sail, settings, "revenue_by_month")
    fill(sold[3:], batch="b2", add=True)
    again = make(sail, settings, "revenue_by_month")
    assert (first.how, first.why, again.how) == ("full", "there is no build of it", "incremental")
    assert build(sail, settings, SALES, SALES.contract("sales")).how == "incremental"
    found = sail.rows(again.path).to_pylist()
    assert sorted((str(row["month"]), row["revenue"]) for row in found) == [
        ("2011-01-01", Decimal("15.251")),
        ("2011-02-01", Decimal("30.001")),  # from both batches
        ("2011-04-01", Decimal("9.990")),
    ]
    assert make(sail, settings, "revenue_by_month").unchanged


def test_only_the_touched_groups_are_computed(sail, settings, fill, sold, make) -> None:
    """What lies in an untouched group is not looked at again: a value that was put there by hand stays."""
    fill(sold)
    path = make(sail, settings, "revenue_by_month").path
    sales = settings.table_path(Layer.SILVER, "sales")
    record = sail.rows(settings.record_path("model_builds"), matching={"table": "gold.revenue_by_month"}).to_pylist()[
        -1
    ]
    sail.spark.sql(f"UPDATE delta.`{path}` SET revenue = 1 WHERE month = DATE'2011-04-01'").collect()
    record |= {"version": sail.version(path)}  # as if the build had left it so
    schema = sail.rows(settings.record_path("model_builds")).schema
    late = record["built_at"].replace(year=2100)
    sail.append(
        settings.record_path("model_builds"), pa.Table.from_pylist([record | {"built_at": late}], schema=schema)
    )
    fill(sold[:1], batch="b2", add=True)
    assert make(sail, settings, "revenue_by_month").how == "incremental"
    found = {str(row["month"]): row["revenue"] for row in sail.rows(path).to_pylist()}
    assert found == {
        "2011-01-01": Decimal("25.252"),
        "2011-02-01": Decimal("30.001"),
        "2011-04-01": Decimal("1.000"),
    }
    assert sail.count(sales) == 6


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("DELETE FROM delta.`{silver}` WHERE customer_id = 'a'", "DELETE"),
        ("UPDATE delta.`{silver}` SET amount = 1 WHERE customer_id = 'a'", "UPDATE"),
    ],
)
def test_whatever_is_not_adding_builds_all_anew(sail, settings, fill, sold, make, change, why) -> None:
    fill(sold)
    make(sail, settings, "revenue_by_month")
    sail.spark.sql(change.format(silver=settings.table_path(Layer.SILVER, "online_retail"))).collect()
    fill(sold[:1], batch="b2", add=True)
    upstream = build(sail, settings, SALES, SALES.contract("sales"))
    assert upstream.how == "full"
    assert why in upstream.why
    after = make(sail, settings, "revenue_by_month")
    assert (after.how, "silver.sales" in after.why) == ("full", True)
    assert sum(row["revenue"] for row in sail.rows(after.path).to_pylist()) == sum(
        row["amount"] for row in sail.rows(settings.table_path(Layer.SILVER, "online_retail")).to_pylist()
    )


def test_a_run_that_died_after_its_commit_builds_all_anew(sail, settings, fill, sold, make) -> None:
    fill(sold)
    make(sail, settings, "sales")
    path = settings.table_path(Layer.SILVER, "sales")
    sail.insert(path, sail.read(path).limit(1))  # what a run has committed and not recorded
    fill(sold[:1], batch="b2", add=True)
    after = make(sail, settings, "sales")
    assert (after.how, "died" in after.why, after.rows) == ("full", True, 6)


def test_a_changed_query_builds_all_anew(sail, settings, fill, sold, make, own) -> None:
    fill(sold)
    make(sail, settings, "revenue_by_month")
    text = own / "gold" / "revenue_by_month.sql"
    text.write_text(text.read_text().replace("FROM silver.sales", "FROM silver.sales\nWHERE quantity > 1"))
    after = make(sail, settings, "revenue_by_month", load_domain("sales", own.parent))
    assert (after.how, after.why) == ("full", "its contract or SQL has changed")


CUSTOMERS, DAYS = ("a", "b", "c"), ("2011-01-01", "2011-01-31", "2011-02-01", "2011-02-28", "2011-12-31")
LINES = st.lists(
    st.tuples(st.sampled_from(CUSTOMERS), st.sampled_from(DAYS), st.integers(1, 4), st.decimals(0, 20, places=3)),
    min_size=1,
    max_size=6,
)


@hypothesis_settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(batches=st.lists(LINES, min_size=2, max_size=3))
def test_batch_by_batch_gives_what_all_at_once_gives(sail, make_lake, make, line, batches) -> None:
    daily, deliver = make_lake()
    for number, batch in enumerate(batches):
        deliver([line(*sold) for sold in batch], batch=f"b{number}", add=number > 0)
        assert make(sail, daily, "revenue_by_month").how == ("incremental" if number else "full")
    once, deliver = make_lake()
    for number, batch in enumerate(batches):
        deliver([line(*sold) for sold in batch], batch=f"b{number}", add=number > 0)
    assert make(sail, once, "revenue_by_month").how == "full"
    for name in ("silver.sales", "gold.revenue_by_month"):
        assert table(sail, daily, name) == table(sail, once, name)


def write(folder: Path, name: str, text: str) -> None:
    (folder / "gold" / f"{name}.sql").write_text(text)


SELECT = "SELECT dataset, currency, CAST(date_trunc('month', ordered_at) AS DATE) AS month, count(*) AS lines, "
SELECT += "sum(CAST(quantity AS BIGINT)) AS quantity, sum(amount) AS revenue\nFROM silver.sales\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SELECT + "GROUP BY dataset, currency", "is grouped by dataset, currency, and has the primary key"),
        (SELECT + "GROUP BY 1, 2, 3", "is grouped by 1, 2, 3"),
        (
            SELECT
            + "GROUP BY dataset, currency, CAST(date_trunc('month', ordered_at) AS DATE)\nHAVING sum(amount) > 0",
            "HAVING lets a new batch change other rows",
        ),
        (
            SELECT.replace("sum(amount)", "sum(sum(amount)) OVER (PARTITION BY dataset)")
            + "GROUP BY dataset, currency, CAST(date_trunc('month', ordered_at) AS DATE)",
            "WINDOW lets a new batch change other rows",
        ),
    ],
)
def test_sql_that_cannot_be_incremental_is_refused_with_its_line(own, text, message) -> None:
    write(own, "revenue_by_month", text)
    domain = load_domain("sales", own.parent)
    with pytest.raises(ContractError, match=message) as caught:
        check_model(domain, domain.contract("revenue_by_month"))
    assert "revenue_by_month.sql" in str(caught.value.where)
    assert "materialisation: full" in str(caught.value.fix) or "GROUP BY" in str(caught.value.fix)


def test_an_input_whose_rows_know_no_batch_is_refused(own) -> None:
    contract = own / "silver" / "sales.odcs.yaml"
    contract.write_text(contract.read_text().replace("materialisation: incremental", "materialisation: full"))
    domain = load_domain("sales", own.parent)
    with pytest.raises(ContractError, match=r"reads silver\.sales, whose rows know no batch"):
        check_model(domain, domain.contract("revenue_by_month"))


def test_the_forms_of_the_shipped_models() -> None:
    sales, month = SALES.contract("sales"), SALES.contract("revenue_by_month")
    rows = shape(SALES, sales, query(sales))
    assert isinstance(rows, Rows)
    assert "concat('silver.cdnow:', `cdnow`._batch_id) AS _batch_id FROM silver.cdnow" in rows.text.text
    groups = shape(SALES, month, query(month))
    assert isinstance(groups, Groups)
    assert groups.key["month"] == "CAST(date_trunc('month', ordered_at) AS DATE)"


def test_an_input_with_a_history_is_refused(own) -> None:
    """A version of an old batch ends when a later change comes: `_batch_id` does not tell."""
    contract = own / "online_retail.odcs.yaml"
    key = "customProperties:\n  - property: history\n    value: {type: 2, businessKey: [invoice_no]}\n"
    head, _, tail = contract.read_text().rpartition("\ncustomProperties:\n")
    contract.write_text(f"{head}\n{key}{tail}")
    domain = load_domain("sales", own.parent)
    with pytest.raises(ContractError, match=r"reads silver\.online_retail, whose rows know no batch"):
        check_model(domain, domain.contract("sales"))
