"""Metrics of real runs, read by Prometheus' own parser: from the textfile and from a server on the loopback address."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.request
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from pipelines.bronze.ingest import ingest
from pipelines.budget.terms import Budget, NodeRate
from pipelines.contracts import Contract, load_contract
from pipelines.engine import Engine
from pipelines.errors import SchemaError
from pipelines.observe import reference
from pipelines.observe.datasets import event_time
from pipelines.observe.exposition import exposition, server, write_textfile
from pipelines.observe.metrics import METRICS, families
from pipelines.settings import Layer
from pipelines.silver.refine import refine

if TYPE_CHECKING:
    from tests.pipelines.conftest import Lake, MakeContract

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(text: str, name: str, **labels: str) -> float:
    return samples(text)[name, frozenset(labels.items())]


def promising(contract: Contract, column: str) -> Contract:
    """The contract with a latency that is measured on a column."""
    yaml = YAML()
    document = yaml.load(contract.path)
    document["slaProperties"] = [{"property": "latency", "value": 1, "unit": "d", "element": f"things.{column}"}]
    yaml.dump(document, contract.path)
    return load_contract(contract.path)


def row(**more: Any) -> dict[str, Any]:
    return {
        "domain": "d",
        "task": "silver",
        "dataset": "t",
        "engine": "sail",
        "status": "succeeded",
        "started_at": NOON,
        "seconds": 2.0,
        "rows_in": 3,
        "rows_out": 2,
        "duplicates": 0,
        "quarantine": 1,
        "rejected_files": 0,
        "bytes": 10,
        "rules": '{"id_type": 1}',
        "compute_seconds": '{"m5": 2.5}',
        **more,
    }


def told(*rows: dict[str, Any], now: datetime = NOON) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    found = families(rows, (), now)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value for family in found for sample in family.samples
    }


def test_what_two_runs_did_is_what_the_textfile_says(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    settings = replace(
        lake.settings,
        rates={"local": NodeRate(usd_per_hour=Decimal(36), source="test")},
        budget=Budget(cost_centre="cc-1", monthly_usd=Decimal(1000), source="test"),
    )
    contract = make_contract()
    lake.deliver("a.csv", "id,name,price\n1,one,1\n1,one,1\nx,bad,2\n")
    ingest(sail, contract, settings)
    refine(sail, contract, settings)
    lake.deliver("b.csv", "id,name\n1,one\n")
    with pytest.raises(SchemaError):
        ingest(sail, contract, settings)
    place = write_textfile(sail, settings)
    assert place == Path(settings.root(Layer.CHECKPOINTS)) / "_metrics" / "levee_test.prom"
    assert [path.name for path in place.parent.iterdir()] == ["levee_test.prom"]
    text = place.read_text()
    of = {"domain": "test", "dataset": "things"}
    assert value(text, "levee_runs_total", **of, task="bronze", engine="sail", status="failed") == 1
    assert value(text, "levee_runs_total", **of, task="silver", engine="sail", status="succeeded") == 1
    assert value(text, "levee_rows_read_total", **of, task="silver") == 3
    assert value(text, "levee_rows_written_total", **of, task="silver") == 1
    layers = {layer: value(text, "levee_layer_rows", **of, layer=layer) for layer in ("bronze", "silver", "quarantine")}
    assert layers == {"bronze": 3, "silver": 1, "quarantine": 1}
    assert value(text, "levee_quarantined_rows_total", **of) == 1
    assert value(text, "levee_duplicate_rows_total", **of) == 1
    assert value(text, "levee_rule_failures_total", **of, rule="id_type") == 1
    assert value(text, "levee_rejected_files_total", **of) == 1
    assert value(text, "levee_run_duration_seconds_count", domain="test", task="bronze") == 2
    seconds = value(text, "levee_executor_seconds_total", **of, task="silver", node_type="local")
    cost = value(text, "levee_cost_usd_total", **of, task="silver", cost_centre="cc-1")
    assert cost == pytest.approx(seconds / 100, rel=1e-3)
    assert value(text, "levee_budget_usd", domain="test", cost_centre="cc-1") == 1000
    assert 0 <= value(text, "levee_ingestion_lag_seconds", **of) < 3600
    assert value(text, "levee_last_success_timestamp_seconds", **of, task="bronze") < value(
        text, "levee_last_run_timestamp_seconds", **of, task="bronze"
    )


def test_freshness_is_of_the_event_time_that_the_sla_names(
    sail: Engine, lake: Lake, make_contract: MakeContract
) -> None:
    at = {"name": "sold_at", "logicalType": "timestamp", "physicalType": "timestamp"}
    contract = promising(make_contract({"name": "id", "logicalType": "string"}, at), "sold_at")
    newest = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
    lake.deliver("a.csv", f"id,sold_at\n1,2020-01-01T00:00:00Z\n2,{newest:%Y-%m-%dT%H:%M:%SZ}\n")
    ingest(sail, contract, lake.settings)
    refine(sail, contract, lake.settings)
    text = exposition(sail, [lake.settings]).decode()
    assert value(text, "levee_freshness_seconds", domain="test", dataset="things") == pytest.approx(7200, abs=600)


def test_a_check_of_freshness_names_the_event_time_too(make_contract: MakeContract) -> None:
    at = {"name": "sold_at", "logicalType": "timestamp", "physicalType": "timestamp"}
    look = {"id": "fresh", "type": "custom", "engine": "levee", "severity": "warning"}
    check = {**look, "implementation": {"freshness": {"column": "sold_at", "withinHours": 24}}}
    found = event_time(make_contract({"name": "id", "logicalType": "string"}, at, quality=[check]))
    assert found is not None
    assert found.name == "sold_at"
    assert event_time(make_contract()) is None


def test_without_an_event_time_freshness_is_of_the_newest_delivery() -> None:
    early, late = NOON - timedelta(hours=3), NOON - timedelta(hours=1)
    of = frozenset({("domain", "d"), ("dataset", "t")})
    bronze = row(task="bronze", newest_delivery_at=late)
    assert told(bronze)["levee_freshness_seconds", of] == 3600
    assert told(bronze, row(newest_event_at=early))["levee_freshness_seconds", of] == 3 * 3600
    assert told(bronze, now=NOON - timedelta(days=1))["levee_freshness_seconds", of] == 0
    assert ("levee_freshness_seconds", of) not in told(row(status="failed", newest_delivery_at=late))


def test_durations_are_a_cumulative_histogram() -> None:
    found = told(row(seconds=0.05), row(seconds=7.0), row(seconds=9999.0))
    of = {("domain", "d"), ("task", "silver")}
    counts = {
        bound: found["levee_run_duration_seconds_bucket", frozenset({*of, ("le", bound)})]
        for bound in ("0.1", "5.0", "10.0", "3600.0", "+Inf")
    }
    assert counts == {"0.1": 1, "5.0": 1, "10.0": 2, "3600.0": 2, "+Inf": 3}
    assert found["levee_run_duration_seconds_sum", frozenset(of)] == pytest.approx(10006.05)


def test_records_that_were_written_before_a_column_was_there_count_too() -> None:
    found = told(row())
    assert not any(name == "levee_cost_usd_total" for name, _ in found)
    assert found["levee_not_run", frozenset({("domain", "d"), ("task", "silver"), ("dataset", "t")})] == 0


def test_series_are_by_table_and_rule_and_do_not_grow_with_runs() -> None:
    def runs(days: int, tables: int) -> list[dict[str, Any]]:
        return [
            row(
                dataset=f"t{table}",
                task=task,
                run_id=f"{day}-{table}",
                started_at=NOON + timedelta(days=day),
                layer_rows='{"silver": 1, "quarantine": 1}',
                newest_delivery_at=NOON,
                ingestion_lag_seconds=1.0,
                cost_usd=Decimal(1),
                cost_centre="cc",
            )
            for day in range(days)
            for table in range(tables)
            for task in ("bronze", "silver", "quality")
        ]

    every = told(*runs(2, 500))
    assert every.keys() == told(*runs(3, 500)).keys()
    assert len(every) <= 500 * 42 + 3 * 14
    labels_of_it = {label for _, labels in every for label, _ in labels}
    assert labels_of_it.isdisjoint({"run_id", "task_run_id", "trace_id", "batch_id", "error"})


def test_a_label_may_hold_anything() -> None:
    text = told(row(rules=json.dumps({'a "b"\\\n': 1})))
    assert ("levee_rule_failures_total", frozenset({("domain", "d"), ("dataset", "t"), ("rule", 'a "b"\\\n')})) in text


def test_a_server_reads_the_records_each_time(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    serving = server(sail, [lake.settings], 0)
    assert serving.server_address[0] == "127.0.0.1"
    thread = threading.Thread(target=serving.serve_forever, args=(0.01,))
    thread.start()
    try:
        url = f"http://127.0.0.1:{serving.server_port}/metrics"

        def read() -> str:
            with urllib.request.urlopen(url, timeout=60) as answer:
                return answer.read().decode()

        assert samples(read()) == {}
        ingest(sail, make_contract(), lake.settings)
        labels = {"domain": "test", "dataset": "things", "task": "bronze", "engine": "sail", "status": "succeeded"}
        assert value(read(), "levee_runs_total", **labels) == 1
        ingest(sail, make_contract(), lake.settings)
        assert value(read(), "levee_runs_total", **labels) == 2
    finally:
        serving.shutdown()
        thread.join()
        serving.server_close()


def test_a_server_ends_when_whoever_started_it_is_gone(lake: Lake, tmp_path: Path) -> None:
    jobs = tmp_path / "jobs.json"
    jobs.write_text(json.dumps([["--domain=test", f"--checkpoints={lake.settings.root(Layer.CHECKPOINTS)}"]]))
    command = [sys.executable, "-m", "pipelines.observe", str(jobs), "--port", "0", "--die-with-stdin"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["url"].startswith("http://127.0.0.1:")
        process.communicate(timeout=120)  # closes its standard input
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()


def test_names_keep_to_prometheus_conventions_and_are_told_once() -> None:
    names = [each.name for each in METRICS]
    assert len(set(names)) == len(names)
    for each in METRICS:
        assert each.name.startswith("levee_")
        assert each.name.endswith("_total") == (each.type == "counter"), each.name
        assert each.meaning.endswith(".")


def test_the_reference_page_is_the_code() -> None:
    page = Path(__file__).parents[3] / "docs" / "reference" / "metrics.md"
    assert page.read_text() == reference.page(), f"stale: {reference.COMMAND} docs/reference/metrics.md"
