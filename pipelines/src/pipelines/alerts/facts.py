"""What an alert says: facts about a run, names of rules and fields, and numbers; never a value of the data."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from pipelines.contracts.extensions.alerts import Severity


class Event(enum.StrEnum):
    """What is told."""

    QUALITY_FAILED = "quality_failed"
    BATCH_HELD = "batch_held"
    PIPELINE_STOPPED = "pipeline_stopped"
    FRESHNESS_BROKEN = "freshness_broken"
    BUDGET_STOPPED = "budget_stopped"
    TASK_FAILED = "task_failed"
    RECOVERED = "recovered"
    SUMMED_UP = "summed_up"


@dataclass(frozen=True, slots=True)
class Kind:
    """What is the same in all alerts of an event.

    Attributes:
        severity: How severe it is; of a recovery and a summary, that of what they are about takes its place.
        title: A few words.
        commands: What to do or look at next: formats of ``domain``, ``dataset``, ``layer``, ``rule`` and ``env``.
    """

    severity: Severity
    title: str
    commands: tuple[str, ...] = ()


_LOOK: Final = "levee audit {domain}.{layer}.{dataset}{env}"
_REPLAY: Final = "levee replay {domain}.{dataset}{env}"
_RUN: Final = "levee run {domain}{env}"

KINDS: Final[Mapping[Event, Kind]] = {
    Event.QUALITY_FAILED: Kind("error", "a quality gate failed", (_LOOK, _REPLAY)),
    Event.BATCH_HELD: Kind("error", "a batch is held", (_REPLAY, f"{_REPLAY} --accept {{rule}} --reason WHY")),
    Event.PIPELINE_STOPPED: Kind("critical", "the pipeline is stopped", (_REPLAY, _LOOK)),
    Event.FRESHNESS_BROKEN: Kind("warning", "the data is older than promised", (_LOOK, _RUN)),
    Event.BUDGET_STOPPED: Kind("critical", "the budget stopped a run", (f"{_RUN} --confirm-cost",)),
    Event.TASK_FAILED: Kind("error", "a task failed", (_RUN, _LOOK)),
    Event.RECOVERED: Kind("warning", "well again"),
    Event.SUMMED_UP: Kind("warning", "more than was told one by one"),
}


class BrokenRule(BaseModel):
    """A rule, a check or a held batch.

    Attributes:
        id: Its id in the contract; of a held batch, the batch's.
        failed: Rows that broke it; ``None`` where it is about no rows.
        rows: Rows looked at.
        fields: Fields that it looks at: their names stand for samples.
        says: One line of the contract's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    failed: int | None = None
    rows: int | None = None
    fields: tuple[str, ...] = ()
    says: str = ""


class Alert(BaseModel):
    """One message, whatever form it takes.

    Attributes:
        id: The same however often it is sent.
        event: What it tells.
        severity: How severe that is.
        at: When it was found, UTC.
        environment: Deployment target; ``None`` where the run was not told.
        domain: Domain of the dataset.
        dataset: The dataset.
        task: The task that found it.
        run_id: Its run.
        contract_version: Version of the contract.
        owner: The team that owns the dataset.
        summary: One sentence.
        rules: What was broken.
        commands: What to do or look at next.
        keys: What it is known by: the same thing is not told twice.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    event: Event
    severity: Severity
    at: datetime
    environment: str | None
    domain: str
    dataset: str
    task: str
    run_id: str
    contract_version: str
    owner: str | None
    summary: str
    rules: tuple[BrokenRule, ...] = ()
    commands: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Its first line."""
        return f"[{self.severity}] {self.domain}.{self.dataset}: {KINDS[self.event].title}"
