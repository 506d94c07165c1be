"""Which input columns a column comes from, as OpenLineage's facet has it; personal columns do not get out unmasked."""

from __future__ import annotations

import pytest

from pipelines.contracts import ContractError, Layer, load_domain
from pipelines.gold.checks import check_model
from pipelines.gold.lineage import lineage
from pipelines.observe import columns, datasets
from pipelines.observe.facts import TaskRun
from pipelines.settings import EngineName

SALES = load_domain("sales")


def edges(domain, model, column: str) -> set[tuple[str, str, str]]:
    found = lineage(domain, domain.contract(model)).columns[column]
    return {(f"{edge.table}.{edge.column}", edge.type, edge.subtype) for edge in found}


@pytest.mark.parametrize(
    ("model", "column", "wanted"),
    [
        ("sales", "customer_id", {
            ("silver.online_retail.customer_id", "DIRECT", "IDENTITY"),
            ("silver.cdnow.customer_id", "DIRECT", "IDENTITY"),
        }),
        ("sales", "product_id", {("silver.online_retail.stock_code", "DIRECT", "IDENTITY")}),
        ("revenue_by_month", "month", {("silver.sales.ordered_at", "DIRECT", "TRANSFORMATION")}),
        ("revenue_by_month", "revenue", {("silver.sales.amount", "DIRECT", "AGGREGATION")}),
        ("revenue_by_month", "lines", set()),
        ("revenue_variance", "change", {("gold.revenue_by_month.revenue", "DIRECT", "TRANSFORMATION")}),
        ("profit_by_month", "cost", {
            ("silver.sales.quantity", "DIRECT", "AGGREGATION"),
            ("silver.product_costs.unit_cost", "DIRECT", "AGGREGATION"),
        }),
        ("profit_by_month", "uncosted_revenue", {
            ("silver.sales.amount", "DIRECT", "AGGREGATION"),
            ("silver.sales.quantity", "INDIRECT", "CONDITIONAL"),
            ("silver.product_costs.unit_cost", "INDIRECT", "CONDITIONAL"),
        }),
        ("product_performance", "revenue_rank", {
            ("silver.online_retail.currency", "INDIRECT", "WINDOW"),
            ("silver.online_retail.amount", "INDIRECT", "WINDOW"),
            ("silver.online_retail.stock_code", "INDIRECT", "WINDOW"),
        }),
    ],
)  # fmt: skip
def test_columns_are_traced_through_every_step(model, column, wanted) -> None:
    assert edges(SALES, model, column) == wanted


def test_what_decides_about_rows_is_told_apart() -> None:
    traced = lineage(SALES, SALES.contract("profit_by_month"))
    told = {(f"{edge.table}.{edge.column}", edge.subtype) for edge in traced.dataset}
    assert ("silver.product_costs.product_id", "JOIN") in told
    assert ("silver.sales.ordered_at", "GROUP_BY") in told
    assert {edge.type for edge in traced.dataset} == {"INDIRECT"}


def test_a_count_does_not_show_what_it_counts() -> None:
    traced = lineage(SALES, SALES.contract("product_performance"))
    (counted,) = traced.columns["customers"]
    assert (counted.column, counted.subtype, counted.masking) == ("customer_id", "AGGREGATION", True)
    assert not any(edge.masking for edge in traced.columns["revenue"])


SCALAR = """\
SELECT dataset, currency, CAST(ordered_at AS DATE) AS month, 1L AS lines, 1L AS quantity,
    (SELECT max(s.amount) FROM silver.sales AS s WHERE s.dataset = outside.dataset) AS revenue
FROM silver.sales AS outside
WHERE outside.quantity > 1
ORDER BY outside.customer_id
"""


def test_subqueries_filters_and_order_are_followed(rewrite) -> None:
    domain, model = rewrite(SCALAR)
    assert edges(domain, model.dataset, "revenue") == {("silver.sales.amount", "DIRECT", "AGGREGATION")}
    told = {(edge.column, edge.subtype) for edge in lineage(domain, model).dataset}
    assert told == {("quantity", "FILTER"), ("dataset", "FILTER"), ("customer_id", "SORT")}


def unmasked(own) -> None:
    """Classify the shop's country as restricted; nothing masks it."""
    source = own / "online_retail.odcs.yaml"
    text = source.read_text()
    at = text.index("- name: country")
    source.write_text(text[:at] + text[at:].replace("classification: internal", "classification: restricted", 1))


def test_a_restricted_column_that_is_not_masked_is_refused_with_its_path(own) -> None:
    unmasked(own)
    domain = load_domain("sales", own.parent)
    with pytest.raises(ContractError) as caught:
        check_model(domain, domain.contract("revenue_by_country"))
    assert "silver.online_retail.country -> gold.revenue_by_country.country (IDENTITY)" in caught.value.message
    assert str(own / "online_retail.odcs.yaml") in str(caught.value.fix)


def test_it_may_be_counted(own) -> None:
    unmasked(own)
    query = own / "gold" / "revenue_by_country.sql"
    text = query.read_text().replace("        country,\n", "        'all' AS country,\n", 1)
    text = text.replace("count(DISTINCT customer_id)", "count(DISTINCT country)")
    query.write_text(text.replace("GROUP BY currency, country\n", "GROUP BY currency\n"))
    domain = load_domain("sales", own.parent)
    check_model(domain, domain.contract("revenue_by_country"))


def test_a_pseudonym_is_confidential_at_least(own) -> None:
    contract, query = (own / "gold" / f"revenue_by_customer.{end}" for end in ("odcs.yaml", "sql"))
    text = (
        query.read_text()
        .replace("silver.sales", "silver.cdnow")
        .replace("        dataset,\n", "        'x' AS dataset,\n", 1)
    )
    query.write_text(text.replace("GROUP BY dataset, currency, customer_id", "GROUP BY currency, customer_id"))
    written = contract.read_text().replace("[silver.sales]", "[silver.cdnow]")
    contract.write_text(written)
    domain = load_domain("sales", own.parent)
    check_model(domain, domain.contract("revenue_by_customer"))
    at = written.index("- name: customer_id")
    contract.write_text(
        written[:at] + written[at:].replace("classification: confidential", "classification: public", 1)
    )
    domain = load_domain("sales", own.parent)
    with pytest.raises(ContractError, match="customer_id is public and shows a personal column"):
        check_model(domain, domain.contract("revenue_by_customer"))


def test_the_runs_event_tells_the_lineage_of_a_model(settings) -> None:
    run = TaskRun(settings, "gold", SALES.contract("revenue_by_month"), EngineName.SAIL, SALES)
    told = columns.lineage(run, Layer.GOLD)
    (origin,) = told.columns["revenue"]
    assert (origin.layer, origin.dataset, origin.column) == (Layer.SILVER, "sales", "amount")
    assert (origin.type, origin.subtype) == ("DIRECT", "AGGREGATION")
    assert {(row.column, row.subtype) for row in told.rows} == {
        (name, "GROUP_BY") for name in ("dataset", "currency", "ordered_at")
    }
    assert [(place.layer, place.contract.dataset) for place in datasets.inputs(run)] == [(Layer.SILVER, "sales")]
    made = TaskRun(settings, "silver", SALES.contract("sales"), EngineName.SAIL, SALES)
    assert [place.contract.dataset for place in datasets.inputs(made)] == ["online_retail"]  # the job's only source
    assert [place.layer for place in datasets.outputs(made)] == [Layer.SILVER]
    assert set(columns.lineage(made, Layer.SILVER).columns) == {c.name for c in made.contract.columns}
