"""A small lake in which everything that writes happens once: its contracts and its deliveries.

Sources of every kind that a laptop has, tables with and without a history, personal data, records to reject, a batch to
hold, models, and a channel to tell; :mod:`tests.pipelines.faults.phases` is what is done with them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from ruamel.yaml import YAML

NAME: Final = "town"
SUBJECT: Final = "ann.smith@example.org"
"""Who is erased."""
_AT: Final = 1_700_000_000
"""When files were delivered, seconds since 1970: the order of deliveries is the order of changes."""

Column = Mapping[str, Any]


def _text(name: str, **more: Any) -> Column:
    return {"name": name, "logicalType": "string", "classification": "internal", **more}


def _integer(name: str, **more: Any) -> Column:
    return {"name": name, "logicalType": "integer", "physicalType": "int", "classification": "internal", **more}


def _money(name: str, **more: Any) -> Column:
    kind = {"logicalType": "number", "physicalType": "decimal(9,2)"}
    return {"name": name, **kind, "classification": "internal", **more}


_EMAIL: Final = _text(
    "email",
    classification="personal",
    customProperties=[{"property": "masking", "value": {"method": "token"}}],
)
_ALERTS: Final = {"webhook": {"url": "env:HOOK", "key": "env:HOOK_KEY"}}
_KEYED: Final = {"required": True, "primaryKey": True, "primaryKeyPosition": 1}

SOURCES: Final[Mapping[str, tuple[tuple[Column, ...], Mapping[str, Any]]]] = {
    "people": (
        (_text("id", required=True), _EMAIL, _text("area"), _integer("age", logicalTypeOptions={"minimum": 0})),
        {"dataSubject": {"type": "person", "columns": ["email"]}},
    ),
    "visits": (
        (_integer("id", required=True), _text("area"), _money("spent", logicalTypeOptions={"exclusiveMinimum": 0})),
        {"circuitBreaker": {"maximumQuarantinePercent": 50, "minimumRows": 4, "onTrip": "stopPipeline"}},
    ),
    "prices": (
        (
            _text("id", required=True),
            {"name": "at", "logicalType": "date", "required": True, "classification": "internal"},
            _money("price"),
        ),
        {
            "ingestion": {"format": "jsonl", "glob": "*"},
            "history": {"type": 2, "businessKey": ["id"], "effectiveFrom": "at"},
        },
    ),
    "stock": (
        (_text("id", required=True), _integer("pieces")),
        {"history": {"type": 1, "businessKey": ["id"]}, "redelivery": {"policy": "replace"}},
    ),
    "readings": ((_integer("id", required=True), _money("value")), {"ingestion": {"format": "parquet", "glob": "*"}}),
    "parcels": (
        (_integer("id", required=True), _text("area")),
        {
            "ingestion": {"format": "jsonl"},
            "redelivery": {"policy": "replace"},
            "extraction": {
                "server": "api",
                "format": "jsonl",
                "compression": "none",
                "rest": {
                    "path": "/parcels",
                    "requestsPerSecond": 1000,
                    "paging": {"style": "offset", "parameter": "from"},
                },
            },
        },
    ),
}
"""Columns and Levee's own properties of each source; CSV where it does not say."""

MODELS: Final[Mapping[str, tuple[tuple[Column, ...], str, Mapping[str, Any]]]] = {
    "areas": (
        (
            _text("area", **_KEYED),
            _integer("visits", physicalType="bigint"),
            _money("spent", physicalType="decimal(19,2)"),
        ),
        "SELECT area, count(*) AS visits, sum(spent) AS spent FROM silver.visits GROUP BY area\n",
        {"model": {"sql": "areas.sql", "inputs": ["silver.visits"], "materialisation": "incremental"}},
    ),
    "crowd": (
        (_text("area"), _integer("age")),
        "SELECT area, age FROM silver.people\n",
        {
            "model": {"sql": "crowd.sql", "inputs": ["silver.people"]},
            "kAnonymity": {"quasiIdentifiers": ["area"], "k": 2, "onFailure": "suppress"},
        },
    ),
}

PARCELS: Final[list[dict[str, Any]]] = [{"id": n, "area": f"area {n % 3}"} for n in range(1, 8)]
"""What the REST source tells."""

FIRST: Final[Mapping[str, str]] = {
    "people/a.csv": "id,email,area,age\n"
    f"1,{SUBJECT},north,30\n2,bob@example.org,north,31\n3,carl@example.org,south,-1\n4,dora@example.org,south,40\n",
    "people/b.csv": "id,email,area,age\n"
    "5,emil@example.org,east,-2\n6,fay@example.org,south,50\n2,bob@example.org,north,31\n",
    "visits/1.csv": "id,area,spent\n" + "".join(f"{n},{'north' if n % 2 else 'south'},{n}.50\n" for n in range(1, 9)),
    "prices/1.jsonl": '{"id":"x","at":"2026-01-02","price":1.50}\n{"id":"x","at":"2026-01-08","price":2.50}\n'
    '{"id":"y","at":"2026-01-01","price":9}\n{"id":"z","at":"no date","price":1}\n',
    "stock/1.csv": "id,pieces\nx,5\ny,7\n",
    "readings/1.parquet": "1 1.25, 2 2.50, 3 3.75",
}
LATER: Final[Mapping[str, str]] = {
    "people/c.csv": f"id,email,area,age\n7,gus@example.org,east,20\n8,{SUBJECT},east,33\n9,hal@example.org,west,21\n",
    "people/broken.csv.gz": "this is no gzip",
    "visits/2.csv": "id,area,spent\n20,north,-1\n21,north,none\n22,south,0\n23,south,4.00\n",
    "prices/2.jsonl": '{"id":"x","at":"2026-01-04","price":1.75}\n'
    '{"id":"y","at":"2026-01-03","price":8,"note":"new"}\n',
    "stock/1.csv": "id,pieces\nx,4\nz,1\n",
    "stock/2.csv": "id,pieces\nx,3\n",
    "readings/2.parquet": "3 3.75, 4 4.00",
}


def write_domain(folder: Path, api: str) -> None:
    """Write the contracts and models into a folder of domains.

    Args:
        folder: The folder.
        api: URL of the REST source.
    """
    gold = folder / NAME / "gold"
    gold.mkdir(parents=True)
    for dataset, (columns, properties) in SOURCES.items():
        own = {"layer": "source", "ingestion": {"format": "csv", "glob": "*"}, **properties}
        servers = [{"server": "api", "type": "api", "location": api}] if dataset == "parcels" else []
        _write(folder / NAME, dataset, columns, own, servers)
    for dataset, (columns, query, properties) in MODELS.items():
        _write(gold, dataset, columns, {"layer": "gold", **properties}, [])
        (gold / f"{dataset}.sql").write_text(query)


def _write(folder: Path, dataset: str, columns: tuple[Column, ...], own: Mapping[str, Any], servers: list) -> None:
    channel = {"channel": "owners", "tool": "other", "customProperties": [{"property": "alerts", "value": _ALERTS}]}
    document = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": dataset,
        "version": "1.0.0",
        "status": "draft",
        "domain": NAME,
        "servers": servers,
        "support": [channel] if dataset == "readings" else [],
        "schema": [{"name": dataset, "properties": [dict(column) for column in columns]}],
        "customProperties": [{"property": name, "value": value} for name, value in own.items()],
    }
    with (folder / f"{dataset}.odcs.yaml").open("w") as out:
        YAML().dump(json.loads(json.dumps(document)), out)


def deliver(landing: Path, deliveries: Mapping[str, str], at: int) -> None:
    """Lay files into the landing folder, each whole or not at all; the same again changes nothing."""
    for name, content in deliveries.items():
        path = landing / NAME / name
        path.parent.mkdir(parents=True, exist_ok=True)
        staged = path.with_name(f"_{os.getpid()}-{path.name}")
        if path.suffix == ".parquet":
            pairs = [pair.split() for pair in content.split(", ")]
            table = pa.table({"id": [int(key) for key, _ in pairs], "value": [Decimal(value) for _, value in pairs]})
            pq.write_table(table, staged)
        else:
            staged.write_text(content)
        os.utime(staged, (_AT + at, _AT + at))
        staged.replace(path)
