"""What is told of a whole job run, by whoever runs all of its tasks in one process."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from pipelines.errors import UsageError
from pipelines.observe import lineage, tracing
from pipelines.observe.outbox import OUTBOX
from pipelines.settings import Layer, RunSettings

log = logging.getLogger("levee.telemetry")


@dataclass(slots=True)
class JobEnd:
    """How a job run ended.

    Attributes:
        succeeded: Whether every task did.
    """

    succeeded: bool = False


@contextmanager
def told(argv: tuple[str, ...]) -> Generator[JobEnd]:
    """Tell of a job run while the block runs; where `argv`, a task's, says nothing of a domain's job, nothing is.

    Args:
        argv: Parameters of one of its tasks.
    """
    settings = _settings(argv)
    end = JobEnd()
    if settings is None:
        yield end
        return
    lineage.emit_job(settings, "START")
    try:
        with tracing.job(settings):
            yield end
    finally:
        lineage.emit_job(settings, "COMPLETE" if end.succeeded else "FAIL")
        OUTBOX.drain()
        _expose(settings)


def _settings(argv: tuple[str, ...]) -> RunSettings | None:
    try:
        settings = RunSettings.parse(argv)
    except UsageError:
        return None  # the task itself says what is wrong with them
    return settings if {Layer.AUDIT, Layer.CHECKPOINTS} <= settings.roots.keys() else None


def _expose(settings: RunSettings) -> None:
    from pipelines.engine import Engine
    from pipelines.observe.exposition import write_textfile

    try:
        write_textfile(Engine.open(settings.engine), settings)
    except Exception as error:  # noqa: BLE001 - telemetry never fails a run; it is told
        OUTBOX.lost("prometheus-textfile", f"{type(error).__name__}: {error}")
