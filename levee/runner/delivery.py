"""On a laptop nobody delivers files into the landing buckets, so before a run Levee does: real data, fetched once."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from levee.errors import EngineError, UsageError
from levee.runner.dataenv import DataEnv
from levee.runner.job import TABLES, Job
from levee.runner.surroundings import Surroundings
from levee.toolchain import uv_path
from pipelines.contracts import load_domain


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the landing folder of one dataset holds after a delivery.

    Attributes:
        dataset: The dataset.
        source: Name of the source that its contract names.
        folder: The landing folder.
        available: Whether this machine can fetch the source; where not, the folder stays as it is.
        new: Files laid down now.
        kept: Files that were there.
        size: Bytes of all of them.
    """

    dataset: str
    source: str
    folder: Path
    available: bool
    new: int
    kept: int
    size: int


def deliver(job: Job, around: Surroundings, prepared: DataEnv, console: Console) -> tuple[Delivery, ...]:
    """Lay the deliveries of every source that the job reads into its landing folder; what is there stays as it is.

    Raises:
        EngineError: A source cannot be fetched, or the disk is full.
    """
    made = []
    for dataset, source, landing in _sources(job):
        folder = around.local(landing) / job.domain / dataset
        with console.status(f"Fetching {source} for {job.domain}.{dataset}"):
            answer = _fetch(source, folder, around, prepared)
        delivery = Delivery(
            dataset=dataset,
            source=source,
            folder=folder,
            available=bool(answer["available"]),
            new=int(answer["new"]),
            kept=int(answer["kept"]),
            size=int(answer["bytes"]),
        )
        made.append(delivery)
        console.print(_line(delivery), highlight=False, soft_wrap=True)
    return tuple(made)


def _sources(job: Job) -> Iterator[tuple[str, str, str]]:
    """Dataset, source and landing root of every dataset that the job takes in and whose contract names a source."""
    domain = load_domain(job.domain)
    for task in job.tasks:
        named = task.parameters.get("dataset")
        takes = {"bronze": (named,) if named else (), TABLES: job.datasets}.get(task.entry_point, ())
        for dataset in takes if "landing" in task.parameters else ():
            source = domain.contract(dataset).source
            if source is not None:
                yield dataset, source.setting, task.parameters["landing"]


def _fetch(source: str, folder: Path, around: Surroundings, prepared: DataEnv) -> Mapping[str, Any]:
    cache = around.root / ".levee" / "sources"
    arguments = ["fetch", source, "--to", str(folder), "--cache", str(cache), "--if-available", "--json"]
    answer = subprocess.run(
        [str(prepared.python), "-P", "-m", "pipelines.sources", *arguments],
        cwd=around.root,
        env=os.environ | {"UV": str(uv_path(around.root))},
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        kind = UsageError if answer.returncode == UsageError.exit_code else EngineError
        raise kind(
            f"the source {source} cannot be delivered: {(answer.stderr.strip() or 'it said nothing')}",
            where=str(folder),
            fix=f"mend that, then levee run --env {around.env}",
        )
    return json.loads(answer.stdout)


def _line(delivery: Delivery) -> str:
    if not delivery.available:
        return (
            f"[yellow]{delivery.dataset}: the source {delivery.source} is not on this machine (set LEVEE_DATA); "
            "its landing folder stays as it is[/]"
        )
    files = f"{delivery.new} new deliveries, {delivery.kept} were there, {delivery.size / 1e6:,.1f} MB"
    return f"{delivery.dataset}: {files}, from {delivery.source}"
