"""Rejected records from the first look to the last state, on tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.bronze.ingest import ingest
from pipelines.contracts import Contract, Domain
from pipelines.engine import Engine
from pipelines.errors import UsageError
from pipelines.quarantine.records import MASKED
from pipelines.quarantine.replay import replayed
from pipelines.quarantine.states import State, States, newest
from pipelines.quarantine.tasks import VERBS
from pipelines.settings import Layer, RunSettings
from pipelines.silver.refine import refine

if TYPE_CHECKING:
    from tests.pipelines.conftest import Lake, MakeContract

ID = {"name": "id", "logicalType": "integer", "physicalType": "int"}
NAME = {
    "name": "name",
    "logicalType": "string",
    "classification": "personal",
    "customProperties": [{"property": "masking", "value": {"method": "hash"}}],
}
PRICE = {"name": "price", "logicalType": "number", "physicalType": "decimal(9,2)"}
BAD = "id,name,price\n1,Ada,2.50\nx,Bob,1.00\n3,Cy,free\n4,Di,1.00,9\n"
"""Three records to reject: an id and a price that are no numbers, and a record of four fields."""
RULES = {"parse_ragged": 1, "id_type": 1, "price_type": 1}


@pytest.fixture
def personal(make_contract: MakeContract) -> Contract:
    """The contract of ``things``, whose names are personal."""
    return make_contract(ID, NAME, PRICE)


class Desk:
    """One dataset's rejected records, and what is asked about them."""

    def __init__(self, engine: Engine, lake: Lake, contract: Contract) -> None:
        self.engine, self.lake, self.contract, self.runs = engine, lake, contract, 0

    def ask(self, verb: str, **request: Any) -> dict[str, Any]:
        file = self.lake.folder / "request.json"
        file.write_text(json.dumps({"dataset": "things", **request}))
        settings = replace(self._run(), request=file)
        return VERBS[verb](settings, Domain("test", self.contract.path.parent, (self.contract,), ()))

    def ids(self, **request: Any) -> dict[str, str]:
        """Id by first rule."""
        return {record["rules"][0]: record["id"] for record in self.ask("list", **request)["records"]}

    def run(self, *, again: bool = True) -> None:
        settings = self._run()
        ingest(self.engine, self.contract, settings)
        if again:
            replayed(self.engine, settings, self.contract)
        else:
            refine(self.engine, self.contract, settings)

    def states(self) -> dict[str, State]:
        last = newest(States(self.engine, self.lake.settings).events("things"))
        return {name: event.state for name, event in last.items()}

    def silver(self) -> list[tuple[Any, ...]]:
        return self.lake.rows(self.engine, Layer.SILVER, "id", "price")

    def balanced(self) -> bool:
        """Whether every record of bronze is in silver, in quarantine, or the repeat of one that is."""
        tables = (self.lake.settings.table_path(layer, "things") for layer in (Layer.SILVER, Layer.QUARANTINE))
        copies = [self.engine.read(path).selectExpr("coalesce(sum(_copies), 0)").collect()[0][0] for path in tables]
        return sum(copies) == self.engine.count(self.lake.settings.table_path(Layer.BRONZE, "things"))

    def _run(self) -> RunSettings:
        self.runs += 1
        return replace(self.lake.run(self.runs), started=datetime.now(UTC))


@pytest.fixture
def desk(sail: Engine, lake: Lake, personal: Contract) -> Desk:
    """A desk with the three records of `BAD`."""
    return opened(sail, lake, personal)


def opened(engine: Engine, lake: Lake, contract: Contract) -> Desk:
    """Deliver `BAD` and judge it."""
    made = Desk(engine, lake, contract)
    lake.deliver("2024.csv", BAD)
    made.run(again=False)
    return made


def test_the_list_counts_and_tells_where_records_are(desk: Desk) -> None:
    desk.lake.deliver("2025.csv", "id,name,price\nx,Bob,1.00\n")
    desk.run(again=False)
    told = desk.ask("list", limit=2)
    assert {one["rule"]: one["rows"] for one in told["counts"]} == RULES
    assert [(one["file"], one["line"], one["state"]) for one in told["records"]] == [
        ("2024.csv", 3, "open"),
        ("2024.csv", 4, "open"),
    ]
    assert told["more"]
    again, once = told["records"]
    assert (again["occurrences"], once["occurrences"]) == (2, 1)
    assert again["first_seen"] < again["last_seen"]
    assert once["first_seen"] == once["last_seen"]
    (one,) = desk.ask("list", rule="price_type")["records"]
    assert one["id"] == once["id"]
    assert desk.ask("list", state="waived")["records"] == []


def test_nothing_personal_is_told_without_a_reason_that_is_kept(desk: Desk) -> None:
    ids = desk.ids()
    assert "Bob" not in json.dumps(desk.ask("list"))
    told = desk.ask("show", id=ids["id_type"])
    assert told["fields"] == {"id": "x", "name": MASKED, "price": "1.00"}
    assert (told["raw"], told["masked"]) == (None, True)
    assert told["rules"] == [{"rule": "id_type", "description": "id can be read as int"}]
    assert "9" not in json.dumps(desk.ask("show", id=ids["parse_ragged"])["fields"])
    with pytest.raises(UsageError, match="cannot be read"):
        desk.ask("show", id=ids["id_type"], raw=True)
    assert not list(desk.lake.folder.glob("audit/**/reveals/**/*.json"))

    told = desk.ask("show", id=ids["id_type"], raw=True, reason="a complaint")
    assert told["fields"]["name"] == "Bob"
    assert "Bob" in told["raw"]
    (kept,) = desk.lake.folder.glob("audit/**/reveals/**/*.json")
    evidence = json.loads(kept.read_bytes())
    assert (evidence["quarantine_id"], evidence["reason"]) == (ids["id_type"], "a complaint")
    assert "Bob" not in kept.read_text()


def test_a_correction_is_a_delivery_like_any_other(engine: Engine, lake: Lake, personal: Contract) -> None:
    desk = opened(engine, lake, personal)
    ids = desk.ids()
    told = desk.ask("correct", id=ids["id_type"], fields={"id": "2"}, reason="a typing error")
    assert told["file"] == f"2024-correction-{ids['id_type']}-1.csv"
    landed = Path(desk.lake.settings.deliveries("things"), told["file"])
    assert landed.read_text() == "id,name,price\n2,Bob,1.00\n"
    assert desk.states()[ids["id_type"]] is State.CORRECTED
    with pytest.raises(UsageError, match="is corrected"):
        desk.ask("correct", id=ids["id_type"], fields={"id": "2"})

    desk.run()
    assert [row[0] for row in desk.silver()] == [1, 2]
    assert desk.states() == {
        ids["id_type"]: State.REPLAYED,
        ids["price_type"]: State.OPEN,
        ids["parse_ragged"]: State.OPEN,
    }
    assert set(desk.ids()) == {"price_type", "parse_ragged"}
    history = desk.ask("show", id=ids["id_type"])["history"]
    assert [(one["state"], one["reason"]) for one in history] == [
        ("corrected", "a typing error"),
        ("replayed", "its correction is published"),
    ]
    assert desk.balanced()
    desk.run()
    assert [row[0] for row in desk.silver()] == [1, 2]
    assert len(desk.ask("show", id=ids["id_type"])["history"]) == 2


def test_a_malformed_record_is_corrected_as_a_whole(desk: Desk) -> None:
    ragged = desk.ids()["parse_ragged"]
    with pytest.raises(UsageError, match="nothing is known of name, price"):
        desk.ask("correct", id=ragged, fields={"id": "4"})
    desk.ask("correct", id=ragged, fields={"id": "4", "price": "1.00"}, private_fields={"name": "Di"})
    desk.run()
    assert [row[0] for row in desk.silver()] == [1, 4]
    assert desk.states()[ragged] is State.REPLAYED


def test_a_correction_that_breaks_a_rule_leaves_its_record_open(desk: Desk) -> None:
    wrong = desk.ids()["price_type"]
    desk.ask("correct", id=wrong, fields={"price": "cheap"})
    desk.run()
    assert desk.states()[wrong] is State.OPEN
    last = desk.ask("show", id=wrong)["history"][-1]
    assert last["reason"].endswith("the correction breaks price_type")
    told = desk.ask("correct", id=wrong, fields={"price": "3"})
    assert told["file"].endswith("-2.csv")
    desk.run()
    assert desk.states()[wrong] is State.REPLAYED
    assert (3, 3) in [(row[0], int(row[1])) for row in desk.silver()]


def test_personal_values_are_refused_where_everybody_reads_them(desk: Desk) -> None:
    with pytest.raises(UsageError, match="name is personal") as refused:
        desk.ask("correct", id=desk.ids()["id_type"], fields={"id": "2", "name": "Robert"})
    assert "Robert" not in str(refused.value)


def test_who_waives_and_why_is_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEVEE_ACTOR", "ada")
    ids = desk.ids()
    assert desk.ask("waive", rule="id_type", reason="known to the shop")["ids"] == [ids["id_type"]]
    (event,) = desk.ask("show", id=ids["id_type"])["history"]
    assert (event["state"], event["actor"], event["reason"]) == ("waived", "ada", "known to the shop")
    assert set(desk.ids()) == {"price_type", "parse_ragged"}
    assert set(desk.ids(state="waived")) == {"id_type"}
    with pytest.raises(UsageError, match="is waived"):
        desk.ask("waive", ids=[ids["id_type"]], reason="again")
    with pytest.raises(UsageError, match="has no record 0123456789abcdef"):
        desk.ask("waive", ids=["0123456789abcdef"], reason="why")
    desk.run()
    assert desk.states()[ids["id_type"]] is State.WAIVED


def test_a_wider_contract_replays_and_a_stricter_one_opens_again(
    sail: Engine, lake: Lake, make_contract: MakeContract
) -> None:
    limited = make_contract(ID, {**ID, "name": "n", "logicalTypeOptions": {"maximum": 5}})
    desk = Desk(sail, lake, limited)
    lake.deliver("2024.csv", "id,n\n1,5\n2,6\n")
    desk.run(again=False)
    (record,) = desk.ids().values()
    desk.contract = make_contract(ID, {**ID, "name": "n"})
    desk.run()
    assert desk.states() == {record: State.REPLAYED}
    assert desk.ids(state="all") == {}
    desk.contract = limited
    desk.run()
    assert desk.ids(state="open") == {"n_maximum": record}
    desk.contract = make_contract(ID, {**ID, "name": "n"})
    desk.run()
    assert [event.state for event in States(sail, lake.settings).events("things")] == [
        State.OPEN,
        State.REPLAYED,
        State.OPEN,
        State.REPLAYED,
    ]
    assert desk.balanced()


STEPS = st.lists(
    st.tuples(st.sampled_from(["correct", "waive", "replay"]), st.sampled_from(sorted(RULES))), min_size=1, max_size=4
)
GOOD = {"id": "7", "price": "1.00"}


@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_the_count_law_holds_whatever_is_done_in_whatever_order(
    steps: list[tuple[str, str]], sail: Engine, make_lake: Callable[[], Lake], personal: Contract
) -> None:
    desk = opened(sail, make_lake(), personal)
    ids = desk.ids()
    corrected: set[str] = set()
    for verb, rule in steps:
        state = desk.states().get(ids[rule], State.OPEN)
        if verb == "replay":
            desk.run()
        elif verb == "correct" and state in (State.OPEN, State.WAIVED):
            fields = {"id": GOOD, "price_type": {"price": "1.00"}}.get(rule, GOOD)
            private = {"name": "Di"} if rule == "parse_ragged" else {}
            desk.ask("correct", id=ids[rule], fields=fields, private_fields=private)
            corrected.add(rule)
        elif verb == "waive" and state is State.OPEN:
            desk.ask("waive", ids=[ids[rule]], reason="why")
    desk.run()
    assert desk.balanced()
    assert len(desk.silver()) == 1 + len(corrected)
    assert {rule for rule in ids if desk.states()[ids[rule]] is State.REPLAYED} == corrected
