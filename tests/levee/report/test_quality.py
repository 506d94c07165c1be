"""The quality of a dataset in a terminal and as Markdown."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console

from levee.report.quality import markdown, shown, sparkline

TOLD: dict[str, Any] = {
    "domain": "sales",
    "dataset": "cdnow",
    "contract_version": "1.0.0",
    "evaluated_at": "2026-11-22 10:00:00",
    "run_id": "run-1",
    "batches": [
        {"batch_id": "b1", "at": "2026-11-21T10:00:00", "records": 100, "quarantined": 1, "malformed": 0},
        {"batch_id": "b2", "at": "2026-11-22T10:00:00", "records": 200, "quarantined": 16, "malformed": 0},
        {"batch_id": "b3", "held": "rule x is broken"},
    ],
    "rules": [
        {"rule": "date_type", "column": "date", "on_failure": "quarantine", "description": "a | date",
         "broken": [1, 16], "quarantined": 17, "look": "levee quarantine list sales.cdnow --rule date_type"},
        {"rule": "kept", "column": "x", "on_failure": "warn", "description": "", "broken": [0, None],
         "quarantined": 0, "look": None},
    ],
    "checks": [
        {"check": "has_sales", "of": "table", "on_failure": "failBatch", "description": "enough", "success": False,
         "observed": 0.0, "not_run": None, "history": [{"success": True}, {"success": None}, {"success": False}]},
        {"check": "by_hand", "of": "table", "on_failure": None, "description": None, "success": None,
         "observed": None, "not_run": "text for people", "history": []},
        {"check": "date_type", "of": "quarantine", "on_failure": "failBatch", "description": "", "success": True,
         "observed": 17.0, "not_run": None, "history": []},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("values", "drawn"),
    [([], ""), ([0, 0], "▁▁"), ([0, 1, 2, 4, 8], "▁▂▃▅█"), ([None, 3], "·█"), ([None], "·"), ([0.5, 0.25], "█▅")],
)
def test_a_trend_is_drawn_from_nought_to_the_most(values: list[float | None], drawn: str) -> None:
    assert sparkline(values) == drawn


def test_what_is_broken_is_shown_with_the_way_to_it() -> None:
    console = Console(width=160)
    with console.capture() as captured:
        console.print(shown(TOLD))
    text = captured.get()
    for said in (
        "sales.cdnow: contract 1.0.0, checked 2026-11-22 10:00 in run run-1",
        "batches: 2, the newest last; quarantined ▂█", "8.00 %", "held: 1 batches, nothing of them is published",
        "rule x is broken",
        "rules: 1 broken, 1 kept", "date_type   quarantine       16      17   ▂█ ", "checks: 1 failed",
        "for 1 rules",
        "FAILED", "✓·✗", "not run: text for people",
        "levee quarantine list sales.cdnow --rule date_type", "levee quarantine show sales.cdnow ID",
        "levee replay sales.cdnow --accept b3 --reason WHY",
    ):  # fmt: skip
        assert said in text, said
    assert "kept  " not in text


def test_a_narrow_terminal_keeps_names_and_numbers_whole() -> None:
    console = Console(width=80)
    with console.capture() as captured:
        console.print(shown(TOLD))
    for said in ("date_type   quarantine       16      17   ▂█ ", "has_sales   the table   failBatch"):
        assert said in captured.get()


def test_markdown_says_the_same() -> None:
    text = markdown(TOLD)
    assert "| date_type | quarantine | 16 | 17 | ▂█ | 17 | a \\| date |" in text
    assert text.startswith("### Quality of sales.cdnow: contract 1.0.0")
    assert "```sh\nlevee quarantine list sales.cdnow --rule date_type\n" in text


def test_what_was_not_checked_yet_says_so() -> None:
    untold = {**TOLD, "evaluated_at": None, "checks": [], "rules": [], "batches": TOLD["batches"][2:]}
    text = markdown(untold)
    assert "its quality task has not run yet" in text
    assert "levee quarantine" not in text
