"""What every kind of extraction works with."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.contracts.extensions import Extraction
from pipelines.contracts.model import Contract
from pipelines.contracts.odcs import Server
from pipelines.extract.landing import Landed, Landing
from pipelines.extract.records import Event, Extracts
from pipelines.settings import RunSettings

if TYPE_CHECKING:
    from pipelines.engine import Engine


@dataclass(frozen=True, slots=True)
class Source:
    """One source, and where what it has goes.

    Attributes:
        engine: The engine, for sources that it reads itself.
        settings: The run's.
        contract: The dataset's.
        extraction: The contract's extraction.
        server: Where the source is.
        landing: The dataset's landing folder.
        extracts: What earlier extractions did.
    """

    engine: Engine
    settings: RunSettings
    contract: Contract
    extraction: Extraction
    server: Server
    landing: Landing
    extracts: Extracts


def whole_prefix(source: Source, event: Event) -> str:
    """How the names of the files of a whole source begin.

    They stay the same, and a file takes the place of the one before it; where silver keeps a history by snapshots, each
    snapshot is a folder of its own, in the order of their numbers.
    """
    return f"snapshot={event.number:06d}/" if source.contract.keeps_snapshots else "snapshot-"


def emptied(source: Source, prefix: str, kept: Collection[str]) -> list[Landed]:
    """Land empty files in place of those that a whole source no longer fills.

    Args:
        source: The source.
        prefix: How the names of its files begin.
        kept: Names, without the suffix, that this extraction has filled.
    """
    suffix = source.extraction.suffix
    stale = [name for name in source.landing.names(prefix) if name.removesuffix(suffix) not in kept]
    fields = source.contract.source_fields
    files = [source.landing.stage(name.removesuffix(suffix), (), fields) for name in stale if name.endswith(suffix)]
    if files:
        source.landing.publish(files)
    return files


__all__ = ["Source", "emptied", "whole_prefix"]
