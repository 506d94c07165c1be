"""Which project and which stack a command means, where it was told little or nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from levee.engine.project import FILES, Project
from levee.errors import UsageError

DEFAULT_STACK: Final = "dev"
_LOOKED_INTO: Final = 300
"""Folders that are searched for a project to propose."""


def find_project(folder: Path) -> Project:
    """The project of a folder: as Pulumi does, the nearest ``Pulumi.yaml`` there or above.

    Raises:
        UsageError: There is none; what lies below is proposed.
    """
    start = folder.resolve()
    if not start.is_dir():
        what = "not a folder" if start.exists() else "no such folder"
        raise UsageError(what, where=str(start), fix="pass the project's folder: --cwd DIR")
    for root in (start, *start.parents):
        if any((root / name).is_file() for name in FILES):
            return Project.load(root)
    raise UsageError("no Pulumi.yaml here or above", where=str(start), fix=_proposal(start))


def _proposal(start: Path) -> str:
    """Where a project is, or how to make one of the program that is here."""
    found: list[str] = []
    for looked, (here, folders, files) in enumerate(os.walk(start)):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in {"node_modules", "venv"})
        if "Pulumi.yaml" in files:
            found.append(os.path.relpath(here, start))
        if looked > _LOOKED_INTO or len(found) > 3:
            break
    if found:
        more = f" (also {', '.join(found[1:])})" if found[1:] else ""
        return f"pass the project's folder: --cwd {found[0]}{more}"
    if (start / "__main__.py").is_file():
        return f"printf 'name: {start.name}\\nruntime: python\\n' > Pulumi.yaml"
    return "pass the project's folder: --cwd DIR"


def stack_names(project: Project) -> tuple[str, ...]:
    """The stacks that have a configuration file."""
    files = project.config_dir.glob("Pulumi.*.y*ml") if project.config_dir.is_dir() else ()
    return tuple(sorted(file.name.split(".", 1)[1].rsplit(".", 1)[0] for file in files))


def choose_stack(project: Project, given: str | None = None) -> str:
    """The stack that is meant: the given one, the only one, else ``dev``.

    Raises:
        UsageError: None was given and there are several, none of which is ``dev``.
    """
    if given:
        return given
    names = stack_names(project)
    if len(names) == 1:
        return names[0]
    if not names or DEFAULT_STACK in names:
        return DEFAULT_STACK
    raise UsageError(
        f"which stack? there are {', '.join(names)}", where=str(project.config_dir), fix=f"levee preview {names[0]}"
    )
