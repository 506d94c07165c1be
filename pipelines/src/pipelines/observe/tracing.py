"""A span a job run, a task run and a batch, where ``OTEL_EXPORTER_OTLP_ENDPOINT`` says where to.

Trace and job span have ids made from the run's name, so that the tasks of one job run are one trace, whatever processes
and machines they run on. Attributes follow OpenTelemetry's semantic conventions where there is one (``error.type``,
``db.*``, ``service.*``); the others begin with ``levee.``.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, Protocol

from pipelines.observe.facts import Ended, TaskRun, job_span_id, trace_id
from pipelines.settings import RunSettings

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from pipelines.observe.otlp import Exporting

ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
"""Base URL of an OTLP/HTTP receiver (OpenTelemetry specification, OTLP exporter configuration)."""

_task: ContextVar[tuple[Exporting, Span] | None] = ContextVar("levee_task_span", default=None)


class TaskSpan(Protocol):
    """The span of a task run."""

    def end(self, ended: Ended) -> None:
        """End it with what is known now."""
        ...


class _NoSpan:
    def end(self, ended: Ended) -> None:
        """Nobody listens."""


class _TaskSpan:
    def __init__(self, exporting: Exporting, span: Span) -> None:
        self._exporting, self._span = exporting, span

    def end(self, ended: Ended) -> None:
        self._span.set_attributes(_outcome(ended))
        if ended.error is not None:
            self._exporting.failed(self._span, ended.error)
        self._exporting.end(self._span)


@contextmanager
def task(run: TaskRun) -> Generator[TaskSpan]:
    """Open the span of a task run; the spans of its batches and its log lines belong to it."""
    exporting = _exporting()
    if exporting is None:
        yield _NoSpan()
        return
    settings = run.settings
    parent = exporting.remote(trace_id(settings.domain, settings.run_id), job_span_id(settings.domain, settings.run_id))
    span = exporting.start(f"{run.task} {settings.domain}.{run.contract.dataset}", parent, _beginning(run))
    token = _task.set((exporting, span))
    try:
        with exporting.current(span):
            yield _TaskSpan(exporting, span)
    finally:
        _task.reset(token)
        if span.is_recording():  # its end was not told: it was interrupted
            exporting.failed(span, "interrupted")
            span.end()
        exporting.send()


@contextmanager
def batch(number: int) -> Generator[None]:
    """Open the span of a batch of the task at work in this thread."""
    at_work = _task.get()
    if at_work is None:
        yield
        return
    exporting, above = at_work
    span = exporting.start(f"batch {number}", exporting.under(above), {"levee.batch": number})
    try:
        yield
    finally:
        span.end()


@contextmanager
def job(settings: RunSettings) -> Generator[None]:
    """Open the span of a job run, which the spans of its tasks have as their parent."""
    exporting = _exporting()
    if exporting is None:
        yield
        return
    ids = (trace_id(settings.domain, settings.run_id), job_span_id(settings.domain, settings.run_id))
    span = exporting.start_with_ids(f"job {settings.domain}", *ids, _of_run(settings))
    try:
        yield
    finally:
        exporting.end(span)


def _exporting() -> Exporting | None:
    endpoint = os.environ.get(ENDPOINT)
    if not endpoint:
        return None
    from pipelines.observe.otlp import exporting

    return exporting(endpoint)


def _of_run(settings: RunSettings) -> dict[str, Any]:
    return {"levee.run_id": settings.run_id, "db.namespace": settings.domain}


def _beginning(run: TaskRun) -> dict[str, Any]:
    return _of_run(run.settings) | {
        "db.system.name": "delta",
        "db.operation.name": run.task,
        "db.collection.name": run.contract.dataset,
        "levee.engine": run.engine.value,
        "levee.attempt": run.settings.attempt,
        "levee.task_run_id": run.id,
        "levee.contract_version": run.contract.version,
    }


def _outcome(ended: Ended) -> dict[str, Any]:
    tally = ended.tally
    told: dict[str, Any] = {
        "levee.status": ended.status,
        "levee.files": tally.files,
        "levee.bytes": tally.bytes,
        "levee.rows_in": tally.rows_in,
        "levee.rows_out": tally.rows_out,
        "levee.duplicates": tally.duplicates,
        "levee.quarantine": tally.quarantine,
        "levee.executor_seconds": ended.executor_seconds,
        "levee.not_run": tuple(tally.not_run),
    }
    return told | ({"levee.cost_usd": float(ended.cost_usd)} if ended.cost_usd is not None else {})
