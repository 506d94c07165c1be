"""A contract as plain ODCS v3.1.0: what Levee reads into a short form is written out for tools that would not."""

from __future__ import annotations

from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from pipelines.contracts import Contract


def odcs(contract: Contract) -> str:
    """The document, YAML, with the physical type, source fields and key position of every column."""
    document: dict[str, Any] = contract.standard.model_dump(
        by_alias=True, exclude_defaults=True, mode="json", exclude_unset=False
    )
    document = {"apiVersion": contract.standard.api_version, "kind": contract.standard.kind, **document}
    properties = document["schema"][0]["properties"]
    for column, written in zip(contract.columns, properties, strict=True):
        written["physicalType"] = column.type
        if column.sources:
            written["transformSourceObjects"] = list(column.sources)
        if column.key_position is not None:
            written["primaryKeyPosition"] = column.key_position
    out = StringIO()
    yaml = YAML()
    yaml.width = 120
    yaml.dump(document, out)
    return out.getvalue()
