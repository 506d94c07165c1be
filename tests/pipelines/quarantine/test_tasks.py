"""The tasks as the command line and a job start them, killed on the way, and by what a person may ask."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pipelines import jobs
from pipelines.failpoints import FAILPOINTS, VARIABLE
from pipelines.quarantine.__main__ import main
from pipelines.settings import Layer

ROWS = " customer_id date number_of_cds dollar_value\n 00001 19970101 1 11.77\n 00012 199701 1 12.00\n"
"""Two purchases, the second of no day."""
POINTS = tuple(name for name in FAILPOINTS if name.startswith("quarantine."))


class Died(BaseException):
    """What a test raises in the place of a SIGKILL."""


BUDGET = {"cost_centre": "cc-1", "monthly_usd": "50.0", "policy": "warn", "grace_seconds": 60, "warn_at": 0.8}
TOLD = f"--budget={json.dumps({**BUDGET, 'source': 'a file: budgets.total'})}"
"""A parameter of every deployed task, with blanks in it."""


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parameters of a lake of the sales domain, with `ROWS` delivered and judged."""
    monkeypatch.setenv("LEVEE_PSEUDONYM_KEY", "0123456789abcdef" * 4)
    monkeypatch.setenv("LEVEE_ENGINE", "sail")
    landing = tmp_path / "landing" / "sales" / "cdnow"
    landing.mkdir(parents=True)
    (landing / "1997-01.txt").write_text(ROWS)
    argv = ["--domain=sales", "--sources=cdnow", *(f"--{layer.value}={tmp_path / layer.value}" for layer in Layer)]
    jobs.bronze([*argv, "--dataset=cdnow"])
    jobs.silver([*argv, "--dataset=cdnow"])
    return argv


def command(argv: list[str], folder: Path, verb: str, **request: Any) -> list[str]:
    file, answer = folder / "request.json", folder / "answer.json"
    file.write_text(json.dumps({"dataset": "cdnow", **request}))
    answer.unlink(missing_ok=True)
    return [*argv, TOLD, f"--verb={verb}", f"--request={file}", "--json", str(answer)]


def ask(argv: list[str], folder: Path, verb: str, **request: Any) -> dict[str, Any]:
    assert main(command(argv, folder, verb, **request)) == 0
    return json.loads((folder / "answer.json").read_bytes())


def replay(argv: list[str]) -> None:
    jobs.bronze([*argv, "--dataset=cdnow"])
    jobs.replay([*argv, "--dataset=cdnow"])


def states(argv: list[str], folder: Path) -> set[str]:
    """States of whatever is in quarantine."""
    return {one["state"] for one in ask(argv, folder, "list")["counts"]}


def test_a_process_that_dies_after_landing_is_made_good_by_the_same_command(lake: list[str], tmp_path: Path) -> None:
    (record,) = ask(lake, tmp_path, "list")["records"]
    told = command(lake, tmp_path, "correct", id=record["id"], fields={"date": "19970112"})
    killed = subprocess.run(
        [sys.executable, "-m", "pipelines.quarantine", *told],
        env={**os.environ, VARIABLE: "quarantine.landed"},
        check=False,
        capture_output=True,
    )
    assert killed.returncode == -signal.SIGKILL
    jobs.bronze([*lake, "--dataset=cdnow"])  # and a run came in between
    answer = ask(lake, tmp_path, "correct", id=record["id"], fields={"date": "19970112"})
    assert answer["file"] == f"1997-01-correction-{record['id']}-1.txt"
    replay(lake)
    assert states(lake, tmp_path) == {"replayed"}
    assert ask(lake, tmp_path, "list")["records"] == []


@pytest.mark.parametrize("point", POINTS)
def test_wherever_it_dies_doing_it_again_ends_the_same(
    lake: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    def die(_process: int, _signal: int) -> None:
        raise Died

    (record,) = ask(lake, tmp_path, "list")["records"]
    waiving = point == "quarantine.before_entry"
    verb, request = "correct", {"id": record["id"], "fields": {"date": "19970112"}}
    if waiving:
        verb, request = "waive", {"ids": [record["id"]]}

    def work() -> None:
        main(command(lake, tmp_path, verb, **request, reason="why"))
        replay(lake)

    with monkeypatch.context() as patched:
        patched.setattr("pipelines.failpoints.os.kill", die)
        patched.setattr("pipelines.failpoints._reached", Counter())
        patched.setenv(VARIABLE, point)
        with pytest.raises(Died):
            work()
    history = ask(lake, tmp_path, "show", id=record["id"])["history"]
    assert main(command(lake, tmp_path, verb, **request, reason="why")) == (2 if history else 0)  # 2: it was entered
    replay(lake)
    replay(lake)
    assert states(lake, tmp_path) == {"waived" if waiving else "replayed"}
    corrections = [file.name for file in (tmp_path / "landing").rglob("*correction*")]
    assert len(corrections) == (0 if waiving else 1)


def test_a_request_is_checked_and_not_repeated(
    lake: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(lake, tmp_path, "waive", ids=["0" * 16], rule="date_type", reason="why")) == 2
    assert main(command(lake, tmp_path, "correct", id="Bob's", fields={})) == 2
    said = capsys.readouterr().err
    assert said.count("the request cannot be read") == 2
    assert "Bob" not in said
