"""What a model's SQL may be: one SELECT over its inputs, that says the same whenever it runs; refused with its line."""

from __future__ import annotations

import pytest

from pipelines.contracts import ContractError, load_domain
from pipelines.gold.checks import check_model
from pipelines.gold.query import query

SALES = load_domain("sales")
SELECT = """\
SELECT dataset, currency, CAST(date_trunc('month', ordered_at) AS DATE) AS month,
    count(*) AS lines, sum(CAST(quantity AS BIGINT)) AS quantity,
    sum(amount) AS revenue
FROM silver.sales
GROUP BY dataset, currency, month
"""


@pytest.mark.parametrize("model", SALES.models, ids=lambda model: model.dataset)
def test_every_shipped_model_fits_its_contract_and_has_tests(model) -> None:
    check_model(SALES, model)


@pytest.mark.parametrize(
    ("old", "new", "message", "line"),
    [
        ("SELECT dataset", "SELEC dataset", "cannot be read", None),
        ("sum(amount)", "sum((amount)", "cannot be read", 3),
        (SELECT, "DELETE FROM silver.sales", "a model is one SELECT, and this is DELETE", None),
        (SELECT, "INSERT INTO gold.x SELECT 1", "and this is INSERT", None),
        (SELECT, "CREATE TABLE x AS SELECT 1", "and this is CREATE", None),
        (SELECT, SELECT + "; DROP TABLE silver.sales", "one SELECT, and this is SELECT, DROP", None),
        ("sum(amount)", "sum(amountt)", "Column 'amountt' could not be resolved", 3),
        ("FROM silver.sales", "FROM silver.sale", "reads silver.sale, and its contract's inputs do not say so", 4),
        ("FROM silver.sales", "FROM bronze.sales", "reads tables of its domain, and this is bronze.sales", 4),
        ("FROM silver.sales", "FROM delta.`/lake/x`", "reads tables of its domain", 4),
        ("FROM silver.sales", "FROM main.silver.sales", "and this is main.silver.sales", 4),
        (SELECT, SELECT.replace("FROM silver.sales", "FROM (SELECT * FROM silver.sales)"), "SELECT \\* takes", None),
        ("sum(amount)", "sum(amount * rand())", "may give other rows at every run", 3),
        ("FROM silver.sales", "FROM silver.sales\nWHERE ordered_at < current_timestamp()", "CURRENT_TIMESTAMP", 5),
        ("FROM silver.sales", "FROM silver.sales\nWHERE ordered_at < now()", "NOW", 5),
        ("sum(amount)", "first(amount)", "FIRST", 3),
        (SELECT, SELECT + "LIMIT 3", "LIMIT without ORDER BY", None),
        ("AS lines", "AS rows_sold", "gives dataset, currency, month, rows_sold", None),
        ("sum(amount)", "CAST(sum(amount) AS STRING)", r"is decimal\(28,3\) by its contract, .* gives STRING", None),
        ("count(*)", "avg(amount)", "lines is bigint by its contract, and its SQL gives DOUBLE", None),
    ],
)  # fmt: skip
def test_sql_that_is_no_model_is_refused_with_its_line(rewrite, old, new, message, line) -> None:
    assert old in SELECT
    domain, model = rewrite(SELECT.replace(old, new))
    with pytest.raises(ContractError, match=message) as caught:
        check_model(domain, model)
    if line is not None:
        assert str(caught.value.where).endswith(f"revenue_by_month.sql:{line}"), caught.value.where


def test_an_input_that_is_not_read_is_refused(own) -> None:
    contract = own / "gold" / "revenue_by_month.odcs.yaml"
    contract.write_text(contract.read_text().replace("[silver.sales]", "[silver.sales, silver.cdnow]"))
    domain = load_domain("sales", own.parent)
    with pytest.raises(ContractError, match=r"has the input silver\.cdnow, and its SQL does not read it"):
        check_model(domain, domain.contract("revenue_by_month"))


def test_the_contract_may_allow_what_says_something_else_each_time(rewrite) -> None:
    domain, model = rewrite(SELECT.replace("sum(amount)", "sum(amount * rand())"))
    contract = model.path
    contract.write_text(
        contract.read_text().replace("      sql: revenue", "      nonDeterministic: true\n      sql: revenue")
    )
    domain = load_domain("sales", contract.parents[2])
    check_model(domain, domain.contract("revenue_by_month"))


def test_names_are_replaced_where_they_stand_and_nothing_else_is(rewrite) -> None:
    text = (
        "-- of silver.sales\nWITH s AS (SELECT sales.amount AS a FROM silver.sales) "
        "SELECT 'silver.sales' AS x FROM s, silver.sales AS t"
    )
    _, model = rewrite(text)
    replaced = query(model).over({"silver.sales": "v`1"})
    assert replaced == (
        "-- of silver.sales\nWITH s AS (SELECT sales.amount AS a FROM `v``1` AS `sales`) "
        "SELECT 'silver.sales' AS x FROM s, `v``1` AS t"
    )
