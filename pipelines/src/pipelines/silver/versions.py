"""From the changes of keys to what holds when: frames, as functions of all changes of some keys; nothing is written.

A key's rows are made from its whole history each time, so late changes are the ordinary case, and what order they came
in does not count. In order, a change *opens a version* where it is the key's first, where the key was deleted before
it, or where a tracked column differs from the change before. A version shows the last change within it, holds from its
first one's time, until the next one's, or until the delete that ended it. Times never run backwards within a key: a
change that the order places later holds no earlier.

A delete is no row of its own: a tombstone (CDC's ``d``, or the next complete snapshot without the key) ends the version
before it. A tombstone without one leaves nothing but itself among the changes, where it waits for what is older.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from pipelines import sql
from pipelines.contracts.extensions import History
from pipelines.contracts.model import ChangeOrder, Contract
from pipelines.engine.arrow_types import TIMESTAMP, from_arrow_schema
from pipelines.silver.hashing import row_hash
from pipelines.silver.plan import LINEAGE
from pipelines.silver.turns import Turn

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

STAMPS = ("_row_hash", "_batch_id", "_ingested_at", "_run_id")
"""What a row keeps of the change that it shows, beside the columns and `LINEAGE`."""
_TURNS = pa.schema(
    [
        ("_file_sha256", pa.string()),
        ("_delivery", pa.int64()),
        ("_snapshot", pa.int64()),
        ("_at", TIMESTAMP),
        ("_next_complete", pa.int64()),
        ("_next_complete_at", TIMESTAMP),
    ]
)


@dataclass(frozen=True, slots=True)
class Versions:
    """What some keys' changes come to.

    Attributes:
        contract: The contract; it has a history.
        marked: Every change, tombstones too, once for each turn that it has: with `_since` (when it holds from),
            `_tombstone`, `_ended_at` (when the next in order is a delete: its time).
    """

    contract: Contract
    marked: DataFrame

    @classmethod
    def of(cls, contract: Contract, changes: DataFrame, turns: Sequence[Turn]) -> Versions:
        """Put changes in order.

        Args:
            contract: The contract.
            changes: All changes of some keys.
            turns: The order of the deliveries, where that is the order of changes.
        """
        return cls(contract, _marked(contract, changes, turns))

    @property
    def live(self) -> DataFrame:
        """The changes that some row of silver stands for: no tombstone, nothing that a hard delete took.

        Of changes that a column says to hold from the same time only the last counts.
        """
        kept = self.marked.where("NOT _tombstone")
        if self._history.effective_from and self.contract.change_order is ChangeOrder.COLUMNS:
            following = f"lead(_since) OVER ({self._by_order})"
            kept = kept.selectExpr("*", f"{following} <=> _since AS _corrected").where("NOT _corrected")
        if self._history.deletes == "hard":
            kept = kept.selectExpr("*", f"{self._after('_ended_at IS NOT NULL', inclusive=True)} AS _dead")
            kept = kept.where("_dead = 0")
        return kept

    def versions(self) -> DataFrame:
        """Return a row a version: the contract's columns, `LINEAGE`, `STAMPS`, ``VERSIONED``; `_copies` is the sum of
        the version's changes.
        """
        state = row_hash(self.contract.tracked)
        opened = self.live.selectExpr("*", f"{state} AS _state").selectExpr(
            "*",
            f"lag(_state) OVER ({self._by_order}) <=> _state AND lag(_ended_at) OVER ({self._by_order}) IS NULL AS _on",
        )
        up_to = f"({self._by_order} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
        numbered = opened.selectExpr("*", f"sum(CASE WHEN _on THEN 0L ELSE 1L END) OVER {up_to} AS _version")
        within = f"PARTITION BY {self._keys}, _version"
        folded = numbered.selectExpr(
            "*",
            f"row_number() OVER ({within} ORDER BY {self._order(last_first=True)}) AS _rank",
            f"min(_since) OVER ({within}) AS _valid_from",
            f"sum(_copies) OVER ({within}) AS _all_copies",
        ).where("_rank = 1")
        closed = folded.selectExpr(
            "*",
            f"coalesce(_ended_at, lead(_valid_from) OVER (PARTITION BY {self._keys} ORDER BY _version)) AS _valid_to",
        )
        return closed.selectExpr(
            *self._kept, "_version", "_valid_from", "_valid_to", "_valid_to IS NULL AS _is_current", *_deleted()
        )

    def latest(self) -> DataFrame:
        """Return the last row of each key: the contract's columns, `LINEAGE`, `STAMPS`, ``DELETED``; `_copies` is the
        sum of the key's changes, where these are kept.
        """
        copies = "_copies" if self._history.type == 1 else f"sum(_copies) OVER (PARTITION BY {self._keys})"
        ranked = self.live.selectExpr(
            "*",
            f"row_number() OVER (PARTITION BY {self._keys} ORDER BY {self._order(last_first=True)}) AS _rank",
            f"{copies} AS _all_copies",
        )
        return ranked.where("_rank = 1").selectExpr(*self._kept, *_deleted())

    def counted(self) -> DataFrame:
        """Return one row, `n`: what :func:`shown` must count in each table that shows these changes."""
        from pyspark.sql import functions as F  # noqa: N812 - the customary name

        if self._history.type == 1:  # changes that the latest has overtaken may be gone, and their copies with them
            return self.live.select(*self._history.business_key).distinct().agg(F.count("*").alias("n"))
        return shown(self.contract, self.live)

    def settled(self) -> DataFrame | None:
        """Return `_file_sha256` and `_line` of the changes that nothing will ever ask for; ``None`` where all are kept.

        What a hard delete took, and of a table without history whatever came before the latest row: no change that is
        still to come can bring them back. The last tombstone stays.
        """
        rules = []
        if self._history.deletes == "hard":
            ended = "_tombstone" if self.contract.change_feed else "_ended_at IS NOT NULL"
            rules.append(f"{self._after(ended, inclusive=not self.contract.change_feed)} > 0")
        if self._history.type == 1:
            rules.append(f"{self._after('NOT _tombstone', inclusive=False)} > 0")
        if not rules:
            return None
        from pyspark.sql import functions as F  # noqa: N812 - the customary name

        judged = self.marked.selectExpr("_file_sha256", "_line", f"{' OR '.join(rules)} AS _settled")
        turns = judged.groupBy("_file_sha256", "_line").agg(F.min("_settled").alias("_settled"))
        return turns.where("_settled").select("_file_sha256", "_line")

    # Inside

    @property
    def _history(self) -> History:
        return history_of(self.contract)

    @property
    def _keys(self) -> str:
        return ", ".join(sql.name(name) for name in self._history.business_key)

    @property
    def _by_order(self) -> str:
        return f"PARTITION BY {self._keys} ORDER BY {self._order()}"

    def _order(self, *, last_first: bool = False) -> str:
        return _order(self.contract, last_first=last_first)

    def _after(self, condition: str, *, inclusive: bool) -> str:
        """SQL that counts the changes after this one (or with it) that a condition is true of."""
        first = "CURRENT ROW" if inclusive else "1 FOLLOWING"
        rows = f"ROWS BETWEEN {first} AND UNBOUNDED FOLLOWING"
        return f"coalesce(sum(CASE WHEN {condition} THEN 1L ELSE 0L END) OVER ({self._by_order} {rows}), 0L)"

    @property
    def _kept(self) -> list[str]:
        lineage = ["_all_copies AS _copies" if name == "_copies" else name for name in LINEAGE]
        return [*(sql.name(column.name) for column in self.contract.columns), *lineage, *STAMPS]


def shown(contract: Contract, rows: DataFrame) -> DataFrame:
    """Return one row, `n`: records that rows stand for; of SCD 1, which forgets what was overtaken, the rows."""
    from pyspark.sql import functions as F  # noqa: N812 - the customary name

    number = F.count("*") if history_of(contract).type == 1 else F.coalesce(F.sum("_copies"), F.lit(0))
    return rows.agg(number.cast("bigint").alias("n"))


def history_of(contract: Contract) -> History:
    """Return the contract's history.

    Raises:
        ValueError: it has none.
    """
    if contract.history is None:
        raise ValueError(f"{contract.dataset} has no history")
    return contract.history


def _deleted() -> tuple[str, str]:
    return "_ended_at IS NOT NULL AS _is_deleted", "_ended_at AS _deleted_at"


def _order(contract: Contract, *, last_first: bool = False) -> str:
    """SQL of the order of a key's changes; total, and made of nothing but what the source says."""
    history = history_of(contract)
    if contract.change_order is ChangeOrder.SEQUENCE:
        columns = ["_sequence", "_row_hash"]
    elif contract.change_order is ChangeOrder.COLUMNS:
        told = [name for name in (history.effective_from, *history.order_by) if name]
        columns = [*map(sql.name, told), "_row_hash"]
    else:
        columns = ["_delivery", "_line"]
    direction = "DESC NULLS LAST" if last_first else "ASC NULLS FIRST"
    return ", ".join(f"{column} {direction}" for column in columns)


def _marked(contract: Contract, changes: DataFrame, turns: Sequence[Turn]) -> DataFrame:
    history, order = history_of(contract), contract.change_order
    keys = ", ".join(sql.name(name) for name in history.business_key)
    by_order = f"PARTITION BY {keys} ORDER BY {_order(contract)}"
    if order is ChangeOrder.DELIVERIES:
        rows = changes.join(_turn_frame(changes, turns), ["_file_sha256"])
    else:
        rows = changes.selectExpr("*", f"{_time(contract)} AS _at")
    tombstone = "coalesce(_op = 'd', false)" if contract.change_feed else "false"
    rows = rows.selectExpr("*", f"{tombstone} AS _tombstone")
    up_to = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
    # What may be settled must not count: times start anew with each row before which nothing will be asked for.
    restart = "NOT _tombstone" if history.type == 1 else "_tombstone" if history.deletes == "hard" else "false"
    rows = rows.selectExpr("*", f"sum(CASE WHEN {restart} THEN 1L ELSE 0L END) OVER ({by_order} {up_to}) AS _part")
    since = f"max(_at) OVER (PARTITION BY {keys}, _part ORDER BY {_order(contract)} {up_to}) AS _since"
    rows = rows.selectExpr("*", since)
    if history.deletes == "none":
        ended = "NULL"
    elif contract.change_feed:
        ended = f"CASE WHEN lead(_tombstone) OVER ({by_order}) THEN lead(_since) OVER ({by_order}) END"
    elif history.deliveries == "snapshots":
        following = f"lead(_snapshot) OVER ({by_order})"
        ended = f"CASE WHEN {following} IS NULL OR _next_complete < {following} THEN _next_complete_at END"
    else:
        ended = "NULL"
    return rows.selectExpr("*", f"CAST({ended} AS TIMESTAMP) AS _ended_at")


def _time(contract: Contract) -> str:
    """SQL of when a change holds from, where deliveries do not say it."""
    history = history_of(contract)
    if history.effective_from:
        return f"CAST({sql.name(history.effective_from)} AS TIMESTAMP)"
    return "coalesce(_changed_at, _ingested_at)" if contract.change_feed else "_ingested_at"


def _turn_frame(changes: DataFrame, turns: Sequence[Turn]) -> DataFrame:
    columns = [
        [turn.file_sha256 for turn in turns],
        [turn.delivery for turn in turns],
        [turn.snapshot for turn in turns],
        [turn.at for turn in turns],
        [turn.next_complete for turn in turns],
        [turn.next_complete_at for turn in turns],
    ]
    table = pa.table([pa.array(c, f.type) for c, f in zip(columns, _TURNS, strict=True)], schema=_TURNS)
    return changes.sparkSession.createDataFrame(table, from_arrow_schema(_TURNS))


__all__ = ["Versions", "history_of", "shown"]
