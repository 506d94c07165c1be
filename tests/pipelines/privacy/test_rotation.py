"""Another key: silver is masked anew as a whole, or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.bronze.ingest import ingest
from pipelines.contracts import Contract, Domain
from pipelines.engine import Engine
from pipelines.errors import PipelineError
from pipelines.privacy.erase import ErasureRequest, erase
from pipelines.privacy.keys import key_id, read_key
from pipelines.privacy.methods import mask_one
from pipelines.privacy.rotation import rotate
from pipelines.secret_references import SecretReference
from pipelines.settings import Acceptance, Layer, RunSettings
from pipelines.silver.holding import accept
from pipelines.silver.refine import refine

if TYPE_CHECKING:
    from conftest import Lake, MakeContract

COLUMNS = (
    {"name": "id", "logicalType": "integer", "physicalType": "int"},
    {
        "name": "name",
        "logicalType": "string",
        "classification": "personal",
        "customProperties": [{"property": "masking", "value": {"method": "token"}}],
    },
)
NAMES = {1: "Anna", 2: "Bela", 3: "Carl"}


@pytest.fixture
def contract(make_contract: MakeContract) -> Contract:
    """Names that become tokens."""
    return make_contract(*COLUMNS, dataSubject={"type": "person", "columns": ["name"]})


def new_key(lake: Lake, number: int) -> RunSettings:
    file = Path(lake.folder, f"key-{number}")
    file.write_text(f"{number}" * 40)
    file.chmod(0o600)
    return replace(lake.run(number), pseudonym_key=SecretReference("file", str(file)))


def filled(engine: Engine, lake: Lake, contract: Contract) -> None:
    for number, name in NAMES.items():
        lake.deliver(f"{number}.csv", f"id,name\n{number},{name}\n")
    ingest(engine, contract, lake.settings)
    refine(engine, contract, lake.settings)


def tokens(contract: Contract, settings: RunSettings) -> list[tuple[int, str | None]]:
    masking = contract.column("name").masking
    assert masking is not None
    return [(number, mask_one(name, masking, read_key(settings.pseudonym_key))) for number, name in NAMES.items()]


def test_silver_is_masked_anew_and_never_mixed(sail: Engine, lake: Lake, contract: Contract) -> None:
    filled(sail, lake, contract)
    assert lake.rows(sail, Layer.SILVER, "id", "name") == tokens(contract, lake.settings)
    settings = new_key(lake, 2)
    lake.deliver("4.csv", "id,name\n4,Dora\n")
    ingest(sail, contract, settings)
    with pytest.raises(PipelineError, match="masks of two keys are never mixed") as caught:
        refine(sail, contract, settings)
    assert caught.value.fix is not None
    assert caught.value.fix.startswith("levee privacy rotate test,")
    assert len(lake.rows(sail, Layer.SILVER, "id")) == 3
    assert rotate(sail, settings, contract)
    assert lake.rows(sail, Layer.SILVER, "id", "name")[:3] == tokens(contract, settings)
    assert len(lake.rows(sail, Layer.SILVER, "id")) == 4
    assert not rotate(sail, settings, contract)
    keys = sail.rows(settings.record_path("mask_keys"), ["key_id", "event", "recorded_at"]).to_pylist()
    keys.sort(key=lambda row: row["recorded_at"])
    old, new = key_id(read_key(lake.settings.pseudonym_key)), key_id(read_key(settings.pseudonym_key))
    assert [(row["key_id"], row["event"]) for row in keys] == [(old, "used"), (new, "rotating"), (new, "used")]


def test_one_that_died_is_finished(
    sail: Engine, lake: Lake, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(sail, lake, contract)
    settings = new_key(lake, 2)

    def die(name: str) -> None:
        if name == "rotate.emptied":
            raise KeyboardInterrupt

    monkeypatch.setattr("pipelines.privacy.rotation.failpoint", die)
    with pytest.raises(KeyboardInterrupt):
        rotate(sail, settings, contract)
    monkeypatch.undo()
    assert lake.rows(sail, Layer.SILVER, "id") == []
    with pytest.raises(PipelineError, match="a rotation to it has not ended"):
        refine(sail, contract, settings)
    with pytest.raises(PipelineError, match="silver is masked with the key"):
        refine(sail, contract, lake.settings)
    assert rotate(sail, settings, contract)
    assert lake.rows(sail, Layer.SILVER, "id", "name") == tokens(contract, settings)


def test_what_was_published_is_not_held_and_what_is_held_stays_so(
    sail: Engine, lake: Lake, make_contract: MakeContract
) -> None:
    contract = make_contract(*COLUMNS, circuitBreaker={"maximumQuarantinePercent": 50, "minimumRows": 3})
    bad = "id,name\n{0},Anna\nx{0},Bela\ny{0},Carl\n"
    lake.deliver("1.csv", bad.format(1))
    ingest(sail, contract, lake.settings)
    (held,) = refine(sail, contract, lake.settings).held
    accept(sail, lake.settings, contract, Acceptance(held.batch_id, "ann", "they are right"))
    refine(sail, contract, lake.settings)
    lake.deliver("2.csv", bad.format(2))
    ingest(sail, contract, lake.run(2))
    assert len(refine(sail, contract, lake.run(2)).held) == 1
    settings = new_key(lake, 3)
    assert rotate(sail, settings, contract)
    assert lake.rows(sail, Layer.SILVER, "id", "name") == tokens(contract, settings)[:1]


def test_those_who_were_erased_under_the_former_key_stay_away(sail: Engine, lake: Lake, contract: Contract) -> None:
    filled(sail, lake, contract)
    value = lake.folder / "value"
    value.write_text("Anna")
    value.chmod(0o600)
    domain = Domain("test", contract.path.parent, (contract,), ())
    erase(sail, lake.run(2), domain, ErasureRequest("person", SecretReference("file", str(value)), "dpo"))
    settings = new_key(lake, 3)
    lake.deliver("5.csv", "id,name\n5,Anna\n6,Emil\n")
    with pytest.raises(PipelineError, match="would not be known again") as caught:
        ingest(sail, contract, settings)
    assert "LEVEE_FORMER_KEYS" in (caught.value.fix or "")
    known = replace(settings, former_keys=(lake.settings.pseudonym_key,))
    ingest(sail, contract, known)
    rotate(sail, known, contract)
    assert [row[0] for row in lake.rows(sail, Layer.SILVER, "id")] == [2, 3, 6]
