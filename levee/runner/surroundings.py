"""What a laptop has in the place of a cloud: a folder for every bucket, a file for every secret.

Everything lies under ``<root>/.levee/<env>/``:

=====================  ============================================================================================
``lake/<bucket>/``     the content of each bucket that the deployed job names, also through a volume over it
``secrets/<scope>/``   one file a secret, mode 0600, made on first use from 32 random bytes and never in an argument
``runs/<run id>/``     ``job.json``, ``events.jsonl``, ``log.txt`` and ``result.json`` of each run
=====================  ============================================================================================
"""

from __future__ import annotations

import json
import os
import re
import secrets
import tempfile
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from levee.errors import EngineError, UsageError
from levee.runner.actor import VARIABLE as ACTOR
from levee.runner.actor import actor
from levee.runner.job import Task

_BUCKET: Final = re.compile(r"(?P<scheme>s3|s3a|gs|abfss)://(?P<place>[^/]+)")
_MOUNTED: Final = re.compile(r"/Volumes/[^/]+/[^/]+/[^/]+(?=/|$)")
_REFERENCE: Final = re.compile(r"\{\{\s*secrets/(?P<scope>[\w.-]+)/(?P<key>[\w.-]+)\s*\}\}")
_OURS: Final = ("LEVEE_ENGINE", "LEVEE_PATH_MAP", "LEVEE_PROGRESS")
"""Variables that say where a task runs: on a laptop they are the runner's, whatever the cluster would have."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """One environment's folders on this machine.

    Attributes:
        root: The checkout, absolute.
        env: Name of the environment.
        engine: ``sail`` or ``spark``.
        volumes: Bucket URL by path of the volume over it (``Job.volumes``).
        told: Further environment variables of the tasks' process.
    """

    root: Path
    env: str
    engine: str = "sail"
    volumes: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """``<root>/.levee/<env>``."""
        return self.root / ".levee" / self.env

    @property
    def lake(self) -> Path:
        """Where the buckets are."""
        return self.folder / "lake"

    @property
    def runs(self) -> Path:
        """Where runs keep their logs."""
        return self.folder / "runs"

    def run_folder(self, run_id: str) -> Path:
        """Where one run keeps its log."""
        return self.runs / run_id

    def path_map(self, tasks: Iterable[Task]) -> dict[str, str]:
        """Folder by bucket URL or volume path, for every bucket and volume that a parameter of ``tasks`` names.

        Raises:
            UsageError: A parameter names a volume that the stack has not.
        """
        found = {match[0]: self.local(match[0]) for match in _places(tasks)}
        return {url: str(folder) for url, folder in sorted(found.items())}

    def local(self, url: str) -> Path:
        """The folder in which a bucket URL, or a path in a volume over a bucket, lives here.

        Raises:
            UsageError: It is neither, or the stack has no such volume.
        """
        if mounted := _MOUNTED.match(url):
            if mounted[0] not in self.volumes:
                raise UsageError(
                    f"the stack has no volume {mounted[0]} over a bucket",
                    where=self.env,
                    fix=f"levee up {self.env}, which makes the volumes that its jobs are told of",
                )
            url = self.volumes[mounted[0]].rstrip("/") + url[mounted.end() :]
        found = _BUCKET.match(url)
        if not found:
            raise UsageError(
                f"{url!r} is no bucket URL and no path in a volume",
                fix="deploy the job with s3://, gs://, abfss:// or /Volumes/ roots",
            )
        return self._bucket(found["place"]) / url[found.end() :].strip("/")

    def _bucket(self, place: str) -> Path:
        # abfss://<container>@<account>.dfs.core.windows.net: a container's name is unique only within its account
        container, at, account = place.rpartition("@")
        return self.lake / account.split(".", 1)[0] / container if at else self.lake / place

    def environment(self, tasks: Iterable[Task], progress: Path) -> dict[str, str]:
        """The environment variables of the tasks' process, on top of this process's own.

        A variable that is a secret reference on the cluster (``NAME={{secrets/scope/key}}``) becomes ``NAME_FILE``,
        the path of a file that only this user can read.

        Args:
            tasks: The tasks that will run.
            progress: The JSONL file for progress events.

        Raises:
            UsageError: Two tasks want different values of one variable, which one process cannot give them; or nobody
                knows who runs them.
        """
        tasks = tuple(tasks)
        wanted: dict[str, str] = {}
        for task in tasks:
            for name, value in task.environment.items():
                if wanted.setdefault(name, value) != value:
                    raise UsageError(
                        f"two clusters of the job set {name} differently",
                        where=f"task {task.key}",
                        fix="give the job's clusters the same spark_env_vars",
                    )
        result = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
        for name, value in wanted.items():
            if name not in _OURS:
                result |= self._variable(name, value)
        return {**result, ACTOR: actor(), **self.told} | {
            "LEVEE_ENGINE": self.engine,
            "LEVEE_PATH_MAP": json.dumps(self.path_map(tasks)),
            "LEVEE_PROGRESS": str(progress),
        }

    def _variable(self, name: str, value: str) -> Mapping[str, str]:
        reference = _REFERENCE.fullmatch(value.strip())
        if reference:
            return {f"{name}_FILE": str(self.secret(reference["scope"], reference["key"]))}
        if _REFERENCE.search(value):
            raise UsageError(
                f"{name} mixes a secret reference with other text",
                fix="make the whole value of the variable one {{secrets/scope/key}}",
            )
        return {name: value}

    def secret(self, scope: str, key: str) -> Path:
        """The file of a secret: 32 random bytes in hexadecimal, made on first use, mode 0600 from its first byte."""
        file = self.folder / "secrets" / scope / key
        if not file.exists():
            (self.folder / "secrets").mkdir(parents=True, exist_ok=True, mode=0o700)
            file.parent.mkdir(exist_ok=True, mode=0o700)
            handle, part = tempfile.mkstemp(prefix=f".{key}-", dir=file.parent)  # mode 0600
            with os.fdopen(handle, "w") as out:
                out.write(secrets.token_hex(32))
            # The first of two that race wins, and both then read the same key.
            with suppress(FileExistsError):
                os.link(part, file)
            Path(part).unlink()
        return file


@contextmanager
def refusals(around: Surroundings, *, again: str) -> Generator[None]:
    """Turn what the machine refuses (a full disk, a missing right) into an error with its place and its mend.

    Args:
        around: Whose folders are written.
        again: The command to run when it is mended.

    Raises:
        EngineError: An ``OSError`` was raised inside.
    """
    try:
        yield
    except OSError as error:
        raise EngineError(
            f"this machine cannot keep the run: {error.strerror or error}",
            where=str(error.filename or around.folder),
            fix=f"mend that (`levee doctor` knows the disk), then {again}",
        ) from error


def _places(tasks: Iterable[Task]) -> Iterable[re.Match[str]]:
    for task in tasks:
        for value in task.parameters.values():
            if match := _BUCKET.match(value) or _MOUNTED.match(value):
                yield match
