"""Preview of N components offline, with the merged pack, against the same program under Pulumi's own mocks.

Each component holds one S3 bucket with five tags. The floor is the program's own work: ``pulumi.runtime.set_mocks``
in one process, no engine, no provider, no pack. A last run of each size is watched through ``/proc`` (Linux): the peak
resident memory (``VmHWM``) and the processor time of every process that a preview starts.

Run by ``make bench``, or alone: ``.venv/bin/python bench/preview.py [SIZE ...]``.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from levee import compliance, engine

SIZES = (64, 256, 1000, 2500)
RUNS = 3
EVERY = 0.02
"""Seconds between two looks at the processes; each look costs well under a millisecond."""
ROLES = {
    "levee.engine.standin": "stand-ins",
    "tools/checkov": "checkov",
    "levee.compliance": "pack",
    "program.py": "program",
    "bin/pulumi": "engine",
}
"""What in a process's command line tells its part; the first that fits."""

PROGRAM = """
import pulumi
import pulumi_aws as aws

TAGS = {
    "owner": "data-platform", "cost-centre": "CC-1234", "environment": "dev",
    "data-classification": "internal", "managed-by": "levee", "expires-on": "2099-01-01",
}

class Store(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("bench:index:Store", name, {}, opts)
        bucket = aws.s3.Bucket(f"{name}-bucket", tags=TAGS, opts=pulumi.ResourceOptions(parent=self))
        self.register_outputs({"arn": bucket.arn})

def build(count):
    for index in range(count):
        Store(f"store-{index}")
"""

MOCKED = """
import sys, time
sys.path.insert(0, ".")
import pulumi
class Mocks(pulumi.runtime.Mocks):
    def new_resource(self, args): return args.name, dict(args.inputs)
    def call(self, args): return {}
pulumi.runtime.set_mocks(Mocks(), preview=True)
from store import build
@pulumi.runtime.test
def run():
    build(int(sys.argv[1]))
start = time.perf_counter()
run()
print(time.perf_counter() - start)
"""


@dataclass(frozen=True)
class Use:
    """What the processes of one part used.

    Attributes:
        mebibytes: The sum of their peak resident memory, MiB.
        seconds: Their processor time, user and system, seconds.
    """

    mebibytes: float
    seconds: float


def main(sizes: tuple[int, ...]) -> None:
    """Print the tables: time against the floor, growth, memory and processor time by process."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "Pulumi.yaml").write_text("name: bench\nruntime: python\n")
        (root / "store.py").write_text(PROGRAM)
        (root / "mocked.py").write_text(MOCKED)
        (root / "__main__.py").write_text(
            "import pulumi\nfrom store import build\nbuild(pulumi.Config().require_int('count'))\n"
        )
        print(f"one component (start-up): {statistics.median(_preview(root, 1) for _ in range(RUNS)):.2f} s\n")
        print("| components | resources | offline preview, s | ms a resource | under mocks, s | ratio |")
        print("|---:|---:|---:|---:|---:|---:|")
        taken: dict[int, float] = {}
        for size in sizes:
            offline, floor = [], []
            for _ in range(RUNS):
                offline.append(_preview(root, size))
                floor.append(_mocked(root, size))
            taken[size], mocks = statistics.median(offline), statistics.median(floor)
            resources = 2 * size
            print(
                f"| {size:,} | {resources:,} | {taken[size]:.2f} | {1000 * taken[size] / resources:.2f} | {mocks:.2f} "
                f"| {taken[size] / mocks:.1f} |",
                flush=True,
            )
        print("\n| from | to | ms for each resource more |\n|---:|---:|---:|")
        for fewer, more in pairwise(taken):
            print(f"| {fewer:,} | {more:,} | {1000 * (taken[more] - taken[fewer]) / (2 * (more - fewer)):.2f} |")
        parts = ("engine", "program", "pack", "stand-ins", "levee")
        print(f"\n| components | {' | '.join(parts)} | all |\n|---:|{'---:|' * (len(parts) + 1)}")
        for size in sizes:
            used = watched([sys.executable, __file__, "--one", str(root), str(size)])
            cells = [f"{used[part].mebibytes:.0f} MiB, {used[part].seconds:.2f} s" for part in parts]
            together = f"{sum(use.mebibytes for use in used.values()):.0f} MiB"
            print(f"| {size:,} | {' | '.join(cells)} | {together} |", flush=True)


def _preview(root: Path, size: int) -> float:
    start = time.perf_counter()
    plan = engine.preview(
        root,
        "bench",
        engine.Options(
            config={"count": str(size)},
            packs=(compliance.merged_pack(),),
            pack_config=compliance.pack_config(None),
        ),
    )
    seconds = time.perf_counter() - start
    assert plan.summary.resources == 2 * size
    return seconds


def _mocked(root: Path, size: int) -> float:
    ran = subprocess.run([sys.executable, "mocked.py", str(size)], cwd=root, capture_output=True, text=True, check=True)
    return float(ran.stdout)


def watched(command: Sequence[str], folder: Path | None = None) -> dict[str, Use]:
    """What each part used of a run of Levee in a process of its own; what fits no part is "other"."""
    levee = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    last: dict[int, tuple[str, Use]] = {}
    while levee.poll() is None:
        for pid in _family(levee.pid):
            seen = _look(pid, levee.pid)
            if seen is not None:
                last[pid] = seen
        time.sleep(EVERY)
    assert levee.returncode == 0
    used: dict[str, Use] = defaultdict(lambda: Use(0, 0))
    for part, use in last.values():
        used[part] = Use(used[part].mebibytes + use.mebibytes, used[part].seconds + use.seconds)
    return used


def _family(root: int) -> list[int]:
    """The process and all that it has started, and they."""
    found = [root]
    for pid in found:
        try:
            for task in Path(f"/proc/{pid}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
        except FileNotFoundError:  # it has just ended
            continue
    return found


def _look(pid: int, levee: int) -> tuple[str, Use] | None:
    """The part of a process and what it has used so far; nothing when it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        command = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return None
    peak = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")), None)
    if peak is None:  # a zombie
        return None
    part = "levee" if pid == levee else next((part for mark, part in ROLES.items() if mark in command), "other")
    seconds = (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")
    return part, Use(int(peak) / 1024, seconds)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        _preview(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main(tuple(int(size) for size in sys.argv[1:]) or SIZES)
