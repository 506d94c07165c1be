"""JSON Schema, Avro, ODCS and the suite are read by the tools that they are for."""

from __future__ import annotations

import io
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
import jsonschema
import pytest
from jsonschema.protocols import Validator
from ruamel.yaml import YAML

from pipelines.contracts import Contract, load_contract, load_domain
from pipelines.engine import Engine
from pipelines.export import FORMATS, export
from tests.pipelines.contracts.test_standard import SCHEMA as ODCS_SCHEMA
from tests.pipelines.export.conftest import BAD, EMPTY, GOOD
from tests.pipelines.export.test_ddl import schema_of

SQL_ALONE = "paid_is_done"
"""The rule over two columns, which JSON Schema does not say and names."""


def as_json(row: dict[str, Any]) -> dict[str, Any]:
    def plain(value: Any) -> Any:
        if isinstance(value, Decimal):
            return float(value)
        return value.isoformat() if isinstance(value, date | datetime) else value

    return {name: plain(value) for name, value in row.items()}


@pytest.fixture
def validator(orders: Contract) -> Validator:
    schema = json.loads(export(orders, "json-schema"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


def test_json_schema_takes_good_rows(validator: Validator) -> None:
    validator.validate(as_json(dict(GOOD)))
    validator.validate(as_json({**GOOD, **EMPTY}))
    validator.validate({**as_json(dict(GOOD)), "_file": "a.csv"})


@pytest.mark.parametrize("rule", BAD)
def test_json_schema_refuses_a_bad_row(rule: str, validator: Validator) -> None:
    if rule == SQL_ALONE:
        assert f"{rule} (SQL)" in json.dumps(validator.schema)
        return
    errors = list(validator.iter_errors(as_json({**GOOD, **BAD[rule]})))
    assert [str(error.path[0]) for error in errors] == [next(iter(BAD[rule]))]


@pytest.mark.parametrize(
    "change",
    [{"pieces": 2**31}, {"pieces": 1.5}, {"amount": 10**7}, {"day": "2026-02-30"}, {"paid": "yes"}, {"strange": 1}],
)
def test_json_schema_refuses_what_the_types_cannot_hold(change: dict[str, Any], validator: Validator) -> None:
    assert list(validator.iter_errors({**as_json(dict(GOOD)), **change}))


def test_avro_writes_a_row_and_reads_it_back(orders: Contract) -> None:
    schema = fastavro.parse_schema(json.loads(export(orders, "avro")))
    rows = [dict(GOOD), {**GOOD, **EMPTY}]
    file = io.BytesIO()
    fastavro.writer(file, schema, rows, validator=True)
    file.seek(0)
    assert list(fastavro.reader(file)) == rows


def test_avro_refuses_a_null_that_the_contract_refuses(orders: Contract) -> None:
    schema = fastavro.parse_schema(json.loads(export(orders, "avro")))
    for column in orders.columns:
        row = {**GOOD, column.name: None}
        assert fastavro.validate(row, schema, raise_errors=False) is (column.name in EMPTY), column.name


@pytest.mark.parametrize("form", FORMATS)
def test_every_shipped_contract_has_every_form(form: str) -> None:
    for contract in load_domain("sales").contracts:
        text = export(contract, form)
        if form == "avro":
            fastavro.parse_schema(json.loads(text))
        if form == "json-schema":
            jsonschema.Draft202012Validator.check_schema(json.loads(text))


def test_odcs_keeps_to_the_standard_and_reads_as_the_same_contract(orders: Contract, tmp_path: Path) -> None:
    text = export(orders, "odcs")
    jsonschema.validate(YAML(typ="safe").load(text), ODCS_SCHEMA)
    path = tmp_path / "again.odcs.yaml"
    path.write_text(text, encoding="utf-8")
    again = load_contract(path)
    assert [(c.name, c.type, c.sources, c.options, c.classification) for c in again.columns] == [
        (c.name, c.type, c.sources, c.options, c.classification) for c in orders.columns
    ]
    assert [check.id for check in again.checks] == [check.id for check in orders.checks]


def test_great_expectations_judges_by_the_suite(sail: Engine, orders: Contract) -> None:
    from pipelines.quality.suite import gx  # seconds to import, and quiet there

    def judged(rows: list[dict[str, Any]]) -> set[str]:
        frame = sail.spark.createDataFrame([tuple(row.values()) for row in rows], schema=schema_of(orders))
        context = gx.get_context(mode="ephemeral")
        source = context.data_sources.add_spark("spark", persist=False)
        batch = source.add_dataframe_asset("orders").add_batch_definition_whole_dataframe("all")
        suite = gx.ExpectationSuite(**json.loads(export(orders, "great-expectations")))
        found = batch.get_batch({"dataframe": frame}).validate(suite)
        raised = [r.exception_info for r in found.results if r.exception_info.get("raised_exception")]
        assert not raised, raised
        failed = [r.expectation_config for r in found.results if not r.success]
        return {(config.meta or {})["rule"] for config in failed if config}

    assert judged([dict(GOOD), {**GOOD, **EMPTY, "order_id": "CD1"}]) == set()
    bad = [{**GOOD, "order_id": f"EF{place}", **change} for place, change in enumerate(BAD.values())]
    assert judged(bad) == {*BAD, "few"}
    assert "primary_key" in judged([dict(GOOD), dict(GOOD)])
