"""A sample into the text of a contract: valid, and with what was seen as comments beside each column."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final

from pipelines.infer.profile import Profile, candidate_keys, null_texts, profiles
from pipelines.infer.sample import Sample

_NAMESPACE: Final = uuid.UUID("8f0a2a35-1f0e-5d0e-9a57-0d6f3cf6c1b2")
"""Of contracts' ids: a table has the same id however often it is inferred."""
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
"""What YAML, or an older one, takes for something else than text."""
_DEFAULTS: Final = {"encoding": "utf-8", "delimiter": ",", "header": "names"}


@dataclass(frozen=True, slots=True)
class Inferred:
    """A first contract.

    Attributes:
        text: The contract, YAML.
        rows: Records it was inferred from.
        whole: Whether these are all of the source.
        personal: Columns proposed as personal.
    """

    text: str
    rows: int
    whole: bool
    personal: tuple[str, ...]


def infer(sample: Sample, domain: str, dataset: str) -> Inferred:
    """Write a first contract.

    Args:
        sample: What was read.
        domain: Domain of the dataset.
        dataset: Its name.
    """
    nulls = null_texts(sample)
    found = profiles(sample, nulls)
    lines = [
        *_head(sample, domain, dataset),
        *_schema(sample, dataset, found),
        *_servers(sample.servers),
        *_custom(sample, nulls),
    ]
    personal = tuple(profile.column for profile in found if profile.suspicion)
    return Inferred("\n".join(lines) + "\n", sample.rows, sample.whole, personal)


def _head(sample: Sample, domain: str, dataset: str) -> Iterator[str]:
    seen = f"all {sample.rows:,} records" if sample.whole else f"the first {sample.rows:,} records"
    yield f"# Inferred from {seen} of {' '.join(sample.origin.split())}. What was seen stands beside each column."
    yield "# Purpose, owner and retention cannot be seen in data: `levee contracts lint` names what a person adds."
    yield "apiVersion: v3.1.0"
    yield "kind: DataContract"
    yield f"id: {uuid.uuid5(_NAMESPACE, f'{domain}.{dataset}')}"
    yield "version: 0.1.0"
    yield "status: draft"
    yield f"domain: {_scalar(domain)}"
    yield ""


def _schema(sample: Sample, dataset: str, found: Sequence[Profile]) -> Iterator[str]:
    yield "schema:"
    yield f"  - name: {_scalar(dataset)}"
    yield "    physicalType: table"
    keys = candidate_keys(sample, found)
    if not sample.key and keys:
        yield "    # Never twice, so perhaps a key: " + "; ".join(", ".join(key) for key in keys[:5])
    yield "    properties:"
    for profile in found:
        yield from _column(sample, profile)
    yield "    quality:"
    yield "      - id: has_rows"
    yield "        description: An empty table is a failed load."
    yield "        metric: rowCount"
    yield "        mustBeGreaterThan: 0"
    yield "        dimension: completeness"
    yield "        severity: error"
    yield ""


def _column(sample: Sample, profile: Profile) -> Iterator[str]:
    logical, physical, masking = _published(profile)
    yield f"      # {_seen(profile)}"
    if profile.suspicion:
        yield f"      # Probably personal ({profile.suspicion.kind}): {profile.suspicion.why}."
    yield f"      - name: {profile.column}"
    yield f"        logicalType: {logical}"
    if physical != logical:
        yield f"        physicalType: {physical}"
    if profile.guess.format and logical in ("date", "timestamp"):
        yield f"        logicalTypeOptions: {_flow({'format': profile.guess.format})}"
    if profile.required:
        yield "        required: true"
    if profile.field in sample.key:
        yield "        primaryKey: true"
        yield f"        primaryKeyPosition: {sample.key.index(profile.field) + 1}"
    yield f"        classification: {'personal' if masking else 'internal'}"
    if profile.field != profile.column:
        yield f"        transformSourceObjects: {_flow([profile.field])}"
    if masking:
        yield "        customProperties:"
        yield f"          - {_flow({'property': 'masking', 'value': masking})}"


def _seen(profile: Profile) -> str:
    parts = [f"{profile.nulls / profile.rows:.1%} null" if profile.nulls else "no null"]
    parts.append(f"{profile.distinct:,} different")
    if profile.range:
        parts.append(profile.range)
    if profile.guess.remark:
        parts.append(profile.guess.remark)
    return "; ".join(parts) + "."


def _published(profile: Profile) -> tuple[str, str, dict[str, Any] | None]:
    """Logical type, physical type and mask; what names a person is a text, because its mask is one."""
    logical, physical = profile.guess.logical, profile.guess.type
    if profile.suspicion is None:
        return logical, physical, None
    if profile.suspicion.free_text:
        method = "detect" if find_spec("presidio_analyzer") else "redact"
        return "string", "string", {"method": method}
    if logical in ("date", "timestamp"):
        return logical, physical, {"method": "generalise", "to": "year"}
    return "string", "string", {"method": "hash"}


def _servers(servers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if servers:
        yield "servers:"
        for server in servers:
            yield f"  - {_flow(server)}"
        yield ""


def _custom(sample: Sample, nulls: Sequence[str]) -> Iterator[str]:
    told = {key: value for key, value in sample.ingestion.items() if key != "names" and _DEFAULTS.get(key) != value}
    ingestion = {**told, **({"nullValues": list(nulls)} if len(nulls) > 1 else {})}
    yield "customProperties:"
    yield "  - {property: layer, value: source}"
    yield f"  - {_flow({'property': 'ingestion', 'value': ingestion})}"
    for name, value in sample.custom.items():
        yield f"  - {_flow({'property': name, 'value': value})}"
    yield "  # Nothing is known yet of repeats, so none is removed."
    yield "  - {property: deduplication, value: {identicalRows: keep}}"


def _flow(value: Any) -> str:
    """YAML in flow style; texts in JSON's quotes, which are YAML's, wherever they are no plain word."""
    match value:
        case dict():
            return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(_flow, value)) + "]"
        case str():
            return _scalar(value)
        case _:
            return json.dumps(value)


def _scalar(text: str) -> str:
    plain = text.isascii() and text.isidentifier() and text.lower() not in _WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)
