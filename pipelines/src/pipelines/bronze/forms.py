"""The form of a contract's files: one entry a format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pipelines.bronze.formats.avro import AvroFormat
from pipelines.bronze.formats.delimited import CsvFormat
from pipelines.bronze.formats.form import Form
from pipelines.bronze.formats.json_document import JsonFormat
from pipelines.bronze.formats.json_lines import JsonLinesFormat
from pipelines.bronze.formats.octets import Text
from pipelines.bronze.formats.parquet import ParquetFormat
from pipelines.errors import ContractError

if TYPE_CHECKING:
    from pipelines.contracts.extensions import Ingestion
    from pipelines.contracts.model import Contract


def _text(ingestion: Ingestion) -> dict[str, Any]:
    return {"text": Text(ingestion.encoding, ingestion.compression)}


def _envelope(ingestion: Ingestion) -> dict[str, Any]:
    sequence = tuple(tuple(path.split(".")) for path in ingestion.sequence)
    return {"envelope": ingestion.envelope is not None, "sequence": sequence}


def _dialect(ingestion: Ingestion) -> dict[str, Any]:
    return {"delimiter": ingestion.delimiter, "quote": ingestion.quote, "header": ingestion.header}


FORMS: Mapping[str, tuple[type[Form], tuple[Callable[[Ingestion], dict[str, Any]], ...]]] = {
    "csv": (CsvFormat, (_text, _dialect)),
    "json": (JsonFormat, (_text, _envelope)),
    "jsonl": (JsonLinesFormat, (_text, _envelope)),
    "parquet": (ParquetFormat, ()),
    "avro": (AvroFormat, (_envelope,)),
}
"""A format's form, and what of the contract it must know."""


def ingestion_of(contract: Contract) -> Ingestion:
    """How the contract's files are read.

    Raises:
        ContractError: the contract says nothing about it.
    """
    if contract.ingestion is None:
        raise ContractError("the contract does not say how its files are read", where=str(contract.path))
    return contract.ingestion


def form_of(contract: Contract, ingestion: Ingestion) -> Form:
    """What the parser must know of the contract."""
    form, parts = FORMS[ingestion.format]
    told = {key: value for part in parts for key, value in part(ingestion).items()}
    return form(fields=contract.source_fields, drift=ingestion.drift, **told)


__all__ = ["FORMS", "form_of", "ingestion_of"]
