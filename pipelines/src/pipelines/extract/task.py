"""The task: land what is new of one source, then end; bronze takes it up."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pipelines.contracts.servers import choose_server
from pipelines.engine.capabilities import Capability
from pipelines.errors import UsageError
from pipelines.extract.landing import Landed, Landing
from pipelines.extract.records import Extracts
from pipelines.extract.source import Source
from pipelines.runs import recorded
from pipelines.settings import RunSettings

if TYPE_CHECKING:
    from pipelines.contracts.model import Contract
    from pipelines.engine import Engine

log = logging.getLogger(__name__)


def extract(engine: Engine, contract: Contract, settings: RunSettings) -> list[Landed]:
    """Land what is new of a dataset's source.

    Returns:
        The files that were landed; none where nothing is new.

    Raises:
        UsageError: the contract has no extraction, or no server of the run's environment.
        SchemaError: the source is not what the contract says.
        PipelineError: the source failed, or cannot be read by this engine.
    """
    if contract.extraction is None:
        raise UsageError(
            f"{contract.dataset} has no extraction: its files are delivered",
            where=str(contract.path),
            fix=f"levee run {contract.domain}, which begins with bronze",
        )
    with recorded(engine, settings, "extract", contract) as tally:
        source = Source(
            engine,
            settings,
            contract,
            contract.extraction,
            choose_server(contract, settings.environment),
            Landing(settings.deliveries(contract.dataset), contract.extraction, settings.run_id),
            Extracts(engine, settings, contract, contract.extraction.subject),
        )
        if contract.extraction.kafka and not engine.can(Capability.STREAMING):
            lacking = (
                f"extract of the topic {contract.extraction.kafka.topic}: needs streaming, which {engine.name} lacks"
            )
            tally.not_run.append(lacking)
            log.warning("not run: %s", lacking)
            return []
        source.landing.sweep()
        landed = _kinds()[contract.extraction.kind](source)
        tally.files = len(landed)
        tally.bytes = sum(file.bytes for file in landed)
        tally.rows_in = tally.rows_out = sum(file.rows for file in landed)
    log.info("extract %s.%s: %d files, %d records", contract.domain, contract.dataset, tally.files, tally.rows_out)
    return landed


def extract_if_any(engine: Engine, contract: Contract, settings: RunSettings) -> list[Landed]:
    """Land what is new of a dataset's source, where it has one that is no files."""
    return extract(engine, contract, settings) if contract.extraction else []


def _kinds() -> Mapping[str, Callable[[Source], list[Landed]]]:
    """What lands each kind of source."""
    from pipelines.extract.jdbc import extract_table
    from pipelines.extract.kafka import extract_topic
    from pipelines.extract.rest import extract_pages

    return {"jdbc": extract_table, "rest": extract_pages, "kafka": extract_topic}
