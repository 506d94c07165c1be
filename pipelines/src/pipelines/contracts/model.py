"""A contract as the pipelines use it: the standard's elements and Levee's extensions, resolved and checked.

Reading rules that the standard leaves open, and Levee fixes:

* the contract of a source describes the table that silver publishes; bronze has the source's fields as they came;
* a column's source field is the one entry of ``transformSourceObjects``; where that is absent, the column's own name;
* ``transformLogic`` with ``transformSourceObjects`` is a SQL expression over those source fields, as text, before the
  cast to the column's type; without, the column is derived: an expression over the typed columns before it;
* ``physicalType`` is the Spark SQL type of silver; numbers need one, because money is decimal;
* ``logicalTypeOptions.format`` of dates and timestamps is a Java ``DateTimeFormatter`` pattern; times are UTC.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.contracts.extensions import (
    Alerts,
    CircuitBreaker,
    DataSubject,
    Deduplication,
    Extraction,
    History,
    Implementation,
    Ingestion,
    KAnonymity,
    Lateness,
    LayerRetention,
    Maintenance,
    Masking,
    OnFailure,
    Redelivery,
    Source,
    SqlModel,
    SurrogateKey,
)
from pipelines.contracts.odcs import DataContract, Quality
from pipelines.contracts.versions import CHANGES, DELETED, HISTORY, VERSIONED, holding_now
from pipelines.settings import Layer


class Classification(enum.StrEnum):
    """How sensitive data is, from least to most; a dataset is as sensitive as its most sensitive column."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    PERSONAL = "personal"
    """Names or singles out a person: never leaves bronze unmasked."""
    RESTRICTED = "restricted"

    @property
    def rank(self) -> int:
        """Place in the order, 0 for public."""
        return list(type(self)).index(self)


TIME_TRAVEL_HOURS: Mapping[Classification, int] = {
    Classification.PUBLIC: 720,
    Classification.INTERNAL: 720,
    Classification.CONFIDENTIAL: 336,
    Classification.PERSONAL: 168,
    Classification.RESTRICTED: 168,
}
"""Hours that earlier versions of a table can be read, where its contract does not say; 168 is Delta's floor."""
LONGEST_PERSONAL_HOURS = 720
"""What a contract may say of personal data: a deleted person is in no earlier version after a month, the time that GDPR
art. 12(3) gives to answer a request."""


class ChangeOrder(enum.StrEnum):
    """What orders the changes of a key."""

    SEQUENCE = "sequence"
    """The CDC envelope's sequence."""
    COLUMNS = "columns"
    """`effectiveFrom` and `orderBy`."""
    DELIVERIES = "deliveries"
    """The names of deliveries and the lines in them."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table that a contract publishes.

    Attributes:
        name: Name in silver (or gold), snake_case.
        sources: Source fields it is made from, by the source's names; empty for a derived column.
        type: Spark SQL type, e.g. ``decimal(18,3)``.
        logical_type: The standard's type.
        format: Java date pattern of the source's text; ``None`` for ISO 8601.
        expression: SQL over `sources` (before the cast), or over typed columns where there are none.
        required: Null is not allowed.
        unique: No value twice.
        key_position: 1-based place in the primary key; ``None`` outside it.
        classification: How sensitive it is.
        masking: How it is masked; ``None`` where it is not.
        surrogate_key: Columns that it is a key of; ``None`` where it is read or derived.
        options: The standard's ``logicalTypeOptions``.
        quality: Checks of this column.
        description: One line for readers.
    """

    name: str
    sources: tuple[str, ...]
    type: str
    logical_type: str
    format: str | None
    expression: str | None
    required: bool
    unique: bool
    key_position: int | None
    classification: Classification
    masking: Masking | None
    surrogate_key: SurrogateKey | None
    options: Mapping[str, Any]
    quality: tuple[Check, ...]
    description: str

    @property
    def derived(self) -> bool:
        """Made from typed columns, not from the source."""
        return not self.sources


@dataclass(frozen=True, slots=True)
class Check:
    """One quality check of the contract, with its identity and what its failure does.

    Attributes:
        id: Name in quarantine, suite and run record, unique in the contract.
        quality: The standard's element.
        column: Column it is about; ``None`` for the table.
        on_failure: What a broken check does; ``None`` where the contract leaves it to the severity.
        where: ``file:line``.
        look: What a check of Levee's own looks at; ``None`` for the standard's.
    """

    id: str
    quality: Quality
    column: str | None
    on_failure: OnFailure | None
    where: str
    look: Implementation | None = None


@dataclass(frozen=True, slots=True)
class Contract:
    """One dataset: what is published, from what, checked how, kept how long, and by whom.

    Attributes:
        path: Contract file.
        standard: The file's elements by the standard.
        domain: Domain the dataset belongs to.
        dataset: Name of the dataset, which is the table's name in every layer.
        description: One line for readers.
        layer: ``source`` (bronze and silver are made from it), or ``silver`` or ``gold`` of a table that SQL makes.
        columns: What is published, in order.
        checks: Checks of the table as a whole.
        ingestion: How deliveries are read; ``None`` for models.
        extraction: How a source that is no file is read; ``None`` where files are delivered.
        source: Where deliveries come from; ``None`` for models and for sources that arrive by themselves.
        redelivery: What a known name with new content is.
        circuit_breaker: When a batch is held; ``None`` for never.
        deduplication: Which rows are the same.
        history: What changes and deletes of a key do; ``None`` where rows are events, which nothing changes.
        lateness: How late a record may come; ``None`` where nobody asks.
        maintenance: Care of files.
        data_subject: Whom its rows are about; ``None`` where they are about nobody.
        k_anonymity: How many rows must look alike before it is published; ``None`` for no such promise.
        model: Inputs and SQL of a derived table; ``None`` for sources.
        retention_days: The SLA's retention; ``None`` for ever.
        layer_retention: Retention where a layer has one of its own.
        digest: sha256 of the contract's bytes (and of its SQL file's), hexadecimal.
        sql_digest: sha256 of a model's SQL file, hexadecimal; ``None`` for sources.
        sql_words: Words of that file: a model reads a column only where it names it.
        alerts: What is told to whom, by the name of the support channel.
    """

    path: Path
    standard: DataContract
    domain: str
    dataset: str
    description: str
    layer: str
    columns: tuple[Column, ...]
    checks: tuple[Check, ...]
    ingestion: Ingestion | None
    extraction: Extraction | None
    source: Source | None
    redelivery: Redelivery
    circuit_breaker: CircuitBreaker | None
    deduplication: Deduplication
    history: History | None
    lateness: Lateness | None
    maintenance: Maintenance
    model: SqlModel | None
    retention_days: int | None
    layer_retention: LayerRetention
    digest: str
    sql_digest: str | None = None
    sql_words: frozenset[str] = frozenset()
    data_subject: DataSubject | None = None
    k_anonymity: KAnonymity | None = None
    alerts: Mapping[str, Alerts] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """Version of the contract, SemVer by its team's choice."""
        return self.standard.version

    @property
    def published(self) -> Layer:
        """The layer that its readers find it in."""
        return Layer.GOLD if self.layer == "gold" else Layer.SILVER

    @property
    def reference(self) -> str:
        """What SQL calls the published table, e.g. ``silver.online_retail``."""
        return f"{self.published.value}.{self.dataset}"

    @property
    def source_fields(self) -> tuple[str, ...]:
        """Fields of a delivery that the contract knows, in the order of first mention: bronze's columns."""
        fields = dict.fromkeys(name for column in self.columns for name in column.sources)
        return tuple(fields)

    @property
    def keeps_snapshots(self) -> bool:
        """Whether each delivery has the whole table, and the former ones stay beside it."""
        return self.history is not None and self.history.deliveries == "snapshots"

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Columns of the primary key, in their order."""
        keyed = [column for column in self.columns if column.key_position is not None]
        return tuple(column.name for column in sorted(keyed, key=lambda column: column.key_position or 0))

    @property
    def personal_columns(self) -> tuple[Column, ...]:
        """Columns that are masked before they are published."""
        return tuple(column for column in self.columns if column.masking is not None)

    @property
    def personal_fields(self) -> frozenset[str]:
        """Source fields that a personal column is made from, or one that is masked."""
        floor = Classification.PERSONAL.rank
        columns = [column for column in self.columns if column.masking or column.classification.rank >= floor]
        return frozenset(field for column in columns for field in column.sources)

    @property
    def change_feed(self) -> bool:
        """Whether deliveries are the changes of a database, in an envelope that tells the operation and its order."""
        return self.ingestion is not None and self.ingestion.envelope == "debezium"

    @property
    def change_order(self) -> ChangeOrder | None:
        """What orders the changes of a key; ``None`` without a history."""
        if self.history is None:
            return None
        if self.change_feed:
            return ChangeOrder.SEQUENCE
        told = self.history.effective_from or self.history.order_by
        return ChangeOrder.COLUMNS if told and self.history.deliveries == "changes" else ChangeOrder.DELIVERIES

    @property
    def tracked(self) -> tuple[str, ...]:
        """Columns whose change opens a version."""
        if self.history is None:
            return ()
        apart = {*self.history.business_key, self.history.effective_from, *self.history.order_by}
        return self.history.tracked or tuple(
            column.name for column in self.columns if column.name not in apart and column.surrogate_key is None
        )

    @property
    def surrogate_keys(self) -> dict[str, tuple[str, ...]]:
        """Columns that each surrogate key is made of, by its column."""
        return {column.name: column.surrogate_key.of for column in self.columns if column.surrogate_key}

    @property
    def current_rows(self) -> str | None:
        """SQL condition of silver's rows that hold now: current and not deleted; ``None`` where all do."""
        if self.history is None:
            return None
        return holding_now(VERSIONED if self.history.type == 2 else DELETED)

    @property
    def silver_tables(self) -> tuple[str, ...]:
        """Names of the tables that silver keeps of the dataset, the published one first."""
        if self.history is None:
            return (self.dataset,)
        versions = (f"{self.dataset}{HISTORY}",) if self.history.type == 4 else ()
        return (self.dataset, *versions, f"{self.dataset}{CHANGES}")

    @property
    def classification(self) -> Classification:
        """The most sensitive of the columns' classifications."""
        return max((column.classification for column in self.columns), key=lambda value: value.rank)

    @property
    def owner(self) -> str | None:
        """Name of the team that owns the dataset."""
        return self.standard.team.name if self.standard.team else None

    @property
    def every_check(self) -> tuple[Check, ...]:
        """Every quality check: the columns', then the table's."""
        return (*(check for column in self.columns for check in column.quality), *self.checks)

    @property
    def looked_up(self) -> frozenset[str]:
        """Datasets whose silver has the keys that rules of this one refer to."""
        looks = (check.look.references for check in self.every_check if check.look)
        return frozenset(references.dataset for references in looks if references)

    @property
    def stops_pipeline(self) -> bool:
        """Whether a check of it may stop what comes after: gold waits for its quality task."""
        return any(check.on_failure == "stopPipeline" for check in self.every_check)

    def column(self, name: str) -> Column:
        """Return the column of that name; ``KeyError`` where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def vacuum_hours(self) -> int:
        """Hours after which files that are no longer in the table go."""
        return self.maintenance.vacuum_hours or TIME_TRAVEL_HOURS[self.classification]

    def retention(self, layer: Layer) -> int | None:
        """Days that `layer` keeps this dataset; ``None`` for ever."""
        own = getattr(self.layer_retention, layer.value, None)
        return own if own is not None else self.retention_days
