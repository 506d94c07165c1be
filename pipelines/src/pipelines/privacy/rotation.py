"""Another masking key: a dataset's silver is made anew from bronze, and never holds masks of two keys.

Which key a dataset's silver is masked with is recorded by the key's id. A silver task whose key is another one refuses
to publish; `levee privacy rotate` empties silver, refines every delivery of bronze again, and records the new key. One
that was killed is finished by running it again; until then silver tasks refuse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from pipelines import clock
from pipelines.engine.arrow_types import TIMESTAMP
from pipelines.errors import PipelineError
from pipelines.failpoints import failpoint
from pipelines.ledger import Ledger, Status, latest
from pipelines.privacy.keys import key_id, read_key
from pipelines.privacy.removal import is_of, tables_under
from pipelines.settings import Layer, RunSettings

if TYPE_CHECKING:
    from pipelines.contracts.model import Contract
    from pipelines.engine import Engine

TABLE = "mask_keys"
"""Table under checkpoints."""
USED, ROTATING = "used", "rotating"
_SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("key_id", pa.string()),
        ("event", pa.string()),
        ("run_id", pa.string()),
        ("recorded_at", TIMESTAMP),
    ]
)


def require_key(engine: Engine, settings: RunSettings, contract: Contract) -> None:
    """Check that a dataset's silver is masked with the key that is set, and record the first one.

    Raises:
        PipelineError: there is no key, or silver is masked with another one.
    """
    here = key_id(read_key(settings.pseudonym_key))
    known, event = _last(engine, settings, contract)
    if known is None:
        _enter(engine, settings, contract, here, USED)
    elif (known, event) != (here, USED):
        said = "a rotation to it has not ended" if known == here else f"silver is masked with the key {known}"
        raise PipelineError(
            f"the masking key is {here}, and {said}: masks of two keys are never mixed",
            where=settings.table_path(Layer.SILVER, contract.dataset),
            fix=f"levee privacy rotate {settings.domain}, or set the former key again",
        )


def rotate(engine: Engine, settings: RunSettings, contract: Contract) -> bool:
    """Mask a dataset's silver anew with the key that is set; return whether there was anything to do.

    Raises:
        PipelineError: silver has rows of deliveries that bronze no longer has, whose raw values nobody knows.
    """
    from pipelines.silver.refine import refine

    here = key_id(read_key(settings.pseudonym_key))
    known, event = _last(engine, settings, contract)
    if not contract.personal_columns or (known, event) in ((None, None), (here, USED)):
        return False
    _refuse_expired(engine, settings, contract)
    _enter(engine, settings, contract, here, ROTATING)
    for path in _silver(settings, contract):
        engine.overwrite(path, engine.read(path).limit(0))
    failpoint("rotate.emptied")
    refine(engine, contract, settings, again=True, rotating=True)
    failpoint("rotate.refined")
    _enter(engine, settings, contract, here, USED)
    return True


def _silver(settings: RunSettings, contract: Contract) -> list[str]:
    return [
        path for path in tables_under(settings.path(Layer.SILVER, settings.domain)) if is_of(path, contract.dataset)
    ]


def _refuse_expired(engine: Engine, settings: RunSettings, contract: Contract) -> None:
    ledger = Ledger(engine, settings)
    bronze = latest(ledger.entries(Layer.BRONZE, contract.dataset))
    silver = latest(ledger.entries(Layer.SILVER, contract.dataset))
    gone = sorted(
        entry.file
        for sha, entry in silver.items()
        if entry.status is Status.COMMITTED and sha in bronze and bronze[sha].status is Status.EXPIRED
    )
    if gone:
        raise PipelineError(
            f"silver has rows of {len(gone)} deliveries that left bronze, {gone[0]} first; nobody can mask them anew",
            where=settings.table_path(Layer.SILVER, contract.dataset),
            fix="keep the former key, or let silver's retention take them first (`layerRetention`, then maintain)",
        )


def _last(engine: Engine, settings: RunSettings, contract: Contract) -> tuple[str | None, str | None]:
    path = settings.record_path(TABLE)
    if not engine.exists(path):
        return None, None
    rows = engine.rows(path, matching={"dataset": contract.dataset}).to_pylist()
    last = max(rows, key=lambda row: row["recorded_at"], default=None)
    return (last["key_id"], last["event"]) if last else (None, None)


def _enter(engine: Engine, settings: RunSettings, contract: Contract, key: str, event: str) -> None:
    row = {
        "dataset": contract.dataset,
        "key_id": key,
        "event": event,
        "run_id": settings.run_id,
        "recorded_at": clock.later(engine, settings.record_path(TABLE), "recorded_at"),
    }
    engine.append(settings.record_path(TABLE), pa.Table.from_pylist([row], schema=_SCHEMA))
