"""The reference page is what the docstrings say, no argument is left out, and its examples run on the engine."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from components import docs
from levee import engine
from levee.toolchain import ensure_pulumi

ROOT = Path(__file__).resolve().parents[2]
CLASSES = [path for paths in docs.CAPABILITIES.values() for path in paths]
EXAMPLES = [module for module in docs.CAPABILITIES if docs.example(module)]


def test_the_page_is_what_the_docstrings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert docs.main(["--check"]) == 0, docs.COMMAND


@pytest.mark.parametrize("path", CLASSES)
def test_every_argument_is_described(path: str) -> None:
    cls = docs._load(path)
    described = docs.attributes(cls)
    assert described
    if dataclasses.is_dataclass(cls):
        assert list(described) == [field.name for field in dataclasses.fields(cls)]


def test_every_capability_has_an_example() -> None:
    assert EXAMPLES == ["components.lake", "components.databricks"]


@pytest.mark.parametrize("module", EXAMPLES)
def test_an_example_runs_as_it_is_printed(module: str, tmp_path: Path) -> None:
    code = docs.example(module)
    assert code
    (tmp_path / "Pulumi.yaml").write_text("name: example\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(code)
    options = engine.Options(pulumi=ensure_pulumi(ROOT))
    made = engine.up(tmp_path, "dev", options)
    assert made.summary.by_op.keys() == {"create"}
    assert made.outputs
    again = engine.up(tmp_path, "dev", options)
    assert again.summary.by_op.keys() == {"same"}, [(r.urn, r.op, r.diff) for r in again.resources if r.diff]
