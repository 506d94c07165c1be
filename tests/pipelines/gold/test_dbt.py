"""The export to dbt: a project whose every file parses, whose references are all there, and which holds every test."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlglot
from ruamel.yaml import YAML
from sqlglot import exp

from pipelines.contracts import load_domain
from pipelines.errors import UsageError
from pipelines.gold.__main__ import main
from pipelines.gold.dbt import project
from pipelines.gold.testing import cases

SALES = load_domain("sales")
JINJA = re.compile(r"\{\{\s*(ref|source)\(([^)]*)\)\s*\}\}")


def references(text: str) -> set[tuple[str, ...]]:
    return {(kind, *re.findall(r"'([^']+)'", names)) for kind, names in JINJA.findall(text)}


def plain(text: str) -> str:
    """The SQL as dbt compiles it, with a table for each reference."""
    return JINJA.sub(
        lambda match: "_".join(re.findall(r"'([^']+)'", match[2])), re.sub(r"\{\{ config.*?\}\}", "", text)
    )


@pytest.mark.parametrize(
    ("adapter", "dialect"), [("databricks", "databricks"), ("spark", "spark"), ("duckdb", "duckdb")]
)
def test_every_file_parses_and_names_what_there_is(adapter, dialect) -> None:
    files: dict[str, Any] = project(SALES, adapter)
    there: set[tuple[str, ...]] = {
        ("source", "silver", table["name"]) for table in files["models/sources.yml"]["sources"][0]["tables"]
    }
    there |= {("ref", model.dataset) for model in SALES.models}
    for name, content in files.items():
        if name.endswith(".sql"):
            assert references(content) <= there, name
            (tree,) = sqlglot.parse(plain(content), dialect=adapter)
            assert isinstance(tree, exp.Query), name
    for model in SALES.models:
        text = files[f"models/{model.layer}/{model.dataset}.sql"]
        wanted = {("ref", c.dataset) if c.model else ("source", "silver", c.dataset) for c in SALES.inputs(model)}
        assert references(text) == wanted
        assert "silver." not in plain(text)


def test_the_authors_text_is_kept() -> None:
    files: dict[str, Any] = project(SALES)
    written = files["models/gold/customer_value.sql"]
    assert written.startswith("-- RFM as Hughes has it")
    assert "FROM {{ ref('sales') }} AS sales\n" in written
    assert "FROM {{ source('silver', 'product_costs') }}" not in written


def test_promises_become_tests() -> None:
    files: dict[str, Any] = project(SALES)
    properties = files["models/gold/profit_by_month.yml"]
    (model,) = properties["models"]
    by_name = {column["name"]: column for column in model["columns"]}
    assert by_name["month"]["data_tests"] == ["not_null"]
    assert "data_tests" not in by_name["margin"]
    assert "tests/profit_by_month__primary_key.sql" in files
    adds_up = files["tests/profit_by_month__profit_adds_up.sql"]
    assert "{{ config(severity='error') }}" in adds_up
    assert "profit = revenue - cost" in adds_up
    assert model["meta"]["owner"] == "sales-data"


def test_unit_tests_give_every_input() -> None:
    files: dict[str, Any] = project(SALES)
    for model in SALES.models:
        told = files[f"models/{model.layer}/{model.dataset}.yml"]["unit_tests"]
        assert [test["name"] for test in told] == [f"{model.dataset}__{case.name}" for case in cases(SALES, model)]
        for test in told:
            assert len(test["given"]) == len(SALES.inputs(model))
            assert len({tuple(row) for row in test["expect"]["rows"]}) == 1  # the same columns in every row


def test_it_is_written_as_dbt_reads_it(tmp_path, capsys) -> None:
    assert main(["export", "--dbt", str(tmp_path / "dbt"), "--adapter", "duckdb"]) == 0
    assert "dbt_project.yml" in capsys.readouterr().out
    read = YAML(typ="safe").load((tmp_path / "dbt" / "dbt_project.yml").read_text())
    assert read["models"]["levee_sales"]["gold"] == {"+schema": "gold", "+materialized": "table"}
    profile = YAML(typ="safe").load((tmp_path / "dbt" / "profiles.yml").read_text())
    assert profile["levee_sales"]["outputs"]["levee"]["schema"] == "sales"  # + `_gold`: the schemas that Levee has


def test_an_adapter_that_there_is_not_is_refused() -> None:
    with pytest.raises(UsageError, match="no adapter 'oracle'"):
        project(SALES, "oracle")
