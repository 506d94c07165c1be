"""What is known of a task run when it begins, and when it has ended: all that is told is a function of these."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pipelines.settings import EngineName, RunSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.budget.terms import NodeRate
    from pipelines.contracts.domain import Domain
    from pipelines.contracts.model import Contract

_NAMES: Final = uuid.UUID("6f6c0b1e-6f0a-5c7e-9b3e-6c65766565aa")
"""Namespace of the UUIDs that are made from names (RFC 9562, version 5)."""


def job_run_uuid(domain: str, run_id: str) -> str:
    """OpenLineage's id of a job run: the same in every process that works for it."""
    return str(uuid.uuid5(_NAMES, f"{domain}/{run_id}"))


def trace_id(domain: str, run_id: str) -> str:
    """Trace of a job run, 32 hexadecimal digits: the same in every process that works for it."""
    return _digest(f"trace/{domain}/{run_id}")[:32]


def job_span_id(domain: str, run_id: str) -> str:
    """Span of a job run, 16 hexadecimal digits, which the spans of its tasks have as their parent."""
    return _digest(f"span/{domain}/{run_id}")[:16]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(slots=True)
class Tally:
    """What a task counts while it runs.

    Attributes:
        files: Deliveries taken.
        rejected_files: Files that were no deliveries.
        bytes: Bytes of the deliveries read.
        rows_in: Rows read.
        rows_out: Rows published.
        duplicates: Records that repeat another.
        quarantine: Rows rejected.
        rules: Rows by rule that they broke.
        newest_delivery_at: Modification time of the newest delivery taken, UTC; ``None`` where none was.
        not_run: What the contract asks for and the chosen engine, or this machine, lacks: by name, with the reason.
        drift: Columns that bronze got and the contract lacks, each with the edit that puts it there.
    """

    files: int = 0
    rejected_files: int = 0
    bytes: int = 0
    rows_in: int = 0
    rows_out: int = 0
    duplicates: int = 0
    quarantine: int = 0
    rules: dict[str, int] = field(default_factory=dict)
    newest_delivery_at: datetime | None = None
    not_run: list[str] = field(default_factory=list)
    drift: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaskRun:
    """A task run that has begun.

    Attributes:
        settings: What the task was told.
        task: Its name: ``bronze``, ``silver``, ...
        contract: Contract of the dataset that it works on.
        engine: The engine.
        domain: The domain's contracts, where the task knows them.
        started: When, UTC, by the machine's clock.
        id: A UUID of its own.
    """

    settings: RunSettings
    task: str
    contract: Contract
    engine: EngineName
    domain: Domain | None = None
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def subject(self) -> str:
        """Task and dataset, for messages."""
        return f"{self.task} {self.settings.domain}.{self.contract.dataset}"

    @property
    def trace_id(self) -> str:
        """Trace of the job run that it is part of."""
        return trace_id(self.settings.domain, self.settings.run_id)

    @property
    def rate(self) -> NodeRate | None:
        """What its nodes cost; ``None`` where nobody said."""
        return self.settings.rates.get(self.settings.node_type)


@dataclass(frozen=True, slots=True)
class Ended:
    """A task run that has ended.

    Attributes:
        run: The run.
        tally: What it counted.
        status: ``succeeded`` or ``failed``.
        error: Why it failed, one sentence.
        seconds: Wall-clock seconds.
        executor_seconds: Node-seconds, metered.
        layer_rows: Rows that each of the dataset's tables has after it, by layer; empty for a run that failed.
        newest_event_at: Greatest event time that is published; ``None`` where the contract names no event time.
        at: When, UTC.
    """

    run: TaskRun
    tally: Tally
    status: str
    error: str | None
    seconds: float
    executor_seconds: float
    layer_rows: Mapping[str, int] = field(default_factory=dict)
    newest_event_at: datetime | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def cost_usd(self) -> Decimal | None:
        """What its node-seconds cost; ``None`` where nobody said what a node costs."""
        rate = self.run.rate
        return rate.cost(self.executor_seconds) if rate else None

    @property
    def ingestion_lag_seconds(self) -> float | None:
        """From the newest delivery to the end of the run that took it; never negative, whatever two clocks say."""
        newest = self.tally.newest_delivery_at
        return max((self.at - newest).total_seconds(), 0.0) if newest else None
