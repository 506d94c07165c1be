"""The tables of a lake in a terminal."""

from io import StringIO
from typing import Any

from rich.console import Console

from levee.report import tables as report

ROW: dict[str, Any] = {
    "domain": "sales",
    "table": "silver.cdnow",
    "version": 3,
    "rows": 69_579,
    "files": 1,
    "bytes": 2_200_000,
    "small_files": 1,
    "without_statistics": 0,
    "stored_files": 2,
    "stored_bytes": 5_900_000,
    "vacuum_hours": 168,
    "usd_a_month": "0.000141",
    "usd_a_month_before": "0.000088",
    "usd_a_month_after": "0.000141",
    "cared": {
        "at": "2026-11-22T10:22:42+00:00",
        "files_before": 18,
        "files_after": 1,
        "stored_bytes_before": 3_700_000,
        "stored_bytes_after": 5_900_000,
    },
}


def shown(*rows: dict[str, Any], width: int = 200) -> str:
    console = Console(width=width, record=True, file=StringIO())
    console.print(report.tables(rows))
    return console.export_text()


def test_a_table_tells_its_size_its_price_and_what_its_last_care_changed() -> None:
    text = shown(ROW)
    line = next(line for line in text.splitlines() if "sales.silver.cdnow" in line)
    assert "2026-11-22 10:22: 18 to 1, 3.7 MB to 5.9 MB, 0.000088 to 0.00014" in line
    assert "0.00014 " in line
    assert "7 d" in line
    assert "without statistics" not in text


def test_what_nobody_knows_is_a_question_mark_and_what_lacks_statistics_is_named() -> None:
    unknown = {**ROW, "stored_bytes": None, "usd_a_month": None, "cared": None, "without_statistics": 2}
    text = shown(unknown, {**ROW, "usd_a_month": "1234.5"})
    assert text.count("?") == 2
    assert "never" in text
    assert "files without statistics: silver.cdnow 2" in text
    assert "1,234.50" in text


def test_a_narrow_terminal_shows_every_number_whole() -> None:
    text = shown({**ROW, "rows": 541_909_123, "table": "checkpoints.budget_decisions_of_a_year"}, width=100)
    assert "…" not in text
    for number in ("541,909,123", "2.2 MB", "5.9 MB", "0.00014", "7 d", "3.7 MB"):
        assert number in text
