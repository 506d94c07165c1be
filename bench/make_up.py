"""``make up`` on a fresh clone, the first and the second time.

The first time installs both environments and the data environment from the tools' ordinary caches where they are warm,
and builds the Pulumi CLI, unless ``--with-cli`` lends it this checkout's. Run by ``make bench``, or alone:
``.venv/bin/python bench/make_up.py``.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Print seconds of the first and of the second time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--with-cli", action="store_true", help="lend the clone this checkout's Pulumi CLI")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="levee-bench-") as folder:
        clone = Path(folder) / "levee"
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        if options.with_cli:
            (clone / ".levee" / "bin").mkdir(parents=True)
            shutil.copy2(ROOT / ".levee" / "bin" / "pulumi", clone / ".levee" / "bin" / "pulumi")
        print(f"{'make up':<12}{'seconds':>8}")
        for time_of in ("first", "second"):
            started = time.perf_counter()
            done = subprocess.run(["make", "up"], cwd=clone, capture_output=True, text=True, check=False)
            seconds = time.perf_counter() - started
            if done.returncode:
                raise SystemExit(f"make up failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
            print(f"{time_of:<12}{seconds:>8.1f}", flush=True)


if __name__ == "__main__":
    main()
