"""Files that are no deliveries: named, with the reason; their bytes stay where they were delivered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from pipelines.engine.arrow_types import TIMESTAMP
from pipelines.settings import Layer, RunSettings

if TYPE_CHECKING:
    from pipelines.bronze.inspection import Delivery
    from pipelines.contracts.model import Contract
    from pipelines.engine import Engine

SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("file", pa.string()),
        ("file_sha256", pa.string()),
        ("size", pa.int64()),
        ("reason", pa.string()),
        ("contract_version", pa.string()),
        ("contract_digest", pa.string()),
        ("run_id", pa.string()),
        ("rejected_at", TIMESTAMP),
    ]
)

KEY = ("dataset", "file", "file_sha256", "contract_digest")
"""What a rejection is told by: a run that was killed says it again, and it stays one row."""


@dataclass(frozen=True, slots=True)
class RejectedFile:
    """One file of which no record could be read.

    Attributes:
        dataset: Dataset it was delivered for.
        file: Name, relative to the dataset's landing folder.
        file_sha256: Its content.
        size: Bytes.
        reason: ``kind: detail``.
        contract_version: Contract it was read by.
        contract_digest: The same, by content.
        run_id: Run that rejected it.
        rejected_at: When, UTC.
    """

    dataset: str
    file: str
    file_sha256: str
    size: int
    reason: str
    contract_version: str
    contract_digest: str
    run_id: str
    rejected_at: datetime

    @classmethod
    def of(cls, delivery: Delivery, contract: Contract, settings: RunSettings) -> RejectedFile:
        """Make the row of a delivery with a problem."""
        return cls(
            dataset=contract.dataset,
            file=delivery.stored.name,
            file_sha256=delivery.sha256,
            size=delivery.stored.size,
            reason=delivery.problem or "",
            contract_version=contract.version,
            contract_digest=contract.digest,
            run_id=settings.run_id,
            rejected_at=datetime.now(UTC),
        )


def files_path(settings: RunSettings) -> str:
    """Where the domain's rejected files are listed."""
    return settings.table_path(Layer.QUARANTINE, "_files")


def quarantine_files(engine: Engine, settings: RunSettings, rejected: Sequence[RejectedFile]) -> None:
    """Enter rejected files in the domain's quarantine of files, each once a content and contract."""
    if rejected:
        path = files_path(settings)
        engine.ensure(path, SCHEMA)
        table = pa.Table.from_pylist([asdict(row) for row in rejected], schema=SCHEMA)
        engine.merge(path, engine.frame(table), KEY)
