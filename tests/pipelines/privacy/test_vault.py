"""Tokens are revealed to who holds the key, and says why; to nobody else, and not after an erasure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.bronze.ingest import ingest
from pipelines.contracts import Contract, Domain
from pipelines.engine import Engine
from pipelines.privacy.erase import ErasureRequest, erase
from pipelines.privacy.vault import TABLE, Asked, reveal
from pipelines.secret_references import SecretReference
from pipelines.settings import Layer, RunSettings
from pipelines.silver.refine import refine

if TYPE_CHECKING:
    from conftest import Lake, MakeContract

COLUMNS = (
    {"name": "id", "logicalType": "integer", "physicalType": "int"},
    {
        "name": "phone",
        "logicalType": "string",
        "classification": "personal",
        "customProperties": [{"property": "masking", "value": {"method": "token"}}],
    },
)
PHONES = ["+44 20 7946 0958", "030-901820", "+44 20 7946 0321"]


@pytest.fixture
def filled(sail: Engine, lake: Lake, make_contract: MakeContract) -> Contract:
    """Two batches, of which the second repeats a number."""
    contract = make_contract(*COLUMNS, dataSubject={"type": "person", "columns": ["phone"]})
    for number, phones in enumerate((PHONES[:2], PHONES[1:])):
        rows = "".join(f"{number}{n},{phone}\n" for n, phone in enumerate(phones))
        lake.deliver(f"{number}.csv", "id,phone\n" + rows)
        ingest(sail, contract, lake.run(number))
        refine(sail, contract, lake.run(number))
    return contract


def revealed(engine: Engine, lake: Lake, contract: Contract, settings: RunSettings | None = None) -> dict[str, str]:
    tokens = [row[0] for row in lake.rows(engine, Layer.SILVER, "phone")]
    return reveal(engine, settings or lake.run(9), contract, Asked("phone", tokens, "fraud@example.org", "case 7"))


def test_tokens_are_revealed_and_it_is_told(sail: Engine, lake: Lake, filled: Contract) -> None:
    found = revealed(sail, lake, filled)
    assert sorted(found.values()) == sorted(PHONES)
    assert sail.count(lake.settings.record_path(TABLE)) == 3
    assert all(len(token) == len(value) and token != value for token, value in found.items())
    (told,) = (lake.folder / "audit" / "test" / "reveals").rglob("*.json")
    assert "case 7" in told.read_text()
    assert not any(text in told.read_text() for text in [*found, *PHONES])
    for file in (lake.folder / "checkpoints").rglob("*"):
        assert not file.is_file() or not any(phone.encode() in file.read_bytes() for phone in PHONES)


def test_another_key_opens_nothing(sail: Engine, lake: Lake, filled: Contract) -> None:
    other = Path(lake.folder, "other")
    other.write_text("o" * 40)
    other.chmod(0o600)
    settings = replace(lake.run(9), pseudonym_key=SecretReference("file", str(other)))
    assert revealed(sail, lake, filled, settings) == {}


def test_who_is_erased_is_not_in_the_vault(sail: Engine, lake: Lake, filled: Contract) -> None:
    before = revealed(sail, lake, filled)
    value = lake.folder / "value"
    value.write_text(PHONES[1])
    value.chmod(0o600)
    domain = Domain("test", filled.path.parent, (filled,), ())
    erase(sail, lake.run(3), domain, ErasureRequest("person", SecretReference("file", str(value)), "dpo"))
    (token,) = (token for token, phone in before.items() if phone == PHONES[1])
    assert sail.count(lake.settings.record_path(TABLE)) == 2
    assert reveal(sail, lake.run(9), filled, Asked("phone", [token], "anybody", "")) == {}
