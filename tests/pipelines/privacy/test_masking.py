"""Pseudonyms: keyed, stable, and nothing of the key outside the workers."""

from __future__ import annotations

import ast
import hashlib
import hmac
import logging
import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyspark.sql import Column, DataFrame, DataFrameReader, DataFrameWriter, SparkSession, functions

import pipelines
from pipelines.bronze.ingest import ingest
from pipelines.engine import Engine
from pipelines.errors import UsageError
from pipelines.privacy.masking import WHOLE_HASH
from pipelines.privacy.methods import Context, mask
from pipelines.secret_references import SecretReference
from pipelines.settings import Layer
from pipelines.silver.hashing import HASH_CHARACTERS
from pipelines.silver.placed import PlacedRows
from pipelines.silver.plan import SilverPlan
from pipelines.silver.refine import refine

if TYPE_CHECKING:
    from conftest import Lake, MakeContract

KEY = "0123456789abcdef" * 4
SPARK_OF_RUNTIMES = {"17.3": (4, 0)}
"""Spark's release by Databricks runtime, from the runtimes' release notes."""
PERSONAL = (
    {"name": "id", "logicalType": "integer", "physicalType": "int"},
    {
        "name": "name",
        "logicalType": "string",
        "classification": "personal",
        "customProperties": [{"property": "masking", "value": {"method": "hash"}}],
    },
)


def test_is_hmac_sha256_as_rfc_2104_has_it() -> None:
    # RFC 4231, section 4.3, test case 2.
    digest = mask(pa.array(["what do ya want for nothing?", None]), WHOLE_HASH, Context(b"Jefe"))
    assert digest.to_pylist() == ["5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", None]


def test_names_leave_bronze_masked(engine: Engine, lake: Lake, make_contract: MakeContract) -> None:
    contract = make_contract(*PERSONAL)
    lake.deliver("a.csv", "id,name\n1,12345\n2,12345\n3,67890\nx,67890\n")
    ingest(engine, contract, lake.settings)
    refine(engine, contract, lake.settings)
    names = dict(lake.rows(engine, Layer.SILVER, "id", "name"))
    assert names[1] == names[2] == hmac.new(KEY.encode(), b"12345", "sha256").hexdigest()[:32]
    assert names[3] != names[1]
    hashes = {row[0] for row in lake.rows(engine, Layer.SILVER, "_row_hash")}
    for number in (1, 3):  # the row's hash must not be open to trying out all names either
        for name in ("12345", "67890"):
            text = f"{len(str(number))},{len(name)},-,{number},{name}"
            assert hashlib.sha256(text.encode()).hexdigest()[:HASH_CHARACTERS] not in hashes


def test_the_key_is_in_no_plan_and_no_log(
    sail: Engine,
    lake: Lake,
    make_contract: MakeContract,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture,
) -> None:
    contract = make_contract(*PERSONAL)
    lake.deliver("a.csv", "id,name\n1,12345\n")
    with caplog.at_level(logging.DEBUG):
        ingest(sail, contract, lake.settings)
        refine(sail, contract, lake.settings)
    bronze = sail.read(lake.settings.table_path(Layer.BRONZE, "things"))
    names = {row[0]: row[1] for row in bronze.select("_file_sha256", "_file").collect()}
    plan = SilverPlan.of(contract, lake.settings.pseudonym_key, "r", "b")
    batch = PlacedRows.of(bronze, names)
    published = plan.published(plan.refined(plan.judged(batch, {}), batch))
    assert published.count() == 1
    published.explain(extended=True)
    frame: Any = published  # Connect keeps the plan that it sends; the stubs speak of the classic frame
    sent = frame._plan.to_proto(frame._session.client).SerializeToString()
    for text in (caplog.text.encode(), capfd.readouterr().out.encode(), sent):
        assert KEY.encode() not in text
    for file in Path(lake.folder).rglob("*"):
        assert not file.is_file() or file.name == "key" or KEY.encode() not in file.read_bytes()


def test_without_a_key_nothing_is_published(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    from dataclasses import replace

    contract = make_contract(*PERSONAL)
    lake.deliver("a.csv", "id,name\n1,12345\n")
    ingest(sail, contract, lake.settings)
    gone = SecretReference("file", f"{lake.folder}/gone")
    for key, said in ((None, "no key is set"), (gone, "No such file")):
        with pytest.raises(UsageError, match=said):
            refine(sail, contract, replace(lake.settings, pseudonym_key=key))
    assert not sail.exists(lake.settings.table_path(Layer.SILVER, "things"))


def test_a_masked_column_may_be_a_business_key(engine: Engine, lake: Lake, make_contract: MakeContract) -> None:
    amount = {"name": "paid", "logicalType": "number", "physicalType": "decimal(9,2)"}
    day = {"name": "day", "logicalType": "timestamp", "physicalType": "timestamp"}
    contract = make_contract(
        PERSONAL[0],
        {**PERSONAL[1], "required": True},
        amount,
        day,
        history={"type": 1, "businessKey": ["name"], "orderBy": ["paid"]},
    )
    for number, paid in enumerate(("1.50", "9", "3")):
        lake.deliver(f"{number}.csv", f"id,name,paid,day\n{number},12345,{paid},2026-01-0{number + 1} 10:00:00\n")
        ingest(engine, contract, lake.run(number))
        refine(engine, contract, lake.run(number))
    name = hmac.new(KEY.encode(), b"12345", "sha256").hexdigest()[:32]
    best = (1, name, Decimal(9), datetime(2026, 1, 2, 10))
    assert lake.rows(engine, Layer.SILVER, "id", "name", "paid", "day") == [best]


def test_nothing_is_asked_of_pyspark_that_the_pinned_runtime_lacks() -> None:
    environments = (Path(__file__).parents[3] / "levee" / "environment" / "model.py").read_text()
    (runtime,) = re.findall(r'default="(\d+\.\d+)\.x-scala', environments)
    spark = SPARK_OF_RUNTIMES[runtime]
    used = {
        asked
        for file in Path(pipelines.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        for asked in _asked(node)
    }
    assert {(functions, "count"), (functions, "expr"), (DataFrame, "mapInArrow")} <= used
    newer = {}
    for home, name in used:
        since = re.search(r"versionadded:: (\d+)\.(\d+)", getattr(home, name, None).__doc__ or "")
        if since and (int(since[1]), int(since[2])) > spark:
            newer[name] = since[0]
    assert newer == {}


def _asked(node: ast.AST) -> Iterator[tuple[object, str]]:
    """What a piece of code may ask pyspark for: functions by module, methods by name."""
    match node:
        case ast.Attribute(value=ast.Name(id="F"), attr=name):
            yield functions, name
        case ast.Attribute(attr=name):
            yield from ((home, name) for home in (DataFrame, SparkSession, DataFrameReader, DataFrameWriter, Column))
        case ast.ImportFrom(module="pyspark.sql.functions", names=names):
            yield from ((functions, alias.name) for alias in names)
        case _:
            pass
