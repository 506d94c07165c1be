"""The environment in which jobs run on a laptop: the wheel's lock with one engine's extra, and the built wheel.

``.levee/data-env`` is to the laptop what a cluster with its libraries is to Databricks: the ``pipelines`` project is
not on its path; the wheel, built as it is deployed, is installed into it. Everything is made once and again only when
what it is made from changes.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from levee.errors import EngineError, UsageError
from levee.lock import exclusive
from levee.toolchain import uv_path

ENGINES: Final = ("sail", "spark")
EXTRAS: Final = ("text",)
"""What is installed beside an engine's extra: what a contract of the domain may ask for."""


def engine_of(asked: str | None) -> str:
    """Which embedded engine a command works with: the one that was asked for, else ``LEVEE_ENGINE``, else ``sail``."""
    return asked or os.environ.get("LEVEE_ENGINE") or ENGINES[0]


@dataclass(frozen=True, slots=True)
class DataEnv:
    """A ready data environment.

    Attributes:
        folder: Its virtual environment.
        wheel: The wheel that is installed in it.
        wheel_sha256: That wheel's digest, hexadecimal.
    """

    folder: Path
    wheel: Path
    wheel_sha256: str

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"


def ensure_data_env(root: Path, engine: str = "sail", console: Console | None = None) -> DataEnv:
    """Bring the data environment up to date with the wheel's sources and lock.

    Args:
        root: The checkout.
        engine: Which engine's extra to install, ``sail`` or ``spark``, beside `EXTRAS`; each has its own environment.
        console: Where progress goes; standard error where absent.

    Raises:
        UsageError: There is no such engine.
        EngineError: uv could not build or install it.
    """
    if engine not in ENGINES:
        raise UsageError(f"{engine!r} is no engine", fix=f"set LEVEE_ENGINE to one of {', '.join(ENGINES)}")
    console = console or Console(stderr=True)
    folder = root / ".levee" / ("data-env" if engine == "sail" else f"data-env-{engine}")
    memory = folder / "levee.json"
    with exclusive(root / ".levee" / "locks" / folder.name, doing="preparing the data environment", patience=math.inf):
        locked = _digest([root / "pipelines" / "uv.lock"], sys.version, engine, *EXTRAS)
        known = _memory(memory)
        if known.get("lock") != locked:
            with console.status(f"Installing the data environment ({engine}) into {folder.relative_to(root)}"):
                _sync(root, folder, engine)
            known = {"lock": locked}
        wheel = build_wheel(root, console)
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if known.get("wheel") != digest:
            with console.status(f"Installing {wheel.name}"):
                _install(root, folder, wheel)
        if known.get("wheel") != digest:
            memory.write_text(json.dumps({"lock": locked, "wheel": digest}))
    return DataEnv(folder, wheel, digest)


def build_wheel(root: Path, console: Console | None = None) -> Path:
    """The wheel of the ``pipelines`` project as it is now, in ``.levee/wheels``; built only when a source changed.

    Raises:
        EngineError: uv could not build it.
    """
    console = console or Console(stderr=True)
    project = root / "pipelines"
    sources = [project / "pyproject.toml", *(f for f in (project / "src").rglob("*") if f.is_file())]
    digest = _digest(sorted(f for f in sources if "__pycache__" not in f.parts))
    out = root / ".levee" / "wheels"
    memory = out / "sources.json"
    known = _memory(memory)
    if known.get("sources") == digest and (out / known.get("wheel", "")).is_file():
        return out / known["wheel"]
    stage = out / f".build-{os.getpid()}"
    try:
        with console.status("Building the pipelines wheel"):
            _uv(root, ["build", "--quiet", "--wheel", "--out-dir", str(stage), str(project)])
        [wheel] = stage.glob("*.whl")
        kept = wheel.replace(out / wheel.name)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    memory.write_text(json.dumps({"sources": digest, "wheel": kept.name}))
    return kept


def _sync(root: Path, folder: Path, engine: str) -> None:
    arguments = ["sync", "--quiet", "--frozen", "--project", str(root / "pipelines")]
    arguments += [part for extra in (engine, *EXTRAS) for part in ("--extra", extra)]
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    arguments += ["--no-dev", "--no-install-project", "--python", python]
    _uv(root, arguments, UV_PROJECT_ENVIRONMENT=str(folder))


def _install(root: Path, folder: Path, wheel: Path) -> None:
    target = ["--python", str(folder / "bin" / "python")]
    arguments = ["pip", "install", "--quiet", "--offline", "--no-deps", "--reinstall", *target, str(wheel)]
    _uv(root, arguments)


def _uv(root: Path, arguments: Sequence[str], **variables: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"} | variables
    command = [str(uv_path(root)), *arguments]
    answer = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if answer.returncode:
        said = "\n  ".join(answer.stderr.strip().splitlines()[-6:]) or "(it said nothing)"
        raise EngineError(
            f"uv {arguments[0]} failed:\n  {said}",
            where=str(root / "pipelines"),
            fix="check that the package registry is reachable and the disk has room (`levee doctor`), then run again",
        )


def _digest(files: Iterable[Path], *more: str) -> str:
    digest = hashlib.sha256("\0".join(more).encode())
    for file in files:
        digest.update(f"\0{file.name}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _memory(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):  # never made, or half of it: make it anew
        return {}
    return content if isinstance(content, dict) else {}
