"""Every failpoint that is listed is in the code once, and does nothing unless a test asks."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import pipelines
from pipelines.failpoints import FAILPOINTS, REACHED, VARIABLE


def test_every_listed_failpoint_is_in_the_code_once() -> None:
    source = Path(pipelines.__file__).parent
    calls = Counter(
        name for path in source.rglob("*.py") for name in re.findall(r"failpoint\(\"([\w.]+)\"\)", path.read_text())
    )

    assert calls == Counter(FAILPOINTS.keys())


@pytest.mark.parametrize(("wanted", "reached"), [("a.point", 1), ("a.point:2", 2), ("another", 3), (None, 3)])
def test_a_failpoint_kills_only_when_it_is_asked_for(wanted: str | None, reached: int, tmp_path: Path) -> None:
    program = (
        "from pipelines.failpoints import failpoint\n"
        "for _ in range(3):\n    print('here', flush=True)\n    failpoint('a.point')\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, REACHED: str(tmp_path / "reached"), VARIABLE: wanted or ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.stdout.split() == ["here"] * reached
    assert (tmp_path / "reached").read_text().split() == ["a.point"] * reached
    assert run.returncode == (0 if reached == 3 else -signal.SIGKILL)
