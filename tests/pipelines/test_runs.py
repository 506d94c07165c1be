"""Every task run leaves a record, whether it succeeded or failed."""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from pipelines.bronze.ingest import ingest
from pipelines.engine import Engine
from pipelines.errors import PipelineError, SchemaError
from pipelines.runs import SCHEMA, TABLE, recorded
from pipelines.silver.refine import refine

if TYPE_CHECKING:
    from conftest import Lake, MakeContract


def records(engine: Engine, lake: Lake) -> list[dict[str, Any]]:
    return sorted(engine.rows(lake.settings.record_path(TABLE)).to_pylist(), key=lambda row: row["started_at"])


def test_a_run_says_what_it_did(
    sail: Engine, lake: Lake, make_contract: MakeContract, caplog: pytest.LogCaptureFixture
) -> None:
    contract = make_contract()
    content = "id,name,price\n1,one,1\n1,one,1\nx,bad,2\n"
    lake.deliver("a.csv", content)
    with caplog.at_level(logging.INFO, "levee.runs"):
        ingest(sail, contract, lake.settings)
        refine(sail, contract, lake.settings)
    bronze, silver = records(sail, lake)
    assert (bronze["task"], bronze["status"], bronze["rows_in"], bronze["bytes"]) == (
        "bronze",
        "succeeded",
        3,
        len(content),
    )
    assert (silver["rows_in"], silver["rows_out"], silver["duplicates"], silver["quarantine"]) == (3, 1, 1, 1)
    assert json.loads(silver["rules"]) == {"id_type": 1, "id_required": 1}
    assert silver["contract_digest"] == contract.digest
    assert json.loads(silver["compute_seconds"])["local"] == pytest.approx(silver["seconds"], rel=0.05)
    assert {"pysail", "pyarrow", "levee-pipelines"} <= json.loads(silver["versions"]).keys()
    lines = [json.loads(record.message) for record in caplog.records if record.name == "levee.runs"]
    assert [(line["task"], line["rows_in"]) for line in lines] == [("bronze", 3), ("silver", 3)]


def test_a_failed_run_is_recorded_with_its_reason(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    lake.deliver("a.csv", "id,name\n1,one\n")
    with pytest.raises(SchemaError):
        ingest(sail, make_contract(), lake.settings)
    (record,) = records(sail, lake)
    assert record["status"] == "failed"
    assert "no column 'price'" in record["error"]
    assert record["rejected_files"] == 1


def test_an_engines_error_is_told_in_one_sentence(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    with (
        pytest.raises(PipelineError, match="the engine failed: boom") as raised,
        recorded(sail, lake.settings, "bronze", make_contract()),
    ):
        raise RuntimeError("boom\n\tat org.apache.spark")
    assert raised.value.where == "bronze test.things"


def test_an_interrupt_stays_an_interrupt(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    with pytest.raises(KeyboardInterrupt), recorded(sail, lake.settings, "bronze", make_contract()):
        interrupted_client()


def interrupted_client() -> None:
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt:
        raise RuntimeError("the client could not reach the server that Ctrl-C stopped") from None


def test_a_table_of_an_earlier_release_gets_the_new_columns(
    sail: Engine, lake: Lake, make_contract: MakeContract
) -> None:
    earlier = pa.schema(list(SCHEMA)[: SCHEMA.names.index("attempt")])
    old = dict.fromkeys(earlier.names) | {"run_id": "run-0", "status": "succeeded", "started_at": datetime.now(UTC)}
    sail.append(lake.settings.record_path(TABLE), pa.Table.from_pylist([old], schema=earlier))
    with recorded(sail, lake.settings, "quality", make_contract()):
        pass
    first, second = records(sail, lake)
    assert (first["run_id"], first["attempt"], first["not_run"]) == ("run-0", None, None)
    assert (second["run_id"], second["attempt"], second["not_run"]) == ("run-1", 1, "[]")


def test_what_the_engine_lacked_is_named(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    with recorded(sail, lake.settings, "quality", make_contract()) as tally:
        tally.not_run.append("change feed: needs spark or databricks")
    (record,) = records(sail, lake)
    assert json.loads(record["not_run"]) == ["change feed: needs spark or databricks"]


def test_rows_by_layer_and_the_age_of_a_delivery_are_kept(
    sail: Engine, lake: Lake, make_contract: MakeContract
) -> None:
    lake.deliver("a.csv", "id,name,price\n1,one,1\nx,bad,2\n")
    delivered = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    os.utime(Path(lake.settings.deliveries("things")) / "a.csv", (delivered.timestamp(), delivered.timestamp()))
    ingest(sail, make_contract(), lake.settings)
    refine(sail, make_contract(), lake.settings)
    ingest(sail, make_contract(), lake.run(2))
    bronze, silver, again = records(sail, lake)
    assert json.loads(bronze["layer_rows"]) == {"bronze": 2}
    assert json.loads(silver["layer_rows"]) == {"silver": 1, "quarantine": 1}
    assert silver["bytes"] == bronze["bytes"] > 0
    assert bronze["newest_delivery_at"] == delivered
    assert bronze["ingestion_lag_seconds"] == pytest.approx(
        (bronze["started_at"] - delivered).total_seconds() + bronze["seconds"], abs=30
    )
    assert (again["newest_delivery_at"], again["ingestion_lag_seconds"]) == (None, None)
