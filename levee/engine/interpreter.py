"""Which Python runs a program, and where its packages are: the rules of Pulumi's own Python toolchains.

Source: ``pulumi/pulumi`` ``sdk/python/toolchain/{pip,uv,poetry}.go``; Poetry's names of its environments:
``poetry/utils/env/env_manager.py``, ``generate_env_name``.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from levee.errors import UsageError

_TOOLCHAINS: Final = ("pip", "poetry", "uv")
_POETRY_SECONDS: Final = 30


def find(root: Path, options: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> Path:
    """The interpreter of a program.

    ``virtualenv`` where the project names one; else the toolchain's own environment; else the ``.venv`` or ``venv``
    beside ``Pulumi.yaml``; else an activated environment that has ``pulumi``; else Levee's own interpreter.

    Args:
        root: The folder of ``Pulumi.yaml``.
        options: ``runtime.options`` of ``Pulumi.yaml``.
        environment: The caller's environment variables.

    Raises:
        UsageError: The named environment or toolchain is not there.
    """
    where = str(root / "Pulumi.yaml")
    toolchain = named_toolchain(root, options) or "pip"
    named = options.get("virtualenv")
    if named and toolchain != "poetry":
        python = _python(root / str(named))
        if python is None:
            raise UsageError(
                f"Pulumi.yaml names the virtual environment {str(named)!r}, which has no Python",
                where=where,
                fix=_MAKE[toolchain].format(root=root, venv=root / str(named)),
            )
        return python
    if toolchain == "poetry":
        return _required(_poetry(root, environment), toolchain, root, where)
    if toolchain == "uv":
        return _required(_uv(root, environment), toolchain, root, where)
    beside = (root / ".venv", root / "venv", *_activated(environment))
    return next((python for folder in beside if (python := _python(folder))), Path(sys.executable))


def named_toolchain(root: Path, options: Mapping[str, Any]) -> str:
    """``uv``, ``poetry`` or ``pip`` as ``Pulumi.yaml`` names it; empty where it names none.

    Args:
        root: The folder of ``Pulumi.yaml``.
        options: ``runtime.options`` of ``Pulumi.yaml``.

    Raises:
        UsageError: It names another.
    """
    named = str(options.get("toolchain") or "").lower()
    if named and named not in _TOOLCHAINS:
        fix = f"toolchain: {' or '.join(_TOOLCHAINS)}"
        raise UsageError(f"unknown toolchain {named!r}", where=str(root / "Pulumi.yaml"), fix=fix)
    return named


def nearest(folder: Path, name: str) -> Path | None:
    """The nearest folder, from this one upwards, that holds a file of that name: how uv and Poetry look for theirs."""
    return next((f for f in (folder, *folder.parents) if (f / name).is_file()), None)


_MAKE: Final = {
    "pip": "python3 -m venv {venv} and install the program's requirements there",
    "uv": "cd {root} && uv sync",
    "poetry": "cd {root} && poetry install",
}


def site_packages(python: Path) -> Path:
    """Where the interpreter's packages are.

    Raises:
        UsageError: It is no interpreter, or has no such folder.
    """
    if python == Path(sys.executable):
        return Path(sysconfig.get_paths()["purelib"])
    for folder in ("lib", "lib64"):
        found = sorted((python.parent.parent / folder).glob("python3*/site-packages"))
        if found and (python.parent.parent / "pyvenv.cfg").is_file():
            return found[-1]
    # No virtual environment: only the interpreter knows where its distribution keeps packages.
    question = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    try:
        said = subprocess.run([python, "-c", question], capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as failed:
        raise UsageError(
            f"no site-packages: {failed}", where=str(python), fix="make the virtual environment anew"
        ) from failed
    return Path(said.stdout.strip())


def _required(folder: Path | None, toolchain: str, root: Path, where: str) -> Path:
    python = _python(folder) if folder else None
    if python is None:
        raise UsageError(
            f"the toolchain {toolchain!r} has no environment for this project{f' at {folder}' if folder else ''}",
            where=where,
            fix=_MAKE[toolchain].format(root=root),
        )
    return python


def _python(folder: Path) -> Path | None:
    return next((p for name in ("python", "python3") if (p := folder / "bin" / name).exists()), None)


def _activated(environment: Mapping[str, str]) -> Iterator[Path]:
    """The activated environment, where a program could run in it."""
    active = environment.get("VIRTUAL_ENV") or environment.get("CONDA_PREFIX")
    if active and any((Path(active) / "lib").glob("python3*/site-packages/pulumi")):
        yield Path(active)


def _uv(root: Path, environment: Mapping[str, str]) -> Path:
    """Beside the nearest ``uv.lock``, else the nearest ``pyproject.toml``, else in the project."""
    home = nearest(root, "uv.lock") or nearest(root, "pyproject.toml") or root
    return home / environment.get("UV_PROJECT_ENVIRONMENT", ".venv")


def _poetry(root: Path, environment: Mapping[str, str]) -> Path | None:
    """What Poetry says; where it is not on PATH, the place where it would have made the environment."""
    home = nearest(root, "pyproject.toml")
    if home is None:
        return None
    poetry = shutil.which("poetry", path=environment.get("PATH"))
    if poetry:
        return _poetry_says(poetry, home, environment)
    return home / ".venv" if (home / ".venv").is_dir() else _poetry_cached(home, environment)


def _poetry_says(poetry: str, home: Path, environment: Mapping[str, str]) -> Path | None:
    """The folder that ``poetry env info`` prints; ``None`` where there is none yet.

    Raises:
        UsageError: Poetry does not start, or does not answer in half a minute.
    """
    command = [poetry, "env", "info", "--path", "--no-ansi"]
    try:
        asked = subprocess.run(
            command,
            cwd=home,
            env=dict(environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=_POETRY_SECONDS,
        )
    except (OSError, subprocess.SubprocessError) as failed:
        fix = "name the environment's folder: runtime.options.virtualenv, with toolchain: pip"
        raise UsageError(f"Poetry does not say where it is: {failed}", where=str(home), fix=fix) from failed
    said = asked.stdout.strip()
    return Path(said) if asked.returncode == 0 and said else None


def _poetry_cached(home: Path, environment: Mapping[str, str]) -> Path | None:
    """Where Poetry would have made the environment: named after the project and a digest of its folder."""
    name = _project_name(home / "pyproject.toml")
    cache = environment.get("XDG_CACHE_HOME") or str(Path(environment.get("HOME") or Path.home()) / ".cache")
    cache = environment.get("POETRY_CACHE_DIR") or f"{cache}/pypoetry"
    folder = Path(environment.get("POETRY_VIRTUALENVS_PATH") or f"{cache}/virtualenvs")
    if not name or not folder.is_dir():
        return None
    digest = base64.urlsafe_b64encode(hashlib.sha256(str(home).encode()).digest()).decode()[:8]
    plain = re.sub(r'[ $`!*@"\\\r\n\t]', "_", str(name).lower())[:42]
    found = sorted(folder.glob(f"{plain}-{digest}-py*"))
    return found[-1] if found else None


def _project_name(file: Path) -> str:
    """What a ``pyproject.toml`` calls the project; empty where it does not say.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as wrong:  # of text that is no UTF-8, and of what is no TOML
        raise UsageError(f"cannot be read: {wrong}", where=str(file), fix="mend the file: poetry check") from wrong
    tool = document.get("tool")
    tables = (document.get("project"), tool.get("poetry") if isinstance(tool, dict) else None)
    return next((str(table["name"]) for table in tables if isinstance(table, dict) and table.get("name")), "")
