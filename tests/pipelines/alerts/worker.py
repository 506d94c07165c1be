"""Fails a task in a process that a test may kill: ``python worker.py LAKE CONTRACT RUN``."""

from __future__ import annotations

import sys
from pathlib import Path

from pipelines.contracts import load_contract
from pipelines.engine import Engine
from pipelines.errors import QualityError
from pipelines.runs import recorded
from pipelines.settings import EngineName, Layer, RunSettings


def main(folder: Path, path: Path, run: str) -> int:
    """Run the task."""
    roots = {layer: str(folder / layer.value) for layer in Layer}
    settings = RunSettings(domain="test", dataset="things", roots=roots, run_id=run)
    try:
        with recorded(Engine.open(EngineName.SAIL), settings, "bronze", load_contract(path)):
            raise QualityError("the count law does not hold")
    except QualityError as error:
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
