"""Tables by path: the same outcome on every engine."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import deltalake
import pyarrow as pa
import pytest
from deltalake.exceptions import CommitFailedError
from pyspark.errors import SparkRuntimeException

from pipelines.engine import Engine, care, is_in, local
from pipelines.engine.commits import is_conflict, retried
from pipelines.engine.failures import failure
from pipelines.errors import PipelineError, SchemaError

SCHEMA = pa.schema([("k", pa.string()), ("v", pa.int64())])


def rows(engine: Engine, path: str) -> list[tuple[str, int]]:
    return sorted(tuple(row) for row in engine.read(path).select("k", "v").collect())


def table(*pairs: tuple[str, int]) -> pa.Table:
    return pa.Table.from_pylist([{"k": k, "v": v} for k, v in pairs], schema=SCHEMA)


@pytest.fixture
def path(engine: Engine, tmp_path: Path) -> str:
    engine.ensure(str(tmp_path / "t"), SCHEMA)
    return str(tmp_path / "t")


def test_replace_where_is_exactly_once(engine: Engine, path: str) -> None:
    for _ in range(2):
        engine.replace_where(path, engine.frame(table(("a", 1), ("b", 2))), "k", ["a", "b"])
    engine.replace_where(path, engine.frame(table(("b", 3))), "k", ["b", "c"])
    assert rows(engine, path) == [("a", 1), ("b", 3)]


def test_a_row_outside_the_predicate_fails_the_commit(engine: Engine, path: str) -> None:
    engine.replace_where(path, engine.frame(table(("a", 1))), "k", ["a"])
    with pytest.raises(Exception, match=r"(?s)outside the predicate|DELTA_REPLACE_WHERE_MISMATCH"):
        engine.replace_where(path, engine.frame(table(("a", 2), ("z", 9))), "k", ["a"])
    assert rows(engine, path) == [("a", 1)]


def test_insert_writes_no_row_anew(engine: Engine, path: str) -> None:
    engine.insert(path, engine.frame(table(("a", 1))))
    before = set(deltalake.DeltaTable(path).file_uris())
    engine.insert(path, engine.frame(table(("a", 2), ("b", 3))))
    assert before < set(deltalake.DeltaTable(path).file_uris())
    assert rows(engine, path) == [("a", 1), ("a", 2), ("b", 3)]


def test_a_version_s_rows_are_counted_alike_by_deltalake_and_by_the_engine(
    engine: Engine, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        engine.append(path, pa.table({"k": ["it's", "it's", "z\\"], "v": [number, None, number]}, SCHEMA))
    queries = [(("k", "it's", "it's"), 1), (("k", "a", "z\\"), 2)]
    told = [engine.count_by(path, "k", "v", within=within, version=version) for within, version in queries]
    assert told == [{"it's": (2, 1)}, {"it's": (4, 2), "z\\": (2, 2)}]
    monkeypatch.setattr(local, "count_by", lambda *asked: None)
    assert told == [engine.count_by(path, "k", "v", within=within, version=version) for within, version in queries]


@pytest.mark.parametrize("count", [2, 200])
def test_rows_among_many_values_and_the_others(engine: Engine, path: str, count: int) -> None:
    engine.insert(path, engine.frame(table(*((f"it's {n}", n) for n in range(count + 1)))))
    values = [f"it's {n}" for n in range(count)]
    assert engine.among(engine.read(path), "k", values).count() == count
    assert [row["v"] for row in engine.apart(engine.read(path), "k", values).collect()] == [count]
    assert engine.among(engine.read(path, engine.version(path) - 1), "k", values).count() == 0


def test_merge(engine: Engine, path: str) -> None:
    engine.append(path, table(("a", 1), ("b", 2), ("c", 3)))
    engine.merge(path, engine.frame(table(("a", 5), ("d", 4))), ["k"])
    assert rows(engine, path) == [("a", 1), ("b", 2), ("c", 3), ("d", 4)]
    engine.merge(path, engine.frame(table(("a", 5), ("e", 6))), ["k"], update=True)
    assert rows(engine, path) == [("a", 5), ("b", 2), ("c", 3), ("d", 4), ("e", 6)]


@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        (pa.table({"k": ["a"], "v": [1.7]}), "v is bigint in the table and double here"),
        (pa.table({"k": ["a"]}), r"v \(bigint\) is in the table and not here"),
        (pa.table({"k": ["a"], "v": [1], "w": [2]}), r"w \(bigint\) is here and not in the table"),
    ],
)
def test_the_gate_stands_before_every_write(engine: Engine, path: str, frame: pa.Table, complaint: str) -> None:
    for write in (
        lambda: engine.replace_where(path, engine.frame(frame), "k", ["a"]),
        lambda: engine.merge(path, engine.frame(frame), ["k"]),
        lambda: engine.overwrite(path, engine.frame(frame)),
        lambda: engine.insert(path, engine.frame(frame)),
    ):
        with pytest.raises(SchemaError, match=complaint):
            write()
    assert rows(engine, path) == []


def test_new_columns_are_added_on_purpose(engine: Engine, path: str) -> None:
    engine.append(path, table(("a", 1)))
    engine.ensure(path, SCHEMA.append(pa.field("w", pa.string())))
    found = engine.read(path).collect()
    assert [(row["k"], row["v"], row["w"]) for row in found] == [("a", 1, None)]
    with pytest.raises(SchemaError, match="v is bigint in the table and string here"):
        engine.ensure(path, pa.schema([("k", pa.string()), ("v", pa.string())]))


def test_an_absent_table_is_an_error(engine: Engine, tmp_path: Path) -> None:
    assert not engine.exists(str(tmp_path / "absent"))
    assert engine.count(str(tmp_path / "absent")) == 0
    with pytest.raises(PipelineError, match="there is no table"):
        engine.read(str(tmp_path / "absent"))


def test_who_replaces_all_rows_replaces_what_came_while_it_wrote(sail: Engine, tmp_path: Path) -> None:
    """An empty table has nothing to remove, so that to Delta two writers who replace all only add."""
    path = str(tmp_path / "table")
    sail.ensure(path, SCHEMA)
    came = tmp_path / "came"
    another = table(("another", 1))

    def slow(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        if not came.exists():
            came.touch()
            deltalake.write_deltalake(path, another, mode="append")
        yield from batches

    frame = sail.frame(table(("mine", 2)))
    sail.overwrite(path, frame.mapInArrow(slow, frame.schema))
    assert came.exists()
    assert rows(sail, path) == [("mine", 2)]


def test_writers_at_once_lose_nothing(sail: Engine, tmp_path: Path) -> None:
    path = str(tmp_path / "t")
    sail.ensure(path, SCHEMA)

    def write(number: int) -> None:
        for turn in range(3):
            sail.replace_where(path, sail.frame(table((f"k{number}", turn))), "k", [f"k{number}"])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert rows(sail, path) == [(f"k{number}", 2) for number in range(8)]


def test_care(engine: Engine, path: str) -> None:
    for number in range(3):
        engine.append(path, table((f"k{number}", number)))
    care.optimize(engine, path, ["k"])
    care.vacuum(engine, path, 168)
    assert rows(engine, path) == [("k0", 0), ("k1", 1), ("k2", 2)]


def test_a_lost_race_is_run_again_and_given_up_in_the_end() -> None:
    waits: list[float] = []
    tries = iter([RuntimeError("Failed to commit transaction: 0"), RuntimeError("version 7 already exists"), None])

    def commit() -> str:
        if (error := next(tries)) is not None:
            raise error
        return "won"

    assert retried(commit, "t", sleep=waits.append) == "won"
    assert len(waits) == 2

    def lose() -> None:
        raise RuntimeError("[DELTA_CONCURRENT_APPEND] files were added")

    with pytest.raises(PipelineError, match="30 times in a row"):
        retried(lose, "t", sleep=waits.append)


@pytest.mark.parametrize(
    ("error", "conflict"),
    [
        (CommitFailedError("a concurrent transaction deleted data this operation read"), True),
        (RuntimeError("External error: Commit failed: a concurrent transactions added new data"), True),
        (RuntimeError("(io.delta.exceptions.ConcurrentAppendException) files were added"), True),
        (RuntimeError("[DELTA_CONCURRENT_DELETE_READ.PARTITIONED_TABLE] a file was deleted"), True),
        (SparkRuntimeException("", "DELTA_METADATA_CHANGED"), True),
        (RuntimeError("Missing commit file: expected version 0, found 18"), True),
        (SparkRuntimeException("a file of /lake/concurrent/t is missing", "PATH_NOT_FOUND"), False),
        (OSError("/lake/conflict/version 7 already exists/x: permission denied"), False),
        (RuntimeError("Failed to commit transaction: No space left on device"), False),
        (RuntimeError("there is no table DELTA_CONCURRENT_APPEND"), False),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_conflict_is_told_by_what_the_engine_says_not_by_names(error: Exception, conflict: bool) -> None:
    assert is_conflict(error) is conflict


def test_other_errors_are_not_run_again() -> None:
    with pytest.raises(ZeroDivisionError):
        retried(lambda: 1 / 0, "t", sleep=lambda seconds: pytest.fail("it waited"))


def test_engine_errors_in_one_sentence() -> None:
    assert str(failure(OSError("write: No space left on device (os error 28)"), "t")).startswith("the disk is full\n")
    assert failure(RuntimeError("boom\n  at java.lang"), "t").message == "the engine failed: boom"


def test_predicates_are_cut_into_short_lists() -> None:
    assert is_in("c", ["a"]) == "(c IN ('a'))"
    assert is_in("c", [str(n) for n in range(65)]).count(" OR ") == 1


def test_predicates_take_any_text(engine: Engine, path: str) -> None:
    odd = ["a' OR '1'='1", 'b"', "c\\d", "%", "é"]
    engine.append(path, table(*((value, 1) for value in odd), ("plain", 1)))
    engine.replace_where(path, engine.frame(table(("c\\d", 2))), "k", odd)
    assert rows(engine, path) == [("c\\d", 2), ("plain", 1)]
    nothing = engine.frame(table(("plain", 0))).limit(0)
    engine.replace_where(path, nothing, "k", [], leaving="v = 2")
    assert rows(engine, path) == [("plain", 1)]
    engine.replace_where(path, nothing, "k", [])
    assert rows(engine, path) == [("plain", 1)]
