"""What derived tables, of silver and of gold, are made of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipelines.contracts.extensions.registry import Extension, Registry
from pipelines.contracts.odcs import Model, Scalar

Reference = Annotated[str, Field(pattern=r"^(silver|gold)\.[a-z][a-z0-9_]*$")]


class UnknownMember(Model):
    """One row more of a dimension: whom facts belong to whose key is null, or is not there (yet).

    After R. Kimball and M. Ross, The Data Warehouse Toolkit, 3rd edition (2013), chapter 3 ("Null Foreign Keys") and
    chapter 19 (late arriving dimensions). Keys that silver makes (`surrogateKey`) are never negative.
    """

    key: Annotated[int, Field(le=0)] = Field(default=-1, description="Its primary key, an integer that no member has.")
    values: dict[str, Scalar] = Field(
        default_factory=dict,
        description="What its other columns say; those that are not named are null, so the `required` ones are named.",
    )


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
    unknown_member: UnknownMember | None = Field(
        default=None, description="The table is a dimension and has this row beside those of its SQL."
    )
    dimensions: dict[str, Reference] = Field(
        default_factory=dict,
        description="Columns that are keys of dimensions with an `unknownMember`, each with its table, which is an "
        "input whether or not the SQL reads it. A key that is null or that the dimension does not have becomes the "
        "unknown member's, so no join loses a row; when the member arrives, the next build has its key again.",
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
