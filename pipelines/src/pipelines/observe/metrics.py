"""Prometheus metrics, made from the run records: the same after a run (textfile) and when somebody scrapes.

Names, labels and units are what dashboards and alerts rest on: `METRICS` is the one list of them, and
``docs/reference/metrics.md`` is generated from it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeAlias

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

Row: TypeAlias = Mapping[str, Any]
"""A run record, or a decision on a budget."""
Sample: TypeAlias = tuple[tuple[str, ...], float]
"""Values of the labels, and the value."""

DURATION_BUCKETS: Final = (0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600)
"""Upper bounds of the duration histogram, seconds."""
_DATASET: Final = ("domain", "task", "dataset")


@dataclass(frozen=True, slots=True)
class Definition:
    """One metric.

    Attributes:
        name: Its name, with its unit, as Prometheus has it.
        type: ``counter``, ``gauge`` or ``histogram``.
        labels: Names of its labels.
        unit: What it counts.
        meaning: One line for readers.
        samples: Its samples of run records (or decisions, for ``source="decisions"``), oldest first, and the time.
        source: Which records it is made of.
    """

    name: str
    type: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    unit: str
    meaning: str
    samples: Callable[[Iterable[Row], datetime], Iterable[Sample]]
    source: Literal["runs", "decisions"] = "runs"


def _sum(labels: tuple[str, ...], value: Callable[[Row], float | None]) -> Callable[..., Iterable[Sample]]:
    """Add up a value of every record."""

    def samples(rows: Iterable[Row], _now: datetime) -> Iterable[Sample]:
        found: dict[tuple[str, ...], float] = defaultdict(float)
        for row in rows:
            if (number := value(row)) is not None:
                found[_key(row, labels)] += float(number)
        return found.items()

    return samples


def _sum_by(labels: tuple[str, ...], column: str) -> Callable[..., Iterable[Sample]]:
    """Add up the numbers of a JSON object, whose keys are one more label."""

    def samples(rows: Iterable[Row], _now: datetime) -> Iterable[Sample]:
        found: dict[tuple[str, ...], float] = defaultdict(float)
        for row in rows:
            for name, number in _object(row, column).items():
                found[(*_key(row, labels), name)] += float(number)
        return found.items()

    return samples


def _last_by(labels: tuple[str, ...], column: str) -> Callable[..., Iterable[Sample]]:
    """The newest numbers of a JSON object, whose keys are one more label."""

    def samples(rows: Iterable[Row], _now: datetime) -> Iterable[Sample]:
        found: dict[tuple[str, ...], float] = {}
        for row in rows:
            for name, number in _object(row, column).items():
                found[(*_key(row, labels), name)] = float(number)
        return found.items()

    return samples


def _last(
    labels: tuple[str, ...], value: Callable[[Row, datetime], float | None], *, successful: bool = False
) -> Callable[..., Iterable[Sample]]:
    """The newest value."""

    def samples(rows: Iterable[Row], now: datetime) -> Iterable[Sample]:
        found: dict[tuple[str, ...], float] = {}
        for row in rows:
            if successful and row["status"] != "succeeded":
                continue
            if (number := value(row, now)) is not None:
                found[_key(row, labels)] = float(number)
        return found.items()

    return samples


def _key(row: Row, labels: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(row.get(label) or "") for label in labels)


def _object(row: Row, column: str) -> Mapping[str, float]:
    return json.loads(row.get(column) or "{}")


def _freshness(rows: Iterable[Row], now: datetime) -> Iterable[Sample]:
    """Seconds since the newest event that is published, or since the newest delivery where no event time is known."""
    newest: dict[tuple[str, ...], dict[str, datetime]] = defaultdict(dict)
    for row in rows:
        for column in ("newest_event_at", "newest_delivery_at"):
            if row["status"] == "succeeded" and row.get(column):
                newest[_key(row, ("domain", "dataset"))][column] = row[column]
    for values, known in newest.items():
        moment = known.get("newest_event_at") or known["newest_delivery_at"]
        yield values, max((now - moment).total_seconds(), 0.0)


def _ended(row: Row) -> float:
    return row["started_at"].timestamp() + row["seconds"]


def _not_run(row: Row, _now: datetime) -> float:
    return len(json.loads(row.get("not_run") or "[]"))


METRICS: Final[tuple[Definition, ...]] = (
    Definition(
        "levee_runs_total",
        "counter",
        (*_DATASET, "engine", "status"),
        "task runs",
        "Task runs that have ended, by status (`succeeded`, `failed`).",
        _sum((*_DATASET, "engine", "status"), lambda row: 1),
    ),
    Definition(
        "levee_run_duration_seconds",
        "histogram",
        ("domain", "task"),
        "seconds",
        "Wall-clock time of task runs.",
        lambda rows, now: (),
    ),
    Definition(
        "levee_last_run_timestamp_seconds",
        "gauge",
        _DATASET,
        "seconds since 1970, UTC",
        "When the newest task run ended.",
        _last(_DATASET, lambda row, now: _ended(row)),
    ),
    Definition(
        "levee_last_success_timestamp_seconds",
        "gauge",
        _DATASET,
        "seconds since 1970, UTC",
        "When the newest task run that succeeded ended.",
        _last(_DATASET, lambda row, now: _ended(row), successful=True),
    ),
    Definition(
        "levee_rows_read_total",
        "counter",
        _DATASET,
        "rows",
        "Rows that task runs have read.",
        _sum(_DATASET, lambda row: row["rows_in"]),
    ),
    Definition(
        "levee_rows_written_total",
        "counter",
        _DATASET,
        "rows",
        "Rows that task runs have published.",
        _sum(_DATASET, lambda row: row["rows_out"]),
    ),
    Definition(
        "levee_layer_rows",
        "gauge",
        ("domain", "dataset", "layer"),
        "rows",
        "Rows that the dataset's table has in a layer, after the newest task run that wrote it.",
        _last_by(("domain", "dataset"), "layer_rows"),
    ),
    Definition(
        "levee_quarantined_rows_total",
        "counter",
        ("domain", "dataset"),
        "rows",
        "Rows that were rejected into quarantine.",
        _sum(("domain", "dataset"), lambda row: row["quarantine"]),
    ),
    Definition(
        "levee_duplicate_rows_total",
        "counter",
        ("domain", "dataset"),
        "rows",
        "Records that repeat another.",
        _sum(("domain", "dataset"), lambda row: row["duplicates"]),
    ),
    Definition(
        "levee_rule_failures_total",
        "counter",
        ("domain", "dataset", "rule"),
        "rows",
        "Rows that broke a rule; one row may break several.",
        _sum_by(("domain", "dataset"), "rules"),
    ),
    Definition(
        "levee_rejected_files_total",
        "counter",
        ("domain", "dataset"),
        "files",
        "Files that were no deliveries.",
        _sum(("domain", "dataset"), lambda row: row["rejected_files"]),
    ),
    Definition(
        "levee_input_bytes_total",
        "counter",
        _DATASET,
        "bytes",
        "Size of the deliveries that task runs have read.",
        _sum(_DATASET, lambda row: row["bytes"]),
    ),
    Definition(
        "levee_freshness_seconds",
        "gauge",
        ("domain", "dataset"),
        "seconds",
        "Age of the newest event that is published (the SLA's `latency` or a check of freshness names the column), or "
        "of the newest delivery taken where no event time is known.",
        _freshness,
    ),
    Definition(
        "levee_ingestion_lag_seconds",
        "gauge",
        ("domain", "dataset"),
        "seconds",
        "From the newest delivery to the end of the run that took it in.",
        _last(("domain", "dataset"), lambda row, now: row.get("ingestion_lag_seconds"), successful=True),
    ),
    Definition(
        "levee_executor_seconds_total",
        "counter",
        (*_DATASET, "node_type"),
        "node-seconds",
        "Metered time of nodes; tasks at work at the same time share it.",
        _sum_by(_DATASET, "compute_seconds"),
    ),
    Definition(
        "levee_cost_usd_total",
        "counter",
        (*_DATASET, "cost_centre"),
        "US dollars",
        "What node-seconds cost at the environment's rates; runs without a rate are not in it.",
        _sum((*_DATASET, "cost_centre"), lambda row: row.get("cost_usd")),
    ),
    Definition(
        "levee_not_run",
        "gauge",
        _DATASET,
        "parts",
        "What the contract asks for and the engine of the newest task run lacked.",
        _last(_DATASET, _not_run),
    ),
    Definition(
        "levee_telemetry_failures",
        "gauge",
        ("domain", "destination"),
        "messages",
        "Messages about runs that the newest process could not deliver, by destination.",
        _last_by(("domain",), "telemetry_failures"),
    ),
    Definition(
        "levee_budget_usd",
        "gauge",
        ("domain", "cost_centre"),
        "US dollars",
        "Budget of the month, as the newest decision knew it.",
        _last(("domain", "cost_centre"), lambda row, now: row["budget_usd"]),
        "decisions",
    ),
    Definition(
        "levee_budget_decisions_total",
        "counter",
        ("domain", "cost_centre", "verdict"),
        "decisions",
        "Decisions on the cost of task runs.",
        _sum(("domain", "cost_centre", "verdict"), lambda row: 1),
        "decisions",
    ),
)
"""Every metric. A name, label or unit here is never changed: dashboards and alerts rest on it."""


RUN_COLUMNS: Final = (
    *_DATASET,
    "engine",
    "status",
    "started_at",
    "seconds",
    "rows_in",
    "rows_out",
    "layer_rows",
    "quarantine",
    "duplicates",
    "rules",
    "rejected_files",
    "bytes",
    "newest_event_at",
    "newest_delivery_at",
    "ingestion_lag_seconds",
    "compute_seconds",
    "cost_usd",
    "cost_centre",
    "not_run",
    "telemetry_failures",
)
DECISION_COLUMNS: Final = ("domain", "cost_centre", "verdict", "budget_usd", "decided_at")
"""What metrics are made of; the records have much more, and there are years of them."""


def families(runs: Iterable[Row], decisions: Iterable[Row], now: datetime | None = None) -> list[Metric]:
    """Make the metric families of run records and decisions.

    Args:
        runs: Rows of the tables ``runs``.
        decisions: Rows of the tables ``budget_decisions``.
        now: The time, UTC.
    """
    records = {
        "runs": sorted(runs, key=lambda row: row["started_at"]),
        "decisions": sorted(decisions, key=lambda row: row["decided_at"]),
    }
    moment = now or datetime.now(UTC)
    return [_family(each, records[each.source], moment) for each in METRICS]


def _family(definition: Definition, rows: list[Row], now: datetime) -> Metric:
    if definition.type == "histogram":
        return _durations(definition, rows)
    make = CounterMetricFamily if definition.type == "counter" else GaugeMetricFamily
    labels = definition.labels
    family = make(definition.name, definition.meaning, labels=labels)
    for values, number in sorted(definition.samples(rows, now)):
        family.add_metric(values, number)
    return family


def _durations(definition: Definition, rows: Iterable[Row]) -> Metric:
    family = HistogramMetricFamily(definition.name, definition.meaning, labels=definition.labels)
    seconds: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for row in rows:
        seconds[_key(row, definition.labels)].append(row["seconds"])
    for values, taken in sorted(seconds.items()):
        buckets = [(str(float(bound)), float(sum(each <= bound for each in taken))) for bound in DURATION_BUCKETS]
        family.add_metric(values, [*buckets, ("+Inf", float(len(taken)))], sum(taken))
    return family
