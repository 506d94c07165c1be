"""What each engine can do, and what Levee refuses to ask of it.

Two kinds of shortcomings are told apart. What an engine *lacks* fails by itself; the engine's module goes another way
(``OPTIMIZE`` through deltalake). What an engine does *silently wrong* is refused here before it is asked, with what
was seen and what to do instead; a canary test per entry (``tests/pipelines/engine/test_canaries.py``) fails on the day
a new release has mended it.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from pipelines.errors import PipelineError
from pipelines.settings import EngineName


class Hazard(enum.StrEnum):
    """An operation that some engine carries out wrongly and does not say so."""

    TRANSACTION_IDS = "txnAppId/txnVersion on a Delta write"
    DYNAMIC_PARTITION_OVERWRITE = "partitionOverwriteMode=dynamic"
    CSV_READER = "spark.read.csv"
    CHANGE_FEED = "readChangeFeed"
    UNGATED_APPEND = "an append without the schema gate"
    BINARY_FILES = "spark.read.format('binaryFile')"
    ABSENT_PATH = "reading a path that may be absent"
    CHAINED_UNIONS = "unions of more than 64 frames"
    WIDE_IN_LIST = "an IN list of more than 64 literals"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen, on which release, and what to do instead.

    Attributes:
        engine: The engine that does it.
        seen: What happens.
        release: Release it was seen on.
        instead: What Levee does, or the caller should do.
    """

    engine: EngineName
    seen: str
    release: str
    instead: str


HAZARDS: dict[Hazard, Finding] = {
    Hazard.TRANSACTION_IDS: Finding(
        EngineName.SAIL,
        "the ids are ignored: a second write with the same version appends again",
        "pysail 0.7.2",
        "Engine.replace_where with the delivery's sha256, or Engine.merge",
    ),
    Hazard.DYNAMIC_PARTITION_OVERWRITE: Finding(
        EngineName.SAIL,
        "partitions that the frame does not touch are removed too",
        "pysail 0.7.2",
        "Engine.replace_where with a predicate on the partition column",
    ),
    Hazard.CSV_READER: Finding(
        EngineName.SAIL,
        "mode and encoding are ignored, and one ragged row fails the whole read",
        "pysail 0.7.2",
        "pipelines.bronze.parser through mapInArrow, on every engine",
    ),
    Hazard.CHANGE_FEED: Finding(
        EngineName.SAIL,
        "the option is ignored and the whole table comes back",
        "pysail 0.7.2",
        "the ledger, which says what a table has not seen",
    ),
    Hazard.UNGATED_APPEND: Finding(
        EngineName.SAIL,
        "1.7 becomes 1 in a bigint column",
        "pysail 0.7.2",
        "the writes of Engine, which all pass the schema gate",
    ),
    Hazard.BINARY_FILES: Finding(
        EngineName.SAIL,
        "one of 305 files came back twice",
        "pysail 0.7.2",
        "a frame of paths and mapInArrow",
    ),
    Hazard.ABSENT_PATH: Finding(
        EngineName.SAIL,
        "an absent Parquet, CSV or JSON path reads as a frame without rows",
        "pysail 0.7.2",
        "Engine.exists before Engine.read",
    ),
    Hazard.CHAINED_UNIONS: Finding(
        EngineName.SAIL,
        "305 chained unions end the server",
        "pysail 0.7.2",
        "a frame of paths and mapInArrow",
    ),
    Hazard.WIDE_IN_LIST: Finding(
        EngineName.SAIL,
        "planning time of a replaceWhere grows with the square of the list: 0.6 s at 305 literals, 108 s at 4,096",
        "pysail 0.7.2",
        "pipelines.engine.is_in, which writes lists of 64 joined by OR",
    ),
}
"""Every hazard with its finding; ``docs/reference/engines.md`` has the same table (tested)."""


def refuse(engine: EngineName, hazard: Hazard) -> None:
    """Raise where `engine` is known to carry out `hazard` wrongly.

    Raises:
        PipelineError: it is; with what was seen and what to do instead.
    """
    finding = HAZARDS[hazard]
    if finding.engine is engine:
        raise PipelineError(
            f"the engine {engine} does {hazard} wrongly without saying so: {finding.seen}",
            where=finding.release,
            fix=f"use {finding.instead}",
        )


_FILES = re.compile(r"\b(?:FROM|JOIN)\s+`?(csv|json|text|orc|parquet|binaryfile)`?\s*\.\s*`", re.IGNORECASE)
_UNION = re.compile(r"\bUNION\b", re.IGNORECASE)
MOST_UNIONS = 64
"""Of one query."""


def hazards_of(statement: str) -> set[Hazard]:
    """Return what a query asks for that some engine carries out wrongly: files read as tables, chains of unions."""
    formats = {match[1].lower() for match in _FILES.finditer(statement)}
    by_format = {"csv": Hazard.CSV_READER, "binaryfile": Hazard.BINARY_FILES}
    found = {by_format.get(name, Hazard.ABSENT_PATH) for name in formats}
    return found | ({Hazard.CHAINED_UNIONS} if len(_UNION.findall(statement)) > MOST_UNIONS else set())


class Capability(enum.Enum):
    """An operation that some engines lack; `Engine` goes another way there."""

    DELTA_MAINTENANCE = enum.auto()
    """OPTIMIZE, ZORDER BY and VACUUM in SQL."""
    LIQUID_CLUSTERING = enum.auto()
    """``CLUSTER BY``; Delta's open source writers leave the table without it readable by all."""
    PERSIST = enum.auto()
    """`DataFrame.persist` keeps what was computed."""
    LASTING_CATALOGUE = enum.auto()
    """Tables that are registered by name are there for the next session, and for people."""
    STREAMING = enum.auto()
    """Structured Streaming, with checkpoints and file sinks."""


CAPABILITIES: dict[EngineName, frozenset[Capability]] = {
    EngineName.SAIL: frozenset(),
    EngineName.SPARK: frozenset(Capability) - {Capability.LASTING_CATALOGUE, Capability.LIQUID_CLUSTERING},
    EngineName.DATABRICKS: frozenset(Capability),
}
"""What each engine has."""
