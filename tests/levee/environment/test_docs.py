"""The reference page says of every setting what it is, and is what the model says."""

from __future__ import annotations

from pathlib import Path

import pytest

from levee.environment import Environment, docs
from levee.environment.docs import _sections

ROOT = Path(__file__).parents[3]


def test_the_page_is_what_the_model_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert docs.main(["--check"]) == 0, docs.COMMAND


def test_every_setting_is_described_and_on_the_page() -> None:
    page = docs.page()
    for model, title in _sections(Environment, "The environment"):
        assert f"## {title}\n" in page
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"
            assert f"| `{name}` |" in page or (model, name) == (Environment, "name")


def test_a_stale_page_is_told_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    docs.PAGE.parent.mkdir(parents=True)
    assert docs.main(["--check"]) == 1
    assert docs.COMMAND in capsys.readouterr().err
    assert docs.main([]) == 0
    assert docs.main(["--check"]) == 0
