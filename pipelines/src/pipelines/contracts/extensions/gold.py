"""What gold tables are made of."""

from __future__ import annotations

from pydantic import Field

from pipelines.contracts.extensions.registry import Extension, Registry
from pipelines.contracts.odcs import Model


class Gold(Model):
    """What a gold table is made of."""

    inputs: tuple[str, ...] = Field(
        min_length=1,
        strict=False,
        description="Silver columns it needs; sources that lack one are left out, and with none left so is the table.",
    )
    optional: bool = Field(
        default=False,
        description="No source of the domain need have the inputs; a table not built is named as skipped.",
    )
    sql: str = Field(description="SQL file beside the contract; `{{ silver }}` in it is the sources' silver, in union.")


CONTRACT_PROPERTIES: Registry = {
    "gold": Extension.of(Gold),
}
