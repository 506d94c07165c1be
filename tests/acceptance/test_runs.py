"""A second run changes nothing; nor does ``kill -9`` at ten random moments, once a run is left alone.

Five times over: an empty lake, a run that is killed, another that goes on from there and is killed, a run that is left
alone. Every table of bronze, silver, quarantine and gold is compared, as the multiset
of its rows without ``_ingested_at`` and ``_run_id``.
"""

import hashlib
import json
import os
import random
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SEED = int(os.environ.get("LEVEE_KILL_SEED", str(random.SystemRandom().randrange(10**6))))
KILLS = 10
FEWEST_EVENTS = 50
"""Of a run that finds nothing to do: the start and the end of each of its 25 tasks."""

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


def killed_in_the_middle(checkout, chance):
    """Start a run and kill it at a random moment: some events into it, and a little later than that."""
    runs = checkout / ".levee" / "local" / "runs"
    before = set(runs.iterdir())
    wanted = chance.randrange(FEWEST_EVENTS - 2)
    command = [ROOT / ".venv" / "bin" / "levee", "run", "sales"]
    with subprocess.Popen(command, cwd=checkout, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            events = [run / "events.jsonl" for run in set(runs.iterdir()) - before]
            if any(file.exists() and file.read_bytes().count(b"\n") >= wanted for file in events):
                time.sleep(chance.uniform(0, 0.2))
                break
            time.sleep(0.01)
        alive = process.poll() is None
        process.kill()
    assert alive, f"the run was over before it was killed, {wanted} events into it"


OF_RUNS = ("/sales/runs/", "/sales/openlineage/", "/sales/budget_decisions/", "/_metrics/")
"""What every run adds to: its records, events, decisions and metrics."""


def files(checkout):
    """Every file of the lake and its content, but for what tells of the runs themselves."""
    lake = checkout / ".levee" / "local" / "lake"
    kept = [f for f in lake.rglob("*") if f.is_file() and not any(part in str(f) for part in OF_RUNS)]
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
    levee("run", "sales")
    expected = tables(checkout)
    assert len(expected) >= 6

    chance = random.Random(SEED)
    for number in range(KILLS // 2):
        shutil.rmtree(checkout / ".levee" / "local" / "lake")
        killed_in_the_middle(checkout, chance)
        killed_in_the_middle(checkout, chance)
        levee("run", "sales")
        assert tables(checkout) == expected, f"round {number}: LEVEE_KILL_SEED={SEED} repeats it"
