"""What was read of a source: its fields as bronze would have them, texts, and what its format says of their types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Sample:
    """Some records of a source, or all of them.

    Attributes:
        fields: Values by field, all of one length; ``None`` where there was none.
        types: Spark SQL type by field, where the source has types.
        ingestion: The contract's ``ingestion``.
        whole: Whether these are all records.
        origin: Where it is from, in words, without secrets.
        key: The source's own primary key.
        required: Fields that the source itself never leaves empty.
        servers: The contract's ``servers``.
        custom: Further custom properties, by name.
    """

    fields: Mapping[str, Sequence[str | None]]
    types: Mapping[str, str]
    ingestion: Mapping[str, Any]
    whole: bool
    origin: str
    key: tuple[str, ...] = ()
    required: frozenset[str] = frozenset()
    servers: Sequence[Mapping[str, Any]] = ()
    custom: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Records that were read."""
        return len(next(iter(self.fields.values()), ()))
