"""Runs bronze and silver of one dataset in a process that a test may kill: ``python worker.py LANDING-AND-TABLES``.

With ``staged`` behind it silver works as it does on large batches.

Says ``ready`` when the session is open and ``done`` when both tasks have ended.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pipelines import jobs
from pipelines.engine import Engine
from pipelines.errors import PipelineError
from pipelines.settings import EngineName, Layer
from pipelines.silver import refinement


def main(folder: Path) -> int:
    """Run the tasks as a job does, by their entry points."""
    if "staged" in sys.argv:
        refinement.COMPUTED_ROWS = -1
    Engine.open(EngineName(os.environ.get("LEVEE_ENGINE", "sail")))
    print("ready", flush=True)
    argv = ["--domain", "sales", "--dataset", "online_retail"]
    for layer in Layer:
        argv += [f"--{layer.value}", str(folder / layer.value)]
    try:
        jobs.bronze(argv)
        jobs.silver(argv)
    except PipelineError as error:
        print(error, file=sys.stderr, flush=True)
        return error.exit_code
    print("done", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
