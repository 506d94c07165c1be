"""Makes alerts of a task run that has ended: of its error, and of what the quality task has stored."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from pipelines.alerts.facts import KINDS, Alert, BrokenRule, Event
from pipelines.errors import BudgetError, PipelineError, QualityError, UpstreamError
from pipelines.observe.facts import Ended, TaskRun
from pipelines.quality.batch_checks import batch_checks
from pipelines.quality.results import RESULTS
from pipelines.quality.rules import rules as row_rules
from pipelines.silver.holding import BatchHeldError

if TYPE_CHECKING:
    from pipelines.contracts.model import Contract
    from pipelines.engine import Engine

SAME_TASK: Final[Mapping[str, str]] = {"replay": "silver"}
"""Tasks that do another's work, and so make good what it failed at."""


def found(engine: Engine, ended: Ended, error: PipelineError | None) -> list[Alert]:
    """Return what is wrong after a run, an alert an event; a table that only waits for another one is not."""
    run = ended.run
    if isinstance(error, UpstreamError):
        return []
    results = of_results(run.contract, _results(engine, run)) if run.task == "quality" else {}
    if error is not None and not results.keys() - {Event.FRESHNESS_BROKEN} and not _is_told(error, results):
        results[_event(error)] = _rules(run.contract, error)
    return [alert(ended, event, _summary(event, error, broken), broken) for event, broken in results.items()]


def of_results(contract: Contract, lines: Sequence[Mapping[str, Any]]) -> dict[Event, tuple[BrokenRule, ...]]:
    """Sort the failed lines of the table `quality_results` by event."""
    aging = {check.id for check in batch_checks(contract) if check.kind == "freshness"}
    sorted_: dict[Event, list[BrokenRule]] = {}
    for line in lines:
        if line["success"] is False and (event := _event_of(line, aging)) is not None:
            sorted_.setdefault(event, []).append(_broken(line))
    return {event: tuple(broken) for event, broken in sorted_.items()}


def alert(ended: Ended, event: Event, summary: str, broken: Sequence[BrokenRule]) -> Alert:
    """Make an alert of a run."""
    run, kind = ended.run, KINDS[event]
    settings, contract = run.settings, run.contract
    task = SAME_TASK.get(run.task, run.task)
    words = {
        "domain": settings.domain,
        "dataset": contract.dataset,
        "layer": contract.published.value,
        "rule": broken[0].id if broken else "",
        "env": f" --env {settings.environment}" if settings.environment else "",
    }
    return Alert(
        id=str(uuid.uuid5(uuid.UUID(run.id), event)),
        event=event,
        severity=kind.severity,
        at=ended.at,
        environment=settings.environment,
        domain=settings.domain,
        dataset=contract.dataset,
        task=task,
        run_id=settings.run_id,
        contract_version=contract.version,
        owner=contract.owner,
        summary=summary,
        rules=tuple(broken),
        meaning=kind.meaning,
        commands=tuple(command.format(**words) for _, command in kind.commands),
        purposes=tuple(purpose for purpose, _ in kind.commands),
        keys=tuple(key(run, event, rule.id) for rule in broken) or (key(run, event, ""),),
    )


def key(run: TaskRun, event: Event, rule: str) -> str:
    """What a finding is known by."""
    task = SAME_TASK.get(run.task, run.task)
    return f"{run.contract.dataset}/{task}/{event}/{rule}/{run.contract.version}"


def _results(engine: Engine, run: TaskRun) -> list[dict[str, Any]]:
    """What this run of the quality task has stored."""
    matching = {"dataset": run.contract.dataset, "run_id": run.settings.run_id}
    rows = engine.rows(run.settings.record_path(RESULTS), matching=matching).to_pylist()
    return [row for row in rows if row["evaluated_at"] >= run.started]


def _event_of(line: Mapping[str, Any], aging: Iterable[str]) -> Event | None:
    if line["batch"] == "held":
        return Event.BATCH_HELD
    if line["check_id"] in aging:
        return Event.FRESHNESS_BROKEN
    if line["batch"] == "candidates" or line["on_failure"] == "warn":
        return None
    return Event.PIPELINE_STOPPED if line["on_failure"] == "stopPipeline" else Event.QUALITY_FAILED


def _broken(line: Mapping[str, Any]) -> BrokenRule:
    return BrokenRule(
        id=line["check_id"],
        failed=line["failed"],
        rows=line["rows"],
        fields=(line["column"],) if line["column"] else (),
        says=line["description"] or "",
    )


def _event(error: PipelineError) -> Event:
    if isinstance(error, BudgetError):
        return Event.BUDGET_STOPPED
    if isinstance(error, BatchHeldError):
        return Event.PIPELINE_STOPPED
    return Event.QUALITY_FAILED if isinstance(error, QualityError) else Event.TASK_FAILED


def _is_told(error: PipelineError, results: Mapping[Event, Any]) -> bool:
    """Whether the run failed because of a promise of freshness, which is an alert of its own."""
    return isinstance(error, QualityError) and Event.FRESHNESS_BROKEN in results


def _rules(contract: Contract, error: PipelineError) -> tuple[BrokenRule, ...]:
    """The rules that a batch is held for."""
    if not isinstance(error, BatchHeldError):
        return ()
    known = {rule.id: rule for rule in row_rules(contract)}
    return tuple(
        BrokenRule(
            id=name,
            failed=count,
            rows=error.records,
            fields=(rule.column,) if (rule := known.get(name)) and rule.column else (),
            says=rule.description if rule else "",
        )
        for name, count in sorted(error.broken.items())
        if count
    )


def _summary(event: Event, error: PipelineError | None, broken: Sequence[BrokenRule]) -> str:
    """One sentence of Levee's own: what an engine says may quote the data."""
    if isinstance(error, QualityError | BudgetError):
        return error.message
    if error is not None:
        return f"it ended with {type(error).__name__}; why is in the run's record and log"
    return "; ".join(f"{rule.id}: {rule.says}" for rule in broken) or KINDS[event].title
