"""Rows that are held on disk: each run its own, and nothing of a dead one."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa

from pipelines.engine import Engine
from pipelines.quality.held import held

DYING = """
import os, signal, sys
import pyarrow as pa
from pipelines.engine import Engine
from pipelines.quality.held import held
from pipelines.settings import EngineName

engine = Engine.open(EngineName.SAIL)
with held(engine, engine.frame(pa.table({"n": [1]})), sys.argv[1]):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_two_of_one_name_hold_their_own(sail: Engine, tmp_path: Path) -> None:
    folder = str(tmp_path / "held" / "batch-run")
    with held(sail, sail.frame(pa.table({"n": [1]})), folder) as first:
        with held(sail, sail.frame(pa.table({"n": [2, 3]})), folder) as second:
            assert (first.count(), second.count()) == (1, 2)
        assert first.toArrow()["n"].to_pylist() == [1]
    assert list((tmp_path / "held").iterdir()) == []


def test_what_a_dead_run_has_left_goes_with_the_next(sail: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "held" / "batch"
    died = subprocess.run([sys.executable, "-c", DYING, f"{folder}-run-1"], check=False, capture_output=True)
    assert died.returncode == -signal.SIGKILL
    assert [path.is_dir() for path in sorted(folder.parent.iterdir())] == [True, False]
    with held(sail, sail.frame(pa.table({"n": [1]})), f"{folder}-run-2") as rows:
        assert rows.count() == 1
        assert len(list(folder.parent.iterdir())) == 2
    assert list(folder.parent.iterdir()) == []
