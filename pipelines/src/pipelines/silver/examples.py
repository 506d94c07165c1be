"""Which records broke what, one of each sort: for those who are told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.silver.verdicts import RULE_SEPARATOR, Verdicts

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from pipelines.silver.placed import PlacedRows


@dataclass(frozen=True, slots=True)
class Example:
    """The first of the records that broke the same rules.

    Attributes:
        rules: The rules, by their ids.
        records: How many records broke just these.
        file: Name of its delivery.
        file_sha256: Its content.
        line: Its line.
    """

    rules: tuple[str, ...]
    records: int
    file: str
    file_sha256: str
    line: int


def examples(verdicts: Verdicts, judged: DataFrame, batch: PlacedRows, most: int) -> list[Example]:
    """Return the first record of each group that broke the same rules.

    Args:
        verdicts: Which bit says what.
        judged: The batch's judged rows.
        batch: Its records.
        most: So many at most, of the largest groups.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the customary name

    broken = judged.selectExpr("_position", "_copies", f"{verdicts.held_by} AS _rules").where("_rules <> ''")
    counted = broken.groupBy("_rules").agg(F.sum("_copies").alias("_records"), F.min("_position").alias("_position"))
    chosen = batch.located(counted.orderBy(F.desc("_records"), "_rules").limit(most)).collect()
    found = [
        Example(
            tuple(row["_rules"].split(RULE_SEPARATOR)), row["_records"], row["_file"], row["_file_sha256"], row["_line"]
        )
        for row in chosen
    ]
    return sorted(found, key=lambda one: (-one.records, one.rules))


__all__ = ["Example", "examples"]
