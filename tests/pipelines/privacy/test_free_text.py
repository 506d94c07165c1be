"""Free text of a real shop through silver: what has the form of personal data goes, all else stays as it is."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.bronze.ingest import ingest
from pipelines.contracts import load_domain
from pipelines.contracts.extensions.masking import Masking
from pipelines.engine import Engine
from pipelines.settings import Layer
from pipelines.silver.refine import refine
from pipelines.sources import find, land

if TYPE_CHECKING:
    from conftest import Lake

RETAIL = "online_retail"
DETECT = Masking.model_validate({"method": "detect"})


def test_descriptions_of_a_real_day_are_searched_in_the_workers(sail: Engine, lake: Lake) -> None:
    if not os.environ.get("LEVEE_DATA"):
        pytest.skip("LEVEE_DATA is not set: no online-retail here")
    contract = load_domain("sales").contract(RETAIL)
    columns = (replace(one, masking=DETECT) if one.name == "description" else one for one in contract.columns)
    contract = replace(contract, columns=tuple(columns))
    settings = replace(lake.settings, domain="sales", dataset=RETAIL, sources=(RETAIL,))
    landing = Path(settings.deliveries(RETAIL))
    land([min(find("online-retail").deliveries(os.environ, lake.folder / "cache"))], landing)
    (day,) = (file for file in landing.rglob("*") if file.is_file())
    header, first, *rest = day.read_bytes().splitlines(keepends=True)
    fields = first.split(b",")
    fields[header.strip().split(b",").index(b"Description")] = b"call +44 20 7946 0958 or ann@example.org"
    day.write_bytes(b"".join([header, b",".join(fields), *rest]))
    ingest(sail, contract, settings)
    refine(sail, contract, settings)

    silver = sail.read(settings.table_path(Layer.SILVER, RETAIL)).select("_line", "description").collect()
    bronze = sail.read(settings.table_path(Layer.BRONZE, RETAIL)).collect()
    source = next(one.sources[0] for one in contract.columns if one.name == "description")
    was = {row["_line"]: row[source] for row in bronze}
    changed = {row["_line"]: row["description"] for row in silver if row["description"] != was[row["_line"]]}
    assert len(silver) > 500
    assert changed == {2: "call <PHONE_NUMBER> or <EMAIL_ADDRESS>"}
