"""How personal columns are masked."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipelines.contracts.extensions.registry import Extension, Registry
from pipelines.contracts.odcs import Model


class Pseudonymisation(Model):
    """How a personal column is masked on its way to silver."""

    method: Literal["hmac-sha256"] = Field(
        default="hmac-sha256", description="Keyed hash (RFC 2104): without the key nothing can be tried out."
    )
    characters: Annotated[int, Field(ge=16, le=64)] = Field(
        default=32, description="Hexadecimal characters kept; 32 are 128 bits."
    )


COLUMN_PROPERTIES: Registry = {
    "pseudonymisation": Extension.of(Pseudonymisation),
}
