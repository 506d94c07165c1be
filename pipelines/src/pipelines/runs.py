"""The run record: one row a task run under checkpoints, the same as evidence in audit and as one structured log line.

What it cost is booked as compute-seconds by node type (nodes times wall-clock seconds), which ``levee.cost`` prices.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipelines.engine.arrow_types import TIMESTAMP
from pipelines.engine.failures import failure, interrupted
from pipelines.evidence import keep
from pipelines.settings import RunSettings

if TYPE_CHECKING:
    from pipelines.contracts.model import Contract
    from pipelines.engine import Engine

log = logging.getLogger("levee.runs")

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
    ]
)


@dataclass(slots=True)
class Tally:
    """What a task counts while it runs.

    Attributes:
        files: Deliveries taken.
        rejected_files: Files that were no deliveries.
        bytes: Bytes of the deliveries.
        rows_in: Rows read.
        rows_out: Rows published.
        duplicates: Records that repeat another.
        quarantine: Rows rejected.
        rules: Rows by rule that they broke.
        nodes: Machines at work.
    """

    files: int = 0
    rejected_files: int = 0
    bytes: int = 0
    rows_in: int = 0
    rows_out: int = 0
    duplicates: int = 0
    quarantine: int = 0
    rules: dict[str, int] = field(default_factory=dict)
    nodes: int = 1


@contextmanager
def recorded(engine: Engine, settings: RunSettings, task: str, contract: Contract) -> Generator[Tally]:
    """Record a task run, whether it succeeds or fails.

    Raises:
        PipelineError: the task's own, or an engine's error in one sentence.
    """
    tally, started, clock = Tally(), datetime.now(UTC), time.perf_counter()

    def write(status: str, error: str | None) -> None:
        row = _row(engine, settings, task, contract, tally) | {
            "status": status,
            "error": error,
            "started_at": started,
            "seconds": (seconds := time.perf_counter() - clock),
            "compute_seconds": json.dumps({settings.node_type: seconds * tally.nodes}),
        }
        log.info(json.dumps(row, default=str, sort_keys=True))
        engine.append(settings.record_path(TABLE), pa.Table.from_pylist([row], schema=SCHEMA))
        keep(settings, "runs", f"{task}-{contract.dataset}", row)

    try:
        yield tally
    except Exception as error:
        if interrupted(error):
            raise KeyboardInterrupt from error
        translated = failure(error, f"{task} {settings.domain}.{contract.dataset}")
        log.debug("%s failed", task, exc_info=error)
        try:
            write("failed", translated.message)
        except Exception as unwritten:  # noqa: BLE001 - a full disk fails the record too: the task's error counts
            log.warning("the run record could not be written: %s", unwritten)
        if translated is error:
            raise
        raise translated from error
    write("succeeded", None)


def _row(engine: Engine, settings: RunSettings, task: str, contract: Contract, tally: Tally) -> dict[str, Any]:
    return {
        "run_id": settings.run_id,
        "domain": settings.domain,
        "task": task,
        "dataset": contract.dataset,
        "engine": engine.name.value,
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
    }


@cache
def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
