"""Many small tables in one job on Sail: seconds, processor seconds and peak memory, and how they grow.

Each table has 100 rows in one file, of which three break a rule. The run is the wheel's own task over all of them, in
one session; sessions are opened and contracts read before the clock starts. Run by ``make bench``, or alone:
``.venv/bin/python bench/tables.py [--tables 50,500] [--steps bronze,silver,quality] [--repeat 3]``. What it prints is
the table of ``bench/README.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / "pipelines" / ".venv" / "bin" / "python"
WORK = Path(__file__).parent / "by_hand" / "tables.py"
STEPS = ("bronze,silver", "bronze,silver,quality")
HEADINGS = ("steps", "tables", "s", "ms a table", "processor s", "processor ms a table", "peak MiB", "load")
AIM_SECONDS = 60
AIM_TABLES = 500


def main() -> int:
    """Print a table; 1 where the aim of bronze and silver is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", default="50,150,500", help="how many, e.g. 50,500")
    parser.add_argument("--steps", action="append", help="what is done with each, e.g. bronze,silver; repeatable")
    parser.add_argument("--repeat", type=int, default=3, help="runs of which the median counts")
    parser.add_argument("--json", type=Path, help="write the measurements there too")
    options = parser.parse_args()
    found, missed = [], False
    print("| " + " | ".join(HEADINGS) + " |")
    print("|---|" + "---:|" * (len(HEADINGS) - 1))
    for steps in options.steps or STEPS:
        for tables in map(int, options.tables.split(",")):
            runs = [measure(tables, steps) for _ in range(options.repeat)]
            one = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
            found.append({"steps": steps, "tables": tables, **one})
            missed |= steps == STEPS[0] and tables == AIM_TABLES and one["seconds"] > AIM_SECONDS
            print(row(steps, tables, one), flush=True)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))
    return int(missed)


def row(steps: str, tables: int, one: dict[str, Any]) -> str:
    """One row of the Markdown table."""
    seconds, processor = one["seconds"], one["processor"]
    cells = [steps.replace(",", ", "), f"{tables:,}", f"{seconds:.1f}", f"{seconds / tables * 1000:.0f}"]
    cells += [f"{processor:.1f}", f"{processor / tables * 1000:.0f}", f"{one['peak_mib']:,.0f}"]
    return "| " + " | ".join([*cells, f"{os.getloadavg()[0]:.1f}"]) + " |"


def measure(tables: int, steps: str) -> dict[str, Any]:
    """One run, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="levee-bench-") as folder:
        done = subprocess.run(
            [str(PYTHON), str(WORK), folder, str(tables), steps], capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    raise SystemExit(main())
