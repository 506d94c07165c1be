"""The full review of `prod` (all packs, Checkov, cost, comment) against a preview of the same stack.

In a clone of this checkout one commit gives a Databricks pool two workers more, and that is reviewed. A review whose
base is cached previews the head; one whose base is not brings the base up and previews it first. A plain preview has no
pack, no cost and no comment; ``levee preview`` has them all but the comparison. Each run is a process of its own, in
turns; one more of each is watched through ``/proc`` (Linux) for the processor time of its parts.

Run by ``make bench``, or alone: ``.venv/bin/python bench/review.py [RUNS]`` (needs ``make checkov``).
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from bench.preview import watched
from levee.compliance.checkov.rules import COVERAGE
from levee.compliance.checkov.worker import installed
from levee.toolchain import ensure_pulumi

ROOT: Final = Path(__file__).resolve().parents[1]
ENVIRONMENT: Final = "prod"
RUNS: Final = 3
PARTS: Final = ("levee", "engine", "program", "stand-ins", "pack", "checkov", "other")

_LEVEE: Final = (sys.executable, "-P", "-c", "from levee.cli import main; main()")
_PLAIN: Final = "plain preview, no pack"
_PREVIEW: Final = "`levee preview`, all packs"
_CACHED: Final = "review, base cached"
_COLD: Final = "review, base not cached"
_REVIEW: Final = (*_LEVEE, "review", "--base", "HEAD~1", "--env", ENVIRONMENT, "--output", "out")
WAYS: Final = {
    _PLAIN: (sys.executable, "-P", "-c", f"from levee import engine; engine.preview('.', '{ENVIRONMENT}')"),
    _PREVIEW: (*_LEVEE, "preview", ENVIRONMENT),
    _COLD: _REVIEW,
    _CACHED: _REVIEW,
}
"""The commands, in an order that leaves the last one a base that is cached."""


def main(runs: int) -> None:
    """Print the seconds of each way, and what its parts used."""
    installed()
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        _clone(clone)
        for way in WAYS:
            _timed(way, clone)  # caches filled
        _see_that_all_ran(clone)
        taken: dict[str, list[float]] = {way: [] for way in WAYS}
        for _ in range(runs):
            for way, seconds in taken.items():
                seconds.append(_timed(way, clone))
        medians = {way: statistics.median(seconds) for way, seconds in taken.items()}
        print(f"| {ENVIRONMENT} | seconds | to the plain preview | to `levee preview` |\n|---|---:|---:|---:|")
        for way, seconds in medians.items():
            print(f"| {way} | {seconds:.2f} | {seconds / medians[_PLAIN]:.2f} | {seconds / medians[_PREVIEW]:.2f} |")
        print(f"\n| processor s | {' | '.join(PARTS)} | all |\n|---|{'---:|' * (len(PARTS) + 1)}")
        for way, command in WAYS.items():
            _forget(way, clone)
            used = watched(command, clone)
            cells = " | ".join(f"{used[part].seconds:.1f}" for part in PARTS)
            print(f"| {way} | {cells} | {sum(use.seconds for use in used.values()):.1f} |", flush=True)


def _clone(clone: Path) -> None:
    """This commit, and one on top of it, in this environment and with this CLI."""
    cli = ensure_pulumi(ROOT)
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    (clone / ".venv").symlink_to(ROOT / ".venv")
    (clone / ".levee").mkdir()
    (clone / ".levee" / "bin").symlink_to(cli.parent)
    file = clone / "environments" / f"Pulumi.{ENVIRONMENT}.yaml"
    text = file.read_text(encoding="utf-8")
    assert "max_workers: 12" in text
    file.write_text(text.replace("max_workers: 12", "max_workers: 14", 1), encoding="utf-8")
    who = ("-c", "user.name=bench", "-c", "user.email=bench@example.com")
    subprocess.run(["git", *who, "commit", "--quiet", "--all", "--message", "More workers"], cwd=clone, check=True)


def _timed(way: str, clone: Path) -> float:
    _forget(way, clone)
    begun = time.perf_counter()
    done = subprocess.run(WAYS[way], cwd=clone, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begun
    if done.returncode not in {0, 1}:
        raise SystemExit(f"{way}: {done.stderr}")
    return seconds


def _forget(way: str, clone: Path) -> None:
    if way == _COLD:
        shutil.rmtree(clone / ".levee" / "review" / "bases", ignore_errors=True)


def _see_that_all_ran(clone: Path) -> None:
    """A review that skipped something would be fast."""
    (found,) = json.loads((clone / "out" / "review.json").read_text(encoding="utf-8"))["environments"]
    assert found["failure"] == ""
    assert found["counts"]["update"]
    assert found["cost"] is not None
    assert any(finding["policy"] == COVERAGE for finding in found["findings"]), "Checkov judged"
    assert (clone / "out" / "comment.md").stat().st_size


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS)
