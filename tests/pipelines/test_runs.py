"""Every task run leaves a record, whether it succeeded or failed."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.bronze.ingest import ingest
from pipelines.engine import Engine
from pipelines.errors import PipelineError, SchemaError
from pipelines.runs import TABLE, recorded
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
