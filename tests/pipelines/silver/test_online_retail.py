"""The real thing, whole: 305 files, the numbers that the issue names, and the same tables on both engines."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from pipelines.bronze.ingest import ingest
from pipelines.contracts import load_domain
from pipelines.engine import Engine
from pipelines.secret_references import SecretReference
from pipelines.settings import EngineName, Layer, RunSettings
from pipelines.silver.refine import SilverResult, refine
from pipelines.sources import find, land

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(not os.environ.get("LEVEE_DATA"), reason="LEVEE_DATA is not set: no online-retail here"),
]
DATASET = "online_retail"
LAYERS = (Layer.BRONZE, Layer.SILVER, Layer.QUARANTINE)
Medallion = Callable[[EngineName], tuple[SilverResult, RunSettings]]


@pytest.fixture(scope="module")
def medallion(tmp_path_factory: pytest.TempPathFactory) -> Medallion:
    """Run bronze and silver on an engine, once a module."""
    folder = tmp_path_factory.mktemp("online-retail")
    key = folder / "key"
    key.write_text("k" * 64)
    key.chmod(0o600)
    land(find("online-retail").deliveries(os.environ, folder / "cache"), folder / "landing" / "sales" / DATASET)
    contract = load_domain("sales").contract(DATASET)
    done: dict[EngineName, tuple[SilverResult, RunSettings]] = {}

    def run(name: EngineName) -> tuple[SilverResult, RunSettings]:
        if name not in done:
            roots = {layer: str(folder / name / layer.value) for layer in Layer}
            settings = RunSettings(
                domain="sales",
                dataset=DATASET,
                roots={**roots, Layer.LANDING: str(folder / "landing")},
                engine=name,
                run_id=f"on-{name}",
                pseudonym_key=SecretReference("file", str(key)),
            )
            engine = Engine.open(name)
            ingest(engine, contract, settings)
            done[name] = refine(engine, contract, settings), settings
        return done[name]

    return run


BOTH = [EngineName.SAIL, pytest.param(EngineName.SPARK, marks=pytest.mark.spark)]


@pytest.mark.parametrize("name", BOTH, ids=str)
def test_every_record_is_accounted_for(medallion: Medallion, name: EngineName) -> None:
    result, settings = medallion(name)
    assert (result.rows, result.silver, result.duplicates, result.quarantine) == (541_909, 392_692, 5_268, 143_949)
    assert [batch.accounted for batch in result.batches] == [541_909]
    silver = Engine.open(name).read(settings.table_path(Layer.SILVER, DATASET))
    assert dict(silver.dtypes)["unit_price"] == "decimal(18,3)"
    row = silver.selectExpr("sum(amount)", "sum(quantity * unit_price)", "count_if(unit_price = 0.001)").collect()[0]
    assert tuple(row) == (Decimal("8887208.894"), Decimal("8887208.894"), 4)
    before = fingerprints(Engine.open(name), settings)
    again = replace(settings, run_id="again")
    contract = load_domain("sales").contract(DATASET)
    assert ingest(Engine.open(name), contract, again).rows == 0
    assert refine(Engine.open(name), contract, again).rows == 0
    assert fingerprints(Engine.open(name), settings) == before


@pytest.mark.parametrize("other", BOTH[1:], ids=str)
def test_both_engines_make_the_same_tables(medallion: Medallion, other: EngineName) -> None:
    (_, on_sail), (_, on_other) = medallion(EngineName.SAIL), medallion(other)
    sail = Engine.open(EngineName.SAIL)
    # Both by one engine, which also reads what the other wrote.
    assert fingerprints(sail, on_sail) == fingerprints(sail, on_other)


def fingerprints(engine: Engine, settings: RunSettings) -> dict[Layer, tuple[int, Decimal]]:
    """Rows and the sum of the rows' hashes, by layer: equal for equal multisets."""
    return {layer: fingerprint(engine.read(settings.table_path(layer, DATASET))) for layer in LAYERS}


def fingerprint(frame: DataFrame) -> tuple[int, Decimal]:
    """Hash every column but those of the run; binary as hexadecimal, null apart from the empty text."""
    names = sorted(name for name in frame.columns if name not in ("_ingested_at", "_run_id"))
    kinds = dict(frame.dtypes)
    texts = (f"hex(`{name}`)" if kinds[name] == "binary" else f"CAST(`{name}` AS STRING)" for name in names)
    parts = ", ".join(f"coalesce(concat('=', {text}), '-')" for text in texts)
    hashed = frame.selectExpr(
        f"CAST(conv(substring(sha2(concat_ws('|', {parts}), 256), 1, 14), 16, 10) AS DECIMAL(20,0)) h"
    )
    row = hashed.selectExpr("count(*)", "sum(h)").collect()[0]
    return row[0], row[1]
