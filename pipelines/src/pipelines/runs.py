"""The run record: one row a task run under checkpoints, the same as evidence in audit and as one structured log line.

A task run costs its node-seconds (:mod:`pipelines.budget.metering`) at the rate of its node type, which the environment
tells (:mod:`pipelines.budget.terms`). What else is told of it is in :mod:`pipelines.observe`.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from pipelines.budget.guard import boundary, guarded
from pipelines.budget.metering import PROCESS, Share
from pipelines.budget.pending import pending_bytes
from pipelines.engine.arrow_types import TIMESTAMP
from pipelines.engine.failures import failure, interrupted
from pipelines.errors import PipelineError
from pipelines.evidence import keep
from pipelines.observe import telemetry
from pipelines.observe.datasets import committed, event_time, published, written
from pipelines.observe.facts import Ended, Tally, TaskRun
from pipelines.settings import RunSettings

if TYPE_CHECKING:
    from pipelines.contracts.domain import Domain
    from pipelines.contracts.model import Contract
    from pipelines.engine import Engine

log = logging.getLogger("levee.runs")

T = TypeVar("T")

TABLE = "runs"
PACKAGES = ("levee-pipelines", "pysail", "pyspark", "delta-spark", "deltalake", "pyarrow")
"""Packages whose versions a record holds, where they are installed."""

SCHEMA = pa.schema(
    [
        ("run_id", pa.string()),
        ("domain", pa.string()),
        ("task", pa.string()),
        ("dataset", pa.string()),
        ("engine", pa.string()),
        ("status", pa.string()),
        ("error", pa.string()),
        ("started_at", TIMESTAMP),
        ("seconds", pa.float64()),
        ("compute_seconds", pa.string()),
        ("files", pa.int64()),
        ("rejected_files", pa.int64()),
        ("bytes", pa.int64()),
        ("rows_in", pa.int64()),
        ("rows_out", pa.int64()),
        ("duplicates", pa.int64()),
        ("quarantine", pa.int64()),
        ("rules", pa.string()),
        ("contract_version", pa.string()),
        ("contract_digest", pa.string()),
        ("versions", pa.string()),
        # A table that was made before these gets them with the next run.
        ("attempt", pa.int64()),
        ("task_run_id", pa.string()),
        ("trace_id", pa.string()),
        ("executor_seconds", pa.float64()),
        ("cost_usd", pa.decimal128(18, 9)),
        ("rate", pa.string()),
        ("cost_centre", pa.string()),
        ("layer_rows", pa.string()),
        ("newest_event_at", TIMESTAMP),
        ("newest_delivery_at", TIMESTAMP),
        ("ingestion_lag_seconds", pa.float64()),
        ("not_run", pa.string()),
        ("telemetry_failures", pa.string()),
        ("drift", pa.string()),
        ("actor", pa.string()),
        ("commits", pa.string()),
    ]
)
"""Texts of JSON: ``compute_seconds`` by node type, ``rules`` and ``layer_rows`` rows by name, ``versions`` by package,
``rate`` (``usd_per_hour``, ``node_type``, ``source``), ``not_run`` a list, ``drift`` edits by column,
``telemetry_failures`` messages lost by destination since the process began, ``commits`` the first and last version that
each table got, by layer or ``LAYER.TABLE`` (another run at the same time may have some of them). ``cost_usd`` is null
where nobody said what a node costs; ``actor`` is whoever ran it."""


@contextmanager
def recorded(
    engine: Engine, settings: RunSettings, task: str, contract: Contract, domain: Domain | None = None
) -> Generator[Tally]:
    """Record a task run, whether it succeeds or fails; hold it to its budget while it runs.

    Args:
        engine: The open engine.
        settings: What the task was told.
        task: Its name.
        contract: Contract of what it works on.
        domain: The domain, where the task knows it: lineage of gold needs the others' contracts.

    Raises:
        BudgetError: the budget does not let it start, or was spent while it ran.
        PipelineError: the task's own, or an engine's error in one sentence.
    """
    run, tally = TaskRun(settings, task, contract, engine.name, domain), Tally()
    nodes = engine.nodes()
    if nodes is None:
        tally.not_run.append("metering of workers: the cluster does not tell how many it has; one node is booked")
    with telemetry.told(run) as teller, PROCESS.running(nodes or 1) as share:
        record = _Record(engine, run, tally, share, teller)
        stopped = None
        try:
            with guarded(engine, run, lambda: pending_bytes(engine, run)) as guard:
                try:
                    yield tally
                finally:
                    stopped = guard.error() if guard is not None and guard.stopping.is_set() else None
        except Exception as error:
            if stopped is None and interrupted(error):
                raise KeyboardInterrupt from error
            translated = stopped or failure(error, run.subject)
            log.debug("%s failed", task, exc_info=error)
            try:
                record.end(translated)
            except Exception as unwritten:  # noqa: BLE001 - a full disk fails the record too: the task's error counts
                log.warning("the run record could not be written: %s", unwritten)
            if translated is error:
                raise
            raise translated from error
        record.end(None)


def in_batches(batches: Iterable[T]) -> Generator[T]:
    """Pass batches on: each is a span, and between two of them a run whose budget is spent stops.

    Raises:
        BudgetError: it is spent.
    """
    for number, batch in enumerate(batches):
        boundary()
        with telemetry.batch(number):
            yield batch


@dataclass(slots=True)
class _Record:
    """The record of a task run, written when it has ended."""

    engine: Engine
    run: TaskRun
    tally: Tally
    share: Share
    teller: telemetry.Teller
    clock: float = field(default_factory=time.perf_counter)
    before: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.before = self._versions()

    def end(self, error: PipelineError | None) -> None:
        """Tell everybody, then append the row and keep it as evidence."""
        ended = self._ended("failed" if error else "succeeded", error.message if error else None)
        if self.run.contract.alerts:
            from pipelines.alerts.task import tell  # few contracts have a channel, and it imports httpx

            tell(self.engine, ended, error)
        row = _row(ended, self.teller.end(ended), self.engine.actor(), self._commits())
        log.info(json.dumps(row, default=str, sort_keys=True))
        settings = self.run.settings
        self.engine.append(settings.record_path(TABLE), pa.Table.from_pylist([row], schema=SCHEMA))
        keep(settings, "runs", f"{self.run.task}-{self.run.contract.dataset}", row)

    def _ended(self, status: str, error: str | None) -> Ended:
        seconds, metered = time.perf_counter() - self.clock, PROCESS.seconds(self.share)
        counted = written(self.run) if status == "succeeded" else {}
        rows = {layer.value: self.engine.count(path) for layer, path in counted.items()}
        return Ended(
            self.run, self.tally, status, error, seconds, metered, rows, self._newest_event() if counted else None
        )

    def _versions(self) -> dict[str, int]:
        return {name: self.engine.version_of_records(path) for name, path in committed(self.run).items()}

    def _commits(self) -> dict[str, tuple[int, int]]:
        """The first and the last version that each of the task's tables has got since it began."""
        after = self._versions()
        return {name: (before + 1, after[name]) for name, before in self.before.items() if after[name] > before}

    def _newest_event(self) -> datetime | None:
        """The greatest event time that is published, by the table's log."""
        column = event_time(self.run.contract)
        if column is None or self.run.task not in ("silver", "replay", "gold"):
            return None
        return self.engine.newest(published(self.run), column.name)


def _row(
    ended: Ended, failures: Mapping[str, int], actor: str, commits: Mapping[str, tuple[int, int]]
) -> dict[str, Any]:
    run, tally, settings, contract = ended.run, ended.tally, ended.run.settings, ended.run.contract
    return {
        "run_id": settings.run_id,
        "domain": settings.domain,
        "task": run.task,
        "dataset": contract.dataset,
        "engine": run.engine.value,
        "status": ended.status,
        "error": ended.error,
        "started_at": run.started,
        "seconds": ended.seconds,
        "compute_seconds": json.dumps({settings.node_type: ended.executor_seconds}),
        "files": tally.files,
        "rejected_files": tally.rejected_files,
        "bytes": tally.bytes,
        "rows_in": tally.rows_in,
        "rows_out": tally.rows_out,
        "duplicates": tally.duplicates,
        "quarantine": tally.quarantine,
        "rules": json.dumps(tally.rules, sort_keys=True),
        "contract_version": contract.version,
        "contract_digest": contract.digest,
        "versions": json.dumps(_versions(), sort_keys=True),
        "drift": json.dumps(tally.drift, sort_keys=True),
        "attempt": settings.attempt,
        "task_run_id": run.id,
        "trace_id": run.trace_id,
        "executor_seconds": ended.executor_seconds,
        "cost_usd": ended.cost_usd,
        "rate": _rate(run),
        "cost_centre": settings.budget.cost_centre if settings.budget else None,
        "layer_rows": json.dumps(ended.layer_rows, sort_keys=True),
        "newest_event_at": ended.newest_event_at,
        "newest_delivery_at": tally.newest_delivery_at,
        "ingestion_lag_seconds": ended.ingestion_lag_seconds,
        "not_run": json.dumps(tally.not_run),
        "telemetry_failures": json.dumps(failures, sort_keys=True),
        "actor": actor,
        "commits": json.dumps(commits, sort_keys=True),
    }


def _rate(run: TaskRun) -> str | None:
    if run.rate is None:
        return None
    priced = {"node_type": run.settings.node_type, "usd_per_hour": str(run.rate.usd_per_hour)}
    return json.dumps(priced | {"source": run.rate.source}, sort_keys=True)


@cache
def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
