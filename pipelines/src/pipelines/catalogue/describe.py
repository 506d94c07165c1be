"""What the contracts say of a table, as plain data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pipelines.contracts import Contract, Domain, Layer
from pipelines.contracts.model import Column
from pipelines.contracts.odcs import Support
from pipelines.gold.lineage import lineage
from pipelines.quality.checks import table_checks
from pipelines.quality.rules import rules


def described(domain: Domain, contract: Contract) -> dict[str, Any]:
    """The part of a table's entry that needs no data.

    Raises:
        ContractError: a check or the SQL cannot be read; with its line.
    """
    standard, words = contract.standard, contract.standard.description
    return {
        "name": contract.dataset,
        "layer": contract.published.value,
        "source": contract.layer == "source",
        "file": contract.path.relative_to(domain.folder.parent).as_posix(),
        "title": standard.name or contract.dataset,
        "description": contract.description,
        "purpose": (words and words.purpose) or "",
        "usage": (words and words.usage) or "",
        "limitations": (words and words.limitations) or "",
        "version": contract.version,
        "status": standard.status,
        "classification": contract.classification.value,
        "owner": contract.owner or "",
        "contacts": [_contact(one) for one in standard.support],
        "roles": [
            {"role": r.role, "access": r.access or "", "description": r.description or ""} for r in standard.roles
        ],
        "sla": [
            {"property": s.property, "value": f"{s.value} {s.unit or ''}".strip(), "schedule": s.schedule or ""}
            for s in standard.sla_properties
        ],
        "retention": {layer.value: contract.retention(layer) for layer in _layers(contract)},
        "origin": _origin(contract),
        "inputs": list(contract.model.inputs) if contract.model else [],
        "columns": [_column(column) for column in contract.columns],
        "rules": [*_rules(contract)],
        "edges": [*_edges(domain, contract)],
    }


def _contact(support: Support) -> str:
    """How its owner is reached, as people write it: an address of mail without its scheme."""
    return " ".join(filter(None, (support.channel, support.tool, (support.url or "").removeprefix("mailto:"))))


def _layers(contract: Contract) -> tuple[Layer, ...]:
    if contract.layer == "source":
        return (Layer.LANDING, Layer.BRONZE, Layer.SILVER, Layer.QUARANTINE, Layer.AUDIT)
    return (contract.published, Layer.AUDIT)


def _origin(contract: Contract) -> str:
    if contract.extraction:
        server = next((s for s in contract.standard.servers if s.server == contract.extraction.server), None)
        return f"{contract.extraction.kind} {contract.extraction.server}" + (f" ({server.type})" if server else "")
    if contract.source:
        return contract.source.setting
    return f"{contract.ingestion.format} files" if contract.ingestion else ""


def _column(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": column.type,
        "required": column.required,
        "key": column.key_position,
        "unique": column.unique,
        "classification": column.classification.value,
        "masking": column.masking.method if column.masking else None,
        "made": column.expression or ", ".join(column.sources),
        "description": column.description,
    }


def _rules(contract: Contract) -> Iterator[dict[str, Any]]:
    for on, found in (("rows", rules(contract)), ("table", table_checks(contract))):
        for rule in found:
            yield {
                "id": rule.id,
                "on": on,
                "on_failure": rule.on_failure,
                "description": rule.description,
                "dimension": rule.dimension or "",
            }


def _edges(domain: Domain, contract: Contract) -> Iterator[dict[str, Any]]:
    if contract.model is None:
        yield from _edges_of_source(contract)
        return
    found = lineage(domain, contract)
    for to, edges in [*found.columns.items(), (None, found.dataset)]:
        for edge in edges:
            yield _edge(to, edge.table, edge.column, edge.type, edge.subtype)


def _edges_of_source(contract: Contract) -> Iterator[dict[str, Any]]:
    """From bronze's fields; a derived column from the columns that its expression names."""
    names = [column.name for column in contract.columns]
    for column in contract.columns:
        how = "TRANSFORMATION" if column.expression or column.masking else "IDENTITY"
        for field in column.sources:
            yield _edge(column.name, f"bronze.{contract.dataset}", field, "DIRECT", how)
        if not column.sources and column.expression:
            for name in names:
                if name != column.name and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", column.expression):
                    yield _edge(column.name, contract.reference, name, "DIRECT", "TRANSFORMATION")


def _edge(to: str | None, table: str, column: str, kind: str, subtype: str) -> dict[str, Any]:
    return {"to": to, "table": table, "column": column, "type": kind, "subtype": subtype}
