"""What the rest of a contract must say for its source to be extracted: servers, form of the files, repeats."""

from __future__ import annotations

from typing import NamedTuple

from pipelines.contracts.document import Document, nearest
from pipelines.contracts.extensions.extraction import FORMATS, SERVER_KEYS, SERVER_TYPES, Extraction
from pipelines.contracts.model import Contract

SNAPSHOT_FOLDERS = "^(.*)/"
"""``history.snapshot`` of what extractions land: a folder a snapshot."""
KAFKA_FIELDS = ("key", "value", "topic", "partition", "offset", "timestamp")
"""Fields of a record of Kafka, which a contract may name as source fields."""


def check_extraction(contract: Contract, document: Document) -> None:
    """Check what an extraction, where there is one, asks of the rest of its contract.

    Raises:
        ContractError: its server is not there or says too little, or bronze and silver would not read what it lands
            once; with the line.
    """
    if contract.extraction is not None:
        _check_servers(contract, contract.extraction, document)
        _check_landing(contract, contract.extraction, document)


def _check_servers(contract: Contract, extraction: Extraction, document: Document) -> None:
    """Check that the server which an extraction names is there, and says what its kind asks for."""
    servers = contract.standard.servers
    if extraction.server not in [server.server for server in servers]:
        raise document.error(
            f"extraction.server names the server {extraction.server!r}, which there is not",
            *document.custom_property("extraction"),
            "server",
            fix=nearest(extraction.server, [server.server for server in servers])
            if servers
            else f"add `servers: [{{server: {extraction.server}, type: ..., host: ...}}]`",
        )
    for index, server in enumerate(servers):
        if server.server != extraction.server:
            continue
        types = SERVER_TYPES[extraction.kind]
        if server.type not in types:
            raise document.error(
                f"extraction.{extraction.kind} reads no server of the type {server.type!r}",
                "servers",
                index,
                "type",
                fix=f"valid: {', '.join(sorted(types))}",
            )
        lacking = [key for key in SERVER_KEYS[extraction.kind] if getattr(server, key) is None]
        if lacking:
            raise document.error(
                f"the server {server.server} does not say its {', '.join(lacking)}", "servers", index, "server"
            )


class _Demand(NamedTuple):
    """What an extraction asks of the rest of its contract."""

    met: bool
    message: str
    fix: str


def _check_landing(contract: Contract, extraction: Extraction, document: Document) -> None:
    """Check that bronze and silver read what an extraction lands, and read it once."""
    ingestion, suffix = contract.ingestion, extraction.suffix
    folders = contract.history is not None and contract.history.snapshot == SNAPSHOT_FOLDERS
    strange = sorted(set(contract.source_fields) - set(KAFKA_FIELDS)) if extraction.kafka else []
    demands = (
        _Demand(contract.layer == "source", "only the contract of a source has an extraction", "take it away"),
        _Demand(
            ingestion is None or ingestion.format == extraction.format,
            f"extraction lands {extraction.format}, and ingestion reads {ingestion.format if ingestion else ''}",
            f"set `format: {extraction.format}` in ingestion",
        ),
        _Demand(
            ingestion is None or ingestion.takes(f"a{suffix}"),
            f"extraction lands *{suffix}, and ingestion takes {', '.join(ingestion.globs) if ingestion else ''}",
            f'set `glob: "*{suffix}"` in ingestion, or take `glob` away',
        ),
        _Demand(
            not extraction.full or contract.keeps_snapshots or contract.redelivery.policy == "replace",
            "each extraction lands the whole source again, and redeliveries are not replaced",
            "add `- {property: redelivery, value: {policy: replace}}`, or make the extraction incremental",
        ),
        _Demand(
            not contract.keeps_snapshots or (extraction.full and folders),
            "the history is of snapshots, and they are the folders of whole extractions",
            f'set `snapshot: "{SNAPSHOT_FOLDERS}"` in history, and let the extraction be whole',
        ),
        _Demand(
            extraction.full or contract.deduplication.identical_rows == "remove",
            "an extraction of what is new lands rows at its edge twice, and identical rows are kept",
            "set `identicalRows: remove` in deduplication",
        ),
        _Demand(
            extraction.format in FORMATS[extraction.kind],
            f"extraction.{extraction.kind} lands no {extraction.format}",
            f"set `format: {FORMATS[extraction.kind][0]}` in extraction and ingestion",
        ),
        _Demand(
            not strange,
            f"a record of Kafka has no {', '.join(strange)}",
            f"name {', '.join(KAFKA_FIELDS)} in transformSourceObjects; "
            "transformLogic such as get_json_object(value, '$.id') looks inside",
        ),
    )
    for demand in demands:
        if not demand.met:
            raise document.error(demand.message, *document.custom_property("extraction"), fix=demand.fix)
