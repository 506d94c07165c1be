"""What a person is told of a dataset's quality: its last batches, what each rule found in them, and its checks.

Nothing is computed for it: metrics, results and quarantine are read as the tasks left them. The answer has

``dataset``, ``contract_version``, ``evaluated_at``, ``run_id``  of the last quality task; null where none has run
``batches``  the last ones, the newest last: ``batch_id``, ``at`` (when silver took it in), ``records``,
             ``quarantined``, ``malformed``; or ``held``, why nothing of it is published
``rules``    of rows: ``rule``, ``column``, ``on_failure``, ``description``, ``broken`` (records of each of ``batches``;
             null where it was not counted), ``quarantined`` (rows that are there now), ``look`` (the command that lists
             these; null where there are none)
``checks``   of the table, of the newest batch and of quarantine: ``check``, ``of``, ``on_failure``, ``description``,
             ``success``, ``observed``, ``not_run``, ``history`` (``at``, ``success`` and ``observed`` of the last
             evaluations, the newest last)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import Field

from pipelines.batches import batches_path
from pipelines.contracts import Contract, Domain
from pipelines.contracts.catalogue import entries
from pipelines.errors import UsageError
from pipelines.ledger import Ledger, latest
from pipelines.quality.measures import Metrics
from pipelines.quality.metrics import recorded_batches
from pipelines.quality.results import RESULTS
from pipelines.quality.rules import Rule, rules
from pipelines.quality.task import quarantined_by_rule
from pipelines.request import Request, read_request
from pipelines.settings import Layer, RunSettings
from pipelines.silver.holding import held_batches

if TYPE_CHECKING:
    from pipelines.engine import Engine

Answer = dict[str, Any]
LAST: Final = 20
"""Batches and evaluations that are told, where nobody says how many."""
OF_ROWS: Final = ("candidates", "published")
"""Results that are told as rules."""


class Show(Request):
    """The request for one dataset's quality."""

    dataset: str
    last: Annotated[int, Field(ge=1, le=1000)] = LAST


def shown(settings: RunSettings, domain: Domain) -> Answer:
    """Tell of one dataset's quality.

    Raises:
        UsageError: the dataset is no source, or nothing of it was ever judged.
    """
    from pipelines.engine import Engine

    asked = read_request(settings, Show)
    contract = domain.contract(asked.dataset)
    if contract.model is not None:
        raise UsageError(
            f"{asked.dataset} is a model: it is checked before it is published, so what is published has passed",
            where=str(contract.path),
            fix=f"name a source: {', '.join(source.dataset for source in domain.sources)}",
        )
    engine = Engine.open(settings.engine, entries(settings, domain))
    metrics = recorded_batches(engine, settings, contract.dataset)
    held = held_batches(latest(Ledger(engine, settings).entries(Layer.SILVER, contract.dataset)).values())
    if not metrics and not held:
        raise UsageError(
            f"nothing of {asked.dataset} was ever judged",
            where=settings.table_path(Layer.SILVER, contract.dataset),
            fix=f"levee run {domain.name}",
        )
    last = dict(list(metrics.items())[-asked.last :])
    results = _evaluations(engine, settings, contract)
    newest = results[-1][0] if results else {}
    return {
        "dataset": contract.dataset,
        **{name: newest.get(name) for name in ("contract_version", "evaluated_at", "run_id")},
        "batches": [
            *_batches(engine, settings, contract, last),
            *({"batch_id": b, "held": w} for b, w in held.items()),
        ],
        "rules": _rules(domain, contract, list(last.values()), quarantined_by_rule(engine, settings, contract)),
        "checks": _checks(results, asked.last),
    }


def _batches(
    engine: Engine, settings: RunSettings, contract: Contract, last: Mapping[str, Metrics]
) -> list[dict[str, Any]]:
    rows = engine.rows(batches_path(settings), matching={"dataset": contract.dataset}).to_pylist()
    taken = {row["batch_id"]: row["started_at"] for row in sorted(rows, key=lambda row: row["started_at"])}
    return [
        {
            "batch_id": batch,
            "at": taken.get(batch),
            "records": metrics.records,
            "quarantined": metrics.quarantined,
            "malformed": metrics.count("malformed"),
        }
        for batch, metrics in last.items()
    ]


def _rules(
    domain: Domain, contract: Contract, batches: Sequence[Metrics], quarantined: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Every rule of the contract, then those that only the record knows: of files, of deletes, of former contracts."""
    known = {rule.id: rule for rule in rules(contract)}
    counted = (metric.subject for batch in batches for metric in batch.items if metric.kind == "rule")
    names = dict.fromkeys([*known, *counted, *quarantined])
    return [
        {
            "rule": name,
            **_said(known.get(name)),
            "broken": [_broken(batch, name) for batch in batches],
            "quarantined": (rows := quarantined.get(name, 0)),
            "look": f"levee quarantine list {domain.name}.{contract.dataset} --rule {name}" if rows else None,
        }
        for name in names
    ]


def _said(rule: Rule | None) -> dict[str, str | None]:
    return {name: getattr(rule, name, None) for name in ("column", "on_failure", "description")}


def _broken(batch: Metrics, rule: str) -> int | None:
    found = batch.find("rule", rule)
    return None if found is None else int(found.total)


def _evaluations(engine: Engine, settings: RunSettings, contract: Contract) -> list[list[dict[str, Any]]]:
    """The rows of each evaluation, the newest last."""
    found: dict[Any, list[dict[str, Any]]] = {}
    for row in engine.rows(settings.record_path(RESULTS), matching={"dataset": contract.dataset}).to_pylist():
        found.setdefault(row["evaluated_at"], []).append(row)
    return [found[at] for at in sorted(found)]


def _checks(evaluations: Sequence[Sequence[Mapping[str, Any]]], last: int) -> list[dict[str, Any]]:
    history: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for rows in evaluations[-last:]:
        for row in rows:
            if row["not_run"] is None:
                told = {"at": row["evaluated_at"], "success": row["success"], "observed": row["observed"]}
                history.setdefault((row["batch"], row["check_id"]), []).append(told)
    return [
        {
            "check": row["check_id"],
            "of": row["batch"],
            **{name: row[name] for name in ("on_failure", "description", "success", "observed", "not_run")},
            "history": history.get((row["batch"], row["check_id"]), []),
        }
        for row in (evaluations[-1] if evaluations else ())
        if row["batch"] not in OF_ROWS
    ]


VERBS: Final[Mapping[str, Callable[[RunSettings, Domain], Answer]]] = {"show": shown}
"""What can be asked."""
