"""The datasets of the lake: kinds of sources, drift policies, histories and masks, multiplied."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tests.pipelines.lake import people
from tests.pipelines.lake.forms import FEEDS, FORMS, Form
from tests.pipelines.lake.people import Count, Record

MOST = 300
DRIFTS = ("fail", "add", "rescue")
HISTORIES: tuple[Mapping[str, Any], ...] = (
    {},
    {"type": 1, "deletes": "soft"},
    {"type": 2, "deletes": "soft"},
    {"type": 4, "deletes": "hard"},
)
BROKEN = "csv_broken"
"""The dataset whose delivery is nonsense."""
USER = {"user": "env:LAKE_USER", "password": "env:LAKE_PASSWORD"}


def masked(method: str, **options: Any) -> list[dict[str, Any]]:
    """The custom property of a personal column."""
    return [{"property": "masking", "value": {"method": method, **options}}]


MASKS: tuple[Mapping[str, list[dict[str, Any]]], ...] = (
    {
        "guest": masked("hash"),
        "name": masked("redact"),
        "mail": masked("hash", characters=64),
        "phone": masked("redact", text="withheld"),
        "born": masked("redact"),
        "seen": masked("generalise", to="month"),
        "age": masked("redact"),
        "postcode": masked("redact"),
        "note": masked("redact"),
    },
    {
        "guest": masked("hash"),
        "name": masked("redact", text="somebody"),
        "mail": masked("hash"),
        "phone": masked("hash"),
        "born": masked("generalise", to="year"),
        "seen": masked("shift", by="guest", days=30),
        "age": masked("generalise", band=10, ceiling=89),
        "postcode": masked("generalise", prefix=2),
        "note": masked("redact"),
    },
    {
        "guest": masked("token"),
        "name": masked("hash"),
        "mail": masked("token"),
        "phone": masked("token"),
        "born": masked("redact"),
        "seen": masked("shift", by="guest"),
        "age": masked("redact"),
        "postcode": masked("generalise", prefix=1),
        "note": masked("redact"),
    },
)
"""Ways to mask a person; the third keeps a vault, which costs a commit, so few have it."""
TYPES: Mapping[str, Mapping[str, Any]] = {
    "id": {"logicalType": "integer", "physicalType": "bigint", "required": True},
    "guest": {"logicalType": "string", "required": True},
    "born": {"logicalType": "date"},
    "seen": {"logicalType": "date"},
    "age": {"logicalType": "integer", "physicalType": "int"},
    "amount": {"logicalType": "number", "physicalType": "decimal(9,2)", "logicalTypeOptions": {"minimum": 0}},
    "at": {"logicalType": "date", "required": True},
}


@dataclass(frozen=True)
class Dataset:
    """One dataset of the lake.

    Attributes:
        name: Its name.
        kind: Kind of source: a format, `feed`, `jdbc`, `rest` or `kafka`.
        properties: Custom properties of its contract.
        masks: Which of `MASKS`.
        servers: The contract's.
        files: Its deliveries, by name.
        rows: Rows of its table in the database or behind its address.
        delivered: Records that are accepted.
        beside: Records that say of nobody how they are.
        gone: Who was deleted.
        columns: The contract's, where they are not those of people.
    """

    name: str
    kind: str
    properties: Mapping[str, Any]
    masks: int = 0
    servers: Sequence[Mapping[str, Any]] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    rows: Sequence[Record] = ()
    delivered: Sequence[Record] = ()
    beside: int = 0
    gone: frozenset[int] = frozenset()
    columns: Sequence[Mapping[str, Any]] = ()

    @property
    def history(self) -> Mapping[str, Any]:
        """What the contract says of changes."""
        return self.properties.get("history") or {}

    def count(self, *, erased: bool = False) -> Count:
        """Rows that its tables must have, before or after the erasure."""
        records = people.remaining(self.delivered) if erased else list(self.delivered)
        kind, deletes = self.history.get("type", 0), self.history.get("deletes", "none")
        return people.counted(records, kind, self.gone, deletes, self.beside)

    def contract(self) -> dict[str, Any]:
        """Its contract."""
        columns = self.columns or [self._column(name) for name in people.of(1)]
        subject = "guest" in [column["name"] for column in columns]
        properties = {
            "layer": "source",
            **self.properties,
            **({"dataSubject": {"type": "shop_customer", "columns": ["guest"]}} if subject else {}),
        }
        return {
            "apiVersion": "v3.1.0",
            "kind": "DataContract",
            "id": self.name,
            "version": "1.0.0",
            "status": "active",
            "domain": "sales",
            "servers": list(self.servers),
            "schema": [{"name": self.name, "properties": columns}],
            "team": {"name": "lake-data"},
            "slaProperties": [{"property": "retention", "value": 7, "unit": "y"}],
            "customProperties": [{"property": name, "value": value} for name, value in properties.items()],
        }

    def _column(self, name: str) -> dict[str, Any]:
        masks = MASKS[self.masks]
        column = {"name": name, "logicalType": "string", **TYPES.get(name, {})}
        personal = {"classification": "personal", "customProperties": masks[name]} if name in masks else {}
        return {**column, "classification": "internal", **personal}


def _history(said: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"history": {**said, "businessKey": ["id"], "tracked": ["city"], **more}} if said else {}


def of_files(form: Form, drift: str, said: Mapping[str, Any], number: int) -> Dataset:
    """A dataset that is delivered; the second delivery has a column more."""
    second = people.second()
    if form.named:
        second = [{**record, "surprise": f"s{record['id']}"} for record in second]
    first = people.first(many=form.many)
    accepted = drift != "fail" or not form.named
    taken = form.feed and accepted
    properties = {
        "ingestion": {**form.ingestion, "drift": drift},
        **_history(said, **({} if form.feed else {"effectiveFrom": "at"})),
    }
    return Dataset(
        name=f"{form.name}_{drift}_{said.get('type', 0)}",
        kind="feed" if form.feed else str(form.ingestion["format"]),
        properties=properties,
        masks=2 if number % 12 == 5 else number % 2,
        files=dict([form.file(1, first), form.file(2, second)]),
        # What is rescued tells records apart, a column more in bronze does not.
        delivered=[*first, *((second if drift == "rescue" else people.second()) if accepted else [])],
        beside=2 if taken else 0,
        gone=frozenset({people.GONE}) if taken else frozenset(),
    )


def of_tables(host: str) -> Iterator[Dataset]:
    """Datasets of a database: whole, in ranges, by watermark, with snapshots."""
    place = {"type": "postgresql", "host": host, "port": 5432, "database": "postgres", "schema": "public"}
    server = {"server": "lake", **place}
    rows = [*people.first(), *people.second()]
    modes: Mapping[str, Mapping[str, Any]] = {
        "full": {"mode": "full"},
        "ranges": {"mode": "full", "partitionColumn": "id", "partitions": 3},
        "newer": {"mode": "incremental", "watermark": "at", "overlap": "P1D"},
    }
    forms = (("jsonl", "none"), ("jsonl", "gzip"), ("jsonl", "zstd"), ("parquet", "zstd"))
    for number, ((mode, keys), (form, compression)) in enumerate(itertools.product(modes.items(), forms)):
        said = HISTORIES[number % 3]
        name = f"jdbc_{mode}_{form}_{compression}_{said.get('type', 0)}"
        extraction = {"server": "lake", "format": form, "compression": compression}
        yield Dataset(
            name=name,
            kind="jdbc",
            properties={
                "ingestion": {"format": form, "drift": DRIFTS[number % 3]},
                "extraction": {**extraction, "jdbc": {"table": name, **USER, **keys}},
                **({} if mode == "newer" else {"redelivery": {"policy": "replace"}}),
                **_history(said, effectiveFrom="at"),
            },
            masks=number % 2,
            servers=[server],
            rows=rows,
            delivered=rows,
        )
    whole = [record for record in people.state(rows) if record["id"] != people.BAD]
    for said in HISTORIES[1:]:
        name = f"jdbc_snapshots_{said['type']}"
        yield Dataset(
            name=name,
            kind="jdbc",
            properties={
                "ingestion": {"format": "jsonl"},
                "extraction": {"server": "lake", "jdbc": {"table": name, **USER}},
                **_history(said, deliveries="snapshots", snapshot="^(.*)/"),
            },
            servers=[server],
            rows=whole,
            delivered=whole,
        )


def of_addresses(url: str) -> Iterator[Dataset]:
    """Datasets behind an address, in every style of pages; whole and by what is new."""
    pages: Mapping[str, Mapping[str, Any]] = {
        "none": {"style": "none"},
        "page": {"style": "page", "parameter": "page"},
        "offset": {"style": "offset", "parameter": "offset", "size": 5, "sizeParameter": "limit"},
        "cursor": {"style": "cursor", "parameter": "after", "next": "/next"},
        "link": {"style": "link"},
    }
    newer = {"incremental": {"field": "/at", "parameter": "since", "overlap": "P1D"}}
    rows = [*people.first(), *people.second()]
    for number, ((style, paging), (mode, keys)) in enumerate(
        itertools.product(pages.items(), (("full", {}), ("newer", newer)))
    ):
        said = HISTORIES[number % 4]
        name = f"rest_{style}_{mode}_{said.get('type', 0)}"
        rest = {"path": f"/{style}/{name}", "records": "/items", "paging": paging, "requestsPerSecond": 1000, **keys}
        yield Dataset(
            name=name,
            kind="rest",
            properties={
                "ingestion": {"format": "jsonl", "drift": DRIFTS[number % 3]},
                "extraction": {"server": "lake", "rest": rest},
                **({"redelivery": {"policy": "replace"}} if mode == "full" else {}),
                **_history(said, effectiveFrom="at"),
            },
            masks=number % 2,
            servers=[{"server": "lake", "type": "api", "location": url}],
            rows=rows,
            delivered=rows,
        )


def of_topics() -> Iterator[Dataset]:
    """Datasets of topics; an engine without streaming does not run them, and says so."""
    guest = {
        "name": "guest",
        "logicalType": "string",
        "classification": "personal",
        "transformSourceObjects": ["value"],
        "transformLogic": "get_json_object(value, '$.guest')",
        "customProperties": masked("hash"),
    }
    offset = {"name": "offset", "logicalType": "integer", "physicalType": "bigint", "classification": "internal"}
    for mode in ("stream", "batch"):
        yield Dataset(
            name=f"kafka_{mode}",
            kind="kafka",
            properties={
                "ingestion": {"format": "parquet"},
                "extraction": {"server": "lake", "format": "parquet", "kafka": {"topic": f"lake-{mode}", "mode": mode}},
            },
            servers=[{"server": "lake", "type": "kafka", "host": "127.0.0.1:9"}],
            columns=[guest, offset],
        )


def mended() -> Dataset:
    """The dataset that is broken, with what should have been delivered."""
    return replace(of_files(FORMS[0], "rescue", {}, 0), name=BROKEN)


def broken() -> Dataset:
    """A dataset whose only delivery is no such file."""
    return replace(mended(), files={"1.csv": b"nonsense\n1\n2\n"}, delivered=[])


def datasets(host: str, url: str, most: int = MOST) -> list[Dataset]:
    """All of them.

    Args:
        host: Of the database.
        url: Of the addresses.
        most: Fewer, of every kind, for whoever works on it.
    """
    feeds = [
        of_files(form, drift, {"type": kind, "deletes": deletes}, number)
        for number, (form, drift, (kind, deletes)) in enumerate(
            itertools.product(FEEDS, DRIFTS, ((1, "soft"), (2, "hard"), (4, "none")))
        )
    ]
    others = [*feeds, *of_tables(host), *of_addresses(url), *of_topics(), broken()]
    product = [
        of_files(form, drift, said, number)
        for number, (said, drift, form) in enumerate(itertools.product(HISTORIES, DRIFTS, FORMS))
    ]
    every = [*product[: MOST - len(others)], *others]
    step = max(1, MOST // most)
    return [one for number, one in enumerate(every) if number % step == 0 or not one.delivered]
