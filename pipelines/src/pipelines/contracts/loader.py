"""From a contract file to a :class:`Contract`: the standard first, then the extensions, then what must fit together."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from pipelines.contracts.checks import check_contract
from pipelines.contracts.columns import read_columns
from pipelines.contracts.document import Document, read_text
from pipelines.contracts.extensions import (
    CONTRACT_PROPERTIES,
    SUPPORT_PROPERTIES,
    Alerts,
    CircuitBreaker,
    DataSubject,
    Deduplication,
    Extraction,
    History,
    Ingestion,
    KAnonymity,
    Lateness,
    LayerRetention,
    Maintenance,
    Redelivery,
    Source,
    SqlModel,
)
from pipelines.contracts.model import Contract
from pipelines.contracts.odcs import DataContract, SchemaObject, SlaProperty, Support
from pipelines.contracts.reading import Reading
from pipelines.errors import ContractError

SUFFIX = ".odcs.yaml"
_WORD = re.compile(r"[a-z_][a-z0-9_]*")
_DAYS = {"d": 1, "day": 1, "days": 1, "y": 365, "yr": 365, "year": 365, "years": 365}


def load_contract(path: Path) -> Contract:
    """Read one contract file.

    Raises:
        ContractError: with file and line, and the nearest valid key where one was unknown. Of several errors the first,
            which says how many more there are: they are what :func:`contract_errors` gives.
    """
    return _parsed(path, read_text(path))


@lru_cache(maxsize=4096)
def _parsed(path: Path, text: str) -> Contract:
    """Parse a file once a process, however many of a job's tasks ask for the domain: 300 take seconds."""
    reading = Reading(Document.parse(text, str(path)), path)
    with reading.apart():
        contract = _contract(reading)
        if not reading.errors:
            return contract
    first, more = reading.errors[0], len(reading.errors) - 1
    message = f"{first.message} (and {more} more)" if more else first.message
    raise ContractError(message, where=first.where, fix=first.fix)


def contract_errors(path: Path) -> tuple[ContractError, ...]:
    """Everything that :func:`load_contract` has against a file, in the file's order as far as that can be known.

    A part that cannot be read hides what depends on it alone: other columns, properties and checks are read on.
    """
    try:
        reading = Reading(Document.read(path), path)
    except ContractError as error:
        return (error,)
    with reading.apart():
        _contract(reading)
    return tuple(reading.errors)


def _contract(reading: Reading) -> Contract:
    standard = _standard(reading)
    table = _table(reading, standard)
    dataset = reading.name(table.name, "the dataset", "schema", 0, "name")
    if not standard.domain:
        raise reading.document.error("the contract names no domain", fix="add `domain: <folder of the contract>`")
    custom = reading.custom(standard.custom_properties, CONTRACT_PROPERTIES, "customProperties")
    layer = _layer(reading, custom)
    columns = read_columns(reading, table.properties, derived=layer != "source")
    model = cast("SqlModel | None", custom.get("model"))
    query = _query(reading, model)
    contract = Contract(
        path=reading.path,
        standard=standard,
        domain=standard.domain,
        dataset=dataset,
        description=" ".join((table.description or "").split()),
        layer=layer,
        columns=columns,
        checks=tuple(reading.checks(table.quality, None, "schema", 0, "quality")),
        ingestion=cast("Ingestion | None", custom.get("ingestion")),
        extraction=cast("Extraction | None", custom.get("extraction")),
        source=cast("Source | None", custom.get("source")),
        redelivery=cast("Redelivery", custom.get("redelivery") or Redelivery()),
        circuit_breaker=cast("CircuitBreaker | None", custom.get("circuitBreaker")),
        deduplication=cast("Deduplication", custom.get("deduplication") or Deduplication()),
        history=cast("History | None", custom.get("history")),
        lateness=cast("Lateness | None", custom.get("lateness")),
        maintenance=cast("Maintenance", custom.get("maintenance") or Maintenance()),
        model=model,
        retention_days=_retention(reading, standard.sla_properties),
        layer_retention=cast("LayerRetention", custom.get("layerRetention") or LayerRetention()),
        digest=_digest(reading, query),
        sql_digest=None if query is None else hashlib.sha256(query).hexdigest(),
        sql_words=frozenset(_WORD.findall(query.decode(errors="replace").lower())) if query else frozenset(),
        data_subject=cast("DataSubject | None", custom.get("dataSubject")),
        k_anonymity=cast("KAnonymity | None", custom.get("kAnonymity")),
        alerts=_alerts(reading, standard.support),
    )
    if not reading.errors:  # what is read in part would contradict itself
        check_contract(contract, reading.document)
    return contract


def _standard(reading: Reading) -> DataContract:
    try:
        return DataContract.model_validate(reading.document.plain())
    except ValidationError as error:
        *others, last = reading.document.complaints(error, DataContract)
        reading.errors.extend(others)
        raise last from None


def _table(reading: Reading, standard: DataContract) -> SchemaObject:
    if len(standard.schema_) != 1:
        raise reading.document.error(
            f"a contract describes one dataset, this one {len(standard.schema_)}",
            "schema",
            fix="give every table a contract file of its own",
        )
    return standard.schema_[0]


def _layer(reading: Reading, custom: Mapping[str, Any]) -> str:
    if "layer" not in custom:
        raise reading.document.error(
            "the contract does not say its layer",
            "customProperties",
            fix="add `- {property: layer, value: source}` (or `silver`, `gold`) to customProperties",
        )
    return cast("str", custom["layer"])


def _alerts(reading: Reading, support: Sequence[Support]) -> dict[str, Alerts]:
    found: dict[str, Alerts] = {}
    for index, entry in enumerate(support):
        path = ("support", index)
        custom = reading.custom(entry.custom_properties, SUPPORT_PROPERTIES, *path, "customProperties")
        if (alerts := cast("Alerts | None", custom.get("alerts"))) is None:
            continue
        if entry.channel in found:
            raise reading.document.error(
                f"two channels with alerts are called {entry.channel}; what was told is known by the name",
                *path,
                "channel",
                fix="give each a name of its own",
            )
        found[entry.channel] = alerts
    return found


def _retention(reading: Reading, promises: Sequence[SlaProperty]) -> int | None:
    for index, promise in enumerate(promises):
        if promise.property != "retention":
            continue
        factor = _DAYS.get(promise.unit or "d")
        if factor is None or not isinstance(promise.value, int) or promise.value < 1:
            raise reading.document.error(
                f"retention {promise.value} {promise.unit or ''} is no number of days or years",
                "slaProperties",
                index,
                fix="write `{property: retention, value: 7, unit: y}`",
            )
        return promise.value * factor
    return None


def _query(reading: Reading, model: SqlModel | None) -> bytes | None:
    if model is None:
        return None
    query = reading.path.parent / model.sql
    if not query.is_file():
        raise reading.document.error(f"there is no SQL file {query}", "customProperties")
    return query.read_bytes()


def _digest(reading: Reading, query: bytes | None) -> str:
    content = reading.path.read_bytes() if reading.path.exists() else b""
    if query is not None:
        content += b"\0" + query
    return hashlib.sha256(content).hexdigest()
