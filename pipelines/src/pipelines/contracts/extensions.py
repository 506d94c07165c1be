"""What Levee adds to the standard, all of it in ``customProperties``: one model a property, each field described.

``docs/reference/contracts.md`` is generated from these models; a custom property that is not in one of the registries
below is refused, so nothing in a contract is without effect.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from pipelines.contracts.odcs import Model

Days = Annotated[int, Field(ge=1)]


class Ingestion(Model):
    """How the files of a delivery are read into bronze."""

    format: Literal["csv"] = Field(default="csv", description="Form of the files. `csv`: delimited text, RFC 4180.")
    glob: str = Field(default="*.csv", description="Which files of the dataset's landing folder are deliveries.")
    encoding: str = Field(default="utf-8", description="Encoding of the bytes, by Python's name; a BOM is dropped.")
    delimiter: str = Field(
        default=",",
        min_length=1,
        description="One character between two fields; `whitespace` for any run of blanks and tabs.",
    )
    quote: str | None = Field(default='"', description="Quote character, doubled inside a field; `null` for none.")
    header: Literal["names", "skip", "none"] = Field(
        default="names",
        description="First line of a file: `names` of the columns, checked against the contract; `skip`ped; or `none`.",
    )
    null_values: tuple[str, ...] = Field(
        default=("",), strict=False, description="Field texts that mean null, after which nothing is typed."
    )
    compression: Literal["auto", "none", "gzip"] = Field(
        default="auto", description="`auto` goes by the file's first bytes."
    )


class Source(Model):
    """Where the rows come from, for a laptop, to which nobody delivers."""

    setting: str = Field(description="Name of the source that lays the landing files (`python -m pipelines.sources`).")
    licence: str = Field(description="Licence of the data and whom to name.")


class Redelivery(Model):
    """What a file of a known name with new content is."""

    policy: Literal["append", "replace", "refuse"] = Field(
        default="append",
        description=(
            "`append`: a delivery of its own, beside the former; `replace`: the former's rows leave bronze; "
            "`refuse`: the run stops."
        ),
    )


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


class Maintenance(Model):
    """Care of the table's files."""

    optimize: bool = Field(default=True, description="Compact small files after a run.")
    z_order_by: tuple[str, ...] = Field(
        default=(), strict=False, description="Columns that rows are clustered by (OPTIMIZE ... ZORDER BY)."
    )
    vacuum_hours: Annotated[int, Field(ge=168)] = Field(
        default=168, description="Files no longer in the table go after so many hours; Delta's floor is 168."
    )


class LayerRetention(Model):
    """Days that each store keeps what this dataset put there; the SLA's `retention` where a layer is not named."""

    landing: Days | None = Field(default=None, description="Days that delivered files stay.")
    bronze: Days | None = Field(default=None, description="Days that bronze rows stay.")
    silver: Days | None = Field(default=None, description="Days that silver rows stay.")
    gold: Days | None = Field(default=None, description="Days that gold rows stay.")
    quarantine: Days | None = Field(default=None, description="Days that rejected rows stay.")
    audit: Days | None = Field(default=None, description="Days that run records stay, and are locked.")


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


class Pseudonymisation(Model):
    """How a personal column is masked on its way to silver."""

    method: Literal["hmac-sha256"] = Field(
        default="hmac-sha256", description="Keyed hash (RFC 2104): without the key nothing can be tried out."
    )
    characters: Annotated[int, Field(ge=16, le=64)] = Field(
        default=32, description="Hexadecimal characters kept; 32 are 128 bits."
    )


OnFailure = Literal["warn", "quarantine", "failBatch"]

CONTRACT_PROPERTIES: dict[str, tuple[TypeAdapter[Any], str]] = {
    "layer": (
        TypeAdapter(Literal["source", "gold"]),
        "`source`: the contract of a source, from which bronze and silver are made; `gold`: of a gold table.",
    ),
    "source": (TypeAdapter(Source), (Source.__doc__ or "")),
    "ingestion": (TypeAdapter(Ingestion), (Ingestion.__doc__ or "")),
    "redelivery": (TypeAdapter(Redelivery), (Redelivery.__doc__ or "")),
    "deduplication": (TypeAdapter(Deduplication), (Deduplication.__doc__ or "")),
    "maintenance": (TypeAdapter(Maintenance), (Maintenance.__doc__ or "")),
    "layerRetention": (TypeAdapter(LayerRetention), (LayerRetention.__doc__ or "")),
    "gold": (TypeAdapter(Gold), (Gold.__doc__ or "")),
}
"""Custom properties of a contract: validator and one line of what."""

COLUMN_PROPERTIES: dict[str, tuple[TypeAdapter[Any], str]] = {
    "pseudonymisation": (TypeAdapter(Pseudonymisation), (Pseudonymisation.__doc__ or "")),
}
"""Custom properties of a schema property."""

QUALITY_PROPERTIES: dict[str, tuple[TypeAdapter[Any], str]] = {
    "onFailure": (
        TypeAdapter(OnFailure),
        (
            "What a broken rule does: `warn` counts it, `quarantine` sends the row there, `failBatch` stops the batch. "
            "By default, severity `error` is `quarantine` for a rule on rows and `failBatch` for one on the table; any "
            "other is `warn`."
        ),
    ),
}
"""Custom properties of a quality check."""
