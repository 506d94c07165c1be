"""A history is whole whenever a run ends: killed at each of its commits, or with another run beside it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.bronze.ingest import ingest
from pipelines.contracts import Contract
from pipelines.engine import Engine
from pipelines.failpoints import VARIABLE
from pipelines.settings import Layer
from pipelines.silver.refine import refine

if TYPE_CHECKING:
    from conftest import Lake, MakeContract

WORKER = Path(__file__).with_name("history_worker.py")
COLUMNS: tuple[dict[str, Any], ...] = (
    {"name": "id", "logicalType": "string", "required": True},
    {"name": "at", "logicalType": "date", "required": True},
    {"name": "name", "logicalType": "string"},
)
FIRST = "id,at,name\n1,2026-01-02,one\n1,2026-01-08,eight\n2,2026-01-01,two\n"
SECOND = "id,at,name\n1,2026-01-04,late\n2,2026-01-03,new\n3,2026-01-01,three\nx,no date,bad\n"
TABLES = ("things", "things_history", "things_changes")
OF_A_RUN = {"_batch_id", "_ingested_at", "_run_id"}


def contract_of(make_contract: MakeContract, kind: int) -> Contract:
    return make_contract(*COLUMNS, history={"type": kind, "businessKey": ["id"], "effectiveFrom": "at"})


def start(contract: Contract, lake: Lake, run: str, failpoint: str = "") -> subprocess.Popen[str]:
    worker = subprocess.Popen(
        [sys.executable, str(WORKER), str(contract.path), str(lake.folder), run],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, VARIABLE: failpoint},
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == "ready\n"
    return worker


def go_on(worker: subprocess.Popen[str]) -> None:
    assert worker.stdin is not None
    worker.stdin.write("\n")
    worker.stdin.flush()


def ended(worker: subprocess.Popen[str]) -> tuple[int, str]:
    with worker:
        try:
            _, errors = worker.communicate()
        except BaseException:
            worker.kill()  # leaving the block waits for its end, also where the test's timeout was raised
            raise
    return worker.returncode, errors


def rows(engine: Engine, lake: Lake) -> dict[str, list[tuple[Any, ...]]]:
    """What every table of the dataset has, but for what tells of the run."""
    found = {}
    for table in TABLES:
        path = lake.settings.table_path(Layer.SILVER, table)
        if engine.exists(path):
            frame = engine.read(path)
            names = sorted(set(frame.columns) - OF_A_RUN)
            found[table] = sorted((tuple(row) for row in frame.select(*names).collect()), key=repr)
    return found


def prepared(engine: Engine, contract: Contract, lake: Lake) -> None:
    """The first delivery is in silver, the second one in bronze."""
    lake.deliver("1.csv", FIRST)
    ingest(engine, contract, lake.settings)
    refine(engine, contract, lake.settings)
    lake.deliver("2.csv", SECOND)
    ingest(engine, contract, lake.run(2))


@pytest.mark.parametrize(
    ("kind", "failpoint"),
    [(4, "silver.before_history"), (4, "silver.historised"), (4, "silver.historised:2"), (1, "silver.settled")],
)
def test_killed_and_run_again(
    sail: Engine,
    make_contract: MakeContract,
    make_lake: Callable[[], Lake],
    kind: int,
    failpoint: str,
) -> None:
    contract = contract_of(make_contract, kind)
    whole, killed = make_lake(), make_lake()
    for lake in (whole, killed):
        prepared(sail, contract, lake)
    refine(sail, contract, whole.run(2))
    worker = start(contract, killed, "killed", failpoint)
    go_on(worker)
    assert ended(worker)[0] == -signal.SIGKILL
    assert rows(sail, killed) != rows(sail, whole) or failpoint in ("silver.historised:2", "silver.settled")
    (batch,) = refine(sail, contract, killed.run(3)).batches
    assert batch.balanced
    assert rows(sail, killed) == rows(sail, whole)


def test_two_at_once(sail: Engine, make_contract: MakeContract, make_lake: Callable[[], Lake]) -> None:
    contract = contract_of(make_contract, 4)
    alone, shared = make_lake(), make_lake()
    for lake in (alone, shared):
        prepared(sail, contract, lake)
    refine(sail, contract, alone.run(2))
    workers = [start(contract, shared, run) for run in ("one", "another")]
    for worker in workers:
        go_on(worker)
    assert [ended(worker) for worker in workers] == [(0, ""), (0, "")]
    assert rows(sail, shared) == rows(sail, alone)
