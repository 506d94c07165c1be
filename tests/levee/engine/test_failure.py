"""What is said of a run that failed; most of it is proved on the real engine, in ``test_bad_input.py`` and others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from levee.engine import find_project
from levee.engine.cli_process import Finished
from levee.engine.failure import diagnose
from levee.engine.join import Events
from levee.engine.notes import Notes
from levee.plan import InventedLookup, Source

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
    error = said_of(tmp_path, errors)
    assert said in str(error)
    assert ("shut down" in str(error)) == ("shut down" in said)


LOOKS = """Program failed with an unhandled exception:
  File "{program}", line 4, in <module>
    vpc = network.outputs["VpcId"]
KeyError: '{key}'"""
ASKED = InventedLookup(
    "aws:cloudformation/getStack:getStack", {}, {"name": "n", "outputs": {}}, Source("__main__.py", 3)
)


@pytest.mark.parametrize(
    ("key", "invented", "fix"),
    [
        ("VpcId", [ASKED], "result: {outputs: {VpcId: VALUE}}"),
        ("VpcId", [replace(ASKED, answer={"name": "n", "outputs": {"VpcId": "vpc-1"}})], ""),
        ("VpcId", [], ""),
        ("two words", [ASKED], ""),
    ],
)
def test_a_key_that_an_invented_map_lacks_is_for_the_project_to_give(tmp_path, key, invented, fix):
    error = said_of(tmp_path, [("", LOOKS.format(program=tmp_path / "__main__.py", key=key))], invented=tuple(invented))
    assert error.where == f"{tmp_path / '__main__.py'}:4"
    assert error.fix.startswith("mend that line")
    assert fix in error.fix
    assert (str(tmp_path / "lookups.yaml") in error.fix) == bool(fix)
    assert ("__main__.py:3" in error.fix) == bool(fix)


def said_of(folder, errors, **notes):
    (folder / "Pulumi.yaml").write_text("name: one\nruntime: python\n")
    (folder / "__main__.py").touch()
    return diagnose(
        find_project(folder),
        "dev",
        Finished(code=255, stdout="", stderr="", seconds=1.0, interrupted=False),
        events=Events(errors=errors),
        notes=Notes(**notes),
        graph=(),
    )
