"""All of a table but its newest version goes, whatever its files are called, and nothing else."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import deltalake
import pyarrow as pa
import pytest

from pipelines.engine.purging import purge
from pipelines.errors import PipelineError

KEYS = ("plain", "a b", "ü/%20")
"""Values by which files are cut: their folders are quoted in the log, some twice."""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "a table"
    for version in range(3):
        rows = pa.table({"k": KEYS, "v": [version] * len(KEYS)})
        deltalake.write_deltalake(str(path), rows, mode="overwrite", partition_by=["k"])
    return path


def files(table: Path) -> set[str]:
    return {
        str(file.relative_to(table)) for file in table.rglob("*") if file.is_file() and "_delta_log" not in str(file)
    }


def rows(table: Path) -> list[tuple[str, int]]:
    found = pa.table(
        deltalake.QueryBuilder().register("t", deltalake.DeltaTable(str(table))).execute("SELECT * FROM t")
    )
    return sorted((row["k"], row["v"]) for row in found.to_pylist())


def test_the_newest_version_is_all_that_is_left(table: Path) -> None:
    start = datetime.now(UTC) + timedelta(seconds=5)
    assert len(files(table)) == 9
    for stray in ("part-0.parquet", "k=plain/part-0.parquet", "_set_aside/00000000000000000002.json", "x#1"):
        (table / stray).parent.mkdir(exist_ok=True)
        (table / stray).write_text("somebody's")
    assert purge(str(table), start) == 6 + 4
    assert rows(table) == sorted((key, 2) for key in KEYS)
    assert len(files(table)) == 3
    assert len(list((table / "_delta_log").glob("*.json"))) == 2, "the last of the purge's own entries"
    assert purge(str(table), start) == 0
    assert rows(table) == sorted((key, 2) for key in KEYS)


def test_younger_files_stay(table: Path) -> None:
    start = datetime.now(UTC)
    for stray, age in (("young", -60), ("old", 60)):
        then = start.timestamp() - age
        for file in (table / f"{stray}.parquet", table / "_delta_log" / f"_commit_{stray}.json.tmp"):
            file.touch()
            os.utime(file, (then, then))
    purge(str(table), start)
    left = {file.name for file in table.rglob("*") if "young" in file.name or "old" in file.name}
    assert left == {"young.parquet", "_commit_young.json.tmp"}


def test_checksums_stay_with_their_files(table: Path) -> None:
    deltalake.write_deltalake(str(table.with_name("flat")), pa.table({"v": [1]}))
    (live,) = table.with_name("flat").glob("*.parquet")
    for name in (f".{live.name}.crc", ".gone.parquet.crc"):
        live.with_name(name).touch()
    purge(str(live.parent), datetime.now(UTC) + timedelta(seconds=5))
    assert files(live.parent) == {live.name, f".{live.name}.crc"}


def test_of_a_table_that_lacks_a_file_no_stray_is_deleted(table: Path) -> None:
    now = deltalake.DeltaTable(str(table)).file_uris()
    lost = next(Path(unquote(uri)) for uri in now if "plain" in uri)
    lost.unlink()
    (table / "stray.parquet").touch()
    with pytest.raises(PipelineError, match="names is not there") as caught:
        purge(str(table), datetime.now(UTC) + timedelta(seconds=5))
    assert caught.value.where == str(lost)
    assert (table / "stray.parquet").exists()
