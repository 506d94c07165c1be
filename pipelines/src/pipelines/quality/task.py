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
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from pipelines.bronze.storage import is_url
from pipelines.contracts.model import Contract
from pipelines.engine.arrow_types import TIMESTAMP
from pipelines.errors import QualityError
from pipelines.evidence import keep
from pipelines.history import data_version
from pipelines.ledger import Ledger, latest
from pipelines.maintain import expired_rows
from pipelines.quality.batch_checks import batch_checks, freshness, judge
from pipelines.quality.checks import TableCheck, not_run, table_checks
from pipelines.quality.evaluate import evaluate
from pipelines.quality.measures import MetricKind, Metrics, added
from pipelines.quality.metrics import recorded_batches
from pipelines.quality.rules import Rule, rules
from pipelines.settings import Layer, RunSettings
from pipelines.silver.holding import held_batches
from pipelines.silver.verdicts import RULE_SEPARATOR

if TYPE_CHECKING:
    from pipelines.engine import Engine
    from pipelines.quality.suite import Batch, Counted, Outcome

RESULTS = "quality_results"
"""Table under checkpoints: one row a check, batch and run."""
RESULTS_SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("batch", pa.string()),
        ("check_id", pa.string()),
        ("expectation", pa.string()),
        ("column", pa.string()),
        ("description", pa.string()),
        ("on_failure", pa.string()),
        ("success", pa.bool_()),
        ("rows", pa.int64()),
        ("failed", pa.int64()),
        ("observed", pa.float64()),
        ("not_run", pa.string()),
        ("read", pa.string()),
        ("contract_version", pa.string()),
        ("contract_digest", pa.string()),
        ("bronze_version", pa.int64()),
        ("silver_version", pa.int64()),
        ("run_id", pa.string()),
        ("evaluated_at", TIMESTAMP),
    ]
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the results.

    Attributes:
        batch: ``candidates``, ``published`` or ``table``; ``quarantine`` for the comparison with it; ``newest`` for
            checks on the newest batch of deliveries; ``held`` for a batch that is held.
        check_id: The rule or check.
        expectation: Its expectation in Great Expectations; ``None`` where it did not run.
        column: Column it is about.
        description: One line for readers.
        on_failure: What its failure does.
        success: Whether it holds; ``None`` where it did not run.
        rows: Rows it looked at.
        failed: Rows that broke it.
        observed: The number of a check on the table or batch; the records that quarantine holds under a rule.
        not_run: Why it did not run; ``None`` where it did.
        read: ``pass``: silver's one pass counted it; ``table``: the table was read for it.
    """

    batch: str
    check_id: str
    expectation: str | None = None
    column: str | None = None
    description: str | None = None
    on_failure: str | None = None
    success: bool | None = None
    rows: int | None = None
    failed: int | None = None
    observed: float | None = None
    not_run: str | None = None
    read: Literal["pass", "table"] | None = None


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
    results = _results(engine, settings, contract)
    aging = any(check.kind == "freshness" for check in batch_checks(contract))
    silver = latest(Ledger(engine, settings).entries(Layer.SILVER, contract.dataset))
    waiting = [_held(batch, why) for batch, why in held_batches(silver.values()).items()]
    if not aging and not waiting and _seen(results, contract, versions):
        return Checked(contract.dataset, (), unchanged=True, docs=docs)
    batches = recorded_batches(engine, settings, contract.dataset)
    metrics = added(list(batches.values()))
    trusted = untouched(batches.values(), _good_version(results), versions["silver_version"])
    lines = _lines(engine, settings, contract, docs, metrics, trusted=trusted)
    expired = _expired(engine, settings, contract)
    quarantined = None if expired else quarantined_by_rule(engine, settings, contract, "_copies")
    lines = (*lines, *agreement(contract, metrics, quarantined), *_of_newest(contract, batches, metrics), *waiting)
    _store(engine, settings, contract, versions, lines)
    _gate(contract, lines)
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

    silver = engine.read(settings.table_path(Layer.SILVER, contract.dataset))
    silver = silver.where(contract.current_rows) if contract.current_rows else silver
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
        results = evaluate(engine.spark, view, (), checks, less=_sums(metrics))
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


def _gate(contract: Contract, lines: Sequence[Line]) -> None:
    apart = [line for line in lines if line.batch == "quarantine" and line.success is False]
    if apart:
        said = "; ".join(f"{line.check_id}: suite {line.failed}, quarantine {line.observed:.0f}" for line in apart)
        raise QualityError(
            f"suite and quarantine of {contract.dataset} disagree ({said})",
            where=str(contract.path),
            fix=f"if the contract has changed since silver ran: levee replay {contract.dataset}",
        )
    held = [line for line in lines if line.batch == "held"]
    if held:
        raise QualityError(
            f"{len(held)} batches of {contract.dataset} are held: {'; '.join(line.description or '' for line in held)}",
            where=str(contract.path),
            fix=f"correct the contract and `levee replay {contract.dataset}`, or let one go on as it is: "
            f"`levee replay {contract.dataset} --accept {held[0].check_id} --reason WHY`",
        )
    broken = [line for line in lines if line.batch in ("published", "table", "newest") and _fails(line)]
    if broken:
        said = "; ".join(f"{line.check_id} ({line.description})" for line in broken)
        raise QualityError(
            f"{contract.dataset} does not hold its contract: {said}",
            where=str(contract.path),
            fix="see Data Docs and the table quality_results under checkpoints",
        )


def _fails(line: Line) -> bool:
    return line.success is False and line.on_failure != "warn"


def _docs(settings: RunSettings, contract: Contract) -> Path | None:
    """Where the dataset's Data Docs are: rewritten by every run, so not under audit, which locks what it holds.

    A bucket is no such place: there they would need a web server in front.
    """
    folder = settings.path(Layer.CHECKPOINTS, settings.domain, "data_docs", contract.dataset)
    return None if is_url(folder) else Path(folder)


def _results(engine: Engine, settings: RunSettings, contract: Contract) -> list[dict[str, Any]]:
    """The newest results of the dataset."""
    rows = engine.rows(settings.record_path(RESULTS), matching={"dataset": contract.dataset}).to_pylist()
    newest = max((row["evaluated_at"] for row in rows), default=None)
    return [row for row in rows if row["evaluated_at"] == newest]


def _good(results: Sequence[Mapping[str, Any]]) -> bool:
    return bool(results) and all(
        row["batch"] == "candidates" or row["on_failure"] == "warn" or row["success"] is not False for row in results
    )


def _good_version(results: Sequence[Mapping[str, Any]]) -> int:
    """Version of silver that the last results found good; 0 where they did not."""
    return int(results[0]["silver_version"]) if _good(results) else 0


def _seen(results: Sequence[Mapping[str, Any]], contract: Contract, versions: Mapping[str, int]) -> bool:
    """Whether the last results are of the same rows and the same contract, and were all good."""
    same = {**versions, "contract_digest": contract.digest}
    return _good(results) and all(row[key] == value for row in results for key, value in same.items())


def _store(
    engine: Engine, settings: RunSettings, contract: Contract, versions: Mapping[str, int], lines: Sequence[Line]
) -> None:
    common = {
        "dataset": contract.dataset,
        "contract_version": contract.version,
        "contract_digest": contract.digest,
        "run_id": settings.run_id,
        "evaluated_at": datetime.now(UTC),
        **versions,
    }
    rows = [asdict(line) | common for line in lines]
    table = pa.Table.from_pylist(rows, schema=RESULTS_SCHEMA)
    engine.append(settings.record_path(RESULTS), table)
    keep(settings, "quality", contract.dataset, {**common, "lines": [asdict(line) for line in lines]})
