"""A job run as a whole: its events are the parent of its tasks', and the textfile is there when it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.engine import Engine
from pipelines.observe import exposition, job
from pipelines.observe.facts import job_run_uuid
from pipelines.observe.outbox import Outbox
from pipelines.runs import recorded
from pipelines.settings import Layer

if TYPE_CHECKING:
    from tests.pipelines.conftest import Lake, MakeContract


def argv(lake: Lake) -> tuple[str, ...]:
    roots = (f"--{layer.value}={url}" for layer, url in lake.settings.roots.items())
    return ("--domain=test", "--run-id=run-1", *roots)


def states(lake: Lake) -> list[str]:
    folder = Path(lake.settings.path(Layer.AUDIT, "test", "openlineage", "run-1"))
    told = [json.loads(path.read_text()) for path in folder.glob("job-test-*.json")]
    assert {event["run"]["runId"] for event in told} == {job_run_uuid("test", "run-1")}
    assert {event["job"]["name"] for event in told} == {"levee-test"}
    return [event["eventType"] for event in sorted(told, key=lambda event: event["eventTime"])]


@pytest.mark.parametrize(("succeeded", "state"), [(True, "COMPLETE"), (False, "FAIL")])
def test_a_job_run_is_told_and_its_metrics_are_there_when_it_ends(
    sail: Engine, lake: Lake, make_contract: MakeContract, *, succeeded: bool, state: str
) -> None:
    with job.told(argv(lake)) as end:
        with recorded(sail, lake.settings, "quality", make_contract()):
            pass
        end.succeeded = succeeded
    assert states(lake) == ["START", state]
    textfile = Path(lake.settings.root(Layer.CHECKPOINTS)) / "_metrics" / "levee_test.prom"
    assert "levee_runs_total{" in textfile.read_text()


def test_a_job_whose_parameters_are_not_a_domains_is_left_alone() -> None:
    with job.told(("--something=else",)) as end:
        end.succeeded = True
    with job.told(()):
        pass


def test_a_textfile_that_cannot_be_written_fails_no_job_and_is_counted(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, fresh: Outbox
) -> None:
    Path(lake.settings.root(Layer.CHECKPOINTS)).mkdir()
    Path(lake.settings.root(Layer.CHECKPOINTS), exposition.FOLDER).write_text("in the way")
    with job.told(argv(lake)) as end:
        end.succeeded = True
    assert fresh.failures() == {"prometheus-textfile": 1}
