"""Tables that are written by path are known by name: the names, the SQL, and what a real catalogue makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.contracts import Layer, load_domain, schema_name
from pipelines.contracts.catalogue import TableEntry, entries
from pipelines.engine import CAPABILITIES, Capability, Engine, registration
from pipelines.engine.arrow_types import from_arrow_schema
from pipelines.settings import EngineName, RunSettings

SALES = load_domain("sales")
SCHEMA = pa.schema([("k", pa.string()), ("v", pa.int64())])
ENTRY = TableEntry("acme", "sales_silver", "it's", "What's sold: 50 % \\ off", {"k": "The customer's key."})


def settings(catalog: str | None = None) -> RunSettings:
    return RunSettings("sales", roots={layer: f"s3://acme-{layer}" for layer in Layer}, catalog=catalog)


def test_every_table_of_a_domain_has_a_name_of_its_own() -> None:
    known = entries(settings(catalog="acme_dev"), SALES)
    names = {path: f"{entry.catalog}.{entry.schema}.{entry.table}" for path, entry in known.items()}
    assert names["s3://acme-silver/sales/online_retail"] == "acme_dev.sales_silver.online_retail"
    assert names["s3://acme-checkpoints/sales/ledger"] == "acme_dev.sales_checkpoints.ledger"
    assert len(set(names.values())) == len(names)
    silver = known["s3://acme-silver/sales/online_retail"]
    assert silver.comment == SALES.contract("online_retail").description
    assert silver.columns["invoice_no"] == "Invoice number; a leading C marks a cancellation."
    assert all(entry.comment for entry in known.values())
    assert {entry.schema for entry in known.values()} == {
        schema_name("sales", layer) for layer in Layer if layer.holds_tables
    }


def test_without_a_catalog_nothing_has_a_name() -> None:
    assert entries(settings(), SALES) == {}


def test_the_sql_quotes_names_and_comments() -> None:
    assert registration.create(ENTRY, "s3://lake/t", from_arrow_schema(SCHEMA)) == (
        "CREATE TABLE IF NOT EXISTS `acme`.`sales_silver`.`it's` "
        "(`k` string COMMENT 'The customer\\'s key.', `v` bigint) "
        "USING DELTA COMMENT 'What\\'s sold: 50 % \\\\ off' LOCATION 's3://lake/t'"
    )
    assert registration.register(ENTRY, "s3://lake/t") == (
        "CREATE TABLE IF NOT EXISTS `acme`.`sales_silver`.`it's` USING DELTA LOCATION 's3://lake/t'"
    )


def test_only_an_engine_whose_catalogue_lasts_registers(sail: Engine) -> None:
    assert [name for name in EngineName if Capability.LASTING_CATALOGUE in CAPABILITIES[name]] == ["databricks"]
    assert Engine.open(EngineName.SAIL, {"/t": ENTRY}).tables == {} == sail.tables


@pytest.fixture(params=[pytest.param(EngineName.SPARK, marks=pytest.mark.spark)], ids=str)
def catalogue(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Engine, str]]:
    """Spark's session catalogue in the place of Unity Catalog, with one table's name in it."""
    spark = Engine.open(request.param).spark
    spark.sql(f"CREATE SCHEMA levee_named LOCATION '{tmp_path}/schema'").collect()
    path = str(tmp_path / "lake" / "t")
    entry = TableEntry("spark_catalog", "levee_named", "sold", ENTRY.comment, ENTRY.columns)
    yield Engine(request.param, spark, {path: entry}), path
    spark.sql("DROP SCHEMA levee_named CASCADE").collect()


def described(engine: Engine) -> dict[str, tuple[str, str | None]]:
    rows = engine.spark.sql("DESCRIBE TABLE EXTENDED spark_catalog.levee_named.sold").collect()
    return {row["col_name"]: (row["data_type"], row["comment"]) for row in rows}


def test_a_table_is_found_by_name_with_its_comments_and_rows(catalogue: tuple[Engine, str]) -> None:
    engine, path = catalogue
    for _ in range(2):
        engine.ensure(path, SCHEMA)
    engine.replace_where(path, engine.frame(pa.table({"k": ["a"], "v": [1]})), "k", ["a"])
    engine.ensure(path, SCHEMA.append(pa.field("w", pa.string())))
    rows = engine.spark.sql("SELECT * FROM spark_catalog.levee_named.sold").collect()
    assert [tuple(row) for row in rows] == [("a", 1, None)]
    told = described(engine)
    assert told["k"] == ("string", "The customer's key.")
    assert told["Comment"][0] == ENTRY.comment
    assert told["Location"][0].removeprefix("file:") == path


def test_a_table_that_lost_its_name_gets_it_back(catalogue: tuple[Engine, str]) -> None:
    engine, path = catalogue
    Engine(engine.name, engine.spark).append(path, pa.table({"k": ["a"], "v": [1]}))
    assert not engine.spark.catalog.tableExists("spark_catalog.levee_named.sold")
    engine.ensure(path, SCHEMA)
    assert engine.spark.sql("SELECT v FROM spark_catalog.levee_named.sold").collect()[0]["v"] == 1
