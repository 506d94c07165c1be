"""Tables of records: gathered or not, they say the same; what other writers add is seen."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.engine import Engine, local
from pipelines.engine.records import GATHERED_ROWS
from pipelines.ledger import Entry, Ledger, Status
from pipelines.settings import EngineName, Layer, RunSettings


@pytest.fixture
def fresh(sail: Engine) -> Engine:
    """An engine that nobody else gathers with."""
    return Engine(EngineName.SAIL, sail.spark)


def row(dataset: str, number: int) -> pa.Table:
    return pa.table({"dataset": [dataset], "number": pa.array([number], pa.int64())})


def test_where_there_is_no_table_there_are_no_rows(fresh: Engine, tmp_path: Path) -> None:
    path = str(tmp_path / "records")

    assert fresh.rows(path, ["number"], {"dataset": "a"}).num_rows == 0
    assert fresh.greatest(path, "number") is None
    with fresh.gathered_records():
        assert fresh.rows(path, ["number"], {"dataset": "a"}).num_rows == 0
        assert fresh.greatest(path, "number") is None
    assert not fresh.exists(path)


def test_gathered_rows_are_read_back_at_once_and_committed_once(fresh: Engine, tmp_path: Path) -> None:
    path = str(tmp_path / "records")
    fresh.append(path, row("a", 1))

    with fresh.gathered_records():
        for number in range(2, 6):
            fresh.append(path, row("b" if number % 2 else "a", number))
        assert sorted(fresh.rows(path, ["number"], {"dataset": "a"})["number"].to_pylist()) == [1, 2, 4]
        assert fresh.greatest(path, "number") == 5
        assert fresh.version(path) == 0

    assert fresh.version(path) == 1
    assert sorted(fresh.rows(path)["number"].to_pylist()) == [1, 2, 3, 4, 5]
    assert fresh.greatest(path, "number") == 5


def test_a_block_that_raises_commits_what_it_gathered(fresh: Engine, tmp_path: Path) -> None:
    path = str(tmp_path / "records")

    def dies() -> None:
        with fresh.gathered_records():
            fresh.append(path, row("a", 1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        dies()

    assert fresh.rows(path)["number"].to_pylist() == [1]


def test_many_rows_do_not_wait_for_the_end(fresh: Engine, tmp_path: Path) -> None:
    path = str(tmp_path / "records")

    with fresh.gathered_records():
        for number in range(GATHERED_ROWS):
            fresh.append(path, row("a", number))
        assert local.count(path) == GATHERED_ROWS


def test_what_another_writer_commits_meanwhile_is_seen(fresh: Engine, tmp_path: Path) -> None:
    path = str(tmp_path / "records")
    with fresh.gathered_records():
        fresh.append(path, row("mine", 1))
        local.append(path, row("theirs", 7))

        assert fresh.rows(path, ["number"], {"dataset": "theirs"})["number"].to_pylist() == [7]
        assert fresh.greatest(path, "number") == 7


def test_threads_gather_together(fresh: Engine, tmp_path: Path) -> None:
    path = str(tmp_path / "records")

    with fresh.gathered_records():
        threads = [threading.Thread(target=lambda n=n: fresh.append(path, row("a", n))) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(fresh.rows(path)["number"].to_pylist()) == list(range(16))


def test_a_table_that_was_made_anew_is_not_taken_for_the_former(fresh: Engine, tmp_path: Path) -> None:
    path = tmp_path / "records"
    for number in range(3):
        local.append(str(path), row("a", number))
    assert local.count(str(path)) == 3

    path.rename(tmp_path / "former")
    local.append(str(path), row("b", 9))

    assert (local.version(str(path)), local.count(str(path))) == (0, 1)


def test_the_ledger_orders_what_it_gathers_after_what_it_knew(fresh: Engine, tmp_path: Path) -> None:
    settings = RunSettings(domain="d", roots={Layer.CHECKPOINTS: str(tmp_path)})
    ledger = Ledger(fresh, settings)

    def entry(status: Status) -> Entry:
        return Entry("bronze", "t", "f", "sha", 1, 1, status, 1, "c", "r", "b", datetime(2026, 1, 1, tzinfo=UTC))

    ledger.add([entry(Status.REJECTED)])
    with fresh.gathered_records():
        for status in (Status.COMMITTED, Status.SUPERSEDED, Status.COMMITTED):
            ledger.add([entry(status)])
    ledger.add([entry(Status.EXPIRED)])

    assert [(item.sequence, item.status.value) for item in ledger.entries(Layer.BRONZE, "t")] == [
        (0, "rejected"),
        (1, "committed"),
        (2, "superseded"),
        (3, "committed"),
        (4, "expired"),
    ]
