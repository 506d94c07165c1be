"""Three hundred contracts of every kind beside a year of real invoices, as one job; and a person erased from all.

The tests are one story, told in this order on one lake: `levee up`, a run in which one dataset is broken, one in which
it is mended, one that finds nothing new; then the erasure.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace
from operator import itemgetter
from pathlib import Path
from typing import Any, get_args

import pytest

from pipelines.contracts.extensions.ingestion import COMPRESSED, Format, Ingestion
from pipelines.contracts.extensions.masking import METHODS
from tests.pipelines.lake import people
from tests.pipelines.lake.conftest import Lake
from tests.pipelines.lake.datasets import BROKEN, DRIFTS, MASKS, MOST, Dataset, datasets, mended
from tests.pipelines.lake.forms import FORMS
from tests.pipelines.lake.seek import found

pytestmark = [pytest.mark.slow, pytest.mark.timeout(5400)]  # the first test waits for the run; minutes if quiet

SALES = {"bronze": 541_909, "silver": 392_692, "quarantine": 143_949}
"""Rows of `online_retail`, as `test_sales.py` has them counted."""
OF_RUNS = ("/sales/runs/", "/sales/openlineage/", "/sales/budget_decisions/", "/_metrics/")
"""What every run adds to: its records, events, decisions and metrics."""
OF_SOURCES = ("/sales/extracts/", "/sales/ledger/")
"""What a run adds to that asks a source for all it has, and finds it unchanged."""
PUBLISHED = ("bronze", "silver", "quarantine")
RETAIL = "online_retail"


def counts(lake: Lake, dataset: Dataset) -> dict[str, Any]:
    """Rows of a dataset's tables."""
    name = dataset.name
    versions = lake.rows("silver", f"{name}_history") if dataset.history.get("type") == 4 else None
    return {**{layer: lake.rows(layer, name) for layer in PUBLISHED}, "history": versions}


def wrong(lake: Lake, *, erased: bool = False) -> list[str]:
    """Datasets whose tables do not have just their rows."""
    told = [(one.name, counts(lake, one), asdict(one.count(erased=erased))) for one in lake.datasets]
    return [f"{name}: {has}, not {must}" for name, has, must in told if has != must]


def files(lake: Lake) -> dict[str, str]:
    """Every file of the lake and its content, but for what tells of the runs and what they asked for."""
    every = [file for file in lake.folder.rglob("*") if file.is_file()]
    kept = [file for file in every if not any(part in str(file) for part in (*OF_RUNS, *OF_SOURCES))]
    return {str(file.relative_to(lake.folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in kept}


def test_the_datasets_are_of_every_kind_there_is() -> None:
    made = datasets("/nowhere", "http://127.0.0.1:9")
    assert len({one.name for one in made}) == MOST
    kinds = {one.kind for one in made}
    assert kinds == {*get_args(Format), "feed", "jdbc", "rest", "kafka"}
    drifts = Ingestion.model_fields["drift"].annotation
    assert set(DRIFTS) == set(get_args(drifts))
    read = {(one.kind, one.properties["ingestion"].get("drift")) for one in made}
    assert read >= {(kind, drift) for kind in kinds - {"kafka"} for drift in DRIFTS}
    assert {one.suffix.removeprefix(".csv") for one in FORMS if one.suffix.startswith(".csv")} == set(COMPRESSED)
    histories = {(one.kind == "feed", one.history.get("type")) for one in made}
    assert histories >= {(False, None), *((feed, kind) for feed in (True, False) for kind in (1, 2, 4))}
    assert {one.history.get("deletes") for one in made} == {None, "none", "soft", "hard"}
    used = {item[0]["value"]["method"] for masks in MASKS for item in masks.values()}
    assert used == METHODS.keys() - {"detect"}  # which asks for an extra that a laptop's data environment lacks


@pytest.fixture(scope="module")
def broken(lake: Lake) -> str:
    """What the first run says, in which one dataset is broken."""
    return lake.levee("run", "sales", code=1)


@pytest.fixture(scope="module")
def ran(lake: Lake, broken: str) -> Lake:
    """The lake after a run in which every dataset is well."""
    well = mended()
    for name, content in well.files.items():
        (lake.buckets["landing"] / BROKEN / name).write_bytes(content)
    lake.levee("run", "sales")
    return replace(lake, datasets=[well if one.name == BROKEN else one for one in lake.datasets])


def test_one_that_is_broken_fails_alone(lake: Lake, broken: str) -> None:
    tables = len(lake.datasets) + 4  # of sales itself
    told = f"1 of {tables} tables failed, the others are done: {BROKEN} (bronze): no new file"
    assert told in " ".join(broken.split())
    assert wrong(lake) == []
    assert {layer: lake.rows(layer, RETAIL) for layer in SALES} == SALES
    assert lake.rows("silver", "cdnow") == 69_659 - lake.rows("quarantine", "cdnow")
    assert lake.rows("gold", "revenue_by_customer") > 20_000
    failed = [(row["task"], row["dataset"]) for row in lake.record("runs") if row["status"] == "failed"]
    assert failed == [("bronze", BROKEN)]


def test_the_count_law_holds_for_every_batch(ran: Lake) -> None:
    batches = ran.record("batches")
    parts = ("silver", "superseded", "messages", "duplicates", "quarantine")
    for batch in batches:
        told = sum(batch[part] for part in parts)
        assert (batch["rows"], batch["accounted"], batch["balanced"]) == (told, told, True), batch
    newest = {(batch["dataset"], batch["batch_id"]): batch for batch in sorted(batches, key=itemgetter("run_id"))}
    rows = Counter[str]()  # a batch whose delivery came again is refined again
    for batch in newest.values():
        rows[batch["dataset"]] += batch["rows"]
    read = [one.name for one in ran.datasets if one.kind != "kafka"]
    assert {name: rows[name] for name in (*read, RETAIL)} == {
        name: ran.rows("bronze", name) for name in (*read, RETAIL)
    }


def test_what_the_engine_did_not_run_is_named(ran: Lake) -> None:
    records = [row for row in ran.record("runs") if row["task"] == "extract" and row["not_run"] not in (None, "[]")]
    told = {row["dataset"]: row["not_run"] for row in records}
    assert told.keys() == {"kafka_stream", "kafka_batch"}
    for mode in ("stream", "batch"):
        assert f"extract of the topic lake-{mode}: needs streaming, which sail lacks" in str(told[f"kafka_{mode}"])


def test_another_run_changes_nothing(ran: Lake) -> None:
    assert wrong(ran) == []
    before, known = files(ran), Counter(map(repr, ran.record("ledger")))
    ran.levee("run", "sales")
    after = files(ran)
    told = [entry for entry in ran.record("ledger") if repr(entry) not in known]
    asked = {one.name for one in ran.datasets if one.kind in ("jdbc", "rest")}
    assert {entry["status"] for entry in told} <= {"repeated"}
    assert {entry["dataset"] for entry in told} <= asked
    assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} == set()


def test_no_raw_personal_value_has_left_the_raw_zone(ran: Lake) -> None:
    told = ran.levee("privacy", "scan", "sales")
    assert f"{RETAIL}.customer_id" in told
    leak = ran.buckets["gold"] / "export.txt"
    for value in (people.NUMBER, people.private(people.ERASED)[1]):
        leak.write_text(f"for {value} alone")
        assert "raw personal values are outside the raw zone in 1 places" in ran.levee(
            "privacy", "scan", "sales", code=1
        )
        leak.unlink()


def lines(folder: Path) -> Counter[str]:
    """Different lines of invoices by customer."""
    texts = [file.read_text() for file in sorted(folder.glob("*.csv"))]
    rows = {tuple(row) for text in texts for row in csv.reader(io.StringIO(text, newline=""))}
    (header,) = [row for row in rows if row[0] == "InvoiceNo"]
    return Counter(row[header.index("CustomerID")].removesuffix(".0") for row in rows)


def content(lake: Lake, dataset: str) -> Counter[str]:
    """The rows of a silver table, as their data and no place."""
    table = lake.table("silver", dataset)
    kept = table.select([name for name in table.column_names if not name.startswith("_")])
    return Counter(map(repr, zip(*(column.to_pylist() for column in kept.columns), strict=True)))


def test_a_person_is_erased_from_all_of_it(ran: Lake) -> None:
    person = [people.NUMBER, *people.private(people.ERASED)[1:]]
    bought = lines(ran.buckets["landing"] / RETAIL)
    names = [one.name for one in ran.datasets if one.kind != "kafka"]
    before: Mapping[str, Counter[str]] = {name: content(ran, name) for name in (*names, RETAIL)}
    assert all(found(ran.buckets[layer], [value]) for layer in ("landing", "bronze") for value in person)

    asked = ["--subject", "shop_customer=-", "--requested-by", "dpo@example.org", "--yes"]
    ran.levee("erase", "sales", *asked, told=people.NUMBER)

    (certificate,) = (ran.buckets["audit"] / "erasures").rglob("*.json")
    assert json.loads(certificate.read_bytes())["search"]["found"] == 0
    ran.levee("privacy", "verify", "sales", str(certificate))
    # The other shop has a customer of that number, too, who stays.
    places = [place for path in ran.buckets.values() for place in path.iterdir() if place.name != "cdnow"]
    assert [hit for place in places for hit in found(place, person)] == []
    assert [hit for path in ran.buckets.values() for hit in found(path / "cdnow", person[1:])] == []
    assert wrong(ran, erased=True) == []
    after = {name: content(ran, name) for name in (*names, RETAIL)}
    assert {name: new - before[name] for name, new in after.items() if new - before[name]} == {}
    left = ran.rows("bronze", RETAIL), before[RETAIL].total() - after[RETAIL].total()
    assert left[0] < SALES["bronze"]
    assert 0 < left[1] <= bought[people.NUMBER]
