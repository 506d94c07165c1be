"""What every kind of extraction works with."""

from __future__ import annotations

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


def finish_whole(source: Source, plan: Event, prefix: str, staged: list[Landed]) -> list[Landed]:
    """Land the files of a whole source, and empty ones in place of those that it no longer fills.

    Args:
        source: The source.
        plan: The extraction.
        prefix: How the names of its files begin, whatever their form.
        staged: The files.
    """
    names = {file.name for file in staged}
    stale = [name for name in source.landing.names(prefix) if name not in names]
    landed = [*staged, *(source.landing.empty(name) for name in stale)]
    source.landing.publish(landed)
    source.extracts.finish(plan, {}, landed)
    return landed
