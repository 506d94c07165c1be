"""Many source tables in one task: planned, run side by side in one session, each on its own account.

A table is a chain of steps (``bronze``, ``silver``, ...). Large ones, whose steps fill the machine by themselves, run
one after another; the small ones, whose time is mostly waiting for commits, share the workers. A table that fails stops
its own chain and no other; the task fails at the end and names every one. What is done is not done twice, so the task
is simply run again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from pipelines.bronze.storage import list_files
from pipelines.contracts.references import waves
from pipelines.engine.failures import failure, interrupted
from pipelines.errors import PipelineError, UpstreamError
from pipelines.progress import Progress
from pipelines.runs import TABLE as RUNS
from pipelines.settings import RunSettings

if TYPE_CHECKING:
    from pipelines.contracts.model import Contract
    from pipelines.engine import Engine

log = logging.getLogger(__name__)

STEPS = ("extract", "bronze", "silver", "replay")
"""Tasks that make a source table, as the run record names them."""
MAKERS = (*STEPS, "gold")
"""Tasks that make what models read."""
LARGE_BYTES = 64 << 20
"""Bytes of a table's landing folder above which the table runs alone."""
NAMED = 10
"""Reasons that the task's error tells, each on a line of its own; every one is in the log and in the run records."""
NAMED_TOGETHER = 5
"""Failed tables that it names of those that failed for the same reason."""

Step = Callable[["Engine", "Contract", RunSettings], object]


@dataclass(frozen=True, slots=True)
class Planned:
    """One table of the task.

    Attributes:
        contract: Its contract.
        bytes: Size of what lies in its landing folder.
    """

    contract: Contract
    bytes: int

    @property
    def large(self) -> bool:
        """Whether it runs alone."""
        return self.bytes > LARGE_BYTES


@dataclass(frozen=True, slots=True)
class TableRun:
    """What became of one table.

    Attributes:
        dataset: The table.
        failed_step: The step that failed; ``None`` where all went well.
        error: Its error.
    """

    dataset: str
    failed_step: str | None = None
    error: PipelineError | None = None


def tables_error(runs: Sequence[TableRun]) -> PipelineError | None:
    """The error of the task: what failed and why, a line a reason below the first; ``None`` where nothing failed.

    It is of the kind whose exit code asks for another try where one of the tables' is.
    """
    failed = [(run, run.error) for run in runs if run.error]
    if not failed:
        return None
    reasons: dict[str, list[str]] = {}
    for run, error in failed:
        place = f"\n    at {error.where}" if error.where else ""
        reasons.setdefault(f" ({run.failed_step}): {error.message}{place}", []).append(run.dataset)
    told = [f"\n  {_some(names)}{reason}" for reason, names in list(reasons.items())[:NAMED]]
    left = sum(len(names) for names in list(reasons.values())[NAMED:])
    more = f"\n  and {left} more, see the run records" if left else ""
    error = next((error for _, error in failed if error.exit_code == PipelineError.exit_code), failed[0][1])
    kind = PipelineError if error.exit_code == PipelineError.exit_code else type(error)
    return kind(
        f"{len(failed)} of {len(runs)} tables failed, the others are done:{''.join(told)}{more}",
        where=error.where,
        fix=error.fix,
    )


def _some(names: Sequence[str]) -> str:
    """Names, the first few of many."""
    told = ", ".join(names[:NAMED_TOGETHER])
    return told if len(names) <= NAMED_TOGETHER else f"{told} and {len(names) - NAMED_TOGETHER} others"


def planned(settings: RunSettings, contracts: Sequence[Contract]) -> list[Planned]:
    """Order tables: the largest first, so that none is left running alone at the end; equal ones by name."""
    found = [
        Planned(contract, sum(file.size for file in list_files(settings.deliveries(contract.dataset))))
        for contract in contracts
    ]
    return sorted(found, key=lambda table: (-table.bytes, table.contract.dataset))


def run_tables(
    engine: Engine,
    settings: RunSettings,
    contracts: Sequence[Contract],
    steps: Mapping[str, Step],
    *,
    workers: int,
) -> tuple[TableRun, ...]:
    """Run the steps of every table.

    Args:
        engine: The open engine, which all tables share.
        settings: Roots and run.
        contracts: The tables' contracts.
        steps: What is done with each table, in this order, by name.
        workers: Small tables at work at once.

    Returns:
        What became of each table, by name.
    """
    tables = planned(settings, contracts)
    progress = Progress(f"tables {settings.domain}", settings.progress)
    stopped = threading.Event()
    chain = {"keys": partial(_refuse_stale_keys, {contract.dataset: contract for contract in contracts}), **steps}
    done: list[TableRun] = []

    def run(table: Planned) -> TableRun:
        outcome = _run(engine, settings, table.contract, chain, stopped)
        done.append(outcome)
        progress.report(len(done), len(tables), "tables")
        return outcome

    with engine.gathered_records(), ThreadPoolExecutor(workers) as pool:
        try:
            runs: list[TableRun] = []
            for wave in waves([table.contract for table in tables]):
                names = {contract.dataset for contract in wave}
                ready = [table for table in tables if table.contract.dataset in names]
                runs += [run(table) for table in ready if table.large]
                runs += pool.map(run, [table for table in ready if not table.large])
        except BaseException:
            stopped.set()  # tables that have not begun do not begin
            raise
    return tuple(sorted(runs, key=lambda one: one.dataset))


def _refuse_stale_keys(
    known: Mapping[str, Contract], engine: Engine, contract: Contract, settings: RunSettings
) -> None:
    """Records must not be judged orphans because the table with their keys failed."""
    if contract.looked_up:
        refuse_stale(engine, settings, [known[name] for name in sorted(contract.looked_up & known.keys())])


def refuse_stale(engine: Engine, settings: RunSettings, inputs: Iterable[Contract]) -> None:
    """Raise where the last task of an input in this run failed: nothing is made of it as if it were up to date.

    Raises:
        UpstreamError: naming the inputs and their errors.
    """
    rows = engine.rows(settings.record_path(RUNS), matching={"run_id": settings.run_id}).to_pylist()
    wanted = list(inputs)
    steps = {contract.dataset: (*MAKERS, "quality") if contract.stops_pipeline else MAKERS for contract in wanted}
    last = {
        row["dataset"]: row
        for row in sorted(rows, key=lambda row: row["started_at"])
        if row["task"] in steps.get(row["dataset"], ())
    }
    names = list(steps)
    failed = [name for name in names if name in last and last[name]["status"] == "failed"]
    if failed:
        told = "; ".join(f"{name} ({last[name]['task']}: {last[name]['error']})" for name in failed)
        raise UpstreamError(
            f"not built, because an input failed in this run: {told}",
            where=settings.run_id,
            fix="mend the input, then run again; the published table is as it was",
        )


def _run(
    engine: Engine, settings: RunSettings, contract: Contract, steps: Mapping[str, Step], stopped: threading.Event
) -> TableRun:
    own = replace(settings, dataset=contract.dataset, progress=None)  # the task's own is in tables
    for name, step in steps.items():
        if stopped.is_set():
            raise KeyboardInterrupt
        try:
            step(engine, contract, own)
        except Exception as error:
            if interrupted(error):
                raise KeyboardInterrupt from error
            translated = failure(error, f"{name} {settings.domain}.{contract.dataset}")
            log.warning("%s.%s failed in %s: %s", settings.domain, contract.dataset, name, translated)
            return TableRun(contract.dataset, name, translated)
    return TableRun(contract.dataset)


__all__ = ["LARGE_BYTES", "STEPS", "Planned", "TableRun", "planned", "refuse_stale", "run_tables", "tables_error"]
