"""Where Prometheus finds the metrics: a textfile after each job run, and ``/metrics`` while a server runs.

The textfile, ``<checkpoints>/_metrics/levee_<domain>.prom``, is for the textfile collector of node_exporter
(``--collector.textfile.directory``): it is replaced as a whole and has no timestamps. Where checkpoints are no folder
of this machine there is none.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from pipelines.budget.record import TABLE as DECISIONS
from pipelines.observe.metrics import DECISION_COLUMNS, RUN_COLUMNS, families
from pipelines.settings import Layer, RunSettings
from pipelines.storage import is_url

if TYPE_CHECKING:
    from pipelines.engine import Engine

FOLDER: Final = "_metrics"
"""Under the root of checkpoints."""
RUNS: Final = "runs"


class RunRecords(Collector):
    """Reads the records of domains each time that somebody asks.

    Args:
        engine: The open engine.
        jobs: Where each domain's checkpoints are.
    """

    def __init__(self, engine: Engine, jobs: Sequence[RunSettings]) -> None:
        self._engine, self._jobs = engine, jobs

    def collect(self) -> Iterable[Metric]:
        """The metric families, by the records as they are now."""
        return families(self._rows(RUNS, RUN_COLUMNS), self._rows(DECISIONS, DECISION_COLUMNS))

    def describe(self) -> Iterable[Metric]:
        """Nothing is read when the collector is registered."""
        return ()

    def _rows(self, table: str, columns: Sequence[str]) -> list[dict[str, Any]]:
        tables = (self._engine.rows(job.record_path(table)) for job in self._jobs)
        # A table that was made before it had a column lacks it until the next run.
        return [
            row
            for found in tables
            for row in found.select([name for name in columns if name in found.column_names]).to_pylist()
        ]


def exposition(engine: Engine, jobs: Sequence[RunSettings]) -> bytes:
    """The metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(RunRecords(engine, jobs))
    return generate_latest(registry)


def write_textfile(engine: Engine, settings: RunSettings) -> Path | None:
    """Replace the domain's textfile; returns its place, ``None`` where checkpoints are no folder of this machine."""
    root = settings.root(Layer.CHECKPOINTS)
    if is_url(root):
        return None
    folder = Path(root.removeprefix("file://")) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(prefix=".", dir=folder)
    with os.fdopen(handle, "wb") as out:
        out.write(exposition(engine, [settings]))
    Path(part).chmod(0o644)
    return Path(part).replace(folder / f"levee_{settings.domain}.prom")


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """A scrape every few seconds is no news."""


def server(engine: Engine, jobs: Sequence[RunSettings], port: int) -> WSGIServer:
    """A server of ``/metrics`` on the loopback address; port 0 takes a free one."""
    registry = CollectorRegistry()
    registry.register(RunRecords(engine, jobs))
    return make_server("127.0.0.1", port, make_wsgi_app(registry), handler_class=_Quiet)
