"""The contracts in ``docs/reference/sources.md`` are contracts, and read what the page says that they read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.contracts import Contract, choose_server, load_contract
from pipelines.contracts.odcs import Server
from pipelines.extract.task import extract

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "sources.md"


@pytest.fixture
def example(tmp_path: Path) -> Callable[[str], Contract]:
    """Load one of the page's contracts by its dataset."""

    def load(dataset: str) -> Contract:
        (text,) = [
            text for text in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL) if f"id: {dataset}\n" in text
        ]
        path = tmp_path / f"{dataset}.odcs.yaml"
        path.write_text(text)
        return load_contract(path)

    return load


def at(contract: Contract, server: dict[str, Any], **settings: Any) -> Contract:
    """The contract, with its server where the test has one and these keys of its extraction's kind changed."""
    extraction = contract.extraction
    assert extraction is not None
    moved = Server.model_validate({**server, "server": extraction.server})
    kind = getattr(extraction, extraction.kind).model_copy(update=settings)
    return replace(
        contract,
        standard=contract.standard.model_copy(update={"servers": (moved,)}),
        extraction=extraction.model_copy(update={extraction.kind: kind}),
    )


def test_the_example_of_postgresql(sail, lake, example, postgres, table, monkeypatch) -> None:
    contract = example("orders")
    assert choose_server(contract, "prod").host == "erp.internal"
    table("id bigint, amount numeric(18,2), changed_at timestamptz NOT NULL", name="orders")
    rows = "SELECT n, n, timestamptz '2026-01-01' + n * interval '1 minute' FROM generate_series(1, 80) n"
    postgres.run(f"INSERT INTO orders {rows}")
    monkeypatch.setenv("ERP_USER", "postgres")
    monkeypatch.setenv("ERP_PASSWORD", "any")

    files = extract(sail, at(contract, {**postgres.server, "schema": "public"}), lake.run(1))

    assert [file.rows for file in files] == [9, 10, 10, 10, 10, 10, 10, 11]


def test_the_example_of_a_rest_source(sail, lake, example, api, monkeypatch, tmp_path) -> None:
    contract = example("invoices")
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    secret.chmod(0o600)
    monkeypatch.setenv("BILLING_ID", "levee")
    page = {"items": [{"id": "1", "total": 1.5, "updated_at": "2026-01-01T00:00:00Z"}], "next": None}

    def respond(path: str, headers: Any) -> tuple[int, dict[str, str], bytes]:
        token = {"access_token": "t", "expires_in": 60}
        return 200, {}, json.dumps(token if path == "/token" else {"data": page}).encode()

    api.respond = respond
    assert contract.extraction is not None
    assert contract.extraction.rest is not None
    auth = contract.extraction.rest.auth
    assert auth is not None
    assert auth.oauth2 is not None
    here = auth.oauth2.model_copy(update={"token_url": f"{api.url}/token", "client_secret": f"file:{secret}"})
    moved = at(contract, {"type": "api", "location": f"{api.url}/v2"}, auth=auth.model_copy(update={"oauth2": here}))

    (file,) = extract(sail, moved, lake.run(1))

    assert file.rows == 1
    assert api.paths == ["/token", "/v2/invoices?status=all&limit=200"]


def test_the_example_of_kafka(example) -> None:
    contract = example("clicks")
    assert contract.extraction is not None
    assert contract.extraction.kafka is not None
    assert contract.extraction.kafka.mode == "stream"
    assert contract.source_fields == ("value", "partition", "offset", "timestamp")
