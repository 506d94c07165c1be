"""The job of a domain, read back from the deployed stack's state.

What is read is what ``databricks.Job`` was registered with (Databricks Jobs API 2.2, ``jobs/create``): nothing of the
contracts or of the components is asked again, so a laptop runs exactly what was provisioned. Only the names of tables
that are one task (:data:`TABLES`) are the contracts': hundreds would be longer than a task's parameters may be.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from levee.errors import UsageError, meant
from levee.plan import SECRET, UNKNOWN, Plan, Resource
from pipelines.contracts import load_domain

TABLES: Final = "tables"
"""The wheel's task that takes all source tables of a job."""
JOB: Final = "databricks:index/job:Job"
VOLUME: Final = "databricks:index/volume:Volume"
CONTENT_TAG: Final = "wheel-content"
"""Tag of a job: digest of the wheel's content that it was deployed with."""
LAYERS: Final = ("bronze", "silver", "gold")
"""Where a run may start."""


@dataclass(frozen=True, slots=True)
class Task:
    """One task of a job.

    Attributes:
        key: Its name in the job.
        package: The wheel's distribution name, as Databricks spells it.
        entry_point: The entry point that it calls.
        parameters: Named parameters as deployed, such as ``{"domain": "sales", "bronze": "s3://…"}``.
        depends_on: Keys of the tasks before it.
        run_if: ``ALL_SUCCESS`` or ``ALL_DONE`` of those.
        timeout_seconds: After which it is stopped; 0 for never.
        max_retries: How often a failed one is tried again.
        retry_seconds: Least pause before the next attempt.
        environment: The cluster's ``spark_env_vars``, secret references unresolved.
        wheel: File name of the wheel that the cluster installs; empty where the job names none.
    """

    key: str
    package: str
    entry_point: str
    parameters: Mapping[str, str]
    depends_on: tuple[str, ...]
    run_if: Literal["ALL_SUCCESS", "ALL_DONE"]
    timeout_seconds: int
    max_retries: int
    retry_seconds: float
    environment: Mapping[str, str]
    wheel: str = ""

    def argv(self, run_id: str) -> tuple[str, ...]:
        """The arguments as Databricks hands named parameters to a wheel: ``--name=value``.

        Raises:
            UsageError: A value holds a dynamic reference that only Databricks can resolve.
        """
        return tuple(f"--{name}={self._resolved(name, value, run_id)}" for name, value in self.parameters.items())

    def _resolved(self, name: str, value: str, run_id: str) -> str:
        known = {"job.run_id": run_id, "task.name": self.key, "task.execution_count": ""}  # the host counts

        def answer(match: re.Match[str]) -> str:
            if match[1] in known:
                return known[match[1]]
            raise UsageError(
                f"parameter {name!r} of task {self.key} refers to {match[0]}, which a local run does not know",
                where=f"task {self.key}",
                fix=f"use one of {', '.join(known)} in the component that makes the job, and bring the stack up again",
            )

        return re.sub(r"\{\{\s*([\w.]+)\s*\}\}", answer, value)


@dataclass(frozen=True, slots=True)
class Job:
    """The job of one domain; its tasks stand in topological order.

    Attributes:
        urn: URN of the deployed job.
        name: Its name.
        domain: Domain that it runs.
        tasks: Its tasks.
        content: Digest of the wheel's content that it was deployed with; empty where the job does not say.
        volumes: Bucket URL by path (``/Volumes/<catalog>/<schema>/<name>``) of each volume over a bucket that its
            workspace has.
    """

    urn: str
    name: str
    domain: str
    tasks: tuple[Task, ...]
    content: str = ""
    volumes: Mapping[str, str] = field(default_factory=dict)

    @property
    def datasets(self) -> tuple[str, ...]:
        """The source datasets that it reads, in its tasks' order."""
        named = [name for task in self.tasks if (name := task.parameters.get("dataset"))]
        return tuple(dict.fromkeys([*named, *self._together()]))

    def _together(self) -> list[str]:
        """Datasets of a job whose tables are one task: those it names, else all of the domain's."""
        for task in self.tasks:
            if task.entry_point == TABLES:
                chosen = task.parameters.get("sources")
                return chosen.split(",") if chosen else [item.dataset for item in load_domain(self.domain).sources]
        return []

    def starting_at(self, layer: str) -> Job:
        """Only the tasks of ``layer`` and everything downstream of them; what lies before counts as done.

        Raises:
            UsageError: No task of the job belongs to that layer.
        """
        chosen: set[str] = set()
        entries = {layer} if layer == "gold" else {layer, TABLES}
        for task in self.tasks:
            if task.entry_point in entries or chosen.intersection(task.depends_on):
                chosen.add(task.key)
        if not chosen:
            offered = ", ".join(dict.fromkeys(task.entry_point for task in self.tasks))
            raise UsageError(f"the job {self.name} has no {layer} task", where=self.urn, fix=f"choose one of {offered}")
        return replace(self, tasks=tuple(task for task in self.tasks if task.key in chosen))


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class _Cluster(_Model):
    spark_env_vars: dict[str, str] = Field(default_factory=dict)


class _JobCluster(_Model):
    job_cluster_key: str
    new_cluster: _Cluster


class _Dependency(_Model):
    task_key: str


class _Wheel(_Model):
    package_name: str
    entry_point: str
    named_parameters: dict[str, str] = Field(default_factory=dict)


class _Library(_Model):
    whl: str | None = None


class _Task(_Model):
    task_key: str
    libraries: tuple[_Library, ...] = ()
    python_wheel_task: _Wheel
    depends_ons: tuple[_Dependency, ...] = ()
    run_if: Literal["ALL_SUCCESS", "ALL_DONE"] = "ALL_SUCCESS"
    timeout_seconds: int = 0
    max_retries: int = 0
    min_retry_interval_millis: int = 0
    job_cluster_key: str | None = None
    new_cluster: _Cluster | None = None


class _Job(_Model):
    name: str = ""
    tasks: tuple[_Task, ...] = ()
    job_clusters: tuple[_JobCluster, ...] = ()
    tags: dict[str, str] = Field(default_factory=dict)


def jobs_of(plan: Plan) -> tuple[Job, ...]:
    """Every domain's job of the deployed stack, by domain.

    Raises:
        UsageError: The stack is not up, or holds a job that a laptop cannot run.
    """
    found = {name: resource for resource in plan.of_type(JOB) if (name := _domain_of(resource))}
    if not found:
        raise UsageError(
            f"the stack {plan.stack} is not up: it holds no job", where=plan.stack, fix=f"levee up {plan.stack}"
        )
    return tuple(
        replace(_read(resource, name), volumes=_volumes(plan, resource)) for name, resource in sorted(found.items())
    )


def job_of(plan: Plan, domain: str) -> Job:
    """The job that the deployed stack holds for ``domain``.

    Args:
        plan: The deployed stack (``levee.engine.deployed``).
        domain: Name of the domain, which every task of its job has as a parameter.

    Raises:
        UsageError: The stack is not up, holds no such job, or one that a laptop cannot run.
    """
    jobs = {job.domain: job for job in jobs_of(plan)}
    if domain not in jobs:
        raise UsageError(
            f"the stack {plan.stack} holds no job of the domain {domain!r}",
            where=plan.stack,
            fix=f"{meant(domain, jobs)}, or add the domain to the environment and run levee up {plan.stack}",
        )
    return jobs[domain]


def job_with(plan: Plan, dataset: str) -> tuple[Job, str]:
    """The deployed job that has a dataset, and the dataset's name.

    Args:
        plan: The deployed stack.
        dataset: ``DOMAIN.NAME``, or ``NAME`` where only one deployed domain has it.

    Raises:
        UsageError: The stack is not up, no deployed job has that dataset, or more than one has.
    """
    domain, _, name = dataset.rpartition(".")
    jobs = [job_of(plan, domain)] if domain else jobs_of(plan)
    chosen = [job for job in jobs if name in job.datasets]
    if len(chosen) != 1:
        known = [f"{job.domain}.{each}" for job in jobs for each in job.datasets]
        raise UsageError(
            f"{'more than one domain' if chosen else 'no deployed job'} has a dataset {name!r}",
            where=plan.stack,
            fix=meant(name, known),
        )
    return chosen[0], name


def _domain_of(resource: Resource) -> str | None:
    for task in resource.inputs.get("tasks") or ():
        wheel = task.get("pythonWheelTask") if isinstance(task, Mapping) else None
        if isinstance(wheel, Mapping):
            return (wheel.get("namedParameters") or {}).get("domain")
    return None


def _volumes(plan: Plan, job: Resource) -> dict[str, str]:
    """The volumes over buckets of the job's own workspace: two clouds' workspaces have volumes of the same name."""
    beside = (volume.inputs for volume in plan.of_type(VOLUME) if volume.provider == job.provider)
    return {
        f"/Volumes/{made['catalogName']}/{made['schemaName']}/{made['name']}": str(made["storageLocation"])
        for made in beside
        if made.get("storageLocation")
    }


def _read(resource: Resource, domain: str) -> Job:
    try:
        job = _Job.model_validate(resource.inputs)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"the job {resource.name} cannot run here: {place}: {first['msg']}",
            where=resource.urn,
            fix="give every task a python wheel, or run this job on Databricks",
        ) from error
    clusters = {cluster.job_cluster_key: cluster.new_cluster for cluster in job.job_clusters}
    tasks = {task.task_key: _task(task, clusters, resource.urn) for task in job.tasks}
    return Job(
        urn=resource.urn,
        name=job.name or resource.name,
        domain=domain,
        tasks=_ordered(tasks, resource.urn),
        content=job.tags.get(CONTENT_TAG, ""),
    )


def _task(task: _Task, clusters: Mapping[str, _Cluster], urn: str) -> Task:
    wheel = task.python_wheel_task
    cluster = task.new_cluster or clusters.get(task.job_cluster_key or "") or _Cluster()
    for name, value in wheel.named_parameters.items():
        if value in (SECRET, UNKNOWN):
            raise UsageError(
                f"parameter {name!r} of task {task.task_key} is {'a secret' if value == SECRET else 'unknown'}",
                where=urn,
                fix="pass secrets by reference ({{secrets/scope/key}} in spark_env_vars), never as a parameter",
            )
    return Task(
        key=task.task_key,
        package=wheel.package_name,
        entry_point=wheel.entry_point,
        parameters=dict(wheel.named_parameters),
        depends_on=tuple(dependency.task_key for dependency in task.depends_ons),
        run_if=task.run_if,
        timeout_seconds=task.timeout_seconds,
        max_retries=max(task.max_retries, 0),
        retry_seconds=task.min_retry_interval_millis / 1000,
        environment=dict(cluster.spark_env_vars),
        wheel=next((library.whl.rsplit("/", 1)[-1] for library in task.libraries if library.whl), ""),
    )


def _ordered(tasks: Mapping[str, Task], urn: str) -> tuple[Task, ...]:
    graph: dict[str, Sequence[str]] = {key: task.depends_on for key, task in tasks.items()}
    try:
        order = tuple(TopologicalSorter(graph).static_order())
        return tuple(tasks[key] for key in order)
    except CycleError as error:
        reason = f"its tasks wait for each other: {' -> '.join(error.args[1])}"
    except KeyError as error:
        reason = f"a task depends on {error}, which it does not have"
    raise UsageError(f"the job cannot run: {reason}", where=urn, fix="mend the component that makes the job")
