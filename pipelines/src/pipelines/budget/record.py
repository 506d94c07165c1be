"""Decisions about money, kept: a row of ``budget_decisions`` and a log line in the form of a CloudEvent each."""

from __future__ import annotations

import json
import logging
import uuid
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from pipelines.budget.decision import Decision, Verdict
from pipelines.engine.arrow_types import TIMESTAMP
from pipelines.failpoints import failpoint
from pipelines.observe.facts import TaskRun

if TYPE_CHECKING:
    from pipelines.engine import Engine

log = logging.getLogger("levee.budget")

TABLE: Final = "budget_decisions"
_MONEY = pa.decimal128(18, 9)

SCHEMA = pa.schema(
    [
        ("decided_at", TIMESTAMP),
        ("run_id", pa.string()),
        ("task_run_id", pa.string()),
        ("domain", pa.string()),
        ("task", pa.string()),
        ("dataset", pa.string()),
        ("cost_centre", pa.string()),
        ("policy", pa.string()),
        ("verdict", pa.string()),
        ("reason", pa.string()),
        ("budget_usd", _MONEY),
        ("budget_source", pa.string()),
        ("spent_usd", _MONEY),
        ("left_usd", _MONEY),
        ("expected_usd", _MONEY),
        ("expected_basis", pa.string()),
        ("confirmed_by", pa.string()),
    ]
)
"""US dollars; ``expected_usd`` is null where nothing could be said, and ``expected_basis`` why."""


def keep(engine: Engine, run: TaskRun, decision: Decision, now: datetime) -> None:
    """Append a decision to the domain's record, and log it.

    Raises:
        SchemaError: the table has other columns.
    """
    row = _row(run, decision, now)
    level = logging.INFO if decision.verdict is Verdict.ALLOWED else logging.WARNING
    log.log(level, json.dumps(_event(row), default=_plain, sort_keys=True))
    failpoint("budget.before_decision")
    engine.append(run.settings.record_path(TABLE), pa.Table.from_pylist([row], schema=SCHEMA))
    failpoint("budget.decided")


def _row(run: TaskRun, decision: Decision, now: datetime) -> dict[str, Any]:
    return {
        "decided_at": now,
        "run_id": run.settings.run_id,
        "task_run_id": run.id,
        "domain": run.settings.domain,
        "task": run.task,
        "dataset": run.contract.dataset,
        "cost_centre": decision.budget.cost_centre,
        "policy": decision.budget.policy,
        "verdict": decision.verdict.value,
        "reason": decision.reason,
        "budget_usd": _exact(decision.budget.monthly_usd),
        "budget_source": decision.budget.source,
        "spent_usd": _exact(decision.spent_usd),
        "left_usd": _exact(decision.left_usd),
        "expected_usd": _exact(decision.expected.usd),
        "expected_basis": decision.expected.basis,
        "confirmed_by": decision.confirmed_by,
    }


def _exact(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else amount.quantize(Decimal("1e-9"))


def _plain(value: Any) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _event(row: dict[str, Any]) -> dict[str, Any]:
    """A CloudEvent in structured mode (CloudEvents 1.0.2, JSON format)."""
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": f"/levee/{row['domain']}/runs/{row['run_id']}",
        "type": f"levee.budget.{row['verdict']}",
        "subject": f"{row['task']} {row['domain']}.{row['dataset']}",
        "time": row["decided_at"].isoformat(),
        "datacontenttype": "application/json",
        "data": row,
    }
