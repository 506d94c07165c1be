"""``levee replay DATASET``: judge quarantined rows again, then whatever is built from the dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from levee.errors import UsageError, meant
from levee.runner.job import TABLES, Job, Task

ENTRY_POINT: Final = "replay"
"""The wheel's task that moves a dataset's quarantined rows to where the corrected contract wants them."""


INTAKE: Final = "bronze"
"""The wheel's task that takes in what was delivered since, corrections among it."""


def replay_job(job: Job, dataset: str, acceptance: Mapping[str, str] | None = None, *, intake: bool = False) -> Job:
    """The job that replays one dataset: its silver task as ``replay``, then everything downstream of it.

    Args:
        job: The deployed job, whose parameters are used as they are.
        dataset: Name of the dataset.
        acceptance: ``accept``, ``by`` and ``reason`` where a held batch is let go on; all is judged again without.
        intake: Take in what was delivered before that.

    Raises:
        UsageError: The job has no such dataset.
    """
    silver = {task.parameters.get("dataset", ""): task for task in job.tasks if task.entry_point == "silver"}
    for task in job.tasks:
        if task.entry_point == TABLES:  # one task has them all
            silver |= dict.fromkeys(job.datasets, task)
    if dataset not in silver:
        raise UsageError(
            f"the job {job.name} has no dataset {dataset!r}",
            where=job.urn,
            fix=meant(dataset, sorted(silver)) if silver else "it has no silver task",
        )
    first = silver[dataset]
    again = replace(
        first,
        key=f"replay_{dataset}",
        entry_point=ENTRY_POINT,
        depends_on=(),
        parameters={**first.parameters, "dataset": dataset, **(acceptance or {})},
    )
    before: tuple[Task, ...] = ()
    if intake:
        taken = {**first.parameters, "dataset": dataset}
        before = (replace(first, key=f"{INTAKE}_{dataset}", entry_point=INTAKE, depends_on=(), parameters=taken),)
        again = replace(again, depends_on=tuple(task.key for task in before))
    reached = {first.key}
    after: list[Task] = []
    for task in job.tasks:  # in topological order
        if reached.intersection(task.depends_on):
            reached.add(task.key)
            renamed = tuple(again.key if key == first.key else key for key in task.depends_on)
            after.append(replace(task, depends_on=renamed))
    return replace(job, tasks=(*before, again, *after))
