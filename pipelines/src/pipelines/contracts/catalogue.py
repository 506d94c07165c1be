"""What a catalogue calls a domain's tables: ``catalog.schema.table`` for every place that the jobs write.

Tables are written by path, on every engine alike. Where a catalogue outlives the session (Unity Catalog), each is
registered under the name that this module gives its path, with the comments of its contract: that is how people find
it, and what grants are about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from pipelines.contracts.domain import Domain
from pipelines.contracts.model import Contract
from pipelines.contracts.versions import CHANGES, HISTORY
from pipelines.settings import Layer, RunSettings

RECORDS: Final[Mapping[str, str]] = {
    "ledger": "What each layer has taken in: one row a delivery and event.",
    "batches": "The count law's record: one row a silver batch.",
    "extracts": "What each extraction planned and landed: one row an event.",
    "runs": "One row a task run.",
    "budget_decisions": "What was decided on the cost of a run, and why.",
    "quality_metrics": "What silver's one pass counted: one row a metric and batch.",
    "quality_results": "One row a check, batch and run.",
    "quarantine_states": "What was decided about each rejected record: one row an event.",
    "model_builds": "Which inputs a derived table was built from, and how.",
    "maintenance": "The last care of each table.",
    "suppressions": "Who was erased and is not taken in again: keyed hashes.",
    "vault": "Which value a token stands for, sealed.",
    "mask_keys": "Which masking key each dataset's silver is masked with, by its id.",
    "alerts": "What was told to whom of runs: one row a state of a message.",
    "erasures": "What each erasure planned and did: one row an event.",
}
"""The tables under checkpoints, with one line for readers."""

REJECTED_FILES: Final = "_files"
"""The table under quarantine of files that were no deliveries."""


@dataclass(frozen=True, slots=True)
class TableEntry:
    """One table in the catalogue.

    Attributes:
        catalog: Its catalog.
        schema: Its schema.
        table: Its name.
        comment: One line for readers.
        columns: Comment by column.
    """

    catalog: str
    schema: str
    table: str
    comment: str
    columns: Mapping[str, str] = field(default_factory=dict)


def schema_name(domain: str, layer: Layer) -> str:
    """Name of the schema of a domain's layer, an identifier that needs no quotes."""
    return re.sub(r"[^a-z0-9]+", "_", f"{domain}_{layer.value}".lower())


def entries(settings: RunSettings, domain: Domain) -> dict[str, TableEntry]:
    """Name every table that the domain's jobs write, by path; nothing where no catalog was given.

    Args:
        settings: Catalog and roots; a layer without a root has no tables.
        domain: The domain.
    """
    if settings.catalog is None:
        return {}
    return {
        settings.table_path(layer, table): TableEntry(
            settings.catalog, schema_name(domain.name, layer), table, comment, columns
        )
        for layer, table, comment, columns in _tables(domain)
        if layer in settings.roots
    }


def _tables(domain: Domain) -> Iterator[tuple[Layer, str, str, Mapping[str, str]]]:
    for contract in domain.sources:
        yield Layer.BRONZE, contract.dataset, f"As delivered, every record: {contract.description}", {}
        told = {CHANGES: "Every change that its history is made of", HISTORY: "Every version"}
        yield Layer.SILVER, contract.dataset, contract.description, _comments(contract)
        for table in contract.silver_tables[1:]:
            comment = told[table.removeprefix(contract.dataset)]
            yield Layer.SILVER, table, f"{comment}: {contract.description}", _comments(contract)
        yield Layer.QUARANTINE, contract.dataset, f"Rejected records, with the rules they broke: {contract.dataset}", {}
    for contract in domain.models:
        yield contract.published, contract.dataset, contract.description, _comments(contract)
    yield Layer.QUARANTINE, REJECTED_FILES, "Files that were no deliveries, with the reason.", {}
    for name, comment in RECORDS.items():
        yield Layer.CHECKPOINTS, name, comment, {}


def _comments(contract: Contract) -> dict[str, str]:
    return {column.name: column.description for column in contract.columns if column.description}
