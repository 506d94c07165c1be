"""A small lake in which everything that writes happens once: its contracts, its deliveries, and what is done, in order.

Five kinds of sources, tables with and without a history, personal data, rejected records, a held batch, models, alerts
to a channel and a budget. `PHASES` is what a scheduler and people would do with it; each may be done again at any time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from ruamel.yaml import YAML

from pipelines.bronze.ingest import ingest
from pipelines.budget.terms import Budget, NodeRate
from pipelines.contracts import Contract, Domain, load_domain
from pipelines.engine import Engine, local
from pipelines.errors import SchemaError, UsageError
from pipelines.extract.task import extract
from pipelines.gold.build import build
from pipelines.ledger import Ledger, Status
from pipelines.maintain import maintain
from pipelines.maintain.names import TableName
from pipelines.maintain.restore import repair, restore
from pipelines.privacy.erase import ErasureRequest, erase
from pipelines.privacy.rotation import rotate
from pipelines.quarantine.replay import replayed
from pipelines.quarantine.tasks import corrected, listed, waived
from pipelines.runs import recorded
from pipelines.secret_references import SecretReference
from pipelines.settings import Acceptance, EngineName, Layer, RunSettings
from pipelines.silver.holding import BatchHeldError, accept
from pipelines.silver.refine import refine

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
        staged = path.with_name(f"_{path.name}")
        if path.suffix == ".parquet":
            pairs = [pair.split() for pair in content.split(", ")]
            table = pa.table({"id": [int(key) for key, _ in pairs], "value": [Decimal(value) for _, value in pairs]})
            pq.write_table(table, staged)
        else:
            staged.write_text(content)
        os.utime(staged, (_AT + at, _AT + at))
        staged.replace(path)


@dataclass
class Town:
    """The lake of a folder, and who works on it.

    Attributes:
        folder: The lake.
        domains: Folder of the domains.
        run: Name of the run.
        again: The phase was begun before, and did not end.
    """

    folder: Path
    domains: Path
    run: str
    again: bool = False
    engine: Engine = field(init=False)
    domain: Domain = field(init=False)

    def __post_init__(self) -> None:
        self.engine = Engine.open(EngineName.SAIL)
        self.domain = load_domain(NAME, self.domains)

    def settings(self, key: int = 1, **more: Any) -> RunSettings:
        """Settings of a task; with the masking key of that number, which its predecessors were used before."""
        keys = []
        for number in range(key, 0, -1):
            file = self.folder / f"key-{number}"
            file.write_text(str(number) * 40)
            file.chmod(0o600)
            keys.append(SecretReference("file", str(file)))
        return RunSettings(
            domain=NAME,
            roots={layer: str(self.folder / layer.value) for layer in Layer},
            run_id=self.run,
            pseudonym_key=keys[0],
            former_keys=tuple(keys[1:]),
            rates={"local": NodeRate(usd_per_hour=Decimal(1), source="the test's own price")},
            budget=Budget(cost_centre="cc-1", monthly_usd=Decimal(1000), policy="refuse", source="test"),
            **more,
        )

    def source(self, dataset: str) -> Contract:
        """The contract of a source."""
        return self.domain.contract(dataset)


def _deliver_first(town: Town) -> None:
    deliver(town.folder / "landing", FIRST, 0)
    extract(town.engine, town.source("parcels"), town.settings())


def _bronze(town: Town) -> None:
    for dataset in SOURCES:
        ingest(town.engine, town.source(dataset), town.settings())


def _silver(town: Town) -> None:
    for dataset in SOURCES:
        refine(town.engine, town.source(dataset), town.settings())


def _gold(town: Town, key: int = 1) -> None:
    for model in town.domain.gold:
        with recorded(town.engine, town.settings(key), "gold", model, town.domain):
            build(town.engine, town.settings(key), town.domain, model)


def _deliver_later(town: Town) -> None:
    deliver(town.folder / "landing", LATER, 100)
    _bronze(town)


def _hold(town: Town) -> None:
    """The second delivery of visits is held, which fails the task; those of the others go on."""
    try:
        refine(town.engine, town.source("visits"), town.settings())
    except BatchHeldError as held:
        if not held.stops:
            raise
    _silver(town)


def _accept(town: Town) -> None:
    settings, visits = town.settings(), town.source("visits")
    entries = Ledger(town.engine, settings).entries(Layer.SILVER, "visits")
    (batch,) = {entry.batch_id for entry in entries if entry.status is Status.HELD}
    accept(town.engine, settings, visits, Acceptance(batch, "ann", "the till was broken"))
    refine(town.engine, visits, settings)


def _quarantine(town: Town) -> None:
    """One record is corrected, another waived, and all are judged again."""

    def ask(verb: Callable[[RunSettings, Domain], Any], **asked: Any) -> Any:
        request = town.folder / "request.json"
        request.write_text(json.dumps({"dataset": "people", **asked}))
        return verb(town.settings(request=request), town.domain)

    ids = {(one["file"], one["line"]): one["id"] for one in ask(listed, state="all")["records"]}
    # A person's command that was entered says so when it is given again, and changes nothing.
    for verb, asked in (
        (corrected, {"id": ids["a.csv", 4], "fields": {"age": "13"}}),
        (waived, {"ids": [ids["b.csv", 2]], "reason": "she would not say"}),
    ):
        try:
            ask(verb, **asked)
        except UsageError:
            if not town.again:
                raise
    ingest(town.engine, town.source("people"), town.settings())
    replayed(town.engine, town.settings(), town.source("people"))


def _fail(town: Town) -> None:
    """A task fails, twice for the same reason; its channel is told once."""
    deliver(town.folder / "landing", {"readings/3.csv": "this is no Parquet"}, 200)
    for _ in range(2):
        try:
            ingest(town.engine, town.source("readings"), town.settings())
        except SchemaError:
            continue
        raise AssertionError("what is no delivery was taken for one")


def _recover(town: Town) -> None:
    (town.folder / "landing" / NAME / "readings" / "3.csv").unlink(missing_ok=True)
    ingest(town.engine, town.source("readings"), town.settings())


def _maintain(town: Town) -> None:
    maintain(town.engine, town.settings(), town.domain)


def _restore(town: Town) -> None:
    """Silver of visits goes back by one version, and what that undid is done again."""
    settings, visits = town.settings(), town.source("visits")
    newest = town.engine.version(settings.table_path(Layer.SILVER, "visits"))
    restore(town.engine, settings, visits, TableName.parse("silver.visits"), version=newest - 1)
    refine(town.engine, visits, settings)


def _repair(town: Town) -> None:
    """The newest entry of a log is torn, mended, and what it told of done again."""
    settings, readings = town.settings(), town.source("readings")
    torn = town.folder / "torn"
    if not torn.exists():
        log = Path(settings.table_path(Layer.SILVER, "readings"), "_delta_log")
        entry = max(log.glob("*.json"))
        torn.touch()
        entry.write_bytes(entry.read_bytes()[:-40])
        local.forget()
    try:
        repair(town.engine, settings, readings, TableName.parse("silver.readings"))
    except UsageError:
        if not town.again:
            raise
    refine(town.engine, readings, settings)


def _rotate(town: Town) -> None:
    rotate(town.engine, town.settings(2), town.source("people"))
    _gold(town, 2)


def _erase(town: Town) -> None:
    value = town.folder.with_name("subject")
    value.write_text(SUBJECT)
    value.chmod(0o600)
    request = ErasureRequest("person", SecretReference("file", str(value)), "dpo@example.org")
    erase(town.engine, town.settings(2), town.domain, request)


PHASES: Final[Mapping[str, Callable[[Town], None]]] = {
    "extract": _deliver_first,
    "bronze": _bronze,
    "silver": _silver,
    "gold": _gold,
    "later bronze": _deliver_later,
    "later silver": _hold,
    "accept": _accept,
    "quarantine": _quarantine,
    "later gold": _gold,
    "fail": _fail,
    "recover": _recover,
    "maintain": _maintain,
    "restore": _restore,
    "repair": _repair,
    "rotate": _rotate,
    "erase": _erase,
}
"""What is done, in order."""
