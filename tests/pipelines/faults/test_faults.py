"""Killed, interrupted, out of disk, two at once: after a rerun the tables are as if nothing had happened."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.engine import Engine
from pipelines.failpoints import VARIABLE
from pipelines.sources import find, land

WORKER = Path(__file__).with_name("worker.py")
TABLES = ("bronze", "silver", "quarantine")
INGESTING = [
    "bronze.before_commit",
    "bronze.committed",
    "bronze.recorded",
    "silver.before_commit",
    "silver.published",
    "silver.rejected",
    "silver.counted",
    "silver.recorded",
]
"""Failpoints on the way of a plain delivery into silver; the others have tests beside what they are about."""
STAGING = ["silver.staged", "staging.linked", "silver.published", "silver.rejected"]
"""Failpoints on the way of a batch that is staged."""
LINEAGE_OF_A_RUN = ("_ingested_at", "_run_id")
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"


def start(lake: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "LEVEE_PSEUDONYM_KEY": "k" * 40, "LEVEE_RUN_ID": "run", **variables}
    worker = subprocess.Popen(
        [sys.executable, str(WORKER), str(lake), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == "ready\n"
    return worker


def finish(worker: subprocess.Popen[str]) -> tuple[int, str]:
    with worker:
        try:
            _, errors = worker.communicate()
        except BaseException:
            worker.kill()  # leaving the block waits for its end, also where the test's timeout was raised
            raise
    return worker.returncode, errors


def digest(engine: Engine, lake: Path) -> dict[str, tuple[int, str]]:
    """Number of rows and a hash over the multiset of rows, by table."""
    found = {}
    for table in TABLES:
        frame = engine.read(str(lake / table / "sales" / "online_retail"))
        names = sorted(name for name in frame.columns if name not in LINEAGE_OF_A_RUN)
        text = ", ".join(f"coalesce(CAST({n} AS STRING), '<null>')" if n != "_raw" else f"hex({n})" for n in names)
        row = frame.selectExpr(f"conv(substring(md5(concat_ws('|', {text})), 1, 12), 16, 10) AS h").selectExpr(
            "count(*) AS n", "CAST(sum(CAST(h AS DECIMAL(20,0))) AS STRING) AS s"
        )
        found[table] = tuple(row.collect()[0])
    return found


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small lake's landing folder: repeats, rejected rows, malformed ones, over several files."""
    folder = tmp_path_factory.mktemp("small") / "landing"
    target = folder / "sales" / "online_retail"
    target.mkdir(parents=True)
    for day in range(1, 7):
        lines = [
            f"{day}{n:04d},S{n % 7},thing,{n % 5},2011-01-{day:02d} 10:00:00,{n % 11}.5,{17000 + n % 13}.0,France\n"
            for n in range(500)
        ]
        (target / f"2011-01-{day:02d}.csv").write_text(HEADER + "".join(lines) + lines[0] + '1,"open,2\n')
    return folder


@pytest.fixture(scope="module")
def undisturbed(sail: Engine, landing: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, float]:
    """What the tables are without a fault, and how long both tasks take."""
    lake = copy(landing, tmp_path_factory.mktemp("undisturbed"))
    worker = start(lake)
    clock = time.monotonic()
    assert finish(worker) == (0, "")
    return digest(sail, lake), time.monotonic() - clock


def copy(landing: Path, lake: Path) -> Path:
    shutil.copytree(landing, lake / "landing", copy_function=os.link)
    return lake


def killed_and_run_again(lake: Path, after: float) -> None:
    worker = start(lake)
    time.sleep(after)
    worker.send_signal(signal.SIGKILL)
    finish(worker)
    assert finish(start(lake)) == (0, "")


@pytest.mark.parametrize("moment", [0.3, 0.7])
def test_kill(sail: Engine, landing: Path, undisturbed: tuple[dict, float], tmp_path: Path, moment: float) -> None:
    expected, seconds = undisturbed
    lake = copy(landing, tmp_path)
    killed_and_run_again(lake, seconds * moment)
    assert digest(sail, lake) == expected


@pytest.mark.slow
@pytest.mark.parametrize("name", INGESTING)
def test_kill_at_each_failpoint(
    sail: Engine, landing: Path, undisturbed: tuple[dict, float], tmp_path: Path, name: str
) -> None:
    lake = copy(landing, tmp_path)
    assert finish(start(lake, **{VARIABLE: name}))[0] == -signal.SIGKILL, f"{name} was not reached"
    assert finish(start(lake)) == (0, "")
    assert digest(sail, lake) == undisturbed[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", STAGING)
def test_kill_of_a_large_batch(
    sail: Engine, landing: Path, undisturbed: tuple[dict, float], tmp_path: Path, name: str
) -> None:
    lake = copy(landing, tmp_path)
    assert finish(start(lake, "staged", **{VARIABLE: name}))[0] == -signal.SIGKILL, f"{name} was not reached"
    assert finish(start(lake, "staged")) == (0, "")
    assert digest(sail, lake) == undisturbed[0]
    assert list((lake / "checkpoints" / "sales" / "staged" / "online_retail").iterdir()) == []


def test_interrupt(sail: Engine, landing: Path, undisturbed: tuple[dict, float], tmp_path: Path) -> None:
    expected, seconds = undisturbed
    lake = copy(landing, tmp_path)
    worker = start(lake)
    time.sleep(seconds * random.uniform(0.2, 0.8))
    worker.send_signal(signal.SIGINT)
    finish(worker)
    assert finish(start(lake)) == (0, "")
    assert digest(sail, lake) == expected


@pytest.mark.parametrize("kilobytes", [16])
def test_full_disk(
    sail: Engine, landing: Path, undisturbed: tuple[dict, float], tmp_path: Path, kilobytes: int
) -> None:
    lake = copy(landing, tmp_path)
    limit = kilobytes << 10
    worker = start(lake)
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (limit, limit))
    code, errors = finish(worker)
    assert code == 3
    assert errors.startswith("the disk is full\n")
    assert "fix free some space and run again" in errors
    assert "Traceback" not in errors
    assert finish(start(lake)) == (0, "")
    assert digest(sail, lake) == undisturbed[0]


NO_SPACE = """
set -e
mount -t tmpfs -o size=$((SIZE + $(du -sk "$LANDING" | cut -f1)))k tmpfs "$LAKE"
cp -r "$LANDING" "$LAKE/landing"
"$PYTHON" "$WORKER" "$LAKE" || echo "ended with $?" >&2
mount -o remount,size=1g "$LAKE"
"$PYTHON" "$WORKER" "$LAKE"
cp -r "$LAKE/." "$KEPT"
"""
"""The task on a small file system of its own, which is full, and again when there is space."""


def namespaces() -> bool:
    """Whether a process may have mounts of its own."""
    tried = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return (
        shutil.which("unshare") is not None and subprocess.run(tried, check=False, capture_output=True).returncode == 0
    )


@pytest.mark.slow
@pytest.mark.skipif(not namespaces(), reason="this system lets nobody mount a file system of his own (unshare -rm)")
@pytest.mark.parametrize("kilobytes", [8, 60, 150, 300])
def test_no_space_left(
    sail: Engine, landing: Path, undisturbed: tuple[dict, float], tmp_path: Path, kilobytes: int
) -> None:
    lake, kept = tmp_path / "lake", tmp_path / "kept"
    lake.mkdir()
    kept.mkdir()
    places = {"LAKE": lake, "LANDING": landing, "KEPT": kept, "PYTHON": sys.executable, "WORKER": WORKER}
    told = {**{name: str(place) for name, place in places.items()}, "SIZE": str(kilobytes)}
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", NO_SPACE],
        env={**os.environ, "LEVEE_PSEUDONYM_KEY": "k" * 40, "LEVEE_RUN_ID": "run", **told},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "the disk is full" in done.stderr
    assert "ended with 3" in done.stderr
    assert "Traceback" not in done.stderr
    assert digest(sail, kept) == undisturbed[0]


def test_two_at_once(sail: Engine, landing: Path, undisturbed: tuple[dict, float], tmp_path: Path) -> None:
    lake = copy(landing, tmp_path)
    workers = [start(lake), start(lake)]
    assert [finish(worker) for worker in workers] == [(0, ""), (0, "")]
    assert digest(sail, lake) == undisturbed[0]


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not os.environ.get("LEVEE_DATA"), reason="LEVEE_DATA is not set: no online-retail here")
def test_ten_kills_on_online_retail(sail: Engine, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    deliveries = find("online-retail").deliveries(os.environ, tmp_path / "cache")
    land(deliveries, whole / "landing" / "sales" / "online_retail")
    worker = start(whole)
    clock = time.monotonic()
    assert finish(worker) == (0, "")
    seconds = time.monotonic() - clock
    expected = digest(sail, whole)
    seed = random.randrange(1 << 30)
    moments = random.Random(seed)
    for number in range(10):
        lake = copy(whole / "landing", tmp_path / str(number))
        after = moments.uniform(0, seconds)
        killed_and_run_again(lake, after)
        assert digest(sail, lake) == expected, f"killed after {after:.2f} s of {seconds:.2f} s, seed {seed}"
        shutil.rmtree(lake)
