"""A run of the engine that failed: all there is to say why, and the errors that blame the program."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from levee.engine.join import Events
from levee.engine.notes import Notes
from levee.engine.project import Project
from levee.errors import UsageError
from levee.plan import FilledConfig, Resource, Urn

_RESOURCE_NAMED: Final = re.compile(r"([\w.:/-]+) resource '([^']+)' has a problem")


class ProgramError(UsageError):
    """The Pulumi program, or what it asks for, is wrong: it raised, or a provider refused its inputs."""


class MissingConfigError(ProgramError):
    """The program requires a key that nobody has set.

    Attributes:
        key: The full key.
        secret: Whether it asked for a secret.
    """

    def __init__(self, key: str, stack: str, where: str | None, *, secret: bool) -> None:
        flag = "--secret " if secret else ""
        super().__init__(
            f"the program requires the configuration {key!r}, which nobody has set",
            where=where,
            fix=f"pulumi config set {flag}{key} VALUE --stack {stack}, for one run --config {key}=VALUE, "
            "or let Levee invent it: --fill-config",
        )
        self.key = key
        self.secret = secret


@dataclass(frozen=True)
class FailedRun:
    """All there is to say why.

    Attributes:
        project: What was run.
        stack: Its stack.
        text: Every error of the engine, joined.
        errors: The same with the URN that each concerns, or an empty one.
        events: What the engine said.
        notes: What the program's host wrote down; gives a refused resource its line.
        graph: What had been registered by then; gives a failed resource its line.
        filled: The configuration that was invented.
        offline: Whether stand-ins answered.
    """

    project: Project
    stack: str
    text: str
    errors: Sequence[tuple[str, str]]
    events: Events
    notes: Notes
    graph: Sequence[Resource]
    filled: Sequence[FilledConfig]
    offline: bool

    @property
    def unsent(self) -> str | None:
        """The line of the first resource that had not reached the engine: what an error of the SDK is mostly about."""
        return next((str(source) for source in self.notes.begun.values()), None)

    @property
    def where(self) -> str | None:
        """The line that registered the first resource that is complained of, else the traceback's."""
        told = next((str(c.source) for c in self.notes.complaints if c.source), None)
        complained_of = told or self.place([urn for urn, _ in self.errors if urn]) or self._of_component
        return complained_of or last_own_frame(self.project, self.text)

    @property
    def _of_component(self) -> str | None:
        """The line of a component that could not be constructed: the engine names it by type and name alone."""
        named = _RESOURCE_NAMED.search(self.text)
        source = self.notes.refused.get((named[1], named[2])) if named else None
        return str(source) if source else None

    def place(self, urns: Sequence[str]) -> str | None:
        """The line that registered the first of those resources, else its URN."""
        known = {r.urn: r.source for r in self.graph if r.source is not None}
        for text in urns:
            urn = Urn.parse(text)
            refused = self.notes.refused.get((urn.type, urn.name)) or self.notes.named.get(urn.name)
            if source := known.get(text) or refused:
                return str(source)
        return urns[0] if urns else None


def exception(text: str) -> str:
    """A traceback's exception with the whole of its message: from the first unindented line after the last frame."""
    lines = text.strip().splitlines()
    frames = [number for number, line in enumerate(lines) if line.startswith('  File "')]
    after = lines[frames[-1] + 1 :] if frames else lines
    start = next((number for number, line in enumerate(after) if line[:1].strip()), len(after) - 1)
    return "\n".join(after[start:]).rstrip()


def last_own_frame(project: Project, text: str) -> str | None:
    """``file:line`` of a traceback's last frame in the project, or ``None``."""
    own = own_frames(project, text)
    return own[-1] if own else None


def own_frames(project: Project, text: str) -> list[str]:
    """``file:line`` of the frames in the project, in the text's order: a frame of an SDK helps nobody."""
    frames = re.findall(r'File "([^"]+)", line (\d+)', text)
    inside = f"{project.root}{os.sep}"
    return [f"{file}:{line}" for file, line in frames if file.startswith(inside) and "/site-packages/" not in file]
