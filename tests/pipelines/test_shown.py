"""Who reads a dataset with a history sees what holds now, and every version only where it asks for them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.errors import ContractError, QualityError
from pipelines.gold.dbt import project
from pipelines.gold.lineage import Edge, lineage
from pipelines.gold.testing import cases, run_case
from pipelines.quality.checks import table_checks
from pipelines.quality.task import check
from pipelines.settings import Layer
from pipelines.silver.refine import refine

if TYPE_CHECKING:
    from tests.pipelines.conftest import Shop

BUYER = {"name": "buyer", "required": True}
TOWN = {"name": "town"}
DEBT = {"name": "debt", "logicalType": "number", "physicalType": "decimal(9,2)"}
SNAPSHOTS = {"businessKey": ["buyer"], "deliveries": "snapshots"}
TOTAL = {"name": "total", "logicalType": "number", "physicalType": "decimal(38,2)"}


def looking(name: str, **look: Any) -> dict[str, Any]:
    return {"id": name, "type": "custom", "engine": "levee", "implementation": look}


@pytest.fixture(params=[2, pytest.param(4, marks=pytest.mark.slow)])
def moved(shop: Shop, request: pytest.FixtureRequest) -> Shop:
    """Ann moved from Bath to Ely and owes more, Bob stayed, Carl is gone; with every version, or beside them."""
    shop.contract("buyers", BUYER, TOWN, DEBT, history={"type": request.param, **SNAPSHOTS})
    shop.deliver("buyers", "1.csv", "buyer,town,debt\nann,Bath,1\nbob,Bath,2\ncarl,Wells,4\n")
    shop.deliver("buyers", "2.csv", "buyer,town,debt\nann,Ely,8\nbob,Bath,2\n")
    return shop


@pytest.mark.parametrize(("versions", "found"), [({}, ["ann"]), ({"versions": "all"}, ["ann", "carl", "other"])])
def test_keys_are_looked_up_among_what_holds_now_or_ever_held(moved: Shop, versions: Any, found: list[str]) -> None:
    known = looking("known", references={"dataset": "buyers", "columns": ["buyer", "town"],
                                         "of": ["buyer", "town"], **versions})  # fmt: skip
    moved.contract("orders", {"name": "id"}, {"name": "buyer"}, TOWN, quality=[known])
    text = "id,buyer,town\nann,ann,Ely\nother,ann,Bath\ncarl,carl,Wells\nnever,ann,Wells\n"
    moved.deliver("orders", "1.csv", text)
    assert [name for (name,) in moved.rows(Layer.SILVER, "orders", "id")] == found
    assert len(moved.rows(Layer.QUARANTINE, "orders", "_rules")) == 4 - len(found)


def totals(shop: Shop, *quality: dict[str, Any], history: bool = False) -> None:
    seen = {"history": ["silver.buyers"]} if history else {}
    shop.contract(
        "totals", TOTAL, sql="SELECT sum(debt) AS total FROM silver.buyers", quality=quality,
        model={"inputs": ["silver.buyers"], **seen},
    )  # fmt: skip


def test_a_model_sees_what_holds_now_or_every_version(moved: Shop) -> None:
    totals(moved)
    moved.build("totals")
    assert moved.rows(Layer.GOLD, "totals", "total") == [(Decimal(10),)]
    totals(moved, history=True)
    assert moved.build("totals").why == "its contract or SQL has changed"
    assert moved.rows(Layer.GOLD, "totals", "total") == [(Decimal(15),)]


def test_a_model_tells_when_a_version_held(moved: Shop) -> None:
    sql = "SELECT buyer, town, _version AS number, _valid_to IS NULL AS holds FROM silver.buyers AS b WHERE debt <> 2"
    number = {"name": "number", "logicalType": "integer", "physicalType": "bigint"}
    columns = ({"name": "buyer"}, TOWN, number, {"name": "holds", "logicalType": "boolean"})
    model = {"inputs": ["silver.buyers"], "history": ["silver.buyers"]}
    moved.contract("moves", *columns, sql=sql, model=model)
    moved.build("moves")
    assert moved.rows(Layer.GOLD, "moves", "buyer", "town", "number", "holds") == [
        ("ann", "Bath", 1, False), ("ann", "Ely", 2, True), ("carl", "Wells", 1, False),
    ]  # fmt: skip
    domain = moved.domain
    moves = domain.contract("moves")
    assert lineage(domain, moves).columns["number"] == (Edge("silver.buyers", "_version", "DIRECT", "IDENTITY"),)
    files = project(domain)
    beside = (
        domain.contract("buyers").silver_tables[1] if len(domain.contract("buyers").silver_tables) > 2 else "buyers"
    )
    assert f"FROM {{{{ source('silver', '{beside}') }}}} AS b" in str(files["models/gold/moves.sql"])
    assert f"'name': '{beside}'" in str(files["models/sources.yml"])
    (moves.path.parent / "moves.test.yaml").write_text(
        "tests:\n  - name: it_is_given_versions\n    given:\n      silver.buyers:\n"
        "        - {buyer: a, town: t, debt: '1', _version: 3, _valid_to: '2026-01-01T00:00:00Z'}\n"
        "    expect:\n      - {buyer: a, town: t, number: 3, holds: false}\n"
    )
    (case,) = cases(domain, moves)
    assert run_case(moved.engine, domain, moves, case).passed


def test_a_check_of_a_model_sees_what_holds_now(moved: Shop) -> None:
    buyers = {"id": "two", "type": "sql", "query": "SELECT count(*) FROM ${silver.buyers}", "mustBe": 2}
    debts = looking("debts", reconciliation={"column": "total", "from": "buyers", "expression": "debt"})
    totals(moved, buyers, debts)
    moved.build("totals")
    totals(moved, debts, history=True)  # what it is made of is more than what holds now
    with pytest.raises(QualityError, match="not published: debts"):
        moved.build("totals")


def test_sums_are_reconciled_with_every_accepted_change(moved: Shop) -> None:
    debts = looking("debts", reconciliation={"column": "debt"})
    history = moved.domain.contract("buyers").history
    assert history is not None
    kept = {"type": history.type, **SNAPSHOTS}
    moved.contract("buyers", BUYER, TOWN, DEBT, history=kept, quality=[debts])
    contract = moved.domain.contract("buyers")
    moved.deliver("buyers", "3.csv", "buyer,town,debt\nann,Ely,8\nbob,Bath,16\n")
    refine(moved.engine, contract, moved.settings, again=True)  # the rule is new: every record is judged by it
    changes = f"{moved.settings.table_path(Layer.SILVER, 'buyers')}_changes"
    whole = moved.engine.version(changes)
    moved.engine.overwrite(changes, moved.engine.read(changes).where("debt <> 16"))
    with pytest.raises(QualityError, match="debts"):
        check(moved.engine, moved.settings, contract)
    moved.engine.overwrite(changes, moved.engine.read(changes, whole))
    found = {line.check_id: line for line in check(moved.engine, moved.settings, contract).lines}
    assert (found["debts"].observed, found["debts"].success) == (0.0, True)


@pytest.mark.parametrize("history", [{"type": 1}, {"type": 2, "deletes": "hard"}])
def test_sums_of_what_a_history_forgets_are_refused(shop: Shop, history: dict[str, Any]) -> None:
    debts = looking("debts", reconciliation={"column": "debt"})
    shop.contract("buyers", BUYER, DEBT, history={"businessKey": ["buyer"], **history}, quality=[debts])
    with pytest.raises(ContractError, match="the history of buyers forgets it"):
        table_checks(shop.domain.contract("buyers"))


def test_a_source_is_not_checked_against_another(shop: Shop) -> None:
    query = {"id": "more", "type": "sql", "query": "SELECT count(*) FROM ${silver.buyers}", "mustBe": 1}
    shop.contract("orders", BUYER, quality=[query])
    with pytest.raises(ContractError, match=r"more reads silver\.buyers, and a source is checked before") as caught:
        table_checks(shop.domain.contract("orders"))
    assert "references" in (caught.value.fix or "")


@pytest.mark.parametrize(
    ("history", "model", "said"),
    [
        (None, {"history": ["silver.buyers"]}, r"asks for every version of silver\.buyers, which keeps none"),
        ({"type": 1, "businessKey": ["buyer"]}, {"history": ["silver.buyers"]}, "which keeps none"),
        ({"type": 2, "businessKey": ["buyer"]}, {"history": ["silver.buyer"]}, r"silver\.buyer is in `history` and no"),
    ],
)
def test_versions_that_nobody_keeps_are_refused(shop: Shop, history: Any, model: Any, said: str) -> None:
    shop.contract("buyers", BUYER, DEBT, **({"history": history} if history else {}))
    shop.contract(
        "totals", TOTAL, sql="SELECT sum(debt) AS total FROM silver.buyers",
        model={"inputs": ["silver.buyers"], **model},
    )  # fmt: skip
    with pytest.raises(ContractError, match=said) as caught:
        _ = shop.domain
    assert ":" in (caught.value.where or "")
