"""Late records: behind the event-time watermark of their contract when bronze took them in.

The watermark of a record is made of what bronze had taken in before it (`_ingested_at`), so a replay finds the same
records late as the first run did. A record whose event is after its own intake has a wrong clock and moves none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING

import pyarrow as pa

from pipelines import sql
from pipelines.contracts.model import Contract
from pipelines.engine.arrow_types import TIMESTAMP, from_arrow_schema
from pipelines.quality.rules import Rule

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

LATE = "late"
"""Id of the rule that late records break."""
WATERMARK = "_watermark"
NEVER = datetime.min.replace(tzinfo=UTC)
_MARKS = pa.schema([("_ingested_at", TIMESTAMP), (WATERMARK, TIMESTAMP)])


def late_rule(contract: Contract) -> Rule | None:
    """Return the rule on rows that have their `_watermark`; ``None`` where the contract does not ask."""
    if (lateness := contract.lateness) is None:
        return None
    event = f"CAST({sql.name(lateness.column)} AS TIMESTAMP)"
    return Rule(
        id=LATE,
        column=lateness.column,
        predicate=f"coalesce({event} >= {WATERMARK}, true)",
        on_failure="quarantine" if lateness.policy == "quarantine" else "warn",
        kind="lateness",
        description=f"{lateness.column} is at most {lateness.allowed} behind the latest that came before",
        dimension="timeliness",
    )


def watermarked(rows: DataFrame, events: DataFrame, allowed: timedelta) -> DataFrame:
    """Return rows of bronze with their `_watermark`, null for what came first.

    Args:
        rows: Rows with `_ingested_at`.
        events: All of bronze, `_event` and `_ingested_at`.
        allowed: How far behind the watermark is.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the customary name

    plausible = F.max(F.expr("CASE WHEN _event <= _ingested_at THEN _event END")).alias("_event")
    known = events.groupBy("_ingested_at").agg(plausible).toArrow().sort_by("_ingested_at").to_pydict()
    marks = watermarks(known["_event"], allowed)
    table = pa.table([known["_ingested_at"], marks], schema=_MARKS)
    frame = rows.sparkSession.createDataFrame(table, from_arrow_schema(_MARKS))
    return rows.join(frame, ["_ingested_at"], "left")


def watermarks(events: Sequence[datetime | None], allowed: timedelta) -> list[datetime | None]:
    """Return each intake's watermark: the latest event of those before it, less `allowed`.

    Args:
        events: Latest event of each intake, in their order.
        allowed: How far behind the watermark is.
    """
    known = accumulate((event or NEVER for event in events), max, initial=NEVER)
    return [None if latest == NEVER else latest - allowed for latest, _ in zip(known, events, strict=False)]


__all__ = ["LATE", "late_rule", "watermarked", "watermarks"]
