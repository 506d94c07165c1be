"""Masks the personal columns of a frame in the workers, where the key is read.

The function that runs there carries where the key is (a file, a variable's name), never the key: nothing of it is in a
plan, a log or an event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from pipelines.contracts.extensions.masking import Masking
from pipelines.privacy.keys import read_key
from pipelines.privacy.methods import Context, mask
from pipelines.secret_references import SecretReference

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

WHOLE_HASH: Final = Masking.model_validate({"method": "hash", "characters": 64})
"""The whole digest: what stands for a personal text inside a row's hash."""


def masked(
    frame: DataFrame, key: SecretReference | None, masks: Mapping[str, Masking], hidden: Iterable[str] = ()
) -> DataFrame:
    """Return the frame with columns masked in the workers.

    Through `mapInArrow`: Arrow functions of single columns came with Spark 4.1, after the runtime that jobs are pinned
    to.

    Args:
        frame: Any rows, with the columns that `shift` goes by.
        key: Where the key is.
        masks: How, by column.
        hidden: Text columns that become whole digests.
    """
    wanted = {**masks, **dict.fromkeys(hidden, WHOLE_HASH)}
    return frame.mapInArrow(partial(mask_batches, key=key, masks=wanted), frame.schema)


def mask_batches(
    batches: Iterator[pa.RecordBatch], key: SecretReference | None, masks: Mapping[str, Masking]
) -> Iterator[pa.RecordBatch]:
    """Mask the named columns of batches; the others go on as they are."""
    secret = read_key(key)  # once a task: a worker outlives a key
    for batch in batches:
        columns = [
            mask(column, masks[name], _context(batch, masks[name], secret)) if name in masks else column
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _context(batch: pa.RecordBatch, masking: Masking, key: bytes) -> Context:
    subjects = batch.column(masking.by).cast(pa.string()) if masking.by is not None else None
    return Context(key, subjects)
