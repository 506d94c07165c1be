"""The medallion of `sales` on online-retail against the same work written by hand, layer by layer.

Contestants, each in a process of its own, sessions opened and modules imported before the clock starts:

* ``levee``: the product's tasks, on ``sail`` and on ``spark``: deliveries by content, byte-exact raw records, rules of
  the contract, quarantine, pseudonyms, ledger, count law, run record;
* ``script``: one hand-written script on the same engine that leaves the same tables, column by column, adds new files
  by content, makes the rest anew and counts that no row was lost; it keeps no ledger and knows of no other run;
* ``duckdb`` and ``polars``: hand-written too; they keep no raw records, and reject no malformed ones.

Every contestant writes Delta tables; nothing is timed that only counts. Copies of the data are shifted by two years
each, so that no line repeats. Run by ``make bench``, or alone:
``.venv/bin/python bench/sales.py [--copies 1,10] [--only levee-sail,duckdb]``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / "pipelines" / ".venv" / "bin" / "python"
WORK = Path(__file__).parent / "by_hand" / "sales.py"
CONTESTANTS = ("levee-sail", "script-sail", "duckdb", "polars", "levee-spark", "script-spark")
LAYERS = ("bronze", "silver", "gold")
ROWS = 541_909
LARGEST_ON_SPARK = 10
KEYS = [f"{layer}{kind}" for layer in LAYERS for kind in ("", "_cpu")]
Result = dict[str, object]


def main() -> int:
    """Print a table; 1 where a contestant's sums are wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--copies", default="1,10", help="sizes, e.g. 1,10,100; above 10 without Spark")
    parser.add_argument("--rounds", type=int, default=3, help="of one copy; more copies are run once")
    parser.add_argument("--only", default=",".join(CONTESTANTS), help="contestants")
    parser.add_argument("--json", type=Path, help="write the measurements there too")
    options = parser.parse_args()
    data = os.environ.get("LEVEE_DATA")
    if not data:
        print("skipped: LEVEE_DATA is not set, so there is no online-retail to measure on")
        return 0
    measured = []
    with tempfile.TemporaryDirectory(prefix="levee-bench-") as folder:
        for copies in map(int, options.copies.split(",")):
            landing = lay(Path(data), Path(folder), copies)
            names = [n for n in options.only.split(",") if copies <= LARGEST_ON_SPARK or not n.endswith("spark")]
            runs: dict[str, list[Result]] = {name: [] for name in names}
            for number in range(options.rounds if copies == 1 else 1):
                for name in names:
                    lake = Path(folder) / f"{name}-{copies}-{number}"
                    runs[name].append(measure(name, landing, lake, copies))
                    shutil.rmtree(lake)
            shutil.rmtree(landing.parents[1])
            measured += [result for results in runs.values() for result in results]
            show(copies, runs)
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1))
    return 0


def lay(data: Path, folder: Path, copies: int) -> Path:
    """Lay down `copies` of each trading day's file, each two years on."""
    landing = folder / f"landing-{copies}" / "sales" / "online_retail"
    landing.mkdir(parents=True)
    with tarfile.open(data / "online-retail" / "by-day.tar.xz") as archive:
        for member in archive:
            if not (member.isfile() and (content := archive.extractfile(member))):
                continue
            octets = content.read()
            for copy in range(copies):
                shifted = octets
                for year in (2010, 2011):
                    shifted = shifted.replace(b",%d-" % year, b",%d-" % (year + 2 * copy))
                (landing / f"{copy:03d}-{Path(member.name).name}").write_bytes(shifted)
    return landing


def measure(name: str, landing: Path, lake: Path, copies: int) -> Result:
    """Run one contestant in a process of its own."""
    environment = {**os.environ, "LEVEE_PSEUDONYM_KEY": "bench" * 8}
    command = [PYTHON, WORK, name, landing, lake]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr[-3000:]}")
    result = json.loads(done.stdout.splitlines()[-1])
    expected = {
        "silver_rows": 392_692 * copies,
        "quarantine_rows": 143_949 * copies,
        "revenue": f"{8_887_208.894 * copies:.3f}",
    }
    wrong = {key: result[key] for key, value in expected.items() if str(result[key]) != str(value)}
    if wrong:
        raise SystemExit(f"{name} is wrong: {wrong}, expected {expected}")
    return {"contestant": name, "copies": copies, **result}


def show(copies: int, runs: Mapping[str, Sequence[Result]]) -> None:
    """Print a table of medians in Markdown: seconds by layer, and how long Levee takes to each on its engine."""
    rows = ROWS * copies
    rounds = max(map(len, runs.values()))
    print(f"\n{copies} x {ROWS:,} rows, medians of {rounds}, load {os.getloadavg()[0]:.1f}\n")
    print("| | bronze | silver | gold | all | processor s | rows/s | Levee to it | processor | processor by layer |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---|")
    medians = {name: {key: _median(results, key) for key in KEYS} for name, results in runs.items()}
    for name, found in medians.items():
        total, worked = (sum(found[f"{layer}{kind}"] for layer in LAYERS) for kind in ("", "_cpu"))
        ours = medians.get(f"levee-{name.rpartition('-')[2]}", medians.get("levee-sail"))
        told = ["", "", ""]
        if ours and not name.startswith("levee"):
            own, own_work = (sum(ours[f"{layer}{kind}"] for layer in LAYERS) for kind in ("", "_cpu"))
            ratios = {layer: ours[f"{layer}_cpu"] / max(found[f"{layer}_cpu"], 0.01) for layer in LAYERS}
            told = [f"{own / total:.2f}", f"{own_work / worked:.2f}"]
            told.append(", ".join(f"{layer} {ratio:.2f}" for layer, ratio in ratios.items()))
        each = " | ".join(f"{found[layer]:.2f}" for layer in LAYERS)
        numbers = f"{each} | {total:.2f} | {worked:.2f} | {rows / total:,.0f}"
        print(f"| {name} | {numbers} | {' | '.join(told)} |", flush=True)


def _median(results: Sequence[Result], key: str) -> float:
    return statistics.median(float(str(result[key])) for result in results)


if __name__ == "__main__":
    raise SystemExit(main())
