"""What the driver asks of a table's log: always what the newest commit says, and nothing anew that it was told."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import deltalake
import pyarrow as pa
import pytest

from pipelines.engine import local

ONE = pa.table({"n": pa.array([1], pa.int64())})


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "table")


def test_a_commit_is_seen_however_soon_it_comes_after_the_last_look(path: str) -> None:
    local.append(path, ONE)

    for version in range(1, 10):
        os.utime(Path(path, "_delta_log"), ns=(0, 0))  # all within one tick of the clock
        assert (local.version(path), local.count(path)) == (version - 1, version)
        deltalake.write_deltalake(path, ONE, mode="append")


def test_entries_that_were_cleared_away_hide_no_commit(path: str) -> None:
    for _ in range(3):
        local.append(path, ONE)
    assert local.version(path) == 2

    other = deltalake.DeltaTable(path)
    for _ in range(3):
        deltalake.write_deltalake(path, ONE, mode="append")
    other.update_incremental()
    other.create_checkpoint()
    for entry in Path(path, "_delta_log").glob("*.json"):
        if int(entry.stem) < 5:
            entry.unlink()

    assert (local.version(path), local.count(path)) == (5, 6)


def test_a_table_that_was_made_anew_is_another_one(path: str) -> None:
    for _ in range(3):
        local.append(path, ONE)
    assert local.count(path) == 3

    shutil.rmtree(path)
    assert not local.exists(path)
    Path(path, "_delta_log").mkdir(parents=True)
    assert not local.exists(path)
    local.append(path, ONE)

    assert local.exists(path)
    assert (local.version(path), local.count(path)) == (0, 1)


def test_a_version_keeps_its_own_answer(path: str) -> None:
    local.append(path, ONE)
    local.append(path, ONE)

    assert [local.count(path, at) for at in (1, 0, 1)] == [2, 1, 2]
    local.append(path, ONE)
    assert [local.count(path, at) for at in (2, 1, 0)] == [3, 2, 1]


def test_columns_that_came_since_are_told(path: str) -> None:
    local.append(path, ONE)
    assert local.schema(path).names == ["n"]

    deltalake.write_deltalake(path, ONE.append_column("m", ONE["n"]), mode="append", schema_mode="merge")

    assert local.schema(path).names == ["n", "m"]


def test_what_was_told_is_not_asked_again(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    local.append(path, ONE)
    told = local.version(path), local.count(path), local.schema(path)

    def read(*_: object) -> None:
        raise AssertionError("the log was read again")

    for name in ("update_incremental", "get_add_actions", "schema"):
        monkeypatch.setattr(deltalake.DeltaTable, name, read)

    assert (local.version(path), local.count(path), local.schema(path)) == told
