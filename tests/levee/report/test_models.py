"""What ``levee models`` prints of what the wheel says."""

from rich.console import Console

from levee.report import models

EDGE = {
    "table": "silver.sales",
    "column": "ordered_at",
    "type": "DIRECT",
    "subtype": "TRANSFORMATION",
    "masking": False,
}
MODEL = {
    "name": "gold.revenue_by_a_very_long_kind_of_period",
    "description": "Revenue by month.",
    "owner": "sales-data",
    "inputs": ["silver.sales", "silver.costs"],
    "optional": ["silver.costs"],
    "materialisation": "incremental",
    "tests": ["one", "two"],
}


def printed(thing: object) -> str:
    console = Console(width=100, record=True, file=None, force_terminal=False)
    with console.capture() as captured:
        console.print(thing)
    return captured.get()


def test_names_and_inputs_are_whole_on_a_narrow_terminal() -> None:
    text = printed(models.listed({"models": [MODEL, MODEL | {"name": "gold.bare", "tests": []}]}))
    assert "gold.revenue_by_a_very_long_kind_of_period" in text
    assert "silver.costs (optional)" in text
    assert "incremental  2" in text
    assert "none" in text


def test_a_models_columns_say_where_they_are_from() -> None:
    columns = [
        {"name": "month", "type": "date", "from": [EDGE]},
        {"name": "lines", "type": "bigint", "from": []},
    ]
    text = printed(
        models.shown(MODEL | {"sql": "SELECT 1 AS one", "columns": columns, "rows": [EDGE | {"subtype": "GROUP_BY"}]})
    )
    assert "SELECT 1 AS one" in text
    assert "silver.sales.ordered_at (transformation)" in text
    assert "no column" in text
    assert "silver.sales.ordered_at (group by)" in text


def test_a_test_that_fails_shows_both_sides() -> None:
    outcome = {"model": "gold.x", "case": "sums", "seconds": 0.1, "passed": True, "missing": [], "unexpected": []}
    failed = outcome | {"passed": False, "missing": [{"n": 1, "m": "a"}], "unexpected": [{"n": 2, "m": "a"}]}
    text = printed(models.outcomes({"tests": [outcome, failed], "engine": "sail", "untested": ["gold.y"]}))
    assert "missing    n=1, m=a" in text
    assert "unexpected n=2, m=a" in text
    assert "2 tests on sail, 1 failed" in text
    assert "without a test: gold.y" in text
