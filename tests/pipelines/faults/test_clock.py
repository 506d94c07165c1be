"""The clock goes back, by days, between two runs: nothing is lost, repeated, or taken for newer than it is."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

from pipelines import clock as recorded_time
from pipelines.alerts.facts import Alert, Event
from pipelines.alerts.planning import still_open
from pipelines.alerts.record import Message, State, messages, record
from pipelines.bronze.ingest import ingest
from pipelines.engine import Engine
from pipelines.gold.record import Build, last_build, record_build
from pipelines.ledger import Ledger, Status, latest
from pipelines.maintain.names import TableName
from pipelines.maintain.restore import restore
from pipelines.privacy.rotation import rotate
from pipelines.quality.measures import Metric, Metrics
from pipelines.quality.metrics import record_metrics, recorded_batches
from pipelines.quality.results import Line, newest_results, store
from pipelines.secret_references import SecretReference
from pipelines.settings import Layer, RunSettings
from pipelines.silver.refine import refine

if TYPE_CHECKING:
    from tests.pipelines.conftest import Lake, MakeContract

DAY = dt.timedelta(days=1)
SetClock = Callable[[dt.timedelta], None]


class _Kind(type):
    """A time of the real clock is one of the test's."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, dt.datetime)


class Shifted(dt.datetime, metaclass=_Kind):
    """What the wheel's modules take for `datetime.datetime`.

    Attributes:
        by: How far this clock is from the machine's.
    """

    by = dt.timedelta(0)

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Self:
        """The time by this clock."""
        return super().now(tz) + cls.by


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[SetClock]:
    """Set the clock of every module of the wheel; each call begins a new process, as far as times are remembered."""
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == "pipelines" and getattr(module, "datetime", None) is dt.datetime:
            monkeypatch.setattr(module, "datetime", Shifted)

    def set_to(by: dt.timedelta) -> None:
        Shifted.by = by
        recorded_time._given.clear()

    yield set_to
    set_to(dt.timedelta(0))


def at(lake: Lake, number: int) -> RunSettings:
    """Settings of a run that begins now."""
    return replace(lake.run(number), started=Shifted.now(dt.UTC))


def test_tables_are_the_same_whatever_the_clock_says(
    sail: Engine, make_lake: Callable[[], Lake], make_contract: MakeContract, set_clock: SetClock
) -> None:
    contract = make_contract(
        {"name": "id", "logicalType": "string", "required": True},
        {"name": "name", "logicalType": "string"},
        redelivery={"policy": "replace"},
        history={"type": 2, "businessKey": ["id"]},
    )
    found = []
    for days in ((0, 0, 0, 0), (0, -2, -1, -3)):
        lake = make_lake()
        for number, back in enumerate(days):
            set_clock(back * DAY)
            lake.deliver(f"{number}.csv", f"id,name\n1,{number}\n{number},new\n")
            lake.deliver("again.csv", f"id,name\nz,{number}\n")
            settings = at(lake, number)
            ingest(sail, contract, settings)
            (batch,) = refine(sail, contract, settings).batches
            assert batch.balanced
        columns = ("id", "name", "_version", "_is_current", "_file")
        found.append([lake.rows(sail, Layer.BRONZE, "id", "name", "_file"), lake.rows(sail, Layer.SILVER, *columns)])
        last = latest(Ledger(sail, lake.settings).entries(Layer.BRONZE, "things"))
        assert [entry.status for entry in last.values() if entry.file == "again.csv"].count(Status.COMMITTED) == 1
    assert found[0] == found[1]


def test_what_a_restore_undid_is_done_again(
    sail: Engine, lake: Lake, make_contract: MakeContract, set_clock: SetClock
) -> None:
    contract = make_contract()
    for number, back in ((1, 0), (2, -1), (3, -2)):
        set_clock(back * DAY)
        lake.deliver(f"{number}.csv", f"id,name,price\n{number},a,1.50\nx{number},b,2\n")
        ingest(sail, contract, at(lake, number))
        refine(sail, contract, at(lake, number))
    before = lake.rows(sail, Layer.SILVER, "id"), lake.rows(sail, Layer.QUARANTINE, "_raw")
    done = restore(sail, at(lake, 4), contract, TableName.parse("silver.things"), version=1)
    assert done.undone == ("1.csv", "2.csv", "3.csv")
    assert lake.rows(sail, Layer.SILVER, "id") == [(1,)]
    refine(sail, contract, at(lake, 5))
    assert (lake.rows(sail, Layer.SILVER, "id"), lake.rows(sail, Layer.QUARANTINE, "_raw")) == before


def test_a_rotation_that_has_ended_stays_ended(
    sail: Engine, lake: Lake, make_contract: MakeContract, set_clock: SetClock
) -> None:
    masked = {"classification": "personal", "customProperties": [{"property": "masking", "value": {"method": "hash"}}]}
    contract = make_contract({"name": "name", "logicalType": "string", **masked})
    lake.deliver("a.csv", "name\nAnna\n")
    ingest(sail, contract, lake.settings)
    refine(sail, contract, lake.settings)
    key = Path(lake.folder, "key-2")
    key.write_text("2" * 40)
    key.chmod(0o600)
    other: dict[str, Any] = {
        "pseudonym_key": SecretReference("file", str(key)),
        "former_keys": (lake.settings.pseudonym_key,),
    }
    set_clock(-DAY)
    assert rotate(sail, replace(at(lake, 2), **other), contract)
    set_clock(-2 * DAY)
    assert not rotate(sail, replace(at(lake, 3), **other), contract)
    assert refine(sail, contract, replace(at(lake, 3), **other)).rows == 0


@pytest.mark.parametrize("new_process", [True, False])
def test_the_newest_record_is_the_one_that_was_entered_last(
    sail: Engine, lake: Lake, make_contract: MakeContract, set_clock: SetClock, *, new_process: bool
) -> None:
    contract = make_contract()
    lake.deliver("a.csv", "id,name,price\n1,a,1\n")
    ingest(sail, contract, lake.settings)
    (batch,) = refine(sail, contract, lake.settings).batches
    for back in (0, -1, -2):
        if new_process or back == 0:
            set_clock(back * DAY)
        Shifted.by = back * DAY
        settings = at(lake, 2 - back)
        record_build(sail, settings, contract, Build("digest", {}, rows=-back))
        metric = Metric("records", "", 0, "", Decimal(-back).quantize(Decimal("1e-12")), None)
        record_metrics(sail, settings, contract, batch.batch_id, Metrics((metric,)))
        store(sail, settings, contract, {"bronze_version": 1, "silver_version": -back}, [Line("table", "one")])
    last = last_build(sail, lake.settings, contract)
    assert last is not None
    assert last.rows == 2
    assert recorded_batches(sail, lake.settings, "things")[batch.batch_id].items == (metric,)
    assert [row["silver_version"] for row in newest_results(sail, lake.settings, contract)] == [2]


def test_what_recovered_and_broke_again_is_open(sail: Engine, lake: Lake, set_clock: SetClock) -> None:
    days = [(Event.QUALITY_FAILED, 0), (Event.RECOVERED, -2), (Event.QUALITY_FAILED, -1)]
    for number, (event, back) in enumerate(days):
        set_clock(back * DAY)
        alert = Alert(
            id=f"6f6c0b1e-6f0a-5c7e-9b3e-00000000000{number}",
            event=event,
            severity="error",
            at=Shifted.now(dt.UTC),
            environment="prod",
            domain="test",
            dataset="things",
            task="quality",
            run_id=f"run-{number}",
            contract_version="1.0.0",
            owner="owners",
            summary="",
            rules=(),
            commands=(),
            keys=("things/one",),
        )
        record(sail, lake.settings, [Message("owners", alert, State.SENT, alert.at)])
        found = still_open(messages(sail, lake.settings))
        assert bool(found) == (event is not Event.RECOVERED)
