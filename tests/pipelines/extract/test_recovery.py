"""A run that dies anywhere is made good by the next one: bronze and silver have every row of the source, once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from pipelines.bronze.ingest import ingest
from pipelines.contracts import Contract
from pipelines.extract.task import extract
from pipelines.failpoints import FAILPOINTS, VARIABLE
from pipelines.settings import Layer
from pipelines.silver.refine import refine

WORKER = Path(__file__).with_name("worker.py")
POINTS = tuple(name for name in FAILPOINTS if name.startswith("extract."))
COLUMNS = (
    {"name": "id", "logicalType": "integer", "physicalType": "int", "required": True},
    {"name": "name", "logicalType": "string"},
)
KINDS: dict[str, dict[str, Any]] = {
    "full": {"partitionColumn": "id", "partitions": 3},
    "incremental": {"mode": "incremental", "watermark": "id", "partitionColumn": "id", "partitions": 3, "overlap": 2},
}


def silver_of(engine: Any, lake: Any, contract: Contract, run: int) -> list[tuple[Any, ...]]:
    ingest(engine, contract, lake.run(run))
    refine(engine, contract, lake.run(run))
    return sorted(lake.rows(engine, Layer.SILVER, "id", "name"))


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_table_is_whole_after_a_death_anywhere(sail, lake, of_table, table, postgres, dying, kind, point):
    table("id int NOT NULL, name text", *(f"({n}, 'n{n}')" for n in range(1, 10)))
    contract = of_table(*COLUMNS, **KINDS[kind])
    with dying(point, 1):
        extract(sail, contract, lake.run(1))

    postgres.run("INSERT INTO things SELECT n, 'n' || n FROM generate_series(10, 14) n")
    for run in (2, 3):
        extract(sail, contract, lake.run(run))

    assert silver_of(sail, lake, contract, 4) == [(n, f"n{n}") for n in range(1, 15)]


def test_what_was_planned_is_read_again_under_the_same_names(sail, lake, of_table, table, postgres, dying, landed):
    table("id int NOT NULL, name text", *(f"({n}, 'n{n}')" for n in range(1, 10)))
    contract = of_table(*COLUMNS, **KINDS["incremental"])
    with dying("extract.landed", 2):
        extract(sail, contract, lake.run(1))
    in_place = [name for name in landed() if not name.startswith("_")]
    assert len(in_place) == 2
    postgres.run("INSERT INTO things VALUES (10, 'n10')")

    extract(sail, contract, lake.run(2))

    assert [name for name in landed() if name.startswith("000001-")][:2] == in_place
    assert len(landed()) == 3


@pytest.mark.parametrize(("point", "number"), [(POINTS[0], 1), *((point, n) for point in POINTS[1:] for n in (1, 2))])
def test_a_rest_source_is_whole_after_a_death_anywhere(sail, lake, api, of_api, dying, point, number):
    rows: list[dict[str, Any]] = [{"id": n, "name": f"n{n}", "at": n} for n in range(1, 8)]

    def respond(path: str, _: Any) -> tuple[int, dict[str, str], bytes]:
        query = parse_qs(urlsplit(path).query)
        start, since = int(query["offset"][0]), int(query.get("since", ["0"])[0])
        return 200, {}, json.dumps([row for row in rows if row["at"] >= since][start : start + 3]).encode()

    api.respond = respond
    contract = of_api(
        *COLUMNS,
        paging={"style": "offset", "parameter": "offset"},
        incremental={"field": "/at", "type": "number", "parameter": "since", "overlap": 1},
    )
    with dying(point, number):
        extract(sail, contract, lake.run(1))

    rows += [{"id": n, "name": f"n{n}", "at": n} for n in range(8, 12)]
    for run in (2, 3):
        extract(sail, contract, lake.run(run))

    assert silver_of(sail, lake, contract, 4) == [(n, f"n{n}") for n in range(1, 12)]


@pytest.mark.slow
@pytest.mark.parametrize("point", [*POINTS, "bronze.committed", "silver.published"])
@pytest.mark.parametrize("kind", KINDS)
def test_kill_9_loses_nothing_and_doubles_nothing(sail, lake, of_table, table, postgres, kind, point):
    table("id int NOT NULL, name text", *(f"({n}, 'n{n}')" for n in range(1, 1001)))
    contract = of_table(*COLUMNS, **KINDS[kind])

    def run(number: int, at: str | None) -> int:
        environment = {**os.environ, "LEVEE_PSEUDONYM_KEY": "k" * 40, **({VARIABLE: at} if at else {})}
        arguments = [sys.executable, str(WORKER), str(lake.folder), str(contract.path), f"run-{number}"]
        done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert at or done.returncode == 0, done.stderr
        return done.returncode

    assert run(1, point) == -signal.SIGKILL
    postgres.run("INSERT INTO things SELECT n, 'n' || n FROM generate_series(1001, 1100) n")
    run(2, None)
    run(3, None)

    assert sorted(lake.rows(sail, Layer.SILVER, "id", "name")) == [(n, f"n{n}") for n in range(1, 1101)]
    assert not [path for path in Path(lake.settings.deliveries("things")).iterdir() if path.name.startswith("_")]
