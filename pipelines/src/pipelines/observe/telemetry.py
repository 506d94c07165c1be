"""What a task run tells the world while it runs: where it begins, at each batch, and when it has ended."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from pipelines.observe import lineage, tracing
from pipelines.observe.facts import Ended, TaskRun
from pipelines.observe.outbox import OUTBOX


@dataclass(slots=True)
class Teller:
    """Tells of one task run.

    Attributes:
        run: The run.
        span: Its span.
        ended: Whether its end was told.
    """

    run: TaskRun
    span: tracing.TaskSpan
    ended: bool = False

    def end(self, ended: Ended) -> dict[str, int]:
        """Tell how the run ended; returns the messages lost, by destination, since the process began."""
        self.ended = True
        lineage.emit_end(ended)
        self.span.end(ended)
        OUTBOX.drain()
        return OUTBOX.failures()


@contextmanager
def told(run: TaskRun) -> Generator[Teller]:
    """Tell of a task run: it begins; and where the block leaves without an end, it was aborted."""
    lineage.emit_start(run)
    try:
        with tracing.task(run) as span:
            teller = Teller(run, span)
            try:
                yield teller
            finally:
                if not teller.ended:
                    lineage.emit_abort(run)
    finally:
        OUTBOX.drain()


@contextmanager
def batch(number: int) -> Generator[None]:
    """Tell of one batch of the task that is at work in this thread."""
    with tracing.batch(number):
        yield
