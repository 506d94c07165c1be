"""The tasks that a job calls by name (entry points of the group ``levee.tasks``).

Every task takes the job's parameters as ``--name value`` (``sys.argv`` by default), raises
:class:`~pipelines.errors.PipelineError` where it fails, so that a scheduler sees the failure, and may be run again at
any time: what is done is not done twice. Tasks of one process share one session.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pipelines.contracts import Contract, Domain, load_domain
from pipelines.contracts.catalogue import entries
from pipelines.errors import UsageError
from pipelines.progress import Progress
from pipelines.settings import Layer, RunSettings

if TYPE_CHECKING:
    from pipelines.engine import Engine

log = logging.getLogger("levee")

Argv = Sequence[str] | None

TABLES_AT_ONCE = 4
"""Small tables that one task works on at once: most of their time is waiting for commits."""


def extract(argv: Argv = None) -> int:
    """Land what is new of one dataset's source, where that is no files (``--dataset``)."""
    from pipelines.engine import Engine
    from pipelines.extract.task import extract as land

    settings, domain = _start("extract", argv)
    engine = Engine.open(settings.engine, entries(settings, domain))
    land(engine, _contract(domain, settings.dataset, "source", "--dataset"), settings)
    return 0


def bronze(argv: Argv = None) -> int:
    """Take the landing folder's new deliveries of one dataset into bronze (``--dataset``)."""
    from pipelines.bronze.ingest import ingest
    from pipelines.engine import Engine

    settings, domain = _start("bronze", argv)
    engine = Engine.open(settings.engine, entries(settings, domain))
    ingest(engine, _contract(domain, settings.dataset, "source", "--dataset"), settings)
    return 0


def tables(argv: Argv = None) -> int:
    """Take every source table of the job through bronze, silver and its checks, many at once in one session."""
    from pipelines.bronze.ingest import ingest
    from pipelines.engine import Engine
    from pipelines.extract.task import extract_if_any
    from pipelines.silver.refine import refine
    from pipelines.tables import run_tables, tables_error

    settings, domain = _start("tables", argv)
    engine = Engine.open(settings.engine, entries(settings, domain))
    steps = {"extract": extract_if_any, "bronze": ingest, "silver": refine, "quality": check_dataset}
    done = run_tables(engine, settings, domain.choose(settings.sources), steps, workers=TABLES_AT_ONCE)
    if error := tables_error(done):
        raise error
    log.info("tables %s: %d done", domain.name, len(done))
    return 0


def silver(argv: Argv = None) -> int:
    """Refine what bronze has taken in of one dataset, or build the silver table of a model (``--dataset``)."""
    settings, domain = _start("silver", argv)
    contract = domain.contract(settings.dataset) if settings.dataset else None
    if contract is not None and contract.layer == Layer.SILVER:
        return _build("silver", settings, domain, contract)
    return _refine("silver", argv, again=False)


def replay(argv: Argv = None) -> int:
    """Judge every record of one dataset again, by the contract as it is now (``--dataset``), or one held batch.

    With ``--accept BATCH --by WHO --reason WHY`` a batch that is held goes on as it is, and nothing else is judged.
    """
    return _refine("replay", argv, again=True)


def _refine(task: str, argv: Argv, *, again: bool) -> int:
    from pipelines.engine import Engine
    from pipelines.quarantine.replay import replayed
    from pipelines.silver.holding import accept
    from pipelines.silver.refine import refine

    settings, domain = _start(task, argv)
    engine = Engine.open(settings.engine, entries(settings, domain))
    dataset = _contract(domain, settings.dataset, "source", "--dataset")
    if settings.acceptance:
        accept(engine, settings, dataset, settings.acceptance)
    if again and settings.acceptance is None:
        replayed(engine, settings, dataset)
    else:
        refine(engine, dataset, settings)
    return 0


def gold(argv: Argv = None) -> int:
    """Build one gold table (``--table``)."""
    settings, domain = _start("gold", argv)
    return _build("gold", settings, domain, _contract(domain, settings.table, "gold", "--table"))


def _build(task: str, settings: RunSettings, domain: Domain, model: Contract) -> int:
    from pipelines.engine import Engine
    from pipelines.gold.build import build
    from pipelines.runs import recorded
    from pipelines.tables import refuse_stale

    engine = Engine.open(settings.engine, entries(settings, domain))
    with recorded(engine, settings, task, model, domain) as tally:
        refuse_stale(engine, settings, domain.inputs(model))
        built = build(engine, settings, domain, model)
        tally.rows_out = built.rows
    state = "unchanged" if built.inputs else "not built, as nothing was delivered"
    state = state if built.unchanged else f"built ({built.how}{': ' if built.why else ''}{built.why})"
    log.info("%s %s.%s %s: %d rows", task, domain.name, built.table, state, built.rows)
    return 0


def quality(argv: Argv = None) -> int:
    """Check one dataset against its contract (``--dataset``)."""
    from pipelines.engine import Engine

    settings, domain = _start("quality", argv)
    engine = Engine.open(settings.engine, entries(settings, domain))
    check_dataset(engine, _contract(domain, settings.dataset, "source", "--dataset"), settings)
    return 0


def check_dataset(engine: Engine, dataset: Contract, settings: RunSettings) -> None:
    """Check one dataset against its contract, recorded as a task run."""
    from pipelines.quality.task import check
    from pipelines.runs import recorded

    with recorded(engine, settings, "quality", dataset) as tally:
        checked = check(engine, settings, dataset)
        tally.rows_in = max((line.rows or 0 for line in checked.lines), default=0)
        tally.rules = {
            line.check_id: line.failed for line in checked.lines if line.batch == "candidates" and line.failed
        }
    ran = [line for line in checked.lines if line.not_run is None]
    skipped = len(checked.lines) - len(ran)
    log.info(
        "quality %s.%s: %d checks ran, %d did not, %d expectations failed, docs %s",
        settings.domain,
        checked.dataset,
        len(ran),
        skipped,
        sum(line.success is False for line in ran),
        checked.docs,
    )


def maintain(argv: Argv = None) -> int:
    """Compact, cluster and vacuum the tables of the job's sources and gold."""
    from pipelines.engine import Engine
    from pipelines.maintain import maintain as care

    settings, domain = _start("maintain", argv)
    progress = Progress(f"maintain {domain.name}", settings.progress)
    engine = Engine.open(settings.engine, entries(settings, domain))
    done = care(engine, settings, domain, lambda n, total: progress.report(n, total, "tables"))
    log.info("maintain %s: %d of %d tables", domain.name, sum(not cared.unchanged for cared in done), len(done))
    return 0


def erase(argv: Argv = None) -> int:
    """Erase the person that ``--request`` names from every layer, and write the certificate into audit."""
    return _privacy("erase", argv)


def scan(argv: Argv = None) -> int:
    """Search every file outside the raw zone for raw personal values."""
    return _privacy("scan", argv)


def rotate(argv: Argv = None) -> int:
    """Mask the domain's silver anew with the key that is set, and build what is made of it."""
    return _privacy("rotate", argv)


def _privacy(verb: str, argv: Argv) -> int:
    from pipelines.privacy.tasks import VERBS

    settings, domain = _start(verb, argv)
    answer = VERBS[verb](settings, domain)
    log.info("%s %s: %s", verb, domain.name, ", ".join(sorted(answer)))
    return 0


def _start(task: str, argv: Argv) -> tuple[RunSettings, Domain]:
    settings = RunSettings.parse(sys.argv[1:] if argv is None else argv, task=task)
    return settings, load_domain(settings.domain)


def _contract(domain: Domain, name: str | None, layer: str, parameter: str) -> Contract:
    """The contract that the task was told, of the layer that it works on.

    Raises:
        UsageError: it was told none, or one of another layer.
    """
    names = ", ".join(contract.dataset for contract in domain.contracts if contract.layer == layer)
    if name is None:
        raise UsageError(f"the task was not told its {layer}", fix=f"pass {parameter} with one of {names}")
    contract = domain.contract(name)
    if contract.layer != layer:
        raise UsageError(
            f"{name} is of the layer {contract.layer}",
            where=str(contract.path),
            fix=f"pass {parameter} with one of {names}",
        )
    return contract


TASKS: dict[str, Callable[[Argv], int]] = {
    "extract": extract,
    "tables": tables,
    "bronze": bronze,
    "silver": silver,
    "gold": gold,
    "quality": quality,
    "maintain": maintain,
    "replay": replay,
    "erase": erase,
    "scan": scan,
    "rotate": rotate,
}
"""Every task by its entry point's name."""
