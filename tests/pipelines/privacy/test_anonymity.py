"""Who is one of few is not published."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from pipelines.contracts.extensions import KAnonymity
from pipelines.engine import Engine
from pipelines.errors import ContractError, QualityError
from pipelines.privacy.anonymity import published, small_groups
from pipelines.settings import Layer

if TYPE_CHECKING:
    from conftest import Lake, MakeContract, Shop

PEOPLE = [
    *[("SW1", 30, "flu")] * 2,
    ("SW1", 30, "gout"),
    *[("E1", 40, "flu")] * 3,
    *[(None, 50, "flu"), (None, 50, None), (None, 50, "gout")],
    ("N1", 60, "flu"),
]


def promise(**more: Any) -> KAnonymity:
    return KAnonymity.model_validate({"quasiIdentifiers": ["area", "age"], "k": 3, **more})


def people(engine: Engine) -> Any:
    area, age, illness = zip(*PEOPLE, strict=True)
    return engine.frame(pa.table({"area": pa.array(area, pa.string()), "age": age, "illness": illness}))


@pytest.mark.parametrize(
    ("more", "small"),
    [
        ({}, [("N1", 60)]),
        ({"k": 4}, [("E1", 40), ("N1", 60), ("SW1", 30), (None, 50)]),
        ({"k": 2, "sensitive": "illness"}, [("E1", 40), ("N1", 60)]),
        ({"sensitive": "illness", "l": 3}, [("E1", 40), ("N1", 60), ("SW1", 30)]),
    ],
)
def test_groups_are_counted(sail: Engine, more: dict[str, Any], small: list[tuple[str | None, int]]) -> None:
    found = small_groups(people(sail), promise(**more)).select("area", "age").collect()
    assert sorted((tuple(row) for row in found), key=repr) == sorted(small, key=repr)


def test_nothing_is_published_where_a_group_is_small(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    contract = replace(make_contract(), k_anonymity=promise())
    with pytest.raises(QualityError, match="1 combinations of area, age are on fewer than 3 rows"):
        published(sail, lake.settings, contract, people(sail))
    fine = replace(contract, k_anonymity=promise(k=2, quasiIdentifiers=["illness"], onFailure="suppress"))
    rows = published(sail, lake.settings, fine, people(sail))
    assert rows.count() == len(PEOPLE) - 1  # null is on one row


def test_rows_of_small_groups_are_withheld(engine: Engine, lake: Lake, make_contract: MakeContract) -> None:
    contract = replace(make_contract(), k_anonymity=promise(onFailure="suppress"))
    rows = published(engine, lake.settings, contract, people(engine))
    assert sorted(rows.select("area").distinct().toArrow()["area"].to_pylist(), key=str) == ["E1", None, "SW1"]
    assert lake.rows(engine, Layer.QUARANTINE, "area", "age", "illness", "_rules") == [("N1", 60, "flu", "k_anonymity")]


def test_a_source_cannot_promise_it(make_contract: MakeContract) -> None:
    with pytest.raises(ContractError, match="kAnonymity is a promise of a model's table"):
        make_contract(kAnonymity={"quasiIdentifiers": ["name"]})


@pytest.mark.parametrize("layer", ["silver", "gold"])
def test_a_model_of_either_layer_keeps_it_at_every_build(shop: Shop, layer: str) -> None:
    area = {"name": "area"}

    def model(**kept: Any) -> None:
        shop.contract(
            "areas", area, sql="SELECT area FROM silver.people", model={"inputs": ["silver.people"], **kept},
            layer=layer, kAnonymity={"quasiIdentifiers": ["area"], "k": 2, "onFailure": "suppress"},
        )  # fmt: skip

    shop.contract("people", {"name": "id"}, area)
    model()
    shop.deliver("people", "1.csv", "id,area\n1,E1\n2,E1\n3,N1\n")
    shop.build("areas")
    assert shop.rows(Layer(layer), "areas", "area") == [("E1",), ("E1",)]
    shop.deliver("people", "2.csv", "id,area\n4,N1\n5,W1\n")
    shop.build("areas")  # the group has grown, so its rows come out of quarantine
    assert shop.rows(Layer(layer), "areas", "area") == [("E1",), ("E1",), ("N1",), ("N1",)]
    assert shop.rows(Layer.QUARANTINE, "areas", "area") == [("W1",)]
    model(materialisation="incremental")
    with pytest.raises(ContractError, match="kAnonymity is a promise of the whole table") as caught:
        _ = shop.domain
    assert caught.value.fix == "set `materialisation: full` in its model"
