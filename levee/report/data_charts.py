"""The charts of the data, in the order of the page."""

from __future__ import annotations

from collections.abc import Sequence

from levee.report.chart import Chart
from levee.report.revenue_charts import revenue_by_country, revenue_by_customer, sales_over_time
from levee.report.row_charts import clean_and_quarantined, quarantine_by_rule
from levee.report.summary import Summary


def data_charts(summary: Summary, run_command: str) -> Sequence[Chart]:
    """Every chart of the data, in the order of the page; before the first run, one that says so.

    Args:
        summary: What the runs left.
        run_command: What fills the charts.
    """
    if summary.is_empty:
        return (Chart("data", "No data yet", empty=f"Nothing has run here. Run it: {run_command}", wide=True),)
    empty = f"The runs left nothing to show here. Run it: {run_command}"
    return (
        sales_over_time(summary, empty),
        clean_and_quarantined(summary, empty),
        quarantine_by_rule(summary, empty),
        *revenue_by_country(summary),
        *revenue_by_customer(summary, empty),
    )
