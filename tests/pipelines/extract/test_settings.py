"""What a setting does to the job: an extraction that can never succeed is not tried again, one that may is."""

from __future__ import annotations

import json

import pytest

from pipelines.extract.task import extract_if_any
from pipelines.jobhost import Events, HostJob, HostTask, run
from pipelines.tables import run_tables, tables_error

TASK = HostTask(key="tables", package="levee_pipelines", entry_point="tables", argv=(), max_retries=2)
UNSET = {"user": "env:NOBODY_SET_THIS"}


def job(sail, lake, contract):
    """Extract in the grouped task of a job, as often as it is worth: the exit code, and what became of each try."""

    def tables(argv):
        done = run_tables(sail, lake.settings, [contract], {"extract": extract_if_any}, workers=1)
        if error := tables_error(done):
            raise error
        return 0

    events = lake.folder / "events.jsonl"
    code = run(HostJob(run_id="r", events=events, tasks=(TASK,)), Events(events), lambda task: tables)
    told = [json.loads(line) for line in events.read_text().splitlines()]
    return code, [event["error"]["message"] for event in told if event["event"] == "task_failed"]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (UNSET, "NOBODY_SET_THIS with a secret is not set"),
        ({"password": "file:/nowhere/password"}, "secret cannot be read"),
    ],
)
def test_a_missing_secret_of_a_database_is_told_once(sail, lake, of_table, keys, said):
    code, failures = job(sail, lake, of_table(**keys))
    assert code == 2
    assert len(failures) == 1
    assert said in failures[0]


def test_a_refused_password_is_told_once(sail, lake, of_table, monkeypatch):
    monkeypatch.setenv("SHOP_USER", "guarded")
    code, failures = job(sail, lake, of_table())
    assert (code, len(failures)) == (2, 1)
    assert "authentication failed" in failures[0]


@pytest.mark.parametrize(
    ("status", "auth", "outcome"),
    [(200, {"bearer": "env:NOBODY_SET_THIS"}, (2, 1)), (401, None, (2, 1)), (404, None, (2, 1)), (500, None, (3, 3))],
)
def test_only_what_may_pass_of_an_api_is_tried_again(sail, lake, api, of_api, status, auth, outcome):
    api.respond = lambda path, headers: (status, {}, b"[]")
    code, failures = job(sail, lake, of_api(attempts=1, **({"auth": auth} if auth else {})))
    assert (code, len(failures)) == outcome
