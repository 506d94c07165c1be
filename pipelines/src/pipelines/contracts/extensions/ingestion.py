"""How deliveries are read into bronze."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipelines.contracts.extensions.registry import Extension, Registry
from pipelines.contracts.odcs import Model


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


CONTRACT_PROPERTIES: Registry = {
    "source": Extension.of(Source),
    "ingestion": Extension.of(Ingestion),
    "redelivery": Extension.of(Redelivery),
}
