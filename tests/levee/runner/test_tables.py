"""The report's data, asked of the real wheel over real tables (a run of one task of the test's own is enough)."""

import pytest

from levee.errors import EngineError
from levee.runner import summary


def test_where_nothing_ran_there_is_nothing_to_show(stack, task, tmp_path):
    assert summary(stack(task("good")), root=tmp_path) is None


def test_tables_that_cannot_be_read_name_the_next_command(stack, task, tmp_path, console, monkeypatch, prepared):
    monkeypatch.setattr("levee.runner.tables.ensure_data_env", lambda *_: prepared)
    (tmp_path / ".levee" / "local" / "runs").mkdir(parents=True)
    prepared.python.write_text("#!/bin/sh\necho the table is torn >&2\nexit 3\n")
    with pytest.raises(EngineError, match="the table is torn") as caught:
        summary(stack(task("good")), root=tmp_path, console=console)
    assert caught.value.fix == "levee run sales --env local, then levee report local"
