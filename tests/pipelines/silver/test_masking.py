"""Pseudonyms: keyed, stable, and nothing of the key outside the workers."""

from __future__ import annotations

import hashlib
import hmac
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from pipelines.bronze.ingest import ingest
from pipelines.engine import Engine
from pipelines.errors import PipelineError
from pipelines.settings import KeySource, Layer
from pipelines.silver.masking import pseudonymise
from pipelines.silver.plan import SilverPlan
from pipelines.silver.refine import refine

if TYPE_CHECKING:
    from conftest import Lake, MakeContract

KEY = "0123456789abcdef" * 4
PERSONAL = (
    {"name": "id", "logicalType": "integer", "physicalType": "int"},
    {
        "name": "name",
        "logicalType": "string",
        "classification": "personal",
        "customProperties": [{"property": "pseudonymisation", "value": {"method": "hmac-sha256", "characters": 32}}],
    },
)


def test_is_hmac_sha256_as_rfc_2104_has_it() -> None:
    # RFC 4231, section 4.3, test case 2.
    digest = pseudonymise(pa.array(["what do ya want for nothing?", None]), b"Jefe", 64).to_pylist()
    assert digest == ["5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", None]


def test_names_leave_bronze_masked(engine: Engine, lake: Lake, make_contract: MakeContract) -> None:
    contract = make_contract(*PERSONAL)
    lake.deliver("a.csv", "id,name\n1,12345\n2,12345\n3,67890\nx,67890\n")
    ingest(engine, contract, lake.settings)
    refine(engine, contract, lake.settings)
    names = dict(lake.rows(engine, Layer.SILVER, "id", "name"))
    assert names[1] == names[2] == hmac.new(KEY.encode(), b"12345", "sha256").hexdigest()[:32]
    assert names[3] != names[1]
    hashes = {row[0] for row in lake.rows(engine, Layer.SILVER, "_row_hash")}
    for number in (1, 3):  # the row's hash must not be open to trying out all names either
        for name in ("12345", "67890"):
            text = f"{len(str(number))},{len(name)},-,{number},{name}"
            assert hashlib.sha256(text.encode()).hexdigest() not in hashes


def test_the_key_is_in_no_plan_and_no_log(
    sail: Engine,
    lake: Lake,
    make_contract: MakeContract,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture,
) -> None:
    contract = make_contract(*PERSONAL)
    lake.deliver("a.csv", "id,name\n1,12345\n")
    with caplog.at_level(logging.DEBUG):
        ingest(sail, contract, lake.settings)
        refine(sail, contract, lake.settings)
    plan = SilverPlan.of(contract, lake.settings.pseudonym_key, "r", "b")
    bronze = sail.read(lake.settings.table_path(Layer.BRONZE, "things"))
    published = plan.published(plan.accepted(plan.candidates(bronze)))
    published.explain(extended=True)
    frame: Any = published  # Connect keeps the plan that it sends; the stubs speak of the classic frame
    sent = frame._plan.to_proto(frame._session.client).SerializeToString()
    for text in (caplog.text.encode(), capfd.readouterr().out.encode(), sent):
        assert KEY.encode() not in text
    for file in Path(lake.folder).rglob("*"):
        assert not file.is_file() or file.name == "key" or KEY.encode() not in file.read_bytes()


def test_without_a_key_nothing_is_published(sail: Engine, lake: Lake, make_contract: MakeContract) -> None:
    from dataclasses import replace

    contract = make_contract(*PERSONAL)
    lake.deliver("a.csv", "id,name\n1,12345\n")
    ingest(sail, contract, lake.settings)
    with pytest.raises(PipelineError, match="no key is set"):
        refine(sail, contract, replace(lake.settings, pseudonym_key=KeySource()))
    assert not sail.exists(lake.settings.table_path(Layer.SILVER, "things"))
