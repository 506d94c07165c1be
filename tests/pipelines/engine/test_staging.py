"""Rows that are computed once: a table takes their files over, and nothing of them stays behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import deltalake
import pyarrow as pa
import pytest

from pipelines.engine import Engine, adoption, local
from pipelines.engine.scratch import LOCK, sweep
from pipelines.engine.staging import staged
from pipelines.errors import SchemaError
from pipelines.settings import EngineName

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SCHEMA = pa.schema([("k", pa.string()), ("v", pa.int64()), ("d", pa.decimal128(9, 2))])
ENGINES = (EngineName.SAIL, pytest.param(EngineName.SPARK, marks=[pytest.mark.spark, pytest.mark.slow]))
COLUMNS = ("k", "v", "d")
Rows = Callable[..., "DataFrame"]


def kept(frame: DataFrame, part: int) -> DataFrame:
    return frame.where(f"part = {part}").select(*COLUMNS)


@pytest.fixture
def made(engine: Engine) -> Rows:
    """Make rows `v` of which the odd ones are of the part 1."""
    return lambda first, last: engine.spark.range(first, last).selectExpr(
        "concat('k', id) AS k", "id AS v", "CAST(id / 4 AS DECIMAL(9,2)) AS d", "id AS more", "id % 2 AS part"
    )


@pytest.fixture
def path(engine: Engine, tmp_path: Path) -> str:
    engine.ensure(str(tmp_path / "t"), SCHEMA)
    return str(tmp_path / "t")


@pytest.mark.parametrize("engine", ENGINES, indirect=True, ids=str)
def test_a_table_takes_the_files_of_one_part_over(engine: Engine, made: Rows, path: str, tmp_path: Path) -> None:
    engine.insert(path, engine.frame(pa.table([["old"], [-1], [None]], schema=SCHEMA)))
    with staged(engine, made(0, 1000), str(tmp_path / "staged"), "part") as rows:
        assert rows.rows.count() == 1000
        assert rows.adopt(engine, path, kept(rows.rows, 1), "1")
        there = {file.stat().st_ino for file in (tmp_path / "staged").rglob("part=1/*.parquet")}
        assert there <= {file.stat().st_ino for file in Path(path).glob("*.parquet")}, "a row was written anew"
        assert rows.rows.count() == 1000
    assert list((tmp_path / "staged").iterdir()) == []
    found = sorted(row["v"] for row in engine.read(path).collect())
    assert found == [-1, *range(1, 1000, 2)]
    assert [tuple(row) for row in engine.read(path).where("v > 998").collect()] == [("k999", 999, Decimal("249.75"))]
    assert local.count(path) == 501, "its log tells how many rows there are"
    assert local.greatest(path, "v") == 999
    newest = local.history(path)[0]
    assert (newest["operation"], newest["operationParameters"]["mode"]) == ("WRITE", "Append")


@pytest.mark.parametrize("engine", ENGINES, indirect=True, ids=str)
def test_of_no_rows_there_is_no_commit(engine: Engine, made: Rows, path: str, tmp_path: Path) -> None:
    before = engine.version(path)
    with staged(engine, made(0, 100).where("part = 0"), str(tmp_path / "staged"), "part") as rows:
        assert rows.adopt(engine, path, kept(rows.rows, 1), "1")
    with staged(engine, made(0, 0), str(tmp_path / "staged"), "part") as rows:
        assert rows.rows.count() == 0
        assert rows.adopt(engine, path, kept(rows.rows, 1), "1")
    assert engine.version(path) == before


def test_a_table_that_asks_more_of_its_writers_gets_no_files(sail: Engine, tmp_path: Path) -> None:
    rows = sail.spark.range(9).selectExpr(
        "concat('k', id) AS k", "id AS v", "CAST(1 AS DECIMAL(9,2)) AS d", "0 AS part"
    )
    cut, checked = str(tmp_path / "cut"), str(tmp_path / "checked")
    deltalake.DeltaTable.create(cut, SCHEMA, partition_by=["k"])
    deltalake.DeltaTable.create(checked, SCHEMA).alter.add_constraint({"few": "v < 5"})
    with staged(sail, rows, str(tmp_path / "staged"), "part") as kept_rows:
        for table in (cut, checked):
            assert not kept_rows.adopt(sail, table, kept(kept_rows.rows, 0), "0")
            assert sail.count(table) == 0
        other = str(tmp_path / "other")
        deltalake.DeltaTable.create(other, pa.schema([("k", pa.string())]))
        with pytest.raises(SchemaError, match=r"v .bigint. is here and not in the table"):
            kept_rows.adopt(sail, other, kept(kept_rows.rows, 0), "0")


HOLDER = """
import os, signal, sys
from pipelines.engine.scratch import own
with own(sys.argv[1]) as place:
    os.mkdir(place)
    print(place, flush=True)
    sys.stdin.readline()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_run_has_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    assert sweep(str(tmp_path / "nowhere")) == 0
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        place = Path(other.stdout.readline().strip())
        assert sweep(str(tmp_path)) == 0
        assert place.is_dir()
        other.communicate("die\n")
    assert place.is_dir()
    assert sweep(str(tmp_path)) == 1
    assert not place.exists()
    assert not place.with_suffix(LOCK).exists()


def test_files_that_were_never_committed_go_with_vacuum(sail: Engine, tmp_path: Path) -> None:
    path, rows = str(tmp_path / "t"), pa.table([["a"], [1], [None]], schema=SCHEMA)
    sail.ensure(path, SCHEMA)
    with staged(sail, sail.frame(rows).selectExpr("*", "0 AS part"), str(tmp_path / "staged"), "part") as kept_rows:
        assert kept_rows.folder is not None
        adoption.linked(kept_rows.folder, "0", path)
    sail.insert(path, sail.frame(rows))
    assert len(list(Path(path).glob("*.parquet"))) == 2
    for file in Path(path).glob("*.parquet"):
        os.utime(file, (0, 0))
    local.vacuum(path, 168)
    assert [file.name for file in Path(path).glob("*.parquet")] == [
        Path(uri).name for uri in deltalake.DeltaTable(path).file_uris()
    ]
    assert sail.count(path) == 1
