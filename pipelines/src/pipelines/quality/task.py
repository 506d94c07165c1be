"""The quality task of one dataset: validate, compare with quarantine, store, publish Data Docs, then say yes or no.

No record is read for it: silver's one pass has counted every rule (:mod:`pipelines.silver.verdicts`), and the Great
Expectations suite (:mod:`pipelines.quality.suite`) is validated from those metrics, summed over the batches that
silver has. What a table alone can tell is asked of it in one query: its checks. And where somebody else has written
silver since it was last found good, Great Expectations reads it. Each result says which (`read`).

That a rule fails on as many records as quarantine's rows stand for is checked every time: if the two ever disagree, the
task fails. What no engine runs is named in the results too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Literal

from pipelines.contracts.model import Contract
from pipelines.contracts.versions import CHANGES
from pipelines.history import data_version
from pipelines.ledger import Ledger, latest
from pipelines.maintain import expired_rows
from pipelines.quality.batch_checks import batch_checks, freshness, judge
from pipelines.quality.checks import TableCheck, not_run, table_checks
from pipelines.quality.evaluate import evaluate
from pipelines.quality.gate import gate
from pipelines.quality.measures import MetricKind, Metrics, added
from pipelines.quality.metrics import recorded_batches
from pipelines.quality.results import Line, good_version, newest_results, seen, store
from pipelines.quality.rules import Rule, rules
from pipelines.settings import Layer, RunSettings
from pipelines.shown import current
from pipelines.silver.holding import held_batches
from pipelines.silver.verdicts import RULE_SEPARATOR
from pipelines.storage import is_url

if TYPE_CHECKING:
    from pipelines.engine import Engine
    from pipelines.quality.suite import Batch, Counted, Outcome


@dataclass(frozen=True, slots=True)
class Checked:
    """What the quality task found.

    Attributes:
        dataset: The dataset.
        lines: Results; empty where nothing had changed since the last success, or nothing was ever delivered.
        unchanged: Neither bronze, silver nor the contract had changed since the last success.
        docs: Index page of Data Docs; ``None`` where checkpoints is no folder.
    """

    dataset: str
    lines: tuple[Line, ...]
    unchanged: bool
    docs: Path | None

    @property
    def candidates(self) -> tuple[Line, ...]:
        """What was found of the candidate rows."""
        return tuple(line for line in self.lines if line.batch == "candidates")


def check(engine: Engine, settings: RunSettings, contract: Contract) -> Checked:
    """Check a dataset against its contract.

    Raises:
        QualityError: a check says no, or suite and quarantine disagree; the results are stored first.
        PipelineError: a check could not be evaluated.
    """
    if engine.count(settings.table_path(Layer.BRONZE, contract.dataset)) == 0:
        return Checked(contract.dataset, (), unchanged=False, docs=None)
    versions = {
        "bronze_version": data_version(engine, settings.table_path(Layer.BRONZE, contract.dataset)),
        "silver_version": data_version(engine, settings.table_path(Layer.SILVER, contract.dataset)),
    }
    docs = _docs(settings, contract)
    results = newest_results(engine, settings, contract)
    aging = any(check.kind == "freshness" for check in batch_checks(contract))
    silver = latest(Ledger(engine, settings).entries(Layer.SILVER, contract.dataset))
    waiting = [_held(batch, why) for batch, why in held_batches(silver.values()).items()]
    if not aging and not waiting and seen(results, contract, versions):
        return Checked(contract.dataset, (), unchanged=True, docs=docs)
    batches = recorded_batches(engine, settings, contract.dataset)
    metrics = added(list(batches.values()))
    trusted = untouched(batches.values(), good_version(results), versions["silver_version"])
    lines = _lines(engine, settings, contract, docs, metrics, trusted=trusted)
    expired = _expired(engine, settings, contract)
    quarantined = None if expired else quarantined_by_rule(engine, settings, contract, "_copies")
    lines = (*lines, *agreement(contract, metrics, quarantined), *_of_newest(contract, batches, metrics), *waiting)
    store(engine, settings, contract, versions, lines)
    gate(contract, lines)
    return Checked(contract.dataset, lines, unchanged=False, docs=docs)


def published_rules(contract: Contract) -> tuple[list[Rule], list[Line]]:
    """Rules that can be asked of the published table, and lines that name the others.

    A rule about types needs the source's text, and one about a masked column the unmasked value.
    """
    masked = {column.name for column in contract.personal_columns}
    asked: list[Rule] = []
    others: list[Line] = []
    for rule in rules(contract):
        about_nulls = rule.native is not None and rule.native.type == "expect_column_values_to_not_be_null"
        if rule.kind == "type":
            others.append(_skipped(rule, "about the source's text, which the published table has not"))
        elif not about_nulls and any(f"`{name}`" in rule.predicate or name in rule.predicate for name in masked):
            others.append(_skipped(rule, "about a value that is masked in the published table"))
        else:
            asked.append(rule)
    return asked, others


def _skipped(rule: Rule, reason: str) -> Line:
    return Line("published", rule.id, column=rule.column, description=rule.description, not_run=reason)


def quarantined_by_rule(
    engine: Engine, settings: RunSettings, contract: Contract, weight: str = "1"
) -> Mapping[str, int]:
    """Count the rows in quarantine under each rule id; a row counts under every rule that it broke.

    Args:
        engine: The open engine.
        settings: Roots.
        contract: The dataset's.
        weight: What a row counts as: ``_copies`` for the records that it stands for.
    """
    path = settings.table_path(Layer.QUARANTINE, contract.dataset)
    if not engine.exists(path):
        return {}
    counted = Counter[str]()
    weighed = engine.read(path).selectExpr("_rules", f"CAST({weight} AS BIGINT) AS weight")
    for row in weighed.groupBy("_rules").sum("weight").collect():
        counted.update(dict.fromkeys(row[0].split(RULE_SEPARATOR), row[1]))
    return counted


def _expired(engine: Engine, settings: RunSettings, contract: Contract) -> bool:
    paths = (settings.table_path(layer, contract.dataset) for layer in (Layer.BRONZE, Layer.QUARANTINE))
    return any(expired_rows(engine, settings, path) for path in paths)


def untouched(batches: Iterable[Metrics], good: int, now: int) -> bool:
    """Whether only silver tasks have written a silver table since it was last found good.

    Args:
        batches: Metrics of its batches: each has the table's version before and after it.
        good: Version that was found good; 0, the empty table, where none was.
        now: Its version now.
    """
    found = [version for batch in batches if (version := batch.find("version")) is not None]
    for version in sorted(found, key=lambda version: version.accepted or 0):
        if (version.rejected or 0) > good and (version.accepted or 0) > good:
            return False
        good = max(good, int(version.accepted or 0))
    return now <= good


def _lines(
    engine: Engine, settings: RunSettings, contract: Contract, docs: Path | None, metrics: Metrics, *, trusted: bool
) -> tuple[Line, ...]:
    from pipelines.quality import suite  # Great Expectations takes seconds to import, and only this task needs it

    path = settings.table_path(Layer.SILVER, contract.dataset)
    silver = current(engine, path)
    compiled = rules(contract)
    checks = table_checks(contract)
    counted = [rule for rule in compiled if _counted(metrics, rule)]
    asked, others = published_rules(contract)
    batches: dict[str, Batch | Counted] = {"candidates": _judged(suite, contract, counted, metrics, published=False)}
    if trusted:
        published = [rule for rule in asked if _counted(metrics, rule)]
        batches["published"] = _judged(suite, contract, published, metrics, published=True)
    else:
        batches["published"] = suite.candidate_batch(f"{contract.dataset}.published", silver, asked)
    if checks:
        view = f"levee_quality_{contract.dataset}"
        silver.createOrReplaceTempView(view)
        changes = f"{view}{CHANGES}" if contract.history else None
        if changes:
            engine.read(f"{path}{CHANGES}").createOrReplaceTempView(changes)
        results = evaluate(engine.spark, view, (), checks, less=_sums(metrics), changes=changes)
        batches["table"] = suite.table_batch(f"{contract.dataset}.table", results, checks)
        observed = {result.id: result.observed for result in results}
    else:
        observed = {}
    outcomes = suite.validate(tuple(batches.values()), docs, settings.run_id)
    known: dict[str, Rule | TableCheck] = {item.id: item for item in (*compiled, *checks)}
    read: dict[str, Literal["pass", "table"]] = {
        "candidates": "pass", "published": "pass" if trusted else "table", "table": "table",
    }  # fmt: skip
    lines = [
        replace(_line(kind, outcome, known[outcome.id]), read=read[kind], observed=observed.get(outcome.id))
        for kind, batch in batches.items()
        for outcome in outcomes[batch.name]
    ]
    changed = [_changed(contract, rule) for rule in compiled if rule not in counted]
    return (*lines, *changed, *others, *(Line("table", item.id, not_run=item.reason) for item in not_run(contract)))


def _judged(
    suite: ModuleType, contract: Contract, asked: Sequence[Rule], metrics: Metrics, *, published: bool
) -> Counted:
    """The batch of the records that the pass judged, or of those that it accepted."""

    def of(kind: MetricKind) -> dict[str, int]:
        return {
            metric.subject: int((metric.accepted or 0) if published else metric.total)
            for metric in metrics.items
            if metric.kind == kind
        }

    name = f"{contract.dataset}.{'published' if published else 'candidates'}"
    return suite.counted_batch(name, asked, of("records").get("", 0), of("rule"), of("nulls"))


def _counted(metrics: Metrics, rule: Rule) -> bool:
    """Whether every batch was judged by the rule as it is now."""
    found = metrics.find("rule", rule.id)
    return found is not None and found.definition == rule.digest


def _changed(contract: Contract, rule: Rule) -> Line:
    reason = f"a batch was judged before the rule was what it is now: `levee replay {contract.dataset}`"
    return Line("candidates", rule.id, column=rule.column, description=rule.description, not_run=reason)


def _sums(metrics: Metrics) -> dict[str, Decimal]:
    """What silver's sums must be: of the accepted records, less those whose row another batch has."""
    sums = {metric.subject: metric.accepted or Decimal(0) for metric in metrics.items if metric.kind == "sum"}
    for metric in metrics.items:
        if metric.kind == "repeated" and metric.subject in sums:
            sums[metric.subject] -= metric.accepted or 0
    return sums


def _of_newest(contract: Contract, batches: Mapping[str, Metrics], metrics: Metrics) -> Iterator[Line]:
    """What the checks on a batch say of the newest one, and of how fresh the dataset is."""
    checks = batch_checks(contract)
    of_each = list(batches.values())
    compared = list(judge(checks, of_each[-1], of_each[:-1])) if of_each else []
    now = datetime.now(UTC)
    for found in (*compared, *(freshness(check, metrics, now) for check in checks if check.kind == "freshness")):
        yield Line(
            "newest",
            found.check.id,
            column=found.check.column,
            description=found.check.description,
            on_failure=found.check.on_failure,
            success=found.success,
            observed=found.observed,
            not_run=found.not_run,
            read="pass",
        )


def _held(batch: str, why: str) -> Line:
    return Line("held", batch, description=why, on_failure="failBatch", success=False)


def _line(batch: str, outcome: Outcome, about: Rule | TableCheck) -> Line:
    return Line(
        batch=batch,
        check_id=outcome.id,
        expectation=outcome.expectation,
        column=about.column,
        description=about.description,
        on_failure=about.on_failure,
        success=outcome.success,
        rows=outcome.rows,
        failed=outcome.failed,
    )


def agreement(contract: Contract, metrics: Metrics, quarantined: Mapping[str, int] | None) -> list[Line]:
    """Compare, for each rule that sends records there, what the pass counted with what quarantine's rows stand for.

    Args:
        contract: The contract.
        metrics: What the pass counted; a record whose identical one came with another batch stands under that one's.
        quarantined: Records by rule; ``None`` where retention has taken rows out, so that the two cannot be compared.
    """
    rejecting = [rule for rule in rules(contract) if rule.on_failure == "quarantine" and _counted(metrics, rule)]
    if quarantined is None:
        reason = "retention has taken rows out of bronze or quarantine"
        return [Line("quarantine", rule.id, not_run=reason) for rule in rejecting]
    return [
        Line(
            "quarantine",
            rule.id,
            column=rule.column,
            description="as many records in quarantine as the suite fails",
            on_failure="failBatch",
            success=failed == quarantined.get(rule.id, 0) + elsewhere,
            failed=failed,
            observed=float(quarantined.get(rule.id, 0) + elsewhere),
        )
        for rule in rejecting
        for failed, elsewhere in [(metrics.count("rule", rule.id), _elsewhere(metrics, rule))]
    ]


def _elsewhere(metrics: Metrics, rule: Rule) -> int:
    found = metrics.find("repeated", rule.id)
    return int(found.total) if found else 0


def _docs(settings: RunSettings, contract: Contract) -> Path | None:
    """Where the dataset's Data Docs are: rewritten by every run, so not under audit, which locks what it holds.

    A bucket is no such place: there they would need a web server in front.
    """
    folder = settings.path(Layer.CHECKPOINTS, settings.domain, "data_docs", contract.dataset)
    return None if is_url(folder) else Path(folder)
