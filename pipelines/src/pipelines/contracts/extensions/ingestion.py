"""How deliveries are read into bronze."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field

from pipelines import globs
from pipelines.contracts.extensions.registry import Extension, Registry
from pipelines.contracts.odcs import Model

Format = Literal["csv", "json", "jsonl", "parquet", "avro"]
SUFFIXES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"csv": (".csv",), "json": (".json",), "jsonl": (".jsonl", ".ndjson"), "parquet": (".parquet",), "avro": (".avro",)}
)
"""How the names of a format's files end, where the contract has no `glob`."""
COMPRESSED = ("", ".gz", ".bz2", ".zst")
"""What may follow the suffix of a text that is compressed as a whole."""
TEXT_FORMATS = ("csv", "json", "jsonl")
ENVELOPED_FORMATS = ("json", "jsonl", "avro")
SPLIT_FORMATS = ("csv", "jsonl", "parquet", "avro")
FORMATS_OF_KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "encoding": TEXT_FORMATS,
        "compression": TEXT_FORMATS,
        "delimiter": ("csv",),
        "quote": ("csv",),
        "header": ("csv",),
        "split_bytes": SPLIT_FORMATS,
        "envelope": ENVELOPED_FORMATS,
        "sequence": ENVELOPED_FORMATS,
    }
)
"""Formats that a key says something about; with the others it is refused."""
RESERVED = (
    "_rescued",
    "_file",
    "_file_sha256",
    "_line",
    "_raw",
    "_parse_error",
    "_op",
    "_sequence",
    "_changed_at",
    "_ingested_at",
    "_run_id",
)
"""Columns of bronze that are Levee's; no source field can have their names."""


class Ingestion(Model):
    """How the files of a delivery are read into bronze."""

    format: Format = Field(
        default="csv",
        description="Form of the files. `csv`: delimited text, RFC 4180. `json`: a document, an array of objects or "
        "one object. `jsonl`: an object a line. `parquet`. `avro`: object container files.",
    )
    glob: str | None = Field(
        default=None,
        min_length=1,
        description="Which files of the dataset's landing folder are deliveries: `*` within a name, `**/` any folders; "
        "without a slash, the file's name in any folder. By default the format's suffix (`*.csv`), of a text also "
        "with `.gz`, `.bz2` or `.zst` behind it.",
    )
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
    compression: Literal["auto", "none", "gzip", "bzip2", "zstd"] = Field(
        default="auto", description="Of a text as a whole; `auto` goes by the file's first bytes."
    )
    split_bytes: Annotated[int, Field(ge=1 << 16)] | None = Field(
        default=None,
        description="A larger file is split at record boundaries into pieces of about so many bytes, which tasks read "
        "side by side; the table is the same. What is compressed as a whole, in UTF-16 or UTF-32, or csv of one "
        "quoted column is read in one piece.",
    )
    drift: Literal["fail", "add", "rescue"] = Field(
        default="rescue",
        description="What becomes of columns that the contract does not know. `rescue`: they are in `_rescued`, as "
        "JSON. `add`: bronze gets a column of text for each, silver only once the contract has it. `fail`: the file is "
        "rejected. Whatever it says, a file that lacks a column, or has one of another type, is rejected.",
    )
    envelope: Literal["debezium"] | None = Field(
        default=None,
        description="What records come in. `debezium`: change events; bronze has the row's fields and `_op`, "
        "`_sequence`, `_changed_at`.",
    )
    sequence: tuple[Annotated[str, Field(pattern=r"^[^.\s]+(\.[^.\s]+)*$")], ...] = Field(
        default=("source.lsn", "source.ts_ms"),
        strict=False,
        min_length=1,
        description="Paths in the envelope of the whole number that orders changes; the first that is there counts.",
    )

    @property
    def globs(self) -> tuple[str, ...]:
        """What the names of deliveries look like."""
        if self.glob is not None:
            return (self.glob,)
        endings = COMPRESSED if self.format in TEXT_FORMATS and self.compression != "none" else ("",)
        return tuple(f"*{suffix}{ending}" for suffix in SUFFIXES[self.format] for ending in endings)

    def takes(self, name: str) -> bool:
        """Whether a file of the landing folder is a delivery, by its name relative to it."""
        return any(globs.matches(name, glob) for glob in self.globs)


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
