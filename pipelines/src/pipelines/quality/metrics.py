"""The record of every batch's metrics, under checkpoints, and what they come to for a dataset."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from pipelines import clock
from pipelines.engine.arrow_types import TIMESTAMP
from pipelines.ledger import Ledger, Status, latest
from pipelines.quality.measures import Metric, Metrics
from pipelines.settings import Layer, RunSettings

if TYPE_CHECKING:
    from pipelines.contracts.model import Contract
    from pipelines.engine import Engine

METRICS: Final = "quality_metrics"
"""Table under checkpoints: one row a metric and batch; a batch that was refined again has its newest rows count."""
EXACT: Final = pa.decimal128(38, 12)
SCHEMA: Final = pa.schema(
    [
        ("dataset", pa.string()),
        ("batch_id", pa.string()),
        ("run_id", pa.string()),
        ("contract_digest", pa.string()),
        ("kind", pa.string()),
        ("subject", pa.string()),
        ("part", pa.int64()),
        ("definition", pa.string()),
        ("accepted", EXACT),
        ("rejected", EXACT),
        ("recorded_at", TIMESTAMP),
    ]
)


def record_metrics(engine: Engine, settings: RunSettings, contract: Contract, batch_id: str, metrics: Metrics) -> None:
    """Append a batch's metrics to the record."""
    common = {
        "dataset": contract.dataset,
        "batch_id": batch_id,
        "run_id": settings.run_id,
        "contract_digest": contract.digest,
        "recorded_at": clock.later(engine, settings.record_path(METRICS), "recorded_at"),
    }
    rows = [asdict(metric) | common for metric in metrics.items]
    engine.append(settings.record_path(METRICS), pa.Table.from_pylist(rows, schema=SCHEMA))


def recorded_batches(engine: Engine, settings: RunSettings, dataset: str) -> dict[str, Metrics]:
    """Return the newest metrics of every batch that silver has of a dataset, in the order of their recording.

    A batch that the ledger no longer names (its deliveries were cut into other batches by a replay, or have left) does
    not count.
    """
    entries = latest(Ledger(engine, settings).entries(Layer.SILVER, dataset))
    standing = {entry.batch_id for entry in entries.values() if entry.status is Status.COMMITTED}
    found = engine.rows(settings.record_path(METRICS), matching={"dataset": dataset}).to_pylist()
    newest: dict[str, datetime] = {}
    for row in sorted(found, key=lambda row: row["recorded_at"]):
        newest.pop(row["batch_id"], None)  # to the end: in the order of the newest recording
        newest[row["batch_id"]] = row["recorded_at"]
    rows: dict[str, list[Metric]] = {batch: [] for batch in newest if batch in standing}
    for row in found:
        if row["batch_id"] in rows and row["recorded_at"] == newest[row["batch_id"]]:
            rows[row["batch_id"]].append(_metric(row))
    return {batch: Metrics(tuple(metrics)) for batch, metrics in rows.items()}


def _metric(row: dict[str, Any]) -> Metric:
    return Metric(row["kind"], row["subject"], row["part"], row["definition"], row["accepted"], row["rejected"])
