"""The place of one environment's review: both sides are written to the same path, one after the other.

A program that puts its own path into a property, an archive or a tag would otherwise differ from itself. What the
environment's interpreter was told to find in the checkout (an editable install) is found in the side under review.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from levee.engine import Project, Workspace
from levee.errors import UsageError
from levee.review.trees import Repository


@dataclass(frozen=True, slots=True)
class Place:
    """Where one environment is brought up and previewed.

    Attributes:
        repository: Where the sides come from.
        checkout: The project as the user has it, whose interpreter runs both sides.
        folder: The folder that the sides are written to.
    """

    repository: Repository
    checkout: Project
    folder: Path

    @property
    def root(self) -> Path:
        """The project's folder in it."""
        return self.folder / self.checkout.root.relative_to(self.repository.root)

    def write(self, tree: str) -> Project:
        """Write one side anew, with the checkout's virtual environment.

        Raises:
            UsageError: The side has no such project.
        """
        self.clear()
        self.repository.check_out(tree, self.folder)
        self._link_interpreter()
        if not self.root.is_dir():
            raise UsageError("no such folder at that commit", where=str(self.root.relative_to(self.folder)))
        project = Project.load(self.root)
        self._refuse_other_interpreter(project)
        return project

    def clear(self) -> None:
        """Remove whatever is there."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def workspace(self, project: Project, stack: str) -> Path:
        """The folder of the stack's state and simulated cloud."""
        return Workspace(project, stack).folder

    def imports(self) -> Mapping[str, str]:
        """What the program's process needs to import the side and not the checkout: ``PYTHONPATH``."""
        found = [
            str(self.folder / path.relative_to(self.repository.root))
            for file in sorted(self.checkout.site_packages.glob("*.pth"))
            for line in file.read_text(encoding="utf-8", errors="replace").splitlines()
            if (path := Path(line.strip())).is_absolute() and path.is_relative_to(self.repository.root)
        ]
        given = os.environ.get("PYTHONPATH")
        return {"PYTHONPATH": os.pathsep.join([*found, *([given] if given else [])])} if found else {}

    def _refuse_other_interpreter(self, project: Project) -> None:
        """A side may bring a program, not what runs it: that is the checkout's."""
        expected = self.checkout.interpreter
        if expected.is_relative_to(self.repository.root):
            expected = self.folder / expected.relative_to(self.repository.root)
        if project.runtime == self.checkout.runtime == "python" and project.interpreter != expected:
            raise UsageError(
                "that commit names another Python environment than the checkout",
                where=project.file.name,
                fix="check it out, install what it needs, and review from there",
            )

    def _link_interpreter(self) -> None:
        venv = self.checkout.interpreter.parent.parent
        if not venv.is_relative_to(self.repository.root):
            return
        link = self.folder / venv.relative_to(self.repository.root)
        if not link.exists():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(venv, target_is_directory=True)
