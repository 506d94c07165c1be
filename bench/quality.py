"""Twenty checks on many rows, three per cent bad: one pass against Great Expectations with a split, and pandera.

Run by ``make bench``, or alone: ``.venv/bin/python bench/quality.py --help``. The work is ``bench/by_hand/quality.py``,
which runs in the wheel's environment.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / "pipelines" / ".venv" / "bin" / "python"
WORK = Path(__file__).parent / "by_hand" / "quality.py"

if __name__ == "__main__":
    raise SystemExit(subprocess.run([str(PYTHON), str(WORK), *sys.argv[1:]], check=False).returncode)
