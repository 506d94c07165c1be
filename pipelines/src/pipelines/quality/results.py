"""The record of what the quality task found: its lines, where they are kept, and what the last ones came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import pyarrow as pa

from pipelines import clock
from pipelines.engine.arrow_types import TIMESTAMP
from pipelines.evidence import keep
from pipelines.settings import RunSettings

if TYPE_CHECKING:
    from pipelines.contracts.model import Contract
    from pipelines.engine import Engine

RESULTS: Final = "quality_results"
"""Table under checkpoints: one row a check, batch and run."""
RESULTS_SCHEMA: Final = pa.schema(
    [
        ("dataset", pa.string()),
        ("batch", pa.string()),
        ("check_id", pa.string()),
        ("expectation", pa.string()),
        ("column", pa.string()),
        ("description", pa.string()),
        ("on_failure", pa.string()),
        ("success", pa.bool_()),
        ("rows", pa.int64()),
        ("failed", pa.int64()),
        ("observed", pa.float64()),
        ("not_run", pa.string()),
        ("read", pa.string()),
        ("contract_version", pa.string()),
        ("contract_digest", pa.string()),
        ("bronze_version", pa.int64()),
        ("silver_version", pa.int64()),
        ("run_id", pa.string()),
        ("evaluated_at", TIMESTAMP),
    ]
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the results.

    Attributes:
        batch: ``candidates``, ``published`` or ``table``; ``quarantine`` for the comparison with it; ``newest`` for
            checks on the newest batch of deliveries; ``held`` for a batch that is held.
        check_id: The rule or check.
        expectation: Its expectation in Great Expectations; ``None`` where it did not run.
        column: Column it is about.
        description: One line for readers.
        on_failure: What its failure does.
        success: Whether it holds; ``None`` where it did not run.
        rows: Rows it looked at.
        failed: Rows that broke it.
        observed: The number of a check on the table or batch; the records that quarantine holds under a rule.
        not_run: Why it did not run; ``None`` where it did.
        read: ``pass``: silver's one pass counted it; ``table``: the table was read for it.
    """

    batch: str
    check_id: str
    expectation: str | None = None
    column: str | None = None
    description: str | None = None
    on_failure: str | None = None
    success: bool | None = None
    rows: int | None = None
    failed: int | None = None
    observed: float | None = None
    not_run: str | None = None
    read: Literal["pass", "table"] | None = None


def newest_results(engine: Engine, settings: RunSettings, contract: Contract) -> list[dict[str, Any]]:
    """Return the newest results of the dataset."""
    rows = engine.rows(settings.record_path(RESULTS), matching={"dataset": contract.dataset}).to_pylist()
    newest = max((row["evaluated_at"] for row in rows), default=None)
    return [row for row in rows if row["evaluated_at"] == newest]


def _good(results: Sequence[Mapping[str, Any]]) -> bool:
    return bool(results) and all(
        row["batch"] == "candidates" or row["on_failure"] == "warn" or row["success"] is not False for row in results
    )


def good_version(results: Sequence[Mapping[str, Any]]) -> int:
    """Return the version of silver that the last results found good; 0 where they did not."""
    return int(results[0]["silver_version"]) if _good(results) else 0


def seen(results: Sequence[Mapping[str, Any]], contract: Contract, versions: Mapping[str, int]) -> bool:
    """Whether the last results are of the same rows and the same contract, and were all good."""
    same = {**versions, "contract_digest": contract.digest}
    return _good(results) and all(row[key] == value for row in results for key, value in same.items())


def store(
    engine: Engine, settings: RunSettings, contract: Contract, versions: Mapping[str, int], lines: Sequence[Line]
) -> None:
    """Append what a run found, and keep it as evidence.

    Args:
        engine: The open engine.
        settings: Roots and run.
        contract: The dataset's, as it was checked.
        versions: ``bronze_version`` and ``silver_version`` that were looked at.
        lines: The results.
    """
    common = {
        "dataset": contract.dataset,
        "contract_version": contract.version,
        "contract_digest": contract.digest,
        "run_id": settings.run_id,
        "evaluated_at": clock.later(engine, settings.record_path(RESULTS), "evaluated_at"),
        **versions,
    }
    rows = [asdict(line) | common for line in lines]
    table = pa.Table.from_pylist(rows, schema=RESULTS_SCHEMA)
    engine.append(settings.record_path(RESULTS), table)
    keep(settings, "quality", contract.dataset, {**common, "lines": [asdict(line) for line in lines]})
