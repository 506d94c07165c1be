"""Runs that end badly are told of, once, by names and numbers alone; and once when they end well again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.alerts import task
from pipelines.alerts.record import State, messages
from pipelines.alerts.sending import send_all
from pipelines.bronze.ingest import ingest
from pipelines.contracts import Contract
from pipelines.engine import Engine
from pipelines.errors import BudgetError, PipelineError, QualityError, UpstreamError
from pipelines.failpoints import FAILPOINTS, VARIABLE
from pipelines.jobs import check_dataset
from pipelines.observe.outbox import Outbox
from pipelines.runs import TABLE, recorded
from pipelines.silver.holding import BatchHeldError
from pipelines.silver.refine import refine

if TYPE_CHECKING:
    from tests.pipelines.alerts.conftest import Receiver
    from tests.pipelines.conftest import Lake, MakeContract

WORKER = Path(__file__).with_name("worker.py")
PERSON = "ada.lovelace@example.org"
COLUMNS = (
    {"name": "id", "logicalType": "integer", "physicalType": "int", "required": True},
    {
        "name": "email",
        "logicalType": "string",
        "classification": "personal",
        "logicalTypeOptions": {"maxLength": 10},
        "customProperties": [{"property": "masking", "value": {"method": "hash"}}],
    },
    {"name": "price", "logicalType": "number", "physicalType": "decimal(9,2)"},
)


def support(**told: Any) -> list[dict[str, Any]]:
    value = {"webhook": {"url": "env:HOOK", "key": "env:KEY"}, **told}
    return [{"channel": "owners", "tool": "other", "customProperties": [{"property": "alerts", "value": value}]}]


@pytest.fixture
def hook(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Receiver:
    monkeypatch.setenv("HOOK", f"{receiver.url}/t0ken")
    monkeypatch.setenv("KEY", "a key")
    return receiver


def events(hook: Receiver) -> list[dict[str, Any]]:
    return [json.loads(body) for _, _, body in hook.got]


def kinds(hook: Receiver) -> list[str]:
    return [event["type"].removeprefix("levee.alert.") for event in events(hook)]


def at_most(limit: int, failure: str, **custom: Any) -> dict[str, Any]:
    check = {"id": "few", "metric": "rowCount", "mustBeLessOrEqualTo": limit, "severity": "error"}
    return {"quality": [check | {"customProperties": [{"property": "onFailure", "value": failure}]}], **custom}


def run_all(sail: Engine, lake: Lake, contract: Contract, number: int) -> None:
    settings = lake.run(number)
    ingest(sail, contract, settings)
    refine(sail, contract, settings)
    check_dataset(sail, contract, settings)


@pytest.mark.parametrize(("failure", "kind"), [("failBatch", "quality_failed"), ("stopPipeline", "pipeline_stopped")])
def test_a_gate_that_fails_is_told_once_and_its_recovery(
    sail: Engine, lake: Lake, make_contract: MakeContract, hook: Receiver, failure: str, kind: str
) -> None:
    contract = make_contract(*COLUMNS, support=support(), **at_most(1, failure))
    lake.deliver("a.csv", "id,email,price\n1,a@b.c,1\n2,a@b.d,2\n")
    for number in (1, 2):
        with pytest.raises(QualityError):
            run_all(sail, lake, contract, number)

    (event,) = events(hook)
    assert event["type"] == f"levee.alert.{kind}"
    assert event["data"]["run_id"] == "run-1"
    (rule,) = event["data"]["rules"]
    assert rule["id"] == "few"
    assert "levee replay test.things" in event["data"]["commands"]

    more = make_contract(*COLUMNS, support=support(), **at_most(9, failure))
    for number in (3, 4):
        run_all(sail, lake, more, number)
    assert kinds(hook) == [kind, "recovered"]
    assert {message.state for message in messages(sail, lake.settings)} == {State.SENT}


def test_a_held_batch_is_told_with_its_counts_and_no_personal_value(
    sail: Engine, lake: Lake, make_contract: MakeContract, hook: Receiver
) -> None:
    breaker = {"maximumQuarantinePercent": 10, "minimumRows": 1, "onTrip": "stopPipeline"}
    contract = make_contract(*COLUMNS, support=support(), circuitBreaker=breaker)
    lake.deliver("a.csv", f"id,email,price\n1,{PERSON},1\n2,a@b.d,2\n")

    with pytest.raises(BatchHeldError):
        run_all(sail, lake, contract, 1)
    with pytest.raises(QualityError):
        check_dataset(sail, contract, lake.run(1))

    stopped, held = events(hook)
    assert stopped["type"] == "levee.alert.pipeline_stopped"
    (rule,) = stopped["data"]["rules"]
    assert (rule["failed"], rule["rows"], rule["fields"]) == (1, 2, ["email"])
    assert held["type"] == "levee.alert.batch_held"
    batch = held["data"]["rules"][0]["id"]
    assert f"levee replay test.things --accept {batch} --reason WHY" in held["data"]["commands"]
    assert PERSON not in "".join(body.decode() for _, _, body in hook.got)


@pytest.mark.parametrize(
    ("error", "kind", "severity"),
    [
        (BudgetError("the budget is spent"), "budget_stopped", "critical"),
        (PipelineError(f"cannot cast {PERSON}"), "task_failed", "error"),
        (ValueError(f"cannot cast {PERSON}"), "task_failed", "error"),
        (UpstreamError("an input failed"), None, None),
    ],
)
def test_what_ends_a_task_is_told_without_what_an_engine_says(
    sail: Engine,
    lake: Lake,
    make_contract: MakeContract,
    hook: Receiver,
    error: Exception,
    kind: str | None,
    severity: str | None,
) -> None:
    contract = make_contract(support=support())

    with pytest.raises(PipelineError), recorded(sail, lake.settings, "bronze", contract):
        raise error

    assert [(event["type"], event["data"]["severity"]) for event in events(hook)] == (
        [(f"levee.alert.{kind}", severity)] if kind else []
    )
    assert PERSON not in "".join(body.decode() for _, _, body in hook.got)


def test_old_data_is_told_even_where_it_only_warns(
    sail: Engine, lake: Lake, make_contract: MakeContract, hook: Receiver
) -> None:
    check = {
        "id": "fresh",
        "type": "custom",
        "engine": "levee",
        "implementation": {"freshness": {"column": "at", "withinHours": 1}},
        "severity": "warning",
    }
    at = {"name": "at", "logicalType": "timestamp", "physicalType": "timestamp"}
    contract = make_contract(*COLUMNS[:1], at, quality=[check], support=support())
    lake.deliver("a.csv", "id,at\n1,2020-01-01T00:00:00Z\n")

    run_all(sail, lake, contract, 1)

    assert kinds(hook) == ["freshness_broken"]
    assert events(hook)[0]["data"]["rules"][0]["id"] == "fresh"


def test_other_environments_are_not_told(sail: Engine, lake: Lake, make_contract: MakeContract, hook: Receiver) -> None:
    contract = make_contract(support=support(environments=["prod"]))
    for environment in ("dev", None, "prod"):
        settings = replace(lake.settings, environment=environment)
        with pytest.raises(QualityError), recorded(sail, settings, "bronze", contract):
            raise QualityError("no")

    (event,) = events(hook)
    assert event["data"]["environment"] == "prod"
    assert "levee replay test.things --env prod" in event["data"]["commands"]


def test_a_channel_that_refuses_fails_no_run_and_is_counted(
    sail: Engine, lake: Lake, make_contract: MakeContract, hook: Receiver, outbox: Outbox, monkeypatch
) -> None:
    from pipelines.observe import telemetry

    monkeypatch.setattr(telemetry, "OUTBOX", outbox)
    contract = make_contract(support=support())
    hook.answers = [404]

    for number in (1, 2):
        with pytest.raises(QualityError, match="the count law"), recorded(sail, lake.run(number), "bronze", contract):
            raise QualityError("the count law")

    rows = sail.rows(lake.settings.record_path(TABLE)).to_pylist()
    assert [json.loads(row["telemetry_failures"]) for row in rows] == [{"alerts-owners": 1}] * 2
    assert [message.state for message in messages(sail, lake.settings)] == [State.FAILED, State.SENT]
    assert "t0ken" not in str(sail.rows(lake.settings.record_path("alerts")).to_pylist())


def test_a_channel_that_hangs_is_left_behind(
    sail: Engine, lake: Lake, make_contract: MakeContract, hook: Receiver, outbox: Outbox, monkeypatch
) -> None:
    monkeypatch.setattr(task, "send_all", lambda parcels: send_all(parcels, patience=0.1))
    hook.release.clear()

    with (
        pytest.raises(QualityError, match="the count law"),
        recorded(sail, lake.settings, "bronze", make_contract(support=support())),
    ):
        raise QualityError("the count law")

    (message,) = messages(sail, lake.settings)
    assert (message.state, message.detail) == (State.FAILED, "it did not end in time")
    assert outbox.failures() == {"alerts-owners": 1}


def test_what_is_told_is_committed_where_other_records_are_gathered(
    sail: Engine, lake: Lake, make_contract: MakeContract, hook: Receiver
) -> None:
    contract = make_contract(support=support())
    with sail.gathered_records():
        for number in (1, 2):
            with pytest.raises(QualityError), recorded(sail, lake.run(number), "bronze", contract):
                raise QualityError("no")
        assert [message.state for message in messages(sail, lake.settings)] == [State.SENT]
        assert sail.version_of_records(lake.settings.record_path(TABLE)) == -1

    assert kinds(hook) == ["quality_failed"]


def test_without_a_channel_nothing_is_recorded(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    with pytest.raises(QualityError), recorded(sail, lake.settings, "bronze", make_contract()):
        raise QualityError("no")

    assert not sail.exists(lake.settings.record_path("alerts"))


def die(lake: Lake, contract: Contract, point: str) -> None:
    """Let run-1 fail in a process of its own, which is killed at a failpoint."""
    command = [sys.executable, WORKER, lake.folder, contract.path, "run-1"]
    died = subprocess.run(command, env={**os.environ, VARIABLE: point}, check=False)
    assert died.returncode == -signal.SIGKILL


def test_a_run_that_dies_before_it_sends_is_told_of_exactly_once(
    sail: Engine, lake: Lake, make_contract: MakeContract, hook: Receiver
) -> None:
    contract = make_contract(support=support())
    die(lake, contract, "alerts.recorded")
    assert hook.got == []

    for number in (2, 3):
        with pytest.raises(QualityError), recorded(sail, lake.run(number), "bronze", contract):
            raise QualityError("the count law does not hold")

    (event,) = events(hook)
    assert (event["data"]["run_id"], event["data"]["repeated"]) == ("run-1", True)


def test_a_run_that_dies_after_it_has_sent_is_told_of_again_under_the_same_id(
    sail: Engine, lake: Lake, make_contract: MakeContract, hook: Receiver
) -> None:
    contract = make_contract(support=support())
    die(lake, contract, "alerts.sent")

    for number in (2, 3):
        with recorded(sail, lake.run(number), "bronze", contract):
            pass

    first, second, recovered = events(hook)
    assert first["id"] == second["id"]
    assert [event["data"]["repeated"] for event in (first, second)] == [False, True]
    assert recovered["type"] == "levee.alert.recovered"


def test_every_failpoint_of_alerts_is_tried() -> None:
    assert {name for name in FAILPOINTS if name.startswith("alerts.")} == {"alerts.recorded", "alerts.sent"}
