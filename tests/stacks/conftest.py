"""Previews of the shipped environments by the real engine: one an environment, shared by every test process."""

from __future__ import annotations

import math
import os
import pickle
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from levee import engine
from levee.lock import exclusive
from levee.plan import Plan
from levee.toolchain import ensure_pulumi

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project in a folder of its own, where no other run's state is."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("Pulumi.yaml", "environments", "stacks", ".venv"):
        (folder / name).symlink_to(ROOT / name)
    return folder


@pytest.fixture(scope="session")
def run() -> Callable[..., Plan]:
    """A function that previews a stack offline."""
    pulumi = ensure_pulumi(ROOT)

    def preview(folder: Path, name: str, **options: Any) -> Plan:
        return engine.preview(folder, name, engine.Options(pulumi=pulumi, **options))

    return preview


@pytest.fixture(scope="session")
def preview(
    checkout: Path, run: Callable[..., Plan], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Plan]:
    """A function from the name of an environment to its plan, before anything exists."""
    session = tmp_path_factory.getbasetemp()
    shared = session.parent if os.environ.get("PYTEST_XDIST_WORKER") else session

    def once(name: str) -> Plan:
        made = shared / f"plan-{name}.pickle"
        with exclusive(shared / f"plan-{name}.lock", doing=f"preview {name}", patience=math.inf):
            if not made.exists():
                made.write_bytes(pickle.dumps(run(checkout, name)))
        return pickle.loads(made.read_bytes())

    return cache(once)
