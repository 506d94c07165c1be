"""The process that runs a job's tasks; tests/levee/runner runs it as `levee run` does."""

import json
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import PipelineError, QualityError, UsageError
from pipelines.jobhost import Events, HostJob, HostTask, installed, main, read, run


def task(key, *after, **more):
    return HostTask(key=key, package="levee_pipelines", entry_point=key, argv=(), depends_on=after, **more)


def host(tmp_path, tasks, behave):
    """Run tasks that do what `behave` says; their events."""
    file = tmp_path / "events.jsonl"
    file.unlink(missing_ok=True)
    job = HostJob(run_id="r", events=file, tasks=tuple(tasks))
    code = run(job, Events(file), lambda one: lambda argv: behave(one.key))
    return code, [json.loads(line) for line in file.read_text().splitlines()]


def told(events, kind):
    return [event["task"] for event in events if event["event"] == kind]


@given(data=st.data(), size=st.integers(1, 8))
def test_a_task_runs_if_and_only_if_all_before_it_succeeded(tmp_path_factory, data, size):
    names = [f"t{number}" for number in range(size)]
    tasks = [
        task(name, *data.draw(st.sets(st.sampled_from(names[:i]) if i else st.nothing())))
        for i, name in enumerate(names)
    ]
    bad = data.draw(st.sets(st.sampled_from(names)))

    def behave(key):
        return 1 if key in bad else 0

    code, events = host(tmp_path_factory.mktemp("host"), tasks, behave)
    reached = {}
    for one in tasks:
        reached[one.key] = all(reached[key] and key not in bad for key in one.depends_on)
    assert set(told(events, "task_started")) == {key for key, ok in reached.items() if ok}
    assert set(told(events, "task_skipped")) == {key for key, ok in reached.items() if not ok}
    assert code == int(any(reached[key] for key in bad))


def test_only_a_failed_service_is_tried_again(tmp_path):
    def behave(key):
        raise PipelineError("the disk said no") if key == "service" else QualityError("3 rows break a rule")

    code, events = host(tmp_path, [task("service", max_retries=2), task("gate", max_retries=2)], behave)
    assert told(events, "task_started") == ["service"] * 3 + ["gate"]
    assert [e["again"] for e in events if e["event"] == "task_failed"] == [True, True, False, False]
    assert code == 3


def test_a_bug_is_not_tried_again(tmp_path):
    code, events = host(tmp_path, [task("bug", max_retries=2)], lambda key: key + 1)
    assert told(events, "task_started") == ["bug"]
    assert (code, events[-1]["error"]["kind"]) == (3, "TypeError")


def test_a_failure_carries_its_place_and_its_mend(tmp_path):
    def behave(key):
        raise QualityError("3 rows break a rule", where="sales.retail", fix="mend the contract")

    _, events = host(tmp_path, [task("gate")], behave)
    error = events[-1]["error"]
    assert error == {
        "kind": "QualityError",
        "message": "3 rows break a rule",
        "where": "sales.retail",
        "fix": "mend the contract",
        "exit_code": 1,
    }


def test_an_entry_point_that_is_not_installed_is_answered_with_those_that_are():
    with pytest.raises(UsageError, match="levee_pipelines has no task 'platinum' here; it has "):
        installed(task("platinum"))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"run_id": "r"}', '{"run_id": "r", "events": "e", "jobs": []}'])
def test_what_is_no_job_file_is_refused(tmp_path, content, capsys):
    file = tmp_path / "job.json"
    file.write_text(content)
    with pytest.raises(UsageError, match="not a job file"):
        read(file)
    assert main([str(file)]) == 2
    assert "start jobs with `levee run`" in capsys.readouterr().err


def test_it_ends_when_its_starter_is_gone():
    wait = "import pipelines.jobhost as host, time; host._die_with_stdin(); print('up', flush=True); time.sleep(60)"
    process = subprocess.Popen(
        [sys.executable, "-c", wait], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    with process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        started = time.monotonic()
        process.stdin.close()
        assert process.wait(20) == -9
        assert time.monotonic() - started < 15
