"""Extracts one dataset and refines it in a process that a test may kill: ``python worker.py LAKE CONTRACT RUN``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pipelines.bronze.ingest import ingest
from pipelines.contracts import load_contract
from pipelines.engine import Engine
from pipelines.errors import PipelineError
from pipelines.extract.task import extract
from pipelines.secret_references import SecretReference
from pipelines.settings import EngineName, Layer, RunSettings
from pipelines.silver.refine import refine


def main(folder: Path, path: Path, run: str) -> int:
    """Run the three tasks."""
    engine = Engine.open(EngineName(os.environ.get("LEVEE_ENGINE", "sail")))
    roots = {layer: str(folder / layer.value) for layer in Layer}
    settings = RunSettings(
        domain="test",
        dataset="things",
        roots=roots,
        run_id=run,
        pseudonym_key=SecretReference("env", "LEVEE_PSEUDONYM_KEY"),
    )
    contract = load_contract(path)
    try:
        extract(engine, contract, settings)
        ingest(engine, contract, settings)
        refine(engine, contract, settings)
    except PipelineError as error:
        print(error, file=sys.stderr, flush=True)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
