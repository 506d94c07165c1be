"""A message shows a few records of a held batch: masked as silver masks, what is personal never raw, kept nowhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.bronze.ingest import ingest
from pipelines.contracts.extensions.masking import Masking
from pipelines.engine import Engine
from pipelines.errors import QualityError
from pipelines.jobs import check_dataset
from pipelines.observe.outbox import Outbox
from pipelines.privacy.keys import read_key
from pipelines.privacy.methods import mask_one
from pipelines.silver.refine import refine

if TYPE_CHECKING:
    from pipelines.contracts import Contract
    from tests.pipelines.alerts.conftest import Receiver
    from tests.pipelines.conftest import Lake, MakeContract

EVE, BOB = "eve.long.name@example.org", "bob@example.org"
HASH = {"method": "hash", "characters": 16}
COLUMNS = (
    {"name": "id", "logicalType": "integer", "physicalType": "int", "primaryKey": True, "primaryKeyPosition": 1},
    {
        "name": "email",
        "logicalType": "string",
        "classification": "personal",
        "logicalTypeOptions": {"maxLength": 20},
        "customProperties": [{"property": "masking", "value": HASH}],
    },
    {
        "name": "born",
        "logicalType": "date",
        "physicalType": "date",
        "classification": "personal",
        "customProperties": [{"property": "masking", "value": {"method": "generalise", "to": "year"}}],
    },
    {"name": "price", "logicalType": "number", "physicalType": "decimal(9,2)", "logicalTypeOptions": {"minimum": 0}},
    {
        "name": "margin",
        "logicalType": "number",
        "physicalType": "decimal(9,2)",
        "classification": "confidential",
        "logicalTypeOptions": {"minimum": 0},
    },
)
DELIVERY = f"""\
id,email,born,price,margin
1,{EVE},1980-05-06,1,1
2,{BOB},06.05.1981,1,1
3,{BOB},1982-05-06,-2,1
4,{BOB},1983-05-06,-3,1
5,{BOB},1984-05-06,x[1](http://y),1
6,{BOB},1985-05-06,1,-77.77
7,"{BOB}
"""
RAW = (EVE, "1980-05-06", "06.05.1981", "77.77")


def support(*channels: str, **told: Any) -> list[dict[str, Any]]:
    ways = [{"slack": {"url": "env:HOOK"}}, {"webhook": {"url": "env:HOOK", "key": "env:KEY"}}]
    return [
        {"channel": name, "tool": "other", "customProperties": [{"property": "alerts", "value": {**way, **told}}]}
        for name, way in zip(channels, ways, strict=False)
    ]


@pytest.fixture
def hook(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Receiver:
    """Both channels' receiver."""
    monkeypatch.setenv("HOOK", receiver.url)
    monkeypatch.setenv("KEY", "a key")
    return receiver


@pytest.fixture
def held(sail: Engine, lake: Lake, make_contract: MakeContract) -> Any:
    """Hold the batch of the delivery, and tell the channels by the quality task."""
    breaker = {"maximumQuarantinePercent": 10, "minimumRows": 1, "onTrip": "failBatch"}

    def run(channels: list[dict[str, Any]], *, key: bool = True) -> Contract:
        contract = make_contract(*COLUMNS, support=channels, circuitBreaker=breaker)
        lake.deliver("a.csv", DELIVERY)
        ingest(sail, contract, lake.run(1))
        refine(sail, contract, lake.run(1))
        if not key:
            Path(lake.folder, "key").unlink()
        with pytest.raises(QualityError):
            check_dataset(sail, contract, lake.run(1))
        return contract

    return run


def files_with(lake: Lake, text: str) -> list[str]:
    """Files outside the raw zone and the key that hold a text."""
    raw = {"landing", "bronze", "quarantine", "key", "contracts"}
    files = [file for file in lake.folder.rglob("*") if file.is_file()]
    kept = [file for file in files if file.relative_to(lake.folder).parts[0] not in raw]
    return [str(file) for file in kept if text.encode() in file.read_bytes()]


def test_each_group_of_records_has_one_masked_example(lake: Lake, held: Any, hook: Receiver) -> None:
    held(support("chat", "owners", samples=10))
    slack, event = sorted((json.loads(body) for _, _, body in hook.got), key=lambda body: "blocks" not in body)

    pseudonym = mask_one(EVE, Masking.model_validate(HASH), read_key(lake.settings.pseudonym_key))
    shown = {(*one["rules"], one["records"], one["line"]): one["fields"] for one in event["data"]["samples"]}
    assert shown == {
        ("price_minimum", 2, 4): {"id": "3", "price": "-2.00"},
        ("born_type", 1, 3): {"id": "2", "born": "•••"},
        ("email_max_length", 1, 2): {"id": "1", "email": pseudonym},
        ("malformed", 1, 8): {},
        ("margin_minimum", 1, 7): {"id": "6", "margin": "•••"},
        ("price_type", 1, 6): {"id": "5", "price": "'x[1](http://y)'"},
    }
    assert event["data"]["samples"][0]["records"] == 2, "the largest group comes first"
    (block,) = (block for block in slack["blocks"] if "For example" in str(block))
    assert "a.csv, line 2 breaks email_max_length: id=1, email=" + str(pseudonym) in block["text"]["text"]
    told = "".join(body.decode() for _, _, body in hook.got)
    assert [value for value in RAW if value in told] == []
    assert BOB not in told
    assert "Nothing of the batch is published" in told


def test_samples_are_kept_nowhere_and_counted_by_the_contract(lake: Lake, held: Any, hook: Receiver) -> None:
    contract = held(support("chat", "owners", samples=1))
    ((event,),) = ([json.loads(body) for _, _, body in hook.got if b"specversion" in body],)
    assert [one["rules"] for one in event["data"]["samples"]] == [["price_minimum"]]
    assert contract.alerts["chat"].samples == 1
    assert files_with(lake, "price_minimum"), "the rule is named in the records"
    assert files_with(lake, "-2.00") == []
    assert [value for value in RAW if files_with(lake, value)] == []


def test_a_contract_may_show_none(held: Any, hook: Receiver) -> None:
    held(support("chat", "owners", samples=0))
    assert len(hook.got) == 2
    assert not any("price=" in body.decode() or "a.csv" in body.decode() for _, _, body in hook.got)


def test_without_the_key_a_message_goes_without_examples_and_that_is_counted(
    held: Any, hook: Receiver, outbox: Outbox
) -> None:
    held(support("chat"), key=False)
    ((_, _, body),) = hook.got
    assert "a.csv" not in body.decode()
    assert "a batch is held" in body.decode()
    assert outbox.failures() == {"alerts-samples": 1}
