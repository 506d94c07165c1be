"""An execution engine of Great Expectations that looks metrics up instead of computing them.

Great Expectations asks its execution engine for metrics (``column_values.in_set.unexpected_count`` of a column and a
set of values, ``table.row_count``, ...) and makes results of them. Here the batch *is* its metrics: a small table of
what the pass over the records counted, a metric a row. What is not in it is no zero but an error: the expectation could
not be evaluated. No value of a record ever comes here, so none is in a result or in Data Docs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

import pandas as pd
from great_expectations.datasource.fluent import DataAsset
from great_expectations.datasource.fluent.pandas_datasource import DataFrameAsset, _PandasDatasource
from great_expectations.exceptions import MetricResolutionError
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import ColumnMapExpectation
from great_expectations.validator.metric_configuration import MetricConfiguration

KIND: Final = "levee_metrics"
"""What Great Expectations calls the kind of data source that :class:`MetricsDatasource` is."""
ROWS: Final = "table.row_count"
NULLS: Final = "column_values.nonnull.unexpected_count"
UNEXPECTED: Final = ".unexpected_count"
_COLUMNS: Final = ["metric", "column", "arguments", "value"]
_INTERMEDIATE: Final = (".condition", ".map", "table.columns", "table.column_types")
"""Ends of the names of metrics that others are computed from, and nobody reads."""
_PRINTED: Final = (".unexpected_values", ".unexpected_index_query", ".unexpected_index_list")
"""Ends of the names of metrics that would hold values of the rows."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What was counted for one expectation.

    Attributes:
        expectation: Of the class ``ColumnMapExpectation``: it asks every row.
        failed: Rows that do not fit, nulls left out as Great Expectations does.
        nulls: Rows without a value in its column.
    """

    expectation: ColumnMapExpectation
    failed: int
    nulls: int


def metrics_table(rows: int, facts: Sequence[Fact]) -> pd.DataFrame:
    """The batch that answers for expectations: as many `rows`, and what each fact says."""
    known = {(ROWS, "", "{}"): rows}
    for fact in facts:
        column = fact.expectation.column
        known[(NULLS, column, "{}")] = fact.nulls
        asked = fact.expectation.get_validation_dependencies().metric_configurations
        name = f"{fact.expectation.map_metric}{UNEXPECTED}"
        known[(name, column, _arguments(asked[name]))] = fact.failed
    return pd.DataFrame([(*key, value) for key, value in known.items()], columns=_COLUMNS)


class MetricsEngine(PandasExecutionEngine):
    """Answers every metric from the batch's table of metrics."""

    def resolve_metrics(
        self,
        metrics_to_resolve: Iterable[MetricConfiguration],
        metrics: Mapping[Any, Any] | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> dict[Any, Any]:
        """Look metrics up.

        Raises:
            MetricResolutionError: one of them was not counted.
        """
        rows = self.dataframe.itertuples(index=False)
        known = {tuple(row[:-1]): int(row[-1]) for row in rows}
        return {metric.id: _answer(known, metric) for metric in metrics_to_resolve}


class MetricsDatasource(_PandasDatasource):
    """The kind of data source whose batches are tables of metrics."""

    asset_types: ClassVar[Sequence[type[DataAsset]]] = [DataFrameAsset]
    execution_engine_override: ClassVar = MetricsEngine
    type: Literal["levee_metrics"] = "levee_metrics"  # ty: ignore[incompatible-mutable-override] - it tells kinds apart

    def test_connection(self, test_assets: bool = True) -> None:
        """Return at once: there is nothing to connect to."""

    def add_dataframe_asset(self, name: str) -> DataFrameAsset:
        """Add an asset whose batches are handed over."""
        return self._add_asset(DataFrameAsset(name=name))


def _answer(known: Mapping[tuple[str, str, str], int], metric: MetricConfiguration) -> Any:
    if metric.metric_name.endswith(_INTERMEDIATE):
        return None
    if metric.metric_name.endswith(_PRINTED):
        return []
    key = (metric.metric_name, metric.metric_domain_kwargs.get("column", ""), _arguments(metric))
    if key not in known:
        raise MetricResolutionError(
            f"the pass did not count {' of '.join(filter(None, key[:2]))}", failed_metrics=(metric,)
        )
    return known[key]


def _arguments(metric: MetricConfiguration) -> str:
    """The arguments that a metric depends on, in one spelling."""
    given = {name: value for name, value in metric.metric_value_kwargs.items() if name != "result_format"}
    return json.dumps(given, sort_keys=True, default=str)
