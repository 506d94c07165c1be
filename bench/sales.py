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
import resource
import subprocess
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / "pipelines" / ".venv" / "bin" / "python"
WORK = Path(__file__).parent / "by_hand" / "sales.py"
CONTESTANTS = ("levee-sail", "script-sail", "duckdb", "polars", "levee-spark", "script-spark")
LAYERS = ("bronze", "silver", "gold")
ROWS = 541_909
LARGEST_ON_SPARK = 10


def main() -> int:
    """Print a table; 1 where a contestant's sums are wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--copies", default="1", help="sizes, e.g. 1,10,100; above 10 only what does not run on Spark")
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
            print(f"\n{copies} x {ROWS:,} rows, {len(list(landing.iterdir()))} files, load {os.getloadavg()[0]:.1f}")
            print(f"{'':<14}" + "".join(f"{name:>10}" for name in (*LAYERS, "wall s", "CPU s", "rows/s")))
            for name in options.only.split(","):
                if copies > LARGEST_ON_SPARK and name.endswith("spark"):
                    continue
                result = measure(name, landing, Path(folder) / f"{name}-{copies}", copies)
                measured.append(result)
                show(result)
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


def measure(name: str, landing: Path, lake: Path, copies: int) -> dict[str, object]:
    """Run one contestant in a process of its own."""
    environment = {**os.environ, "LEVEE_PSEUDONYM_KEY": "bench" * 8}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [PYTHON, WORK, name, landing, lake]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
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
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"contestant": name, "copies": copies, "cpu_with_start": round(cpu, 2), **result}


def show(result: dict[str, object]) -> None:
    """Print one line."""
    seconds = [float(str(result[layer])) for layer in LAYERS]
    numbers = [*seconds, sum(seconds), float(str(result["cpu_with_start"]))]
    rate = ROWS * int(str(result["copies"])) / sum(seconds)
    print(f"{result['contestant']:<14}" + "".join(f"{n:>10.2f}" for n in numbers) + f"{rate:>10,.0f}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
