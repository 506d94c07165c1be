import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from levee.errors import EngineError, GateError, UsageError
from levee.lock import exclusive
from levee.runner import job_of, run_job
from levee.runner.result import RunResult


def states(result):
    return {task.key: task.state.value for task in result.tasks}


@pytest.fixture
def go(around, prepared, console, probe):
    def start(plan, from_layer=None) -> RunResult:
        job = job_of(plan, "sales")
        return run_job(job.starting_at(from_layer) if from_layer else job, around, prepared, console)

    return start


def test_tasks_run_with_what_was_deployed(go, stack, task, probe, around, console):
    result = go(stack(task("last", "good", after=["good"]), task("good"), variables={"KEY": "{{secrets/levee/key}}"}))
    first, last = probe()
    assert [first["task"], last["task"]] == ["good", "last"]
    assert first["argv"] == ["--domain=sales", "--landing=s3://acme-landing/sales", "--bronze=gs://acme-bronze"]
    assert first["environ"]["LEVEE_ENGINE"] == "sail"
    assert first["environ"]["LEVEE_RUN_ID"] == last["environ"]["LEVEE_RUN_ID"] == result.run_id
    assert json.loads(first["environ"]["LEVEE_PATH_MAP"])["gs://acme-bronze"].endswith("lake/acme-bronze")
    assert states(result) == {"good": "succeeded", "last": "succeeded"}
    assert (result.tasks[0].done, result.tasks[0].unit, result.tasks[0].attempts) == (7, "rows", 1)
    result.raise_if_failed()
    written = json.loads((around.run_folder(result.run_id) / "result.json").read_text())
    assert written["version"] == 1
    assert written["tasks"][0]["state"] == "succeeded"
    assert "✓ good" in console.file.getvalue()
    assert "7 rows" in console.file.getvalue()


def test_a_gate_stops_what_comes_after_and_nothing_else(go, stack, task, probe):
    plan = stack(task("gate"), task("after", "good", after=["gate"]), task("beside", "good"))
    result = go(plan)
    assert states(result) == {"gate": "failed", "beside": "succeeded", "after": "skipped"}
    assert [call["task"] for call in probe()].count("gate") == 1, "a gate says the same the second time"
    with pytest.raises(GateError) as caught:
        result.raise_if_failed()
    assert str(caught.value) == (
        "gate failed: 3 rows break rule quantity_positive\n"
        "  at  retail\n"
        "  fix mend the contract; then levee run sales --env local"
    )


def test_what_must_run_after_any_end_runs(go, stack, task):
    plan = stack(task("gate"), task("after", "good", after=["gate"], runIf="ALL_DONE"))
    assert states(go(plan)) == {"gate": "failed", "after": "succeeded"}


def test_a_failed_service_is_tried_again_as_the_job_says(go, stack, task, console):
    result = go(stack(task("flaky", maxRetries=1)))
    assert states(result) == {"flaky": "succeeded"}
    assert result.tasks[0].attempts == 2
    assert "OSError: the disk said no" in console.file.getvalue()


def test_a_failed_service_without_retries_is_an_engine_error(go, stack, task):
    with pytest.raises(EngineError, match="the disk said no"):
        go(stack(task("flaky"))).raise_if_failed()


@pytest.mark.parametrize(
    ("entry_point", "reason", "kind"),
    [
        ("raises", "ValueError: a bug", EngineError),
        ("leaves", "exit code 4", EngineError),
        ("dies", "ended by SIGKILL", EngineError),
        ("absent", "has no task 'absent' here", UsageError),
    ],
)
def test_every_way_to_fail_is_told(go, stack, task, entry_point, reason, kind, around):
    result = go(stack(task("bad", entry_point), task("after", "good", after=["bad"])))
    assert states(result) == {"bad": "failed", "after": "skipped"}
    with pytest.raises(kind, match=reason) as caught:
        result.raise_if_failed()
    assert "Traceback" not in str(caught.value)
    if entry_point == "raises":
        assert "Traceback" in result.log.read_text()


@pytest.mark.parametrize(("program", "reason"), [("exit 7", "exit code 7"), ("kill -9 $$", "ended by SIGKILL")])
def test_a_host_that_never_begins_is_a_failure(go, stack, task, prepared, program, reason):
    prepared.python.write_text(f"#!/bin/sh\n{program}\n")
    result = go(stack(task("good"), task("after", "good", after=["good"])))
    assert states(result) == {"good": "failed", "after": "skipped"}
    with pytest.raises(EngineError, match=reason):
        result.raise_if_failed()


def test_what_a_full_disk_cut_short_is_passed_over(go, stack, task):
    assert states(go(stack(task("cut")))) == {"cut": "succeeded"}


def test_a_task_is_stopped_at_its_timeout(go, stack, task):
    result = go(stack(task("slow", timeoutSeconds=1)))
    assert states(result) == {"slow": "failed"}
    assert result.seconds < 20
    with pytest.raises(EngineError, match="did not end within its 1 s"):
        result.raise_if_failed()


def test_starting_at_a_layer_takes_the_rest_as_done(go, stack, task, probe):
    plan = stack(task("one", "gate"), task("two", "good", after=["one"]), task("three", "good", after=["two"]))
    result = go(plan, from_layer="good")
    assert states(result) == {"two": "succeeded", "three": "succeeded"}
    assert [call["task"] for call in probe()] == ["two", "three"]


def test_two_runs_never_interleave(go, stack, task, around):
    lock = around.folder / "locks" / "run"
    with exclusive(lock, doing="levee run hr --env local"), pytest.raises(EngineError, match="levee run hr"):
        go(stack(task("good")))


RUN = """
import sys, json
from pathlib import Path
from rich.console import Console
from levee.plan import Plan, Resource
from levee.runner import DataEnv, Surroundings, job_of, run_job
root, inputs = Path(sys.argv[1]), json.loads(sys.argv[2])
urn = "urn:pulumi:local::levee::databricks:index/job:Job::sales"
job = Resource(urn=urn, type="databricks:index/job:Job", name="sales", inputs=inputs)
plan = Plan(project="levee", stack="local", operation="deployed", offline=True, resources=(job,))
env = DataEnv(root / "env", Path("x.whl"), "0")
run_job(job_of(plan, "sales"), Surroundings(root, "local"), env, Console(stderr=True))
"""


@pytest.fixture
def busy(stack, task, prepared, probe, tmp_path):
    """A `levee run` in a process of its own that is in the middle of a task, and that task's process id."""
    inputs = json.dumps(stack(task("slow")).resources[0].inputs)
    with subprocess.Popen([sys.executable, "-c", RUN, tmp_path, inputs], stderr=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 30
        while not probe():
            assert time.monotonic() < until, "the task never began"
            time.sleep(0.05)
        yield process
        process.kill()


def hosts(root):
    """The job hosts that run for this checkout."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().decode()
        except OSError:
            continue
        if "pipelines.jobhost" in command and str(root) in command:
            found.append(int(folder.name))
    return found


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_however_a_run_ends_nothing_of_it_stays(busy, go, stack, task, around, number):
    assert hosts(around.root)
    os.kill(busy.pid, number)
    busy.wait(20)
    until = time.monotonic() + 20
    while hosts(around.root) and time.monotonic() < until:
        time.sleep(0.05)
    assert hosts(around.root) == []
    assert states(go(stack(task("good")))) == {"good": "succeeded"}
    if number == signal.SIGINT:
        assert "to go on: levee run sales --env local" in busy.stderr.read()
