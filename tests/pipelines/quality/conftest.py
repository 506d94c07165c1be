"""Contracts made on the spot, without a source."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipelines.contracts import Contract, load_contract

Make = Callable[..., Contract]


@pytest.fixture
def contract(tmp_path: Path) -> Make:
    """Make a contract of columns, given as the standard's properties, and checks of the table."""

    def make(*properties: Mapping[str, Any], quality: list[dict[str, Any]] | None = None) -> Contract:
        table: dict[str, Any] = {
            "name": "things",
            "properties": [{"classification": "internal", **item} for item in properties],
            "quality": quality or [],
        }
        document = {
            "apiVersion": "v3.1.0",
            "kind": "DataContract",
            "id": "x",
            "version": "1.0.0",
            "status": "draft",
            "domain": "test",
            "schema": [table],
            "customProperties": [
                {"property": "layer", "value": "source"},
                {"property": "ingestion", "value": {"format": "csv"}},
            ],
        }
        path = tmp_path / "things.odcs.yaml"
        with path.open("w") as file:
            YAML(typ="safe").dump(document, file)
        return load_contract(path)

    return make
