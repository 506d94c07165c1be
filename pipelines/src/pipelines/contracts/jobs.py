"""The job of a domain, derived from its contracts: what a Databricks job is made from, and a local run reads back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import requires
from itertools import chain
from typing import Literal

from pipelines.contracts.content import installed_content
from pipelines.contracts.domain import Domain
from pipelines.contracts.model import Contract
from pipelines.contracts.references import waves
from pipelines.errors import UsageError

PACKAGE = "levee_pipelines"
"""Package name of a wheel task (the wheel's distribution name, as Databricks spells it)."""

CLUSTER_EXTRA = "databricks"
"""Extra of the wheel: what a cluster's runtime lacks."""
TEXT_EXTRA = "text"
"""Extra of the wheel: what looks for personal data in free text, where a contract asks for it."""

GATES = frozenset({"quality", "gold"})
"""Entry points that say yes or no: asked again they say the same, so they are never tried again.

Databricks retries whatever failed, and cannot tell a gate from a lost machine; locally only a failure of an engine or
a service is tried again (``pipelines.jobhost``). With no retries for gates both agree.
"""

RunIf = Literal["ALL_SUCCESS", "ALL_DONE"]

RUN = {"run-id": "{{job.run_id}}", "attempt": "{{task.execution_count}}"}
"""Parameters that whoever runs the job fills in: the run's name, the same in all tasks, and which try this is."""

GROUPED_ABOVE = 20
"""Sources above which one task takes all of them: a job of Databricks has at most 1,000 tasks, each starts a process,
and a small table takes less time than that."""

_REQUIREMENT = re.compile(r"^(?P<requirement>[^;]+?)\s*;\s*extra\s*==\s*['\"](?P<extra>\w+)['\"]$")
_SOURCE_ROOTS = ("landing", "bronze", "silver", "gold", "quarantine", "audit", "checkpoints")


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """One task of a job.

    Attributes:
        key: Name of the task in its job.
        entry_point: Entry point of the wheel that it calls.
        parameters: Named parameters; roots and catalog are added by whoever knows them.
        depends_on: Keys of the tasks that must have succeeded.
        timeout_seconds: After which the task is stopped.
        max_retries: How often a failed task is tried again; every task may be run twice without harm. Gates: 0.
        description: One line for readers.
        run_if: ``ALL_DONE`` where it begins although some of those failed: it finds out what that is to it.
    """

    key: str
    entry_point: str
    parameters: Mapping[str, str]
    depends_on: tuple[str, ...]
    timeout_seconds: int
    max_retries: int
    description: str
    run_if: RunIf = "ALL_SUCCESS"


@dataclass(frozen=True, slots=True)
class JobSpec:
    """The job of one domain.

    Attributes:
        domain: Name of the domain.
        name: Name of the job.
        package_name: Wheel package of its tasks.
        tasks: Tasks, each after those it depends on.
        schedule: Quartz cron expression in UTC from the contracts' SLA; ``None`` where no contract has one.
        tags: Domain, classification and owner.
        sources: Datasets it reads.
        skipped: Models it does not build, each with the inputs that no chosen source gives.
        libraries: Requirements, pinned, that its tasks need beside the wheel and a cluster's runtime.
        content: Digest of the wheel's code, contracts and SQL that it was derived with.
    """

    domain: str
    name: str
    package_name: str
    tasks: tuple[TaskSpec, ...]
    schedule: str | None
    tags: Mapping[str, str]
    sources: tuple[str, ...]
    skipped: Mapping[str, tuple[str, ...]]
    libraries: tuple[str, ...]
    content: str


def job_spec(
    domain: Domain,
    *,
    sources: Collection[str] | None = None,
    roots: Mapping[str, str] | None = None,
    catalog: str | None = None,
    environment: str | None = None,
    timeout_seconds: int = 3600,
    max_retries: int = 2,
) -> JobSpec:
    """Derive the job of `domain`: extract -> bronze -> silver -> gold, quality -> maintain.

    Above `GROUPED_ABOVE` sources, their tasks are one: ``tables`` -> gold -> maintain.

    Args:
        domain: The domain.
        sources: Datasets that the job reads; all of the domain's by default.
        roots: Root URL by layer (``landing``, ``bronze``, ...); added to every task's parameters.
        catalog: Unity Catalog catalog; added to every task's parameters.
        environment: Deployment target; added to every task's parameters.
        timeout_seconds: Of each task.
        max_retries: Of each task that is no gate (`GATES`).

    Raises:
        UsageError: one of `sources` is not a source of the domain.
    """
    chosen = domain.choose(sources)
    grouped = len(chosen) > GROUPED_ABOVE
    places = {layer: roots[layer] for layer in _SOURCE_ROOTS if roots and layer in roots}
    # Hundreds of names would be longer than a task's parameters may be.
    names = {} if grouped and chosen == domain.sources else {"sources": ",".join(item.dataset for item in chosen)}
    draft = _Draft(
        {
            "domain": domain.name,
            **names,
            **RUN,
            **places,
            **({"catalog": catalog} if catalog else {}),
            **({"environment": environment} if environment else {}),
        },
        timeout_seconds,
        max_retries,
    )
    of_sources = [_tables_task(draft, chosen)] if grouped else _source_tasks(draft, chosen)
    tasks = [*of_sources, *_model_tasks(draft, domain, chosen, grouped=grouped)]
    return JobSpec(
        domain=domain.name,
        name=f"levee-{domain.name}",
        package_name=PACKAGE,
        tasks=(*tasks, _maintain_task(draft, tasks)),
        schedule=_schedule(chosen),
        tags=_tags(domain),
        sources=tuple(source.dataset for source in chosen),
        skipped=domain.skipped(chosen),
        libraries=cluster_libraries(_extras(chosen)),
        content=installed_content(),
    )


@dataclass(frozen=True, slots=True)
class _Draft:
    """What all tasks of a job have in common.

    Attributes:
        parameters: Of every task.
        timeout_seconds: Of each.
        max_retries: Of each that is no gate.
    """

    parameters: Mapping[str, str]
    timeout_seconds: int
    max_retries: int

    def task(
        self,
        entry_point: str,
        description: str,
        *,
        of: tuple[str, str] | None = None,
        after: tuple[str, ...] = (),
        run_if: RunIf = "ALL_SUCCESS",
        gate: bool = False,
    ) -> TaskSpec:
        """Make one task.

        Args:
            entry_point: What it calls.
            description: One line for readers.
            of: Parameter and name of the table that it is about; ``None`` for the whole domain.
            after: Keys of the tasks before it.
            run_if: As in :class:`TaskSpec`.
            gate: Whether it says yes or no, though its entry point is not in `GATES`.
        """
        return TaskSpec(
            key=f"{entry_point}_{of[1]}" if of else entry_point,
            entry_point=entry_point,
            parameters={**self.parameters, **dict([of] if of else [])},
            depends_on=after,
            timeout_seconds=self.timeout_seconds,
            max_retries=0 if gate or entry_point in GATES else self.max_retries,
            description=description,
            run_if=run_if,
        )


def _tables_task(draft: _Draft, chosen: Collection[Contract]) -> TaskSpec:
    """All sources in one task."""
    what = f"Take {len(chosen)} tables from their sources into silver and check them, many at once"
    return draft.task("tables", what)


def _source_tasks(draft: _Draft, chosen: Sequence[Contract]) -> Iterator[TaskSpec]:
    """Extract, bronze, silver and quality of each source; its silver after that of the keys which its rules look up."""
    for source in chain.from_iterable(waves(chosen)):
        name = source.dataset
        of = ("dataset", name)
        extracted: tuple[str, ...] = ()
        if source.extraction:
            yield draft.task("extract", f"Land what is new of {name} in {source.extraction.server}", of=of)
            extracted = (f"extract_{name}",)
        yield draft.task("bronze", f"Land the deliveries of {name} as they came", of=of, after=extracted)
        keys = tuple(f"silver_{other.dataset}" for other in chosen if other.dataset in source.looked_up)
        what = f"Type, split and mask {name}; reject into quarantine"
        yield draft.task("silver", what, of=of, after=(f"bronze_{name}", *keys))
        what = f"Check {name} against its contract; write Data Docs"
        yield draft.task("quality", what, of=of, after=(f"silver_{name}",))


def _model_tasks(draft: _Draft, domain: Domain, chosen: Collection[Contract], *, grouped: bool) -> Iterator[TaskSpec]:
    """The models that the chosen sources allow, each after what it reads; all of them gates."""
    models = domain.buildable(chosen)
    for model in models:
        read = [item for item in domain.inputs(model) if item in chosen or item in models]
        together = {item.dataset for item in read if grouped and item in chosen}
        after = ("tables" if item.dataset in together else f"{_gate(item)}_{item.dataset}" for item in read)
        yield draft.task(
            model.layer,
            f"Build {model.dataset}",
            of=("table" if model.layer == "gold" else "dataset", model.dataset),
            after=tuple(dict.fromkeys(after)),
            run_if="ALL_DONE" if together else "ALL_SUCCESS",
            gate=True,
        )


def _maintain_task(draft: _Draft, tasks: Collection[TaskSpec]) -> TaskSpec:
    """The care of tables after all that nothing else waits for, and after the grouped task, which may fail alone."""
    read_by_others = {key for item in tasks for key in item.depends_on}
    last = tuple(item.key for item in tasks if item.key not in read_by_others or item.entry_point == "tables")
    return draft.task("maintain", "Compact, cluster and vacuum the domain's tables", after=last)


def cluster_libraries(extras: Collection[str] = (CLUSTER_EXTRA,)) -> tuple[str, ...]:
    """What the wheel's own metadata says a cluster must install beside it: the requirements of its extras.

    Raises:
        UsageError: the wheel was installed before it had one of them.
    """
    lines = [match for line in requires(PACKAGE) or () if (match := _REQUIREMENT.match(line))]
    found = [match["requirement"] for match in lines if match["extra"] in extras]
    if not set(extras) <= {match["extra"] for match in lines}:
        raise UsageError(f"the installed {PACKAGE} names no libraries of a cluster", fix="make sync")
    return tuple(found)


def _extras(sources: Collection[Contract]) -> tuple[str, ...]:
    detects = any(
        column.masking is not None and column.masking.method == "detect"
        for source in sources
        for column in source.columns
    )
    return (CLUSTER_EXTRA, TEXT_EXTRA) if detects else (CLUSTER_EXTRA,)


def _gate(read: Contract) -> str:
    """Entry point that a model waits for: the quality task of a source that may stop what comes after."""
    return "quality" if read.layer == "source" and read.stops_pipeline else read.published.value


def _schedule(sources: Collection[Contract]) -> str | None:
    for source in sources:
        for promise in source.standard.sla_properties:
            if promise.property == "frequency" and promise.scheduler == "quartz":
                return promise.schedule
    return None


def _tags(domain: Domain) -> Mapping[str, str]:
    owners = Counter(sorted(contract.owner for contract in domain.contracts if contract.owner)).most_common(1)
    tags = {"domain": domain.name, "data-classification": domain.classification.value}
    return {**tags, "owner": owners[0][0]} if owners else tags
