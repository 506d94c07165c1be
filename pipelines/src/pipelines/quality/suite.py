"""The contract's checks as a Great Expectations suite: built from the same rules that silver splits by, and run.

Batches come in two kinds. Of a *counted* batch only the metrics are there, which silver's pass has counted, and Great
Expectations makes its results of them without a row (:mod:`pipelines.quality.resolver`): *candidates*, every
well-formed record before the split; *published*, those that were accepted; *table*, the numbers of checks on the table.
A batch of *rows* is read by Great Expectations itself, with its own arithmetic: that is how tests hold the pass against
it, and how a table is checked that somebody else wrote.

A rule that Great Expectations has an expectation for is that expectation; every other rule is a boolean column
(:func:`pipelines.quality.rules.rule_column`) that is expected to be true.

Great Expectations takes seconds to import, so this module is imported by the quality task alone.
"""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # read at import: nothing is sent anywhere

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pyspark's about pandas 3, which Great Expectations pulls in and nobody uses here
    import great_expectations as gx
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.expectations.registry import get_expectation_impl

from pipelines import sql
from pipelines.errors import PipelineError
from pipelines.quality.checks import TableCheck
from pipelines.quality.resolver import KIND, Fact, metrics_table
from pipelines.quality.rules import Expectation, Rule, rule_column

if TYPE_CHECKING:
    from great_expectations.data_context import AbstractDataContext
    from pyspark.sql import DataFrame

    from pipelines.quality.evaluate import Result

SITE = "levee"
SITE_ICON = "favicon.ico"
"""The one static file that pages name; their style is within them."""
COUNTS_ONLY: dict[str, Any] = {"result_format": "BASIC", "partial_unexpected_count": 0}
"""Candidates are not masked, so no result and no page of Data Docs may hold a value of theirs."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one expectation found.

    Attributes:
        id: The rule or check that it stands for.
        expectation: Its type in Great Expectations.
        column: Column it looked at.
        success: Whether it holds.
        rows: Rows it looked at, nulls included; ``None`` for a check on the table.
        failed: Rows that did not fit; ``None`` for a check on the table.
        missing: Rows without a value, where the expectation leaves these out.
    """

    id: str
    expectation: str
    column: str | None
    success: bool
    rows: int | None
    failed: int
    missing: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows and what is expected of them.

    Attributes:
        name: Name of the batch, the suite and the page in Data Docs.
        frame: The rows.
        expectations: Rule or check id, and its expectation.
    """

    name: str
    frame: DataFrame
    expectations: Sequence[tuple[str, Expectation]]


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted of rows, and what is expected of them.

    Attributes:
        name: Name of the batch, the suite and the page in Data Docs.
        rows: How many rows.
        expectations: Rule or check id, and its expectation.
        failed: Rows that break it, by rule or check id.
        nulls: Rows without a value, by column; 0 where a column is not named.
    """

    name: str
    rows: int
    expectations: Sequence[tuple[str, Expectation]]
    failed: Mapping[str, int]
    nulls: Mapping[str, int]


NOT_NULL = "expect_column_values_to_not_be_null"


def candidate_batch(name: str, candidates: DataFrame, rules: Sequence[Rule], personal: Collection[str] = ()) -> Batch:
    """The batch of candidate rows: only the columns that are looked at, and a boolean column for other rules.

    Args:
        name: Name of the batch.
        candidates: The rows.
        rules: Rules on them.
        personal: Columns whose values are not masked yet. Of these the batch says only whether they are there.
    """
    native = {
        rule.id
        for rule in rules
        if rule.native and (rule.native.type == NOT_NULL or rule.native.kwargs["column"] not in personal)
    }
    looked_at = dict.fromkeys(str(rule.expectation.kwargs["column"]) for rule in rules if rule.id in native)
    columns = [
        f"CASE WHEN {sql.name(column)} IS NOT NULL THEN 'there' END AS {sql.name(column)}"
        if column in personal
        else sql.name(column)
        for column in looked_at
    ]
    flags = [f"({rule.predicate}) AS {sql.name(rule_column(rule.id))}" for rule in rules if rule.id not in native]
    expectations = [(rule.id, rule.expectation if rule.id in native else rule.flagged) for rule in rules]
    return Batch(name, candidates.selectExpr(*columns, *flags), expectations)


def counted_batch(
    name: str, rules: Sequence[Rule], rows: int, failed: Mapping[str, int], nulls: Mapping[str, int]
) -> Counted:
    """The batch of records that the pass has judged.

    Args:
        name: Name of the batch.
        rules: Rules on them.
        rows: How many there are.
        failed: Records that broke a rule, by rule.
        nulls: Records without a value, by column.
    """
    return Counted(name, rows, [(rule.id, rule.expectation) for rule in rules], failed, nulls)


def table_batch(name: str, results: Sequence[Result], checks: Sequence[TableCheck]) -> Counted:
    """The one-row batch of a table's numbers, a column each, under the check's id."""
    failed = {result.id: int(result.observed is not None and not result.success) for result in results}
    # A number that is not there fits every expectation on values: that it must be there is what fails then.
    absent = {result.id for result in results if result.observed is None}
    expectations = [
        (check.id, Expectation(NOT_NULL, {"column": check.id}) if check.id in absent else expected(check))
        for check in checks
    ]
    failed |= dict.fromkeys(absent, 1)
    return Counted(name, 1, expectations, failed, dict.fromkeys(absent, 1))


def expected(check: TableCheck) -> Expectation:
    """What is expected of the column that holds a check's number."""
    column = {"column": check.id}
    operand = check.comparison.operand
    match check.comparison.operator:
        case "=":
            return Expectation("expect_column_values_to_be_in_set", {**column, "value_set": [operand]})
        case "!=":
            return Expectation("expect_column_values_to_not_be_in_set", {**column, "value_set": [operand]})
        case ">" | ">=" as operator:
            bounds = {"min_value": operand, "strict_min": operator == ">"}
        case "<" | "<=" as operator:
            bounds = {"max_value": operand, "strict_max": operator == "<"}
        case "between":
            bounds = {"min_value": operand[0], "max_value": operand[1]}
        case _:
            # No expectation says "outside": the metric's column is the comparison's verdict, 1 or 0.
            return Expectation("expect_column_values_to_be_in_set", {**column, "value_set": [1]})
    return Expectation("expect_column_values_to_be_between", {**column, **bounds})


def validate(batches: Sequence[Batch | Counted], docs: Path | None, run_name: str) -> Mapping[str, tuple[Outcome, ...]]:
    """Validate batches, and write Data Docs.

    Args:
        batches: What to validate; their names are different.
        docs: Folder of the static site; ``None`` for none.
        run_name: Name of the run in the site.

    Returns:
        The outcomes of each batch, in the order of its expectations.

    Raises:
        PipelineError: an expectation could not be evaluated; it is named. A check that did not run never passes.
    """
    with _quiet():
        context = _context(docs)
        found = {batch.name: _validate(context, batch, run_name) for batch in batches}
        if docs is not None:
            context.build_data_docs(site_names=[SITE])
            _prune(docs)
    return found


def _prune(docs: Path) -> None:
    """Take away what no page names of the fonts and pictures that come with a site: four megabytes a dataset."""
    for file in (docs / "static").rglob("*"):
        if file.is_file() and file.name != SITE_ICON:
            file.unlink()


def _context(docs: Path | None) -> AbstractDataContext:
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    for name in list(context.variables.data_docs_sites or {}):
        context.delete_data_docs_site(name)
    if docs is not None:
        docs.mkdir(parents=True, exist_ok=True)
        context.add_data_docs_site(
            site_name=SITE,
            site_config={
                "class_name": "SiteBuilder",
                "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(docs)},
                "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            },
        )
    return context


def _validate(context: AbstractDataContext, batch: Batch | Counted, run_name: str) -> tuple[Outcome, ...]:
    suite = context.suites.add(gx.ExpectationSuite(name=batch.name))
    for rule_id, expectation in batch.expectations:
        suite.add_expectation(implemented(rule_id, expectation))
    asset, rows = _asset(context, batch)
    definition = asset.add_batch_definition_whole_dataframe("whole")
    validation = context.validation_definitions.add(
        gx.ValidationDefinition(name=batch.name, data=definition, suite=suite)
    )
    checkpoint = context.checkpoints.add(
        gx.Checkpoint(name=batch.name, validation_definitions=[validation], result_format=COUNTS_ONLY)
    )
    run = checkpoint.run(batch_parameters={"dataframe": rows}, run_id=gx.RunIdentifier(run_name=run_name))
    results = {
        str((result.expectation_config.meta or {})["rule"]): result
        for validated in run.run_results.values()
        for result in validated.results
        if result.expectation_config is not None
    }
    return tuple(_outcome(batch, rule_id, expectation, results) for rule_id, expectation in batch.expectations)


def _asset(context: AbstractDataContext, batch: Batch | Counted) -> tuple[Any, Any]:
    """Great Expectations' asset for a batch, and what it is to read: the rows, or the table of their metrics."""
    if isinstance(batch, Batch):
        return context.data_sources.add_spark(batch.name, persist=False).add_dataframe_asset(batch.name), batch.frame
    facts = [
        Fact(implemented(rule, wanted), batch.failed[rule], batch.nulls.get(str(wanted.kwargs["column"]), 0))
        for rule, wanted in batch.expectations
    ]
    source = getattr(context.data_sources, f"add_{KIND}")(batch.name)
    return source.add_dataframe_asset(batch.name), metrics_table(batch.rows, facts)


def implemented(rule_id: str, expectation: Expectation) -> Any:
    """Great Expectations' own object of an expectation, which remembers its rule."""
    return get_expectation_impl(expectation.type)(**expectation.kwargs, meta={"rule": rule_id})


def _outcome(
    batch: Batch | Counted, rule_id: str, expectation: Expectation, results: Mapping[str, ExpectationValidationResult]
) -> Outcome:
    result = results.get(rule_id)
    raised = _raised(result.exception_info) if result else "it has no result"
    if result is None or raised:
        raise PipelineError(
            f"the check {rule_id} could not be evaluated: {raised}",
            where=batch.name,
            fix="look at the check in the contract; a check that does not run never passes",
        )
    details: dict[str, Any] = result.result
    return Outcome(
        id=rule_id,
        expectation=expectation.type,
        column=expectation.kwargs.get("column"),
        success=bool(result.success),
        rows=details.get("element_count"),
        failed=details.get("unexpected_count") or 0,  # of no rows Great Expectations says nothing on Spark
        missing=details.get("missing_count") or 0,
    )


def _raised(info: Any) -> str | None:
    """The message of an exception that an expectation caught, in either of the two forms that it is kept in."""
    for part in [info, *(info.values() if isinstance(info, dict) else [])]:
        if isinstance(part, dict) and part.get("raised_exception"):
            return str(part.get("exception_message")).splitlines()[0]
    return None


@contextlib.contextmanager
def _quiet() -> Generator[None]:
    """Keep Great Expectations' warnings about other libraries' deprecations to itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
