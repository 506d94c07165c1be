"""Spans and logs over OTLP/HTTP, decoded by a local receiver with the protocol's own messages."""

from __future__ import annotations

import gzip
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from pipelines.bronze import ingest as bronze
from pipelines.bronze.ingest import ingest
from pipelines.engine import Engine
from pipelines.errors import PipelineError
from pipelines.observe import otlp, tracing
from pipelines.observe.facts import job_span_id, trace_id
from pipelines.runs import TABLE, recorded

if TYPE_CHECKING:
    from tests.pipelines.conftest import Lake, MakeContract
    from tests.pipelines.observe.conftest import Receiver, Receiving


def spans(receiver: Receiver) -> dict[str, Any]:
    """Every span by name."""
    requests = [ExportTraceServiceRequest.FromString(plain(body)) for body in receiver.bodies("/v1/traces")]
    scopes = [scope for request in requests for resource in request.resource_spans for scope in resource.scope_spans]
    return {span.name: span for scope in scopes for span in scope.spans}


def logs(receiver: Receiver) -> list[Any]:
    requests = [ExportLogsServiceRequest.FromString(plain(body)) for body in receiver.bodies("/v1/logs")]
    scopes = [scope for request in requests for resource in request.resource_logs for scope in resource.scope_logs]
    return [record for scope in scopes for record in scope.log_records]


def plain(body: bytes) -> bytes:
    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


def attributes(span: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}


def test_a_job_a_task_and_its_batches_are_one_trace_and_log_lines_belong_to_it(
    sail: Engine,
    lake: Lake,
    make_contract: MakeContract,
    receiving: Receiving,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bronze, "BATCH_FILES", 1)
    lake.deliver("a.csv", "id,name,price\n1,one,1\n")
    lake.deliver("b.csv", "id,name,price\n2,two,1\n")
    with receiving() as receiver:
        monkeypatch.setenv(tracing.ENDPOINT, receiver.url)
        with tracing.job(lake.settings):
            ingest(sail, make_contract(), lake.settings)
            lines = logs(receiver)
        otlp.OUTBOX.drain()
        told = spans(receiver)
    trace, root = bytes.fromhex(trace_id("test", "run-1")), bytes.fromhex(job_span_id("test", "run-1"))
    job, task = told["job test"], told["bronze test.things"]
    assert sorted(told) == ["batch 0", "batch 1", "bronze test.things", "job test"]
    assert {span.trace_id for span in told.values()} == {trace}
    assert (job.span_id, job.parent_span_id, task.parent_span_id) == (root, b"", root)
    assert {told[f"batch {number}"].parent_span_id for number in (0, 1)} == {task.span_id}
    told_of_it = attributes(task)
    assert (told_of_it["db.collection.name"], told_of_it["levee.rows_in"], told_of_it["levee.status"]) == (
        "things",
        2,
        "succeeded",
    )
    (record,) = sail.rows(lake.settings.record_path(TABLE)).to_pylist()
    assert (record["trace_id"], record["telemetry_failures"]) == (trace.hex(), "{}")
    assert {line.trace_id for line in lines} == {trace}
    assert any(json.loads(line.body.string_value).get("rows_in") == 2 for line in lines)


def test_log_lines_carry_the_span_in_which_they_were_written(
    sail: Engine, lake: Lake, make_contract: MakeContract, receiving: Receiving, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving() as receiver:
        monkeypatch.setenv(tracing.ENDPOINT, receiver.url)
        with recorded(sail, lake.settings, "quality", make_contract()):
            logging.getLogger("levee.test").warning("look at %s", "this")
        logging.getLogger("levee.test").warning("and not at that")
        told, lines = spans(receiver), logs(receiver)
    line = next(line for line in lines if line.body.string_value == "look at this")
    assert (line.severity_text, line.span_id) == ("WARNING", told["quality test.things"].span_id)
    assert "and not at that" not in {line.body.string_value for line in lines}


def test_a_failed_task_is_a_failed_span(
    sail: Engine, lake: Lake, make_contract: MakeContract, receiving: Receiving, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving() as receiver:
        monkeypatch.setenv(tracing.ENDPOINT, receiver.url)
        with pytest.raises(PipelineError), recorded(sail, lake.settings, "quality", make_contract()):
            raise PipelineError("it broke")
        span = spans(receiver)["quality test.things"]
    assert (span.status.code, span.status.message) == (2, "it broke")
    assert attributes(span)["error.type"] == "PipelineError"


def test_a_receiver_that_is_not_there_fails_no_run_and_is_counted(
    sail: Engine, lake: Lake, make_contract: MakeContract, receiving: Receiving, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving() as receiver:
        pass
    monkeypatch.setenv(tracing.ENDPOINT, receiver.url)
    with recorded(sail, lake.settings, "quality", make_contract()):
        pass
    (record,) = sail.rows(lake.settings.record_path(TABLE)).to_pylist()
    assert record["status"] == "succeeded"
    assert json.loads(record["telemetry_failures"]) == {"otlp-traces": 1}
