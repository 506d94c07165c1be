"""What a contract says of its files fits together: the format, the keys that go with it, the source fields."""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Iterator

from pipelines.contracts.document import Document
from pipelines.contracts.extensions.ingestion import FORMATS_OF_KEYS, RESERVED, Ingestion
from pipelines.contracts.model import Contract


def check_ingestion(contract: Contract, document: Document) -> None:
    """Check how files are read, where a contract reads any.

    Raises:
        ContractError: a key says nothing about the format, two keys contradict each other, or a source field has a
            name that bronze cannot give it; with the line.
    """
    ingestion = contract.ingestion
    if ingestion is None:
        return
    place = document.custom_property("ingestion")
    for key, message, fix in _complaints(ingestion):
        raise document.error(f"ingestion.{_alias(key)}: {message}", *place, _alias(key), fix=fix)
    folded = Counter(name.lower() for name in contract.source_fields)
    for index, column in enumerate(contract.columns):
        for name in column.sources:
            if name in RESERVED:
                message = f"column {column.name} is made from {name!r}, which is a column of Levee's own in bronze"
                fix = "let the source deliver it under another name"
            elif folded[name.lower()] > 1:
                message = f"column {column.name} is made from {name!r}, and another source field differs by case alone"
                fix = "engines tell columns by their names in lower case: let the source deliver other names"
            else:
                continue
            raise document.error(message, "schema", 0, "properties", index, "name", fix=fix)


def _complaints(ingestion: Ingestion) -> Iterator[tuple[str, str, str]]:
    """Yield key, message and mend of what does not fit."""
    form = ingestion.format
    for key in sorted(ingestion.model_fields_set & FORMATS_OF_KEYS.keys()):
        if form not in (formats := FORMATS_OF_KEYS[key]) and getattr(ingestion, key) is not None:
            reason = f"it says nothing about {form}, only about {', '.join(formats)}"
            inner = form in ("parquet", "avro") and key == "compression"
            yield (
                key,
                reason + (": files of this format say themselves how they are compressed" if inner else ""),
                (f"take `{_alias(key)}` away, or set `format` to one of {', '.join(formats)}"),
            )
    if ingestion.split_bytes is not None and ingestion.compression not in ("auto", "none"):
        yield (
            "split_bytes",
            f"a text that is compressed as a whole ({ingestion.compression}) is read in one piece",
            "take `splitBytes` away, or let the files be delivered uncompressed, as Parquet or as Avro",
        )
    if "sequence" in ingestion.model_fields_set and ingestion.envelope is None:
        yield "sequence", "it is a path in an envelope, and there is none", "add `envelope: debezium`"
    try:
        codecs.lookup(ingestion.encoding)
    except LookupError:
        yield "encoding", f"{ingestion.encoding!r} is no encoding", "use one of Python's, e.g. cp1252"
    yield from _dialect(ingestion)


def _dialect(ingestion: Ingestion) -> Iterator[tuple[str, str, str]]:
    fix = "write one ASCII character, or `whitespace` as the delimiter of any run of blanks and tabs"
    delimiter, quote = ingestion.delimiter, ingestion.quote
    if delimiter != "whitespace" and len(delimiter.encode()) != 1:
        yield "delimiter", f"{delimiter!r} is not one ASCII character", fix
    if quote is not None and len(quote.encode()) != 1:
        yield "quote", f"{quote!r} is not one ASCII character", fix
    if quote == delimiter:
        yield "quote", "the delimiter is the quote character, too", "let one of them be another character, or `null`"
    for key, value in (("delimiter", delimiter), ("quote", quote)):
        if value in ("\n", "\r"):
            yield key, "a line end ends a record", fix


def _alias(key: str) -> str:
    field = Ingestion.model_fields[key]
    return field.alias or key
