"""The DDL is executed by the databases that it is for: good rows enter, a row that breaks one rule does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import psycopg
import pytest

from pipelines.contracts import Contract, load_domain
from pipelines.engine import Engine
from pipelines.errors import UsageError
from pipelines.export import DIALECTS, export
from tests.pipelines.export.conftest import BAD, EMPTY, GOOD
from tests.pipelines.extract.conftest import Postgres

TABLE = "shop_silver.orders"


@pytest.fixture
def in_postgres(postgres: Postgres, orders: Contract) -> Iterator[psycopg.Connection]:
    with psycopg.connect(host=postgres.host, dbname="postgres", user="postgres", autocommit=True) as connection:
        connection.execute(export(orders, "sql-ddl", "postgres").encode())
        yield connection
        connection.execute("DROP SCHEMA shop_silver CASCADE")


def insert(row: dict[str, object], mark: str) -> str:
    return f"INSERT INTO {TABLE} ({', '.join(row)}) VALUES ({', '.join([mark] * len(row))})"


def test_postgres_takes_good_rows_and_no_others(in_postgres: psycopg.Connection) -> None:
    for row in (GOOD, {**GOOD, **EMPTY, "order_id": "CD1"}):
        in_postgres.execute(insert(dict(row), "%s").encode(), list(row.values()))
    for rule, change in BAD.items():
        row = {**GOOD, "order_id": "EF1", **change}
        with pytest.raises(psycopg.errors.IntegrityError) as refused:
            in_postgres.execute(insert(row, "%s").encode(), list(row.values()))
        name = refused.value.diag.constraint_name or f"{refused.value.diag.column_name}_required"
        assert name in (rule, f"orders_{rule}"), rule
    with pytest.raises(psycopg.errors.UniqueViolation):
        in_postgres.execute(insert(dict(GOOD), "%s").encode(), list(GOOD.values()))


def test_postgres_shows_the_contracts_words(in_postgres: psycopg.Connection, orders: Contract) -> None:
    said = in_postgres.execute("SELECT obj_description(%s::regclass), col_description(%s::regclass, 1)", [TABLE] * 2)
    assert said.fetchone() == (orders.description, "Number, quoted 'so'.")


def test_duckdb_takes_good_rows_and_no_others(orders: Contract) -> None:
    with duckdb.connect() as connection:
        connection.execute(export(orders, "sql-ddl", "duckdb"))
        for row in (GOOD, {**GOOD, **EMPTY, "order_id": "CD1"}):
            connection.execute(insert(dict(row), "?"), list(row.values()))
        for change in BAD.values():
            row = {**GOOD, "order_id": "EF1", **change}
            with pytest.raises(duckdb.ConstraintException):
                connection.execute(insert(row, "?"), list(row.values()))


def test_sail_makes_the_table(sail: Engine, orders: Contract, tmp_path: Path) -> None:
    """Sail's catalogue wants to be told where."""
    statements = export(orders, "sql-ddl", "spark").split(";\n")
    schema, create = (next(s for s in statements if word in s) for word in ("CREATE SCHEMA", "CREATE TABLE"))
    sail.spark.sql(schema)
    place = f"USING DELTA LOCATION '{tmp_path / 'orders'}'"
    sail.spark.sql(create[create.index("CREATE TABLE") :].replace("USING DELTA", place))
    try:
        made = {field.name: field for field in sail.spark.table(TABLE).schema.fields}
        assert {name: field.dataType.simpleString() for name, field in made.items()} == {
            column.name: column.type for column in orders.columns
        }
    finally:
        sail.spark.sql(f"DROP TABLE {TABLE}")


def test_spark_predicates_are_those_of_silver(sail: Engine, orders: Contract) -> None:
    checks = [s for s in export(orders, "sql-ddl", "databricks").split(";\n") if "ADD CONSTRAINT" in s]
    predicates = {s.split("`")[5]: s[s.index("CHECK (") + 7 : -1] for s in checks}
    rows = [GOOD, *({**GOOD, **BAD[rule]} for rule in predicates)]
    frame = sail.spark.createDataFrame([tuple(row.values()) for row in rows], schema=schema_of(orders))
    kept = frame.selectExpr(*(f"({predicate}) AS {rule}" for rule, predicate in predicates.items())).collect()
    assert all(kept[0]), "the good row keeps every rule"
    for rule, row in zip(predicates, kept[1:], strict=True):
        assert [name for name in predicates if not row[name]] == [rule]


def schema_of(orders: Contract) -> str:
    return ", ".join(f"{column.name} {column.type}" for column in orders.columns)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_not_promised_is_named(orders: Contract, dialect: str) -> None:
    text = export(orders, "sql-ddl", dialect)
    assert "-- not promised: email_pattern, for it is about values before they are masked." in text
    assert "-- not promised: amount_small, for it only warns." in text
    assert "email_pattern" not in text.split("CREATE TABLE")[1]


@pytest.mark.parametrize("dialect", ["postgres", "duckdb"])
def test_the_shipped_contracts_can_be_made(dialect: str, postgres: Postgres) -> None:
    text = "".join(export(contract, "sql-ddl", dialect) for contract in load_domain("sales").contracts)
    if dialect == "duckdb":
        with duckdb.connect() as connection:
            connection.execute(text)
        return
    postgres.run(text, "DROP SCHEMA sales_silver, sales_gold CASCADE")


def test_another_dialect_is_refused(orders: Contract) -> None:
    with pytest.raises(UsageError, match="no dialect 'oracle'"):
        export(orders, "sql-ddl", "oracle")
    with pytest.raises(UsageError, match="no form 'protobuf'"):
        export(orders, "protobuf")
