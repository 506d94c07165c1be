"""The quality task of one dataset: validate, compare with quarantine, store, publish Data Docs, then say yes or no.

Three batches are validated with Great Expectations (:mod:`pipelines.quality.suite`): the candidates, the published
silver table, and the table's metrics. That a rule fails on as many candidates as quarantine holds under its id is
checked every time: if the two ever disagree, the task fails. What no engine runs is named in the results too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from pipelines.bronze.storage import is_url
from pipelines.contracts.model import Contract
from pipelines.engine.arrow_types import TIMESTAMP
from pipelines.errors import QualityError
from pipelines.evidence import keep
from pipelines.history import data_version
from pipelines.maintain import expired_rows
from pipelines.quality.checks import TableCheck, not_run, table_checks
from pipelines.quality.evaluate import evaluate
from pipelines.quality.held import held
from pipelines.quality.rules import Rule, rules
from pipelines.settings import Layer, RunSettings
from pipelines.silver.plan import RULE_SEPARATOR, SilverPlan

if TYPE_CHECKING:
    from pipelines.engine import Engine
    from pipelines.quality.suite import Batch, Outcome

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
        batch: ``candidates``, ``published`` or ``table``; ``quarantine`` for the comparison with it.
        check_id: The rule or check.
        expectation: Its expectation in Great Expectations; ``None`` where it did not run.
        column: Column it is about.
        description: One line for readers.
        on_failure: What its failure does.
        success: Whether it holds; ``None`` where it did not run.
        rows: Rows it looked at.
        failed: Rows that broke it.
        observed: The metric of a check on the table; the rows that quarantine holds under a rule.
        not_run: Why it did not run; ``None`` where it did.
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
    if _seen(engine, settings, contract, versions):
        return Checked(contract.dataset, (), unchanged=True, docs=docs)
    lines = _lines(engine, settings, contract, docs)
    quarantined = None if _expired(engine, settings, contract) else quarantined_by_rule(engine, settings, contract)
    lines = (*lines, *agreement(contract, lines, quarantined))
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


def quarantined_by_rule(engine: Engine, settings: RunSettings, contract: Contract) -> Mapping[str, int]:
    """Count the rows in quarantine under each rule id; a row counts under every rule that it broke."""
    path = settings.table_path(Layer.QUARANTINE, contract.dataset)
    if not engine.exists(path):
        return {}
    counted = Counter[str]()
    for row in engine.read(path).groupBy("_rules").count().collect():
        counted.update(dict.fromkeys(row["_rules"].split(RULE_SEPARATOR), row["count"]))
    return counted


def _expired(engine: Engine, settings: RunSettings, contract: Contract) -> bool:
    paths = (settings.table_path(layer, contract.dataset) for layer in (Layer.BRONZE, Layer.QUARANTINE))
    return any(expired_rows(engine, settings, path) for path in paths)


def _lines(engine: Engine, settings: RunSettings, contract: Contract, docs: Path | None) -> tuple[Line, ...]:
    from pipelines.quality import suite  # Great Expectations takes seconds to import, and only this task needs it

    plan = SilverPlan.of(contract, settings.pseudonym_key, settings.run_id, "")
    bronze = engine.read(settings.table_path(Layer.BRONZE, contract.dataset))
    silver = engine.read(settings.table_path(Layer.SILVER, contract.dataset))
    compiled = rules(contract)
    checks = table_checks(contract)
    asked, others = published_rules(contract)
    personal = [column.name for column in contract.personal_columns]
    batches: dict[str, Batch] = {
        "candidates": suite.candidate_batch(
            f"{contract.dataset}.candidates", plan.candidates(bronze), compiled, personal
        ),
        "published": suite.candidate_batch(f"{contract.dataset}.published", silver, asked),
    }
    if checks:
        view = f"levee_quality_{contract.dataset}"
        silver.createOrReplaceTempView(view)
        metrics = suite.metrics_frame(engine, evaluate(engine.spark, view, (), checks), checks)
        batches["table"] = suite.metric_batch(f"{contract.dataset}.table", metrics, checks)
    folder = settings.path(Layer.CHECKPOINTS, settings.domain, "quality", contract.dataset)
    with held(engine, batches["candidates"].frame, folder) as kept:
        batches["candidates"] = replace(batches["candidates"], frame=kept)
        outcomes = suite.validate(tuple(batches.values()), docs, settings.run_id)
    known: dict[str, Rule | TableCheck] = {item.id: item for item in (*compiled, *checks)}
    lines = [
        _line(kind, outcome, known[outcome.id]) for kind, batch in batches.items() for outcome in outcomes[batch.name]
    ]
    return (*lines, *others, *(Line("table", skipped.id, not_run=skipped.reason) for skipped in not_run(contract)))


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
        observed=outcome.observed,
    )


def agreement(contract: Contract, lines: Sequence[Line], quarantined: Mapping[str, int] | None) -> list[Line]:
    """Compare, for each rule that sends rows there, what the suite counted with what quarantine holds.

    Args:
        contract: The contract.
        lines: What the suite found.
        quarantined: Rows by rule; ``None`` where retention has taken rows out, so that the two cannot be compared.
    """
    rejecting = [rule for rule in rules(contract) if rule.on_failure == "quarantine"]
    if quarantined is None:
        reason = "retention has taken rows out of bronze or quarantine"
        return [Line("quarantine", rule.id, not_run=reason) for rule in rejecting]
    failing = {line.check_id: line.failed or 0 for line in lines if line.batch == "candidates"}
    return [
        Line(
            "quarantine",
            rule.id,
            column=rule.column,
            description="as many rows in quarantine as candidates that the suite fails",
            on_failure="failBatch",
            success=failing[rule.id] == quarantined.get(rule.id, 0),
            failed=failing[rule.id],
            observed=float(quarantined.get(rule.id, 0)),
        )
        for rule in rejecting
    ]


def _gate(contract: Contract, lines: Sequence[Line]) -> None:
    apart = [line for line in lines if line.batch == "quarantine" and line.success is False]
    if apart:
        said = "; ".join(f"{line.check_id}: suite {line.failed}, quarantine {line.observed:.0f}" for line in apart)
        raise QualityError(
            f"suite and quarantine of {contract.dataset} disagree ({said})",
            where=str(contract.path),
            fix=f"if the contract has changed since silver ran: levee replay {contract.dataset}",
        )
    broken = [line for line in lines if line.batch in ("published", "table") and _fails(line)]
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


def _seen(engine: Engine, settings: RunSettings, contract: Contract, versions: Mapping[str, int]) -> bool:
    """Whether the last results are of the same rows and the same contract, and were all good."""
    path = settings.record_path(RESULTS)
    rows = engine.rows(path, matching={"dataset": contract.dataset}).to_pylist()
    newest = max((row["evaluated_at"] for row in rows), default=None)
    last = [row for row in rows if row["evaluated_at"] == newest]
    same = {**versions, "contract_digest": contract.digest}
    return bool(last) and all(
        all(row[key] == value for key, value in same.items())
        and (row["batch"] == "candidates" or row["on_failure"] == "warn" or row["success"] is not False)
        for row in last
    )


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
