"""What is to be reviewed, and what every part of one review knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path, PurePosixPath

from levee.engine import Options, Project
from levee.engine.event_stream import Listener
from levee.review.model import Revision
from levee.review.trees import Repository
from levee.review.untrusted import Limits

Watch = Callable[[str, str], Listener | None]
"""Told the environment and what is being done; gives the listener of the engine's events."""


@dataclass(frozen=True)
class Request:
    """What to review.

    Attributes:
        folder: The project's folder, or one below it.
        base: What to compare with; ``None`` for the repository's main branch.
        head: What is proposed.
        environments: The environments or stacks; all of them where none is named.
        options: How to run the engine; packs and their configuration are the review's own business.
        today: The UTC date that exemptions and acceptances are judged by.
        watch: Gets told how far it is.
        limits: What the program may use, where it is not to be trusted; ``None`` where it is.
    """

    folder: Path
    base: str | None = None
    head: str = "HEAD"
    environments: Sequence[str] = ()
    options: Options = field(default_factory=Options)
    today: date = field(default_factory=lambda: datetime.now(UTC).date())
    watch: Watch = lambda _environment, _doing: None
    limits: Limits | None = None


@dataclass(frozen=True)
class Run:
    """One review at work.

    Attributes:
        request: What was asked for.
        repository: Where both sides come from.
        project: The project as the user has it.
        base: What it is compared with.
        head: What is proposed.
        folder: The review's own folder, below the project's.
    """

    request: Request
    repository: Repository
    project: Project
    base: Revision
    head: Revision
    folder: Path

    @property
    def subfolder(self) -> PurePosixPath:
        """The project's folder in the repository."""
        return PurePosixPath(self.project.root.relative_to(self.repository.root).as_posix())
