"""``python -m pipelines.observe JOBS.json [--port 9464]``: serve ``/metrics`` on 127.0.0.1 until Ctrl-C.

The file is a JSON list with the parameters of one task of each job: ``[["--domain=sales", "--checkpoints=…"]]``. The
place is written to standard output, one JSON line: ``{"url": "http://127.0.0.1:9464/metrics"}``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from wsgiref.simple_server import WSGIServer

from pipelines.errors import PipelineError
from pipelines.settings import RunSettings

PORT = 9464
"""The port that Prometheus' wiki keeps for OpenTelemetry's exporter, free of any other service."""


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until interrupted."""
    from pipelines.engine import Engine
    from pipelines.observe.exposition import server

    parser = argparse.ArgumentParser(prog="python -m pipelines.observe", description=__doc__, allow_abbrev=False)
    parser.add_argument("jobs", type=Path, help="JSON list of parameter lists")
    parser.add_argument("--port", type=int, default=PORT, help="0 for a free one")
    parser.add_argument("--die-with-stdin", action="store_true", help="end as soon as standard input closes")
    options = parser.parse_args(argv)
    try:
        jobs = [RunSettings.parse(each) for each in json.loads(options.jobs.read_text())]
        serving = server(Engine.open(jobs[0].engine), jobs, options.port)
    except PipelineError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except OSError as error:
        sys.stderr.write(f"port {options.port} cannot be had: {error.strerror}\n  fix choose another: --port 0\n")
        return PipelineError.exit_code
    with serving:
        sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{serving.server_port}/metrics"}) + "\n")
        sys.stdout.flush()
        if options.die_with_stdin:
            threading.Thread(target=_end_with_stdin, args=(serving,), daemon=True, name="die-with-stdin").start()
        try:
            serving.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


def _end_with_stdin(serving: WSGIServer) -> None:
    """End the server when whoever started it is gone, even by ``kill -9``."""
    while os.read(0, 4096):
        pass
    serving.shutdown()


if __name__ == "__main__":
    sys.exit(main())
