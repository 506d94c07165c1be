"""Which datasets a task reads and writes, and what they are called outside.

Names follow OpenLineage's naming of datasets: namespace and name of the URL that the job was told of, never of the
folder that a laptop maps it to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from pipelines.contracts.model import Column, Contract
from pipelines.contracts.servers import choose_server
from pipelines.errors import UsageError
from pipelines.observe.facts import TaskRun
from pipelines.settings import Layer, RunSettings

READS: Final[Mapping[str, tuple[Layer, ...]]] = {
    "bronze": (Layer.LANDING,),
    "silver": (Layer.BRONZE,),
    "replay": (Layer.BRONZE,),
    "quality": (Layer.SILVER,),
}
"""Layers of the task's own dataset that it reads; models read other datasets (`sources_of`)."""

WRITES: Final[Mapping[str, tuple[Layer, ...]]] = {
    "extract": (Layer.LANDING,),
    "bronze": (Layer.BRONZE,),
    "silver": (Layer.SILVER, Layer.QUARANTINE),
    "replay": (Layer.SILVER, Layer.QUARANTINE),
    "restore": (Layer.BRONZE, Layer.SILVER, Layer.QUARANTINE),
}
"""Layers of the task's own dataset that it writes; a model writes the one that it is published in."""

MODEL_TASKS: Final = ("silver", "gold")
"""Tasks that build the table of a model."""

CARES: Final = ("maintain", "restore", "erase")
"""Tasks that commit to tables which others made."""


@dataclass(frozen=True, slots=True)
class Place:
    """A dataset as the world knows it.

    Attributes:
        contract: Its contract.
        layer: Which of the contract's tables (or, in landing, folders) it is; ``None`` for the source itself.
        namespace: Scheme and authority of its URL (``s3://bucket``), or ``file``.
        name: Path within.
        uri: The whole.
    """

    contract: Contract
    layer: Layer | None
    namespace: str
    name: str
    uri: str


def place(settings: RunSettings, layer: Layer, contract: Contract) -> Place | None:
    """Name a dataset of the run's domain; ``None`` where the task was not told where that layer is."""
    root = settings.roots.get(layer)
    if root is None:
        return None
    uri = "/".join([root.rstrip("/"), settings.domain, contract.dataset])
    parts = urlsplit(uri)
    if parts.scheme and parts.netloc:
        return Place(contract, layer, f"{parts.scheme}://{parts.netloc}", parts.path.lstrip("/"), uri)
    return Place(contract, layer, "file", parts.path, f"file://{parts.path}")


def inputs(run: TaskRun) -> tuple[Place, ...]:
    """What the task reads."""
    if run.task == "extract":
        found = [source(run)]
    elif run.contract.model is not None:
        found = [place(run.settings, each.published, each) for each in sources_of(run)]
    else:
        found = [place(run.settings, layer, run.contract) for layer in READS.get(run.task, ())]
    return tuple(each for each in found if each is not None)


def source(run: TaskRun) -> Place | None:
    """The table, resource or topic that a contract extracts, as its server and extraction name it."""
    extraction = run.contract.extraction
    if extraction is None:
        return None
    try:
        server = choose_server(run.contract, run.settings.environment)
    except UsageError:
        return None  # the task itself says so
    if extraction.jdbc is not None:
        namespace = f"postgres://{server.host}:{server.port or 5432}"
        name = ".".join(part for part in (server.database, server.schema_, extraction.jdbc.table) if part)
    elif extraction.rest is not None:
        parts = urlsplit(server.location or "")
        namespace, name = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/") + extraction.rest.path
    else:
        namespace = f"kafka://{server.host}"
        name = extraction.kafka.topic if extraction.kafka else ""
    return Place(run.contract, None, namespace, name, f"{namespace}/{name.lstrip('/')}")


def outputs(run: TaskRun) -> tuple[Place, ...]:
    """What the task writes."""
    found = [place(run.settings, layer, run.contract) for layer in _written_layers(run)]
    return tuple(each for each in found if each is not None)


def written(run: TaskRun) -> dict[Layer, str]:
    """The tables that the task writes, where this machine reaches them, by layer."""
    tables = (layer for layer in _written_layers(run) if layer.holds_tables and layer in run.settings.roots)
    return {layer: run.settings.table_path(layer, run.contract.dataset) for layer in tables}


def committed(run: TaskRun) -> dict[str, str]:
    """Every table that the task may commit to, where this machine reaches it, by what its record calls it.

    A dataset's own tables are called by their layer, others ``LAYER.TABLE``: its history, and those of other datasets
    where a task works on the whole domain.
    """
    contracts = run.domain.contracts if run.task == "erase" and run.domain else (run.contract,)
    return {
        layer.value if table == run.contract.dataset else f"{layer.value}.{table}": run.settings.table_path(
            layer, table
        )
        for contract in contracts
        for layer in _committed_layers(run.task, contract)
        if layer in run.settings.roots
        for table in (contract.silver_tables if layer is Layer.SILVER else (contract.dataset,))
    }


def _committed_layers(task: str, contract: Contract) -> tuple[Layer, ...]:
    if contract.model is not None:
        return (contract.published,) if task in (*MODEL_TASKS, *CARES) else ()
    every = (Layer.BRONZE, Layer.SILVER, Layer.QUARANTINE)
    return every if task in CARES else tuple(layer for layer in WRITES.get(task, ()) if layer.holds_tables)


def published(run: TaskRun) -> str:
    """Where the dataset's published table is, as this machine reaches it."""
    return run.settings.table_path(run.contract.published, run.contract.dataset)


def sources_of(run: TaskRun) -> tuple[Contract, ...]:
    """Contracts whose published tables a model reads in this job; none where the domain is not known."""
    if run.domain is None:
        return ()
    chosen = run.domain.choose(run.settings.sources)
    there = (*chosen, *run.domain.buildable(chosen))
    return tuple(contract for contract in run.domain.inputs(run.contract) if contract in there)


def event_time(contract: Contract) -> Column | None:
    """The column that says when what a row tells of happened.

    It is the ``element`` of the SLA's ``latency`` (ODCS v3.1, SLA), else what a check of freshness looks at.
    """
    promised = (each.element for each in contract.standard.sla_properties if each.property == "latency")
    checks = (*contract.checks, *(check for column in contract.columns for check in column.quality))
    checked = (check.look.freshness.column or check.column for check in checks if check.look and check.look.freshness)
    name = next((found for found in (*promised, *checked) if found), "").rpartition(".")[2]
    return next((column for column in contract.columns if column.name == name), None)


def _written_layers(run: TaskRun) -> tuple[Layer, ...]:
    if run.contract.model is not None:
        return (run.contract.published,) if run.task in MODEL_TASKS else ()
    return WRITES.get(run.task, ())
