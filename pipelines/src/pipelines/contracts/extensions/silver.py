"""What silver makes of the rows of bronze."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipelines.contracts.extensions.registry import Extension, Registry
from pipelines.contracts.odcs import Model


class Deduplication(Model):
    """Which rows of silver's input are the same."""

    identical_rows: Literal["remove", "keep"] = Field(
        default="remove", description="Rows whose source fields are equal, byte by byte: all but the first go."
    )
    business_key: tuple[str, ...] = Field(
        default=(), strict=False, description="Columns that name one thing; of rows with equal keys one stays."
    )
    order_by: tuple[str, ...] = Field(
        default=(),
        strict=False,
        description="Columns whose highest value wins within a key; ties end in the delivery's sha256 and line.",
    )


CONTRACT_PROPERTIES: Registry = {
    "deduplication": Extension.of(Deduplication),
}
