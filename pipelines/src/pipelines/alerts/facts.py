"""What an alert says: facts about a run, names of rules and fields, numbers, and a few masked examples.

Alerts are recorded; examples are not (:mod:`pipelines.alerts.samples`): they are in a message and nowhere else.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

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
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Kind:
    """What is the same in all alerts of an event.

    Attributes:
        severity: How severe it is; of a recovery and a summary, that of what they are about takes its place.
        title: A few words.
        meaning: What it means for those who read the data: one sentence for somebody who was woken up.
        commands: What to do or look at next, the first thing first: what for, and the command, a format of
            ``domain``, ``dataset``, ``layer``, ``rule`` and ``env``.
    """

    severity: Severity
    title: str
    meaning: str = ""
    commands: tuple[tuple[str, str], ...] = ()


_LOOK: Final = ("see what the table got when, by which run", "levee audit {domain}.{layer}.{dataset}{env}")
_REJECTED: Final = ("see the records that were rejected", "levee quarantine list {domain}.{dataset}{env}")
_REPLAY: Final = ("once the contract is mended, judge all of it again", "levee replay {domain}.{dataset}{env}")
_ACCEPT: Final = ("or let the batch go on as it is", f"{_REPLAY[1]} --accept {{rule}} --reason WHY")
_RUN: Final = "levee run {domain}{env}"

KINDS: Final[Mapping[Event, Kind]] = {
    Event.QUALITY_FAILED: Kind(
        "error",
        "a quality gate failed",
        "What the run has written is there, and does not hold its contract: do not build on it.",
        (_LOOK, _REJECTED, _REPLAY),
    ),
    Event.BATCH_HELD: Kind(
        "error",
        "a batch is held",
        "Nothing of the batch is published: readers see what was there before. Later deliveries go on.",
        (_REPLAY, _ACCEPT),
    ),
    Event.PIPELINE_STOPPED: Kind(
        "critical",
        "the pipeline is stopped",
        "What is made of this dataset is not built until somebody acts: readers see what was there before.",
        (_LOOK, _REPLAY),
    ),
    Event.FRESHNESS_BROKEN: Kind(
        "warning",
        "the data is older than promised",
        "Nothing newer was delivered, or it was not taken in. What is there is whole.",
        (_LOOK, ("take in what has come since", _RUN)),
    ),
    Event.BUDGET_STOPPED: Kind(
        "critical",
        "the budget stopped a run",
        "What it had committed stays, and the next run goes on from there.",
        (("let it run all the same", f"{_RUN} --confirm-cost"),),
    ),
    Event.TASK_FAILED: Kind(
        "error",
        "a task failed",
        "What it had committed stays, and the next run goes on from there.",
        (("run it again", _RUN), _LOOK),
    ),
    Event.RECOVERED: Kind("warning", "well again", "Nothing is to be done."),
    Event.SUMMED_UP: Kind("warning", "more than was told one by one"),
    Event.TEST: Kind(
        "warning", "this is a test, nothing is wrong", "Somebody tries whether this channel is reached. Do nothing."
    ),
}


HELD: Final = frozenset({Event.BATCH_HELD, Event.PIPELINE_STOPPED})
"""Events that may be about records of a held batch, of which there are examples."""


class BrokenRule(BaseModel):
    """A rule, a check or a held batch.

    Attributes:
        id: Its id in the contract; of a held batch, the batch's.
        failed: Rows that broke it; ``None`` where it is about no rows.
        rows: Rows looked at.
        fields: Fields that it looks at.
        says: One line of the contract's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    failed: int | None = None
    rows: int | None = None
    fields: tuple[str, ...] = ()
    says: str = ""


class Sample(BaseModel):
    """One of the records that broke the same rules.

    Attributes:
        rules: The rules.
        records: Records that broke just these.
        file: Delivery of the first of them.
        line: Its line.
        fields: What it has in the fields that the rules look at, and its key; masked, and cut.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: tuple[str, ...]
    records: int
    file: str
    line: int
    fields: dict[str, str] = Field(default_factory=dict)


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
        meaning: What it means for those who read the data.
        commands: What to do or look at next.
        purposes: What each of the commands is for.
        samples: Records that broke rules; in messages, never in the record of what was told.
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
    meaning: str = ""
    commands: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    samples: tuple[Sample, ...] = ()
    keys: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Its first line."""
        mark = self.event if self.event is Event.TEST else self.severity
        return f"[{mark}] {self.domain}.{self.dataset}: {KINDS[self.event].title}"
