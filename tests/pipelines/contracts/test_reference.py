"""The reference page is what the models say, and the models say enough."""

from pathlib import Path

import pytest

from pipelines import reference
from pipelines.contracts import extensions

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "contracts.md"
REGISTRIES = {**extensions.CONTRACT_PROPERTIES, **extensions.COLUMN_PROPERTIES, **extensions.QUALITY_PROPERTIES}


def test_the_reference_page_is_current() -> None:
    assert reference.main([str(PAGE), "--check"]) == 0, "run: python -m pipelines.reference docs/reference/contracts.md"


def test_a_stale_page_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "contracts.md").write_text("old")
    assert reference.main([str(tmp_path / "contracts.md"), "--check"]) == 1
    assert "is stale" in capsys.readouterr().err


@pytest.mark.parametrize("name", REGISTRIES)
def test_every_custom_property_and_each_of_its_keys_is_described(name: str) -> None:
    adapter, text = REGISTRIES[name].adapter, REGISTRIES[name].description
    assert text.strip().endswith(".")
    for key, field in adapter.json_schema().get("properties", {}).items():
        assert field.get("description", "").endswith("."), key
