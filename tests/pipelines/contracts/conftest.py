"""A contract file to change one thing in at a time."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pipelines.contracts import Contract, load_domain

MINIMAL = """\
apiVersion: v3.1.0
kind: DataContract
id: 11111111-1111-4111-8111-111111111111
version: 1.0.0
status: active
domain: shop
schema:
  - name: orders
    description: Orders of the shop.
    properties:
      - name: order_id
        logicalType: string
        classification: internal
        required: true
        transformSourceObjects: [Order]
      - name: amount
        logicalType: number
        physicalType: decimal(18,3)
        classification: confidential
        quality:
          - id: amount_positive
            metric: invalidValues
            arguments: {exclusiveMinimum: 0}
            mustBe: 0
customProperties:
  - property: layer
    value: source
  - property: ingestion
    value: {format: csv}
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write the minimal contract with one text replaced by another."""

    def write(*changes: tuple[str, str], name: str = "orders.odcs.yaml") -> Path:
        text = MINIMAL
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        path = tmp_path / "shop" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def sales() -> Mapping[str, Contract]:
    """The shipped contracts of the domain `sales`, by dataset."""
    return {contract.dataset: contract for contract in load_domain("sales").contracts}
