"""One contract that uses whatever an export must say, and rows that keep or break it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.contracts import Contract, load_contract
from tests.pipelines.extract.conftest import postgres

__all__ = ["postgres"]

TEXT = """\
apiVersion: v3.1.0
kind: DataContract
id: 33333333-1111-4111-8111-111111111111
version: 2.1.0
status: active
domain: shop
schema:
  - name: orders
    description: "Orders of O'Brien's shop; a backslash \\\\ too."
    properties:
      - {name: order_id, logicalType: string, classification: internal, primaryKey: true, required: true,
         description: "Number, quoted 'so'.", logicalTypeOptions: {pattern: "^[A-Z]{2}[0-9]+$", maxLength: 8}}
      - {name: email, logicalType: string, classification: personal, required: true,
         logicalTypeOptions: {pattern: "@"}, customProperties: [{property: masking, value: {method: hash}}]}
      - {name: day, logicalType: date, classification: public, required: true}
      - {name: taken_at, logicalType: timestamp, classification: public}
      - name: amount
        logicalType: number
        physicalType: decimal(9,2)
        classification: confidential
        required: true
        quality:
          - {id: amount_positive, metric: invalidValues, arguments: {exclusiveMinimum: 0}, mustBe: 0}
          - {id: amount_small, metric: invalidValues, arguments: {maximum: 100}, mustBe: 0, severity: warning}
      - {name: pieces, logicalType: integer, physicalType: int, classification: internal,
         logicalTypeOptions: {minimum: 1}}
      - name: state
        logicalType: string
        classification: internal
        quality:
          - {id: state_known, metric: invalidValues, arguments: {validValues: [open, "it's done"]}, mustBe: 0}
      - {name: paid, logicalType: boolean, classification: internal}
      - {name: ratio, logicalType: number, physicalType: double, classification: internal}
    quality:
      - {id: paid_is_done, type: custom, engine: levee, implementation: {row: "NOT paid OR state RLIKE 'done'"}}
      - {id: has_rows, metric: rowCount, mustBeGreaterThan: 0}
      - {id: few, metric: rowCount, mustBeBetween: [1, 5]}
customProperties:
  - {property: layer, value: source}
  - {property: ingestion, value: {format: csv}}
"""
GOOD: Mapping[str, Any] = {
    "order_id": "AB12",
    "email": "0f" * 16,
    "day": date(2026, 1, 2),
    "taken_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    "amount": Decimal("12.30"),
    "pieces": 2,
    "state": "it's done",
    "paid": True,
    "ratio": 0.25,
}
"""A row that keeps every rule; its e-mail address is a pseudonym, which no pattern of addresses fits."""
BAD: Mapping[str, Mapping[str, Any]] = {
    "order_id_pattern": {"order_id": "ab12"},
    "order_id_max_length": {"order_id": "AB1234567"},
    "order_id_required": {"order_id": None},
    "email_required": {"email": None},
    "day_required": {"day": None},
    "amount_positive": {"amount": Decimal("0.00")},
    "amount_required": {"amount": None},
    "pieces_minimum": {"pieces": 0},
    "state_known": {"state": "lost", "paid": False},
    "paid_is_done": {"state": "open"},
}
"""By rule, what makes the good row break it and nothing else."""
EMPTY: Mapping[str, Any] = {"taken_at": None, "pieces": None, "state": None, "paid": None, "ratio": None}
"""What may be null."""


@pytest.fixture
def orders(tmp_path: Path) -> Contract:
    """The contract."""
    path = tmp_path / "orders.odcs.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return load_contract(path)
