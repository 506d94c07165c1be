"""Refines one dataset in a process that a test may kill: ``python history_worker.py CONTRACT FOLDER-OF-THE-LAKE RUN``.

Says ``ready`` when the session is open, and goes on when a line comes in.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pipelines.contracts import load_contract
from pipelines.engine import Engine
from pipelines.settings import EngineName, Layer, RunSettings
from pipelines.silver.refine import refine


def main(contract: Path, folder: Path, run: str) -> int:
    """Run the silver task's work."""
    engine = Engine.open(EngineName.SAIL)
    roots = {layer: str(folder / layer.value) for layer in Layer}
    print("ready", flush=True)
    sys.stdin.readline()
    refine(engine, load_contract(contract), RunSettings(domain="test", dataset="things", roots=roots, run_id=run))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
