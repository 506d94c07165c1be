"""A second run changes nothing; nor does ``kill -9`` at ten random moments, once a run is left alone.

Again and again, until ten kills met a run at work: an empty lake, a run that is killed, another that goes on from there
and is killed, a run that is left alone. Every table of bronze, silver, quarantine and gold is compared, as the multiset
of its rows without ``_ingested_at`` and ``_run_id``.
"""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SEED = int(os.environ.get("LEVEE_KILL_SEED", str(random.SystemRandom().randrange(10**6))))
KILLS = 10
MOST_ROUNDS = 12

DIGEST = """
import hashlib, json, sys
from pathlib import Path
from deltalake import DeltaTable

def digest(folder):
    table = DeltaTable(str(folder)).to_pyarrow_table()
    kept = table.drop_columns([n for n in table.column_names if n in ("_ingested_at", "_run_id")])
    rows = sorted(repr(sorted(row.items())) for row in kept.to_pylist())
    return [len(rows), hashlib.sha256("\\n".join(rows).encode()).hexdigest()]

lake = Path(sys.argv[1])
tables = sorted(log.parent for log in lake.rglob("_delta_log"))
layers = ("bronze", "silver", "quarantine", "gold")
kept = [t for t in tables if t.relative_to(lake).parts[0].split("-")[2] in layers]
print(json.dumps({str(t.relative_to(lake)): digest(t) for t in kept}))
"""


@pytest.fixture
def checkout(tmp_path):
    """A checkout of the program with this one's environments and Pulumi CLI."""
    for name in ("stacks", "environments", "policy_packs", "pipelines", "tools"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", ".venv"))
    for name in ("Pulumi.yaml", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".levee").mkdir()
    for name in (".venv", ".levee/bin", ".levee/uv"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


@pytest.fixture
def levee(checkout, monkeypatch):
    """Runs `levee` in the checkout, on the data that a package ships."""
    monkeypatch.delenv("LEVEE_DATA", raising=False)

    def call(*arguments):
        command = [ROOT / ".venv" / "bin" / "levee", *arguments]
        done = subprocess.run(command, cwd=checkout, capture_output=True, text=True)
        assert done.returncode == 0, f"seed {SEED}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"

    return call


def tables(checkout):
    python = checkout / ".levee" / "data-env" / "bin" / "python"
    lake = checkout / ".levee" / "local" / "lake"
    return json.loads(subprocess.run([python, "-c", DIGEST, lake], check=True, capture_output=True, text=True).stdout)


def killed_after(checkout, seconds):
    """Start a run and kill it; whether it was still at work."""
    command = [ROOT / ".venv" / "bin" / "levee", "run", "sales"]
    with subprocess.Popen(command, cwd=checkout, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        time.sleep(seconds)
        alive = process.poll() is None
        if alive:
            os.kill(process.pid, signal.SIGKILL)
    return alive


def files(checkout):
    """Every file of the lake and its content, but for the records of the runs themselves."""
    lake = checkout / ".levee" / "local" / "lake"
    kept = [f for f in lake.rglob("*") if f.is_file() and "/sales/runs/" not in str(f)]
    return {str(f.relative_to(lake)): hashlib.sha256(f.read_bytes()).hexdigest() for f in kept}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_second_time_changes_nothing(checkout, levee):
    levee("up", "local")
    levee("run", "sales")
    levee("report", "local")
    before = files(checkout)
    levee("up", "local")
    plan = json.loads((checkout / ".levee" / "local" / "plans" / "up.json").read_text())
    assert set(plan["summary"]["by_op"]) == {"same"}
    levee("run", "sales")
    assert files(checkout) == before
    assert (checkout / ".levee" / "local" / "report.html").stat().st_size > 10_000


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ten_kills_change_nothing(checkout, levee):
    levee("up", "local")
    started = time.monotonic()
    levee("run", "sales")
    whole = time.monotonic() - started
    expected = tables(checkout)
    assert len(expected) >= 6

    chance = random.Random(SEED)
    hits = 0
    for number in range(MOST_ROUNDS):
        shutil.rmtree(checkout / ".levee" / "local" / "lake")
        moments = [chance.uniform(0.1, 0.8) * whole, chance.uniform(0.1, 0.5) * whole]
        hits += sum(killed_after(checkout, moment) for moment in moments)
        levee("run", "sales")
        assert tables(checkout) == expected, f"round {number}, {moments}: LEVEE_KILL_SEED={SEED} repeats it"
        if hits >= KILLS:
            return
    pytest.fail(f"only {hits} of {2 * MOST_ROUNDS} kills met a run at work")
