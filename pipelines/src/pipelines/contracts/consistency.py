"""What the elements of one contract say about each other: layers and their extensions, names of columns, ids."""

from __future__ import annotations

from typing import NamedTuple

from pipelines.contracts.consistency_of_silver import check_silver
from pipelines.contracts.document import Document, nearest
from pipelines.contracts.extensions.extraction import FORMATS, SERVER_KEYS, SERVER_TYPES, Extraction
from pipelines.contracts.ingestion_checks import check_ingestion
from pipelines.contracts.model import LONGEST_PERSONAL_HOURS, Classification, Contract
from pipelines.contracts.model_checks import check_model
from pipelines.contracts.personal_data import check_personal_data
from pipelines.errors import ContractError


def check_consistency(contract: Contract, document: Document) -> None:
    """Check what elements of one contract say about each other.

    Raises:
        ContractError: two of them do not fit together; with the line.
    """
    names = [column.name for column in contract.columns]
    check_model(contract, document)
    if contract.layer == "source" and contract.ingestion is None:
        raise document.error(
            "a source's contract says how its files are read",
            "customProperties",
            fix="add `- {property: ingestion, value: {format: csv}}` to customProperties",
        )
    referred = {
        "maintenance.clusterBy": contract.maintenance.cluster_by,
    }
    for what, columns in referred.items():
        for name in columns:
            if name not in names:
                raise document.error(
                    f"{what} names the column {name!r}, which there is not",
                    "customProperties",
                    fix=nearest(name, names),
                )
    check_silver(contract, document)
    sensitive = contract.classification.rank >= Classification.PERSONAL.rank
    if sensitive and contract.vacuum_hours > LONGEST_PERSONAL_HOURS:
        raise document.error(
            f"maintenance.vacuumHours keeps {contract.classification} data {contract.vacuum_hours} hours after it was "
            f"deleted; {LONGEST_PERSONAL_HOURS} are the most",
            "customProperties",
            fix=f"set vacuumHours to {LONGEST_PERSONAL_HOURS} or less, or leave it out",
        )
    ids: dict[str, str] = {}
    for check in (*contract.checks, *(check for column in contract.columns for check in column.quality)):
        if check.id in ids:
            raise ContractError(f"quality check {check.id} is there twice", where=check.where, fix=ids[check.id])
        ids[check.id] = f"the first is at {check.where}"
    check_personal_data(contract, document)
    if contract.ingestion is not None:
        check_ingestion(contract, contract.ingestion, document)
    if contract.extraction is not None:
        _check_servers(contract, contract.extraction, document)
        _check_landing(contract, contract.extraction, document)


KAFKA_FIELDS = ("key", "value", "topic", "partition", "offset", "timestamp")
"""Fields of a record of Kafka, which a contract may name as source fields."""


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
            not extraction.full or contract.redelivery.policy == "replace",
            "each extraction lands the whole source again, and redeliveries are not replaced",
            "add `- {property: redelivery, value: {policy: replace}}`, or make the extraction incremental",
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
