"""What Levee adds to the standard, all of it in ``customProperties``: a module a subject, a model a property.

``docs/reference/contracts.md`` is generated from these models; a custom property that is not in one of the registries
below is refused, so nothing in a contract is without effect.
"""

from __future__ import annotations

from typing import Literal

from pydantic import TypeAdapter

from pipelines.contracts.extensions import alerts, care, extraction, gold, ingestion, masking, quality, silver
from pipelines.contracts.extensions.alerts import Alerts
from pipelines.contracts.extensions.care import LayerRetention, Maintenance
from pipelines.contracts.extensions.extraction import Extraction
from pipelines.contracts.extensions.gold import SqlModel, UnknownMember
from pipelines.contracts.extensions.ingestion import Ingestion, Redelivery, Source
from pipelines.contracts.extensions.masking import DataSubject, KAnonymity, Masking
from pipelines.contracts.extensions.quality import CircuitBreaker, Implementation, OnFailure
from pipelines.contracts.extensions.registry import Extension, Registry
from pipelines.contracts.extensions.silver import Deduplication, History, Lateness, SurrogateKey

CONTRACT_PROPERTIES: Registry = {
    "layer": Extension(
        TypeAdapter(Literal["source", "silver", "gold"]),
        "`source`: the contract of a source, from which bronze and silver are made; `silver`, `gold`: of a table that "
        "SQL makes of others (`model`).",
    ),
    **ingestion.CONTRACT_PROPERTIES,
    **extraction.CONTRACT_PROPERTIES,
    **silver.CONTRACT_PROPERTIES,
    **quality.CONTRACT_PROPERTIES,
    **care.CONTRACT_PROPERTIES,
    **masking.CONTRACT_PROPERTIES,
    **gold.CONTRACT_PROPERTIES,
}
"""Custom properties of a contract."""

COLUMN_PROPERTIES: Registry = {**masking.COLUMN_PROPERTIES, **silver.COLUMN_PROPERTIES}
"""Custom properties of a schema property."""

QUALITY_PROPERTIES: Registry = {**quality.QUALITY_PROPERTIES}
"""Custom properties of a quality check."""

SUPPORT_PROPERTIES: Registry = {**alerts.SUPPORT_PROPERTIES}
"""Custom properties of an entry of `support`."""

__all__ = [
    "COLUMN_PROPERTIES",
    "CONTRACT_PROPERTIES",
    "QUALITY_PROPERTIES",
    "SUPPORT_PROPERTIES",
    "Alerts",
    "CircuitBreaker",
    "DataSubject",
    "Deduplication",
    "Extension",
    "Extraction",
    "History",
    "Implementation",
    "Ingestion",
    "KAnonymity",
    "Lateness",
    "LayerRetention",
    "Maintenance",
    "Masking",
    "OnFailure",
    "Redelivery",
    "Registry",
    "Source",
    "SqlModel",
    "SurrogateKey",
    "UnknownMember",
]
