"""OpenLineage events of real runs, rebuilt with the client's own classes."""

from __future__ import annotations

import inspect
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attr
import pytest
from openlineage.client import facet_v2
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.serde import Serde

from pipelines.bronze.ingest import ingest
from pipelines.contracts import load_domain
from pipelines.contracts.extensions.extraction import Extraction
from pipelines.contracts.odcs import Server
from pipelines.engine import Engine
from pipelines.errors import SchemaError
from pipelines.observe import lineage
from pipelines.observe.columns import Origin
from pipelines.observe.columns import lineage as column_lineage
from pipelines.observe.datasets import inputs
from pipelines.observe.events import ended, started
from pipelines.observe.facts import Ended, Tally, TaskRun, job_run_uuid
from pipelines.runs import TABLE, recorded
from pipelines.settings import Layer
from pipelines.silver.refine import refine

if TYPE_CHECKING:
    from tests.pipelines.conftest import Lake, MakeContract
    from tests.pipelines.observe.conftest import Receiving

CONTENT = "id,name,price\n1,one,1.5\n1,one,1.5\nx,bad,2\n"
COLUMNS = (
    {"name": "id", "logicalType": "integer", "physicalType": "int", "required": True},
    {"name": "name", "logicalType": "string"},
    {
        "name": "price",
        "logicalType": "number",
        "physicalType": "decimal(9,2)",
        "transformSourceObjects": ["price", "name"],
        "transformLogic": "CASE WHEN name = 'free' THEN '0' ELSE price END",
    },
    {
        "name": "cents",
        "logicalType": "integer",
        "physicalType": "bigint",
        "transformLogic": "CAST(price * 100 AS bigint)",
    },
)


def events(lake: Lake) -> list[dict[str, Any]]:
    """Every event in the audit store, in order: each is one line."""
    folder = Path(lake.settings.path(Layer.AUDIT, "test", "openlineage"))
    texts = [path.read_text() for path in sorted(folder.rglob("*.json"))]
    assert all("\n" not in text for text in texts)
    return sorted((json.loads(text) for text in texts), key=lambda event: event["eventTime"])


CLASSES = {
    kind.__name__: kind
    for module in vars(facet_v2).values()
    if inspect.ismodule(module)
    for kind in vars(module).values()
    if inspect.isclass(kind) and attr.has(kind)
}


def facets(told: dict[str, Any]) -> dict[str, Any]:
    """Make each facet again by the class that its schema names: what lacks, or is too many, is an error."""
    made = {}
    for name, facet in told.items():
        kind: Any = CLASSES[facet["_schemaURL"].rpartition("/")[2]]
        made[name] = kind(**{key: value for key, value in facet.items() if not key.startswith("_")})
        assert kind._get_schema() == facet["_schemaURL"]
        assert facet["_producer"].startswith("urn:levee:pipelines:")
    return made


def rebuilt(event: dict[str, Any]) -> dict[str, Any]:
    """Make the event again with the client's classes, and write it down again."""
    inputs = [
        InputDataset(d["namespace"], d["name"], facets(d.get("inputFacets", {})), facets=facets(d.get("facets", {})))
        for d in event.get("inputs", [])
    ]
    outputs = [
        OutputDataset(d["namespace"], d["name"], facets(d.get("outputFacets", {})), facets=facets(d.get("facets", {})))
        for d in event.get("outputs", [])
    ]
    again = RunEvent(
        eventType=RunState(event["eventType"]),
        eventTime=event["eventTime"],
        run=Run(event["run"]["runId"], facets(event["run"].get("facets", {}))),
        job=Job(event["job"]["namespace"], event["job"]["name"], facets(event["job"].get("facets", {}))),
        inputs=inputs,
        outputs=outputs,
        producer=event["producer"],
    )
    return json.loads(Serde.to_json(again))


def fields(output: dict[str, Any]) -> dict[str, list[tuple[str, str, str, str]]]:
    told = output["facets"]["columnLineage"]["fields"]
    return {
        name: [
            (each["name"].rsplit("/", 3)[-3], each["field"], way["type"], way["subtype"])
            for each in entry["inputFields"]
            for way in each["transformations"]
        ]
        for name, entry in told.items()
    }


def test_a_task_run_tells_what_it_read_and_wrote(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    contract = make_contract(*COLUMNS)
    lake.deliver("a.csv", CONTENT)
    ingest(sail, contract, lake.settings)
    refine(sail, contract, lake.settings)
    told = events(lake)
    assert [(event["job"]["name"], event["eventType"]) for event in told] == [
        ("test.bronze.things", "START"),
        ("test.bronze.things", "COMPLETE"),
        ("test.silver.things", "START"),
        ("test.silver.things", "COMPLETE"),
    ]
    for event in told:
        assert event["schemaURL"] == f"https://openlineage.io/spec/{lineage.SPEC}/OpenLineage.json#/$defs/RunEvent"
        assert rebuilt(event) == event
        parent = event["run"]["facets"]["parent"]
        assert parent["run"]["runId"] == job_run_uuid("test", "run-1")
        assert parent["job"]["name"] == "levee-test"
    assert told[0]["run"]["runId"] == told[1]["run"]["runId"] != told[2]["run"]["runId"]
    ids = {row["task_run_id"] for row in sail.rows(lake.settings.record_path(TABLE)).to_pylist()}
    assert ids == {event["run"]["runId"] for event in told}
    assert {
        json.dumps(row["telemetry_failures"]) for row in sail.rows(lake.settings.record_path(TABLE)).to_pylist()
    } == {'"{}"'}

    begun = [{each["name"] for each in told[at]["inputs"] + told[at]["outputs"]} for at in (0, 1)]
    assert begun[0] == begun[1]
    bronze, silver = told[1], told[3]
    (landing,), (taken,) = bronze["inputs"], bronze["outputs"]
    assert landing["name"].endswith("/landing/test/things")
    assert landing["inputFacets"]["inputStatistics"]["fileCount"] == 1
    assert landing["inputFacets"]["inputStatistics"]["size"] == len(CONTENT)
    assert taken["outputFacets"]["outputStatistics"]["rowCount"] == 3
    assert fields(taken)["name"] == [("landing", "name", "DIRECT", "IDENTITY")]

    (read,), (published, rejected) = silver["inputs"], silver["outputs"]
    assert (read["namespace"], read["name"]) == (taken["namespace"], taken["name"])
    assert [field["name"] for field in published["facets"]["schema"]["fields"]] == ["id", "name", "price", "cents"]
    assert published["outputFacets"]["outputStatistics"]["rowCount"] == 1
    assert rejected["outputFacets"]["outputStatistics"]["rowCount"] == 1
    assert fields(published) == {
        "id": [("bronze", "id", "DIRECT", "IDENTITY")],
        "name": [("bronze", "name", "DIRECT", "IDENTITY")],
        "price": [("bronze", "price", "DIRECT", "TRANSFORMATION"), ("bronze", "name", "INDIRECT", "CONDITIONAL")],
        "cents": [("bronze", "price", "DIRECT", "TRANSFORMATION"), ("bronze", "name", "INDIRECT", "TRANSFORMATION")],
    }
    assertions = {each["name"]: each["success"] for each in read["inputFacets"]["dataQualityAssertions"]["assertions"]}
    assert assertions["id_type"] is False
    assert assertions["price_type"] is True


def test_personal_columns_are_told_to_be_masked(lake: Lake, make_contract: MakeContract, sail: Engine) -> None:
    masked = {"name": "name", "logicalType": "string", "classification": "personal"}
    masking = [{"property": "masking", "value": {"method": "hash"}}]
    contract = make_contract({**masked, "customProperties": masking}, {"name": "id", "logicalType": "string"})
    told = column_lineage(TaskRun(lake.settings, "silver", contract, sail.name), Layer.SILVER)
    assert told.columns["name"] == (Origin(Layer.BRONZE, "things", "name", subtype="TRANSFORMATION", masking=True),)
    assert not told.columns["id"][0].masking


def test_a_failed_run_tells_why(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    lake.deliver("a.csv", "id,name\n1,one\n")
    with pytest.raises(SchemaError):
        ingest(sail, make_contract(), lake.settings)
    start, fail = events(lake)
    assert (start["eventType"], fail["eventType"]) == ("START", "FAIL")
    assert "no column 'price'" in fail["run"]["facets"]["errorMessage"]["message"]
    assert rebuilt(fail) == fail


def test_an_interrupted_run_is_aborted(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    with pytest.raises(KeyboardInterrupt), recorded(sail, lake.settings, "bronze", make_contract()):
        raise KeyboardInterrupt
    assert [event["eventType"] for event in events(lake)] == ["START", "ABORT"]


def test_events_go_to_a_receiver_with_its_key_by_reference(
    sail: Engine, lake: Lake, make_contract: MakeContract, receiving: Receiving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THE_KEY", "s3cret")
    monkeypatch.setenv(lineage.KEY, "env:THE_KEY")
    with receiving() as receiver:
        monkeypatch.setenv(lineage.URL, receiver.url)
        with recorded(sail, lake.settings, "quality", make_contract()):
            pass
        sent = [json.loads(body) for body in receiver.bodies("/api/v1/lineage")]
    assert sent == events(lake)
    assert {headers["Authorization"] for _, headers, _ in receiver.got} == {"Bearer s3cret"}
    assert "s3cret" not in json.dumps(sent)


def test_a_receiver_that_fails_costs_the_run_nothing_and_is_counted(
    sail: Engine,
    lake: Lake,
    make_contract: MakeContract,
    receiving: Receiving,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with receiving(status=500) as receiver:
        monkeypatch.setenv(lineage.URL, receiver.url)
        for number in (1, 2, 3):
            with recorded(sail, lake.run(number), "quality", make_contract()):
                pass
        assert len(receiver.got) == 3  # then it is left alone
    rows = sail.rows(lake.settings.record_path(TABLE)).to_pylist()
    lost = [json.loads(row["telemetry_failures"]) for row in sorted(rows, key=lambda row: row["started_at"])]
    assert lost == [{"openlineage-http": count} for count in (2, 4, 6)]
    assert {row["status"] for row in rows} == {"succeeded"}
    assert len([record for record in caplog.records if "is lost, and counted" in record.message]) == 1
    assert len(events(lake)) == 6


def test_a_gold_table_comes_from_the_columns_that_its_sql_reads(lake: Lake, sail: Engine) -> None:
    domain = load_domain("sales")
    settings = replace(lake.settings, domain="sales")
    table = domain.contract("revenue_by_month")
    run = TaskRun(settings, "gold", table, sail.name, domain)
    event = json.loads(Serde.to_json(ended(Ended(run, Tally(), "succeeded", None, 1.0, 1.0))))
    (output,) = event["outputs"]
    read = {each["name"].rsplit("/", 1)[1]: each for each in event["inputs"]}
    assert read.keys() == {each.dataset for each in domain.inputs(table)}
    told = output["facets"]["columnLineage"]
    assert told["fields"].keys() == {column.name for column in table.columns}
    ways = {
        (way["type"], way["subtype"])
        for each in told["fields"]["revenue"]["inputFields"]
        for way in each["transformations"]
    }
    assert ("DIRECT", "AGGREGATION") in ways
    named = {each["name"] for entry in told["fields"].values() for each in entry["inputFields"]}
    assert named <= {each["name"] for each in event["inputs"]}
    assert {way["subtype"] for each in told["dataset"] for way in each["transformations"]} >= {"GROUP_BY"}
    assert rebuilt(event) == event


def test_an_extraction_reads_the_source_by_its_own_name(lake: Lake, make_contract: MakeContract, sail: Engine) -> None:
    contract = make_contract()
    table = Extraction.model_validate(
        {
            "server": "shop",
            "format": "jsonl",
            "jdbc": {"table": "orders", "user": "env:A", "password": "env:B", "mode": "full"},
        }
    )
    server = Server.model_validate(
        {"server": "shop", "type": "postgresql", "host": "db", "port": 5433, "database": "s", "schema": "public"}
    )
    standard = contract.standard.model_copy(update={"servers": (server,)})
    asked = replace(contract, extraction=table, standard=standard)
    (place,) = inputs(TaskRun(lake.settings, "extract", asked, sail.name))
    assert (place.namespace, place.name) == ("postgres://db:5433", "s.public.orders")
    event = json.loads(Serde.to_json(started(TaskRun(lake.settings, "extract", asked, sail.name))))
    assert rebuilt(event) == event
    assert event["outputs"][0]["name"].endswith("/landing/test/things")
    assert "env:" not in json.dumps(event)
