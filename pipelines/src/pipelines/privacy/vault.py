"""The vault: which value a token stands for, sealed, for who holds the key and says why.

A row a token, entered before the token is published. The value is sealed with AES-256-GCM (NIST SP 800-38D) under a key
of its own, bound to its dataset, column and token; a nonce is used once.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pipelines import sql
from pipelines.contracts.extensions.masking import Masking
from pipelines.engine.arrow_types import from_arrow_schema
from pipelines.engine.care import purge
from pipelines.errors import PipelineError
from pipelines.evidence import keep
from pipelines.failpoints import failpoint
from pipelines.privacy.keys import derived, key_id, read_key
from pipelines.privacy.methods import mask_one
from pipelines.secret_references import SecretReference
from pipelines.settings import RunSettings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from pipelines.contracts.model import Contract
    from pipelines.engine import Engine

TABLE = "vault"
"""Table under checkpoints."""
KEYS = ("dataset", "column", "token", "key_id")
NONCE_BYTES = 12
_SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("column", pa.string()),
        ("token", pa.string()),
        ("key_id", pa.string()),
        ("sealed", pa.binary()),
    ]
)


def deposit(engine: Engine, settings: RunSettings, contract: Contract, unmasked: DataFrame) -> None:
    """Enter the tokens of rows that are about to be published; those that are there stay.

    Args:
        engine: The open engine.
        settings: Where the vault and the key are.
        contract: Contract of the rows.
        unmasked: The rows before masking.
    """
    masks = {c.name: c.masking for c in contract.personal_columns if c.masking and c.masking.method == "token"}
    path = settings.record_path(TABLE)
    for column, masking in masks.items():
        engine.ensure(path, _SCHEMA)
        values = unmasked.selectExpr(f"{sql.name(column)} AS value").where("value IS NOT NULL").distinct()
        seal = partial(_seal, key=settings.pseudonym_key, masking=masking, place=(contract.dataset, column))
        engine.merge(path, engine.map_arrow(values, seal, from_arrow_schema(_SCHEMA)), KEYS)
    if masks:
        failpoint("vault.deposited")


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks of the vault.

    Attributes:
        column: Column of the tokens.
        tokens: The tokens.
        requested_by: Who asks.
        reason: Why.
    """

    column: str
    tokens: Sequence[str]
    requested_by: str
    reason: str


def reveal(engine: Engine, settings: RunSettings, contract: Contract, request: Asked) -> dict[str, str]:
    """Return the values that tokens stand for; what the vault has not, or another key sealed, is left out.

    Who asked, why, and digests of the tokens go into audit before anything is opened.

    Raises:
        PipelineError: a sealed value was changed.
    """
    key = read_key(settings.pseudonym_key)
    told = {
        "dataset": contract.dataset,
        "column": request.column,
        "tokens_sha256": sorted(hashlib.sha256(token.encode()).hexdigest() for token in request.tokens),
        "requested_by": request.requested_by,
        "reason": request.reason,
        "key_id": key_id(key),
    }
    keep(settings, "reveals", f"{contract.dataset}-{request.column}", told)
    path = settings.record_path(TABLE)
    if not engine.exists(path):
        return {}
    place = {"dataset": contract.dataset, "column": request.column, "key_id": key_id(key)}
    wanted = set(request.tokens)
    rows = [row for row in engine.rows(path, matching=place).to_pylist() if row["token"] in wanted]
    return {row["token"]: _opened(key, row) for row in rows}


def forget(engine: Engine, settings: RunSettings, dataset: str, masks: dict[str, str], before: datetime) -> int:
    """Take a subject's tokens out of the vault, and out of its former versions; return how many there were.

    Args:
        engine: The open engine.
        settings: Where the vault is.
        dataset: The dataset.
        masks: The subject's token by column.
        before: Since when nobody but the caller may write the vault.
    """
    path = settings.record_path(TABLE)
    if not masks or not engine.exists(path):
        return 0
    tokens = sorted(set(masks.values()))
    rows = engine.among(engine.read(path), "token", tokens)
    mine = " OR ".join(
        f"(dataset = {sql.text(dataset)} AND `column` = {sql.text(column)} AND token = {sql.text(token)})"
        for column, token in masks.items()
    )
    gone = rows.where(mine).count()
    if gone:
        engine.replace_where(path, rows.where(f"NOT ({mine})"), "token", tokens)
    purge(engine, path, before)
    return gone


def _seal(
    batches: Iterator[pa.RecordBatch], *, key: SecretReference | None, masking: Masking, place: tuple[str, str]
) -> Iterator[pa.RecordBatch]:
    secret = read_key(key)
    cipher = AESGCM(derived(secret, "vault"))
    for batch in batches:
        rows: list[dict[str, Any]] = []
        for value in batch.column("value").to_pylist():
            token = str(mask_one(value, masking, secret))
            row = {"dataset": place[0], "column": place[1], "token": token, "key_id": key_id(secret)}
            nonce = os.urandom(NONCE_BYTES)
            rows.append({**row, "sealed": nonce + cipher.encrypt(nonce, value.encode(), _bound(row))})
        yield pa.RecordBatch.from_pylist(rows, schema=_SCHEMA)


def _opened(key: bytes, row: dict[str, Any]) -> str:
    nonce, sealed = row["sealed"][:NONCE_BYTES], row["sealed"][NONCE_BYTES:]
    try:
        return AESGCM(derived(key, "vault")).decrypt(nonce, sealed, _bound(row)).decode()
    except InvalidTag:
        raise PipelineError(
            "a sealed value of the vault was changed",
            where=f"{row['dataset']}.{row['column']}",
            fix="restore the vault to the version before it was changed",
        ) from None


def _bound(row: dict[str, Any]) -> bytes:
    return "\0".join(str(row[name]) for name in KEYS).encode()
