"""The record of builds: from which versions and batches of its inputs a model's table was made, and how."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

import pyarrow as pa

from pipelines import clock
from pipelines.contracts.model import Contract
from pipelines.engine.arrow_types import TIMESTAMP
from pipelines.settings import RunSettings

if TYPE_CHECKING:
    from pipelines.engine import Engine

BUILDS: Final = "model_builds"
"""Table under checkpoints."""
How = Literal["full", "incremental"]

_SCHEMA: Final = pa.schema(
    [
        ("table", pa.string()),
        ("contract", pa.string()),
        ("inputs", pa.string()),
        ("batches", pa.string()),
        ("how", pa.string()),
        ("why", pa.string()),
        ("rows", pa.int64()),
        ("version", pa.int64()),
        ("run_id", pa.string()),
        ("built_at", TIMESTAMP),
    ]
)


@dataclass(frozen=True, slots=True)
class Build:
    """One build of one table.

    Attributes:
        contract: Digest of the contract and SQL that it was built by.
        inputs: Commit that last changed each input, by reference.
        batches: Batches that each input had, by reference; of incremental models only.
        how: ``full`` or ``incremental``.
        why: Why it was not incremental, or not left alone.
        rows: Rows that the table has.
        version: The commit that published them.
    """

    contract: str
    inputs: Mapping[str, int]
    batches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    how: How = "full"
    why: str = ""
    rows: int = 0
    version: int = 0


def last_build(engine: Engine, settings: RunSettings, model: Contract) -> Build | None:
    """Return the last build of a model's table; ``None`` where there is none."""
    found = engine.rows(settings.record_path(BUILDS), matching={"table": model.reference}).to_pylist()
    last = max(found, key=lambda row: row["built_at"], default=None)
    if last is None:
        return None
    return Build(
        contract=last["contract"],
        inputs=json.loads(last["inputs"]),
        batches={name: tuple(seen) for name, seen in json.loads(last["batches"]).items()},
        how=last["how"],
        why=last["why"],
        rows=last["rows"],
        version=last["version"],
    )


def record_build(engine: Engine, settings: RunSettings, model: Contract, build: Build) -> None:
    """Enter a build."""
    row = {
        "table": model.reference,
        "contract": build.contract,
        "inputs": json.dumps(dict(build.inputs), sort_keys=True),
        "batches": json.dumps(dict(build.batches), sort_keys=True),
        "how": build.how,
        "why": build.why,
        "rows": build.rows,
        "version": build.version,
        "run_id": settings.run_id,
        "built_at": clock.later(engine, settings.record_path(BUILDS), "built_at"),
    }
    engine.append(settings.record_path(BUILDS), pa.Table.from_pylist([row], schema=_SCHEMA))
