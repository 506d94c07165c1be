"""OpenTelemetry's SDK: spans and log records, gathered here and sent by OTLP over HTTP through the outbox.

The SDK's batch processors have threads of their own that neither count what they lose nor keep to a time at the end;
these processors only gather, and `Outbox` sends.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor, ReadableLogRecord, ReadWriteLogRecord
from opentelemetry.sdk._logs.export import LogRecordExportResult
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, Status, StatusCode, TraceFlags

from pipelines.observe.outbox import OUTBOX

TIMEOUT: Final = 3.0
"""Seconds that a receiver has to answer, retries included."""
GATHERED: Final = 512
"""Spans or log records that are sent together at most."""
LOGGERS: Final = ("levee", "pipelines")
"""Whose records are sent, from INFO on."""
_SEVERITIES: Final = {
    logging.DEBUG: SeverityNumber.DEBUG,
    logging.INFO: SeverityNumber.INFO,
    logging.WARNING: SeverityNumber.WARN,
    logging.ERROR: SeverityNumber.ERROR,
    logging.CRITICAL: SeverityNumber.FATAL,
}


class _Ids(RandomIdGenerator):
    """Ids of spans: random, but where the caller of this thread has fixed them."""

    def __init__(self) -> None:
        self.fixed = threading.local()

    def generate_span_id(self) -> int:
        return getattr(self.fixed, "span", None) or super().generate_span_id()

    def generate_trace_id(self) -> int:
        return getattr(self.fixed, "trace", None) or super().generate_trace_id()


class _Spans(SpanProcessor):
    """Gathers spans that have ended."""

    def __init__(self, exporter: OTLPSpanExporter) -> None:
        self._exporter, self._ended, self._lock = exporter, list[ReadableSpan](), threading.Lock()

    def on_end(self, span: ReadableSpan) -> None:
        with self._lock:
            self._ended.append(span)
            full = len(self._ended) >= GATHERED
        if full:
            self.send()

    def send(self) -> None:
        with self._lock:
            ended, self._ended = self._ended, []
        if ended:
            OUTBOX.send("otlp-traces", lambda: self._export(ended))

    def _export(self, ended: Sequence[ReadableSpan]) -> None:
        if self._exporter.export(ended) is not SpanExportResult.SUCCESS:
            raise ConnectionError(f"the receiver did not take {len(ended)} spans")


class _Logs(LogRecordProcessor):
    """Gathers log records."""

    def __init__(self, exporter: OTLPLogExporter) -> None:
        self._exporter, self._records, self._lock = exporter, list[ReadableLogRecord](), threading.Lock()

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        readable = ReadableLogRecord(
            log_record=log_record.log_record,
            resource=log_record.resource or Resource.get_empty(),
            instrumentation_scope=log_record.instrumentation_scope,
            limits=log_record.limits,
        )
        with self._lock:
            self._records.append(readable)
            full = len(self._records) >= GATHERED
        if full:
            self.send()

    def send(self) -> None:
        with self._lock:
            records, self._records = self._records, []
        if records:
            OUTBOX.send("otlp-logs", lambda: self._export(records))

    def _export(self, records: Sequence[ReadableLogRecord]) -> None:
        if self._exporter.export(records) is not LogRecordExportResult.SUCCESS:
            raise ConnectionError(f"the receiver did not take {len(records)} log records")

    def shutdown(self) -> None:
        self.send()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        self.send()
        return OUTBOX.drain(timeout_millis / 1000)


class _Handler(logging.Handler):
    """Hands Python's log records on, with the trace and span that are current."""

    def __init__(self, provider: LoggerProvider) -> None:
        super().__init__(logging.INFO)
        self._provider = provider

    def emit(self, record: logging.LogRecord) -> None:
        self._provider.get_logger(record.name).emit(
            timestamp=int(record.created * 1e9),
            severity_number=_SEVERITIES.get(record.levelno, SeverityNumber.UNSPECIFIED),
            severity_text=record.levelname,
            body=record.getMessage(),
            attributes={"code.function.name": record.funcName or "", "code.line.number": record.lineno},
        )


class Exporting:
    """What is sent to one receiver.

    Args:
        endpoint: Base URL, to which ``/v1/traces`` and ``/v1/logs`` are added.
    """

    def __init__(self, endpoint: str) -> None:
        base = endpoint.rstrip("/")
        resource = Resource.create({"service.name": "levee-pipelines", "service.version": version("levee-pipelines")})
        self._ids = _Ids()
        self._spans = _Spans(OTLPSpanExporter(endpoint=f"{base}/v1/traces", timeout=TIMEOUT))
        self._logs = _Logs(OTLPLogExporter(endpoint=f"{base}/v1/logs", timeout=TIMEOUT))
        provider = TracerProvider(id_generator=self._ids, resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(self._spans)
        self._tracer = provider.get_tracer("levee")
        logs = LoggerProvider(resource=resource, shutdown_on_exit=False)
        logs.add_log_record_processor(self._logs)
        self._handler = _Handler(logs)
        self._listening, self._lock = 0, threading.Lock()

    def start(self, name: str, parent: Context, attributes: Mapping[str, Any]) -> Span:
        """Start a span under another."""
        return self._tracer.start_span(name, context=parent, attributes=attributes)

    def start_with_ids(self, name: str, trace_id: str, span_id: str, attributes: Mapping[str, Any]) -> Span:
        """Start a span without parent whose ids are known beforehand."""
        fixed = self._ids.fixed
        fixed.trace, fixed.span = int(trace_id, 16), int(span_id, 16)
        try:
            return self._tracer.start_span(name, context=Context(), attributes=attributes)
        finally:
            fixed.trace = fixed.span = None

    def remote(self, trace_id: str, span_id: str) -> Context:
        """The context of a span that another process has."""
        flags = TraceFlags(TraceFlags.SAMPLED)
        parent = SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=flags)
        return trace.set_span_in_context(NonRecordingSpan(parent), Context())

    def under(self, span: Span) -> Context:
        """The context of a span of this process."""
        return trace.set_span_in_context(span, Context())

    @contextmanager
    def current(self, span: Span) -> Generator[None]:
        """Let log records of this thread belong to a span while the block runs."""
        token = otel_context.attach(trace.set_span_in_context(span))
        self._listen(1)
        try:
            yield
        finally:
            self._listen(-1)
            otel_context.detach(token)

    def _listen(self, more: int) -> None:
        """Take part in logging while at least one span is current."""
        with self._lock:
            self._listening += more
            for logger in (logging.getLogger(name) for name in LOGGERS):
                if self._listening == 0:
                    logger.removeHandler(self._handler)
                    continue
                logger.addHandler(self._handler)
                if logger.level == logging.NOTSET:
                    logger.setLevel(logging.INFO)  # nothing below WARNING is made where nobody configured logging

    def failed(self, span: Span, why: str) -> None:
        """Mark a span as failed."""
        span.set_attribute("error.type", "interrupted" if why == "interrupted" else "PipelineError")
        span.set_status(Status(StatusCode.ERROR, why))

    def end(self, span: Span) -> None:
        """End a span, and have all that was gathered sent."""
        span.end()
        self.send()

    def send(self) -> None:
        """Have all that was gathered sent."""
        self._spans.send()
        self._logs.send()


@cache
def exporting(endpoint: str) -> Exporting:
    """The sender to a receiver, one a process."""
    return Exporting(endpoint)
