"""What is said of a run that failed; most of it is proved on the real engine, in ``test_bad_input.py`` and others."""

from __future__ import annotations

import pytest

from levee.engine import find_project
from levee.engine.cli_process import Finished
from levee.engine.failure import diagnose
from levee.engine.join import Events
from levee.engine.notes import Notes

GONE = "Program failed with an unhandled exception:\nException: resource monitor shut down"
CAUSE = "rack:index:Shelf resource 'oak' has a problem: 'size' must be a whole number"


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        ([("", GONE), ("", CAUSE), ("", "preview failed")], "'size' must be a whole number"),
        ([("", GONE), ("", "preview failed")], "resource monitor shut down"),
    ],
)
def test_a_call_that_met_an_engine_gone_is_told_only_where_nothing_else_is(tmp_path, errors, said):
    (tmp_path / "Pulumi.yaml").write_text("name: one\nruntime: python\n")
    (tmp_path / "__main__.py").touch()
    error = diagnose(
        find_project(tmp_path),
        "dev",
        Finished(code=255, stdout="", stderr="", seconds=1.0, interrupted=False),
        events=Events(errors=errors),
        notes=Notes(),
        graph=(),
    )
    assert said in str(error)
    assert ("shut down" in str(error)) == ("shut down" in said)
