"""The reference page says what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.bronze.formats.malformed import PARSE_ERRORS
from pipelines.engine import CAPABILITIES, HAZARDS, Capability, Hazard
from pipelines.settings import EngineName

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "engines.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("hazard", Hazard, ids=lambda hazard: hazard.name)
def test_every_hazard_has_its_row(hazard: Hazard) -> None:
    finding = HAZARDS[hazard]
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{hazard.name}` "))
    cells = [cell.strip().replace("`", "") for cell in row.strip("|").split("|")]
    assert cells == [hazard.name, finding.seen, finding.instead]


@pytest.mark.parametrize("capability", Capability, ids=lambda capability: capability.name)
def test_every_capability_has_its_row(capability: Capability) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{capability.name}` "))
    has = ["yes" if capability in CAPABILITIES[engine] else "no" for engine in EngineName]
    assert [cell.strip() for cell in row.strip("|").split("|")][1:4] == has


@pytest.mark.parametrize("kind", PARSE_ERRORS)
def test_every_kind_of_malformed_record_is_described(kind: str) -> None:
    assert f"`{kind}`" in PAGE
