"""The ledger's order: what a run knew of comes before what it entered, whatever the clocks of the machines say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pipelines.engine import Engine, care
from pipelines.ledger import Entry, Ledger, Status, latest
from pipelines.settings import Layer

if TYPE_CHECKING:
    from conftest import Lake

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def entry(status: Status, recorded_at: datetime, sha256: str = "a" * 64) -> Entry:
    return Entry("bronze", "things", "a.csv", sha256, 9, 1, status, 1, "digest", "run", "batch", recorded_at)


def test_a_clock_that_goes_wrong_changes_no_order(engine: Engine, lake: Lake) -> None:
    ledger = Ledger(engine, lake.settings)
    ledger.add([entry(Status.COMMITTED, NOW)])
    care.optimize(engine, ledger.path)
    ledger.add([entry(Status.SUPERSEDED, NOW - timedelta(hours=1))])  # by a machine whose clock is late
    found = ledger.entries(Layer.BRONZE, "things")
    assert [one.status for one in found] == [Status.COMMITTED, Status.SUPERSEDED]
    assert latest(found)["a" * 64].status is Status.SUPERSEDED


def test_what_is_entered_together_is_ordered_by_the_clock(sail: Engine, lake: Lake) -> None:
    ledger = Ledger(sail, lake.settings)
    ledger.add([entry(Status.SUPERSEDED, NOW + timedelta(seconds=1)), entry(Status.COMMITTED, NOW)])
    found = ledger.entries(Layer.BRONZE, "things")
    assert [one.status for one in found] == [Status.COMMITTED, Status.SUPERSEDED]
    assert len({one.sequence for one in found}) == 1


def test_entries_of_other_layers_and_datasets_are_not_seen(sail: Engine, lake: Lake) -> None:
    ledger = Ledger(sail, lake.settings)
    assert ledger.entries(Layer.BRONZE, "things") == []
    ledger.add([entry(Status.COMMITTED, NOW)])
    assert ledger.entries(Layer.SILVER, "things") == []
    assert ledger.entries(Layer.BRONZE, "others") == []
