"""What a person sees of a run."""

import io

import pytest
from rich.console import Console

from levee.runner.job import Task
from levee.runner.progress import RunProgress


@pytest.mark.parametrize("live", [False, True])
def test_an_error_of_many_lines_and_brackets_is_one_line_as_it_is(live: bool) -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=live, width=100, color_system=None)
    task = Task("tables", "levee_pipelines", "tables", {}, (), "ALL_SUCCESS", 60, 0, 1.0, {})

    with RunProgress(console, "sales", (task,)) as progress:
        progress.started("tables")
        progress.ended("tables", "failed", 1.5, "2 of 9 tables failed: [/bronze] is full\n  t1 (bronze): no")

    assert "2 of 9 tables failed: [/bronze] is full" in shown.getvalue()
    assert "t1 (bronze)" not in shown.getvalue()
