"""The import rules hold back what they are there to hold back: a module that breaks one is found."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WHEEL = ROOT / "pipelines" / "src" / "pipelines"


def test_of_the_wheel_the_toolkit_may_import_nothing_but_contracts(tmp_path: Path) -> None:
    for name in ("levee", "components", "policy_packs", "stacks"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    parts = {path.stem for path in WHEEL.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    others = sorted(f"pipelines.{name}" for name in parts - {"__init__", "contracts"})
    probe = ["pipelines.contracts", *others]
    (tmp_path / "levee" / "probe.py").write_text("".join(f"import {name}\n" for name in probe))
    linted = subprocess.run(
        [ROOT / ".venv" / "bin" / "lint-imports", "--contract", "toolkit-contracts", "--no-cache"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{WHEEL.parent}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 1, linted.stdout + linted.stderr
    refused = set(re.findall(r"^levee is not allowed to import (\S+):$", linted.stdout, re.MULTILINE))
    # Through the others contracts are reached too, by a way that is refused as a whole.
    assert refused - {"pipelines.contracts"} == set(others)
