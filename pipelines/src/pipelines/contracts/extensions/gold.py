"""What derived tables, of silver and of gold, are made of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipelines.contracts.extensions.registry import Extension, Registry
from pipelines.contracts.odcs import Model

Reference = Annotated[str, Field(pattern=r"^(silver|gold)\.[a-z][a-z0-9_]*$")]


class SqlModel(Model):
    """The SQL that a derived table, of silver or of gold, is made by, and the tables that it reads."""

    sql: str = Field(description="SQL file beside the contract, one SELECT in Spark's dialect.")
    inputs: tuple[Reference, ...] = Field(
        min_length=1,
        strict=False,
        description="Tables of the domain that the SQL reads, as it names them: `silver.NAME` or `gold.NAME`. Their "
        "order is the order of building; that they are just what the SQL reads is checked.",
    )
    optional: tuple[Reference, ...] = Field(
        default=(),
        strict=False,
        description="Inputs that may be absent (a source that an environment does not read) and are empty then, with "
        "their contract's columns. Without any other input the table is not built, and named as skipped.",
    )
    history: tuple[Reference, ...] = Field(
        default=(),
        strict=False,
        description="Inputs of which the SQL sees every version, with `_version`, `_valid_from`, `_valid_to`, "
        "`_is_current`, `_is_deleted` and `_deleted_at`; of all others it sees the rows that hold now. They are "
        "sources with a `history` of type 2 or 4.",
    )
    materialisation: Literal["full", "incremental"] = Field(
        default="full",
        description="`full`: computed anew when an input has changed; `incremental`: only what batches touch that the "
        "last build has not seen, which the SQL must allow (`docs/reference/models.md`).",
    )
    non_deterministic: bool = Field(
        default=False,
        description="The SQL may call `rand()`, `current_timestamp()` and the like; the table is built at every run.",
    )


CONTRACT_PROPERTIES: Registry = {
    "model": Extension.of(SqlModel),
}
