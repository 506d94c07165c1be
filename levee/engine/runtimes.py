"""Programs in other languages than Python: the engine starts their language host from PATH, Levee attaches the rest.

Only a Python program is run by a host of Levee's own (:mod:`levee.engine.language_host`). For any other runtime the
stand-ins serve the packages whose Python SDKs are installed with Levee, whatever the program's own language; lookups
have no line, and stack references are the engine's business.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from levee.engine.language_host import LanguageHost, Program
from levee.engine.project import Project
from levee.engine.session import Session
from levee.errors import EngineError, UsageError

OURS = "python"


def require(project: Project, path: str, pulumi: Path) -> None:
    """Make sure that the program's language host can be started.

    Args:
        project: The program.
        path: The PATH that the engine gets.
        pulumi: The CLI, beside which its own hosts lie.

    Raises:
        UsageError: It is nowhere.
    """
    host = f"pulumi-language-{project.runtime}"
    if project.runtime == OURS or shutil.which(host, path=f"{path}{os.pathsep}{pulumi.resolve().parent}"):
        return
    raise UsageError(
        f"the program's runtime is {project.runtime!r}, and its language host {host!r} is not on PATH",
        where=str(project.file),
        fix=f"install Pulumi's own CLI, which brings {host}, and put its folder on PATH; "
        "`runtime: python` where the program is in Python",
    )


@contextmanager
def serving(session: Session, program: Program) -> Generator[tuple[Sequence[str], Callable[[], None] | None]]:
    """What the engine needs to run the program.

    Yields:
        Arguments of the CLI, and what ends the program where Levee runs it.
    """
    if session.project.runtime == OURS:
        with LanguageHost(program) as host:
            yield ["--client", f"127.0.0.1:{host.port}"], host.end_program
    else:
        if session.options.offline:
            _encrypt(session)
        yield [], None


def _encrypt(session: Session) -> None:
    """Give the engine the configuration's secrets: encrypted with the stack's own key, through standard input."""
    for key, value in session.secrets.items():
        path = ["--path"] if "." in key.rsplit(":", 1)[-1] else []
        done = session.cli("config", "set", "--secret", *path, "--stack", session.stack, key, stdin=value)
        if done.code != 0:
            raise EngineError(
                f"the secret {key!r} could not be given: {done.stderr.strip()}",
                where=str(session.folder),
                fix=f"--config {key}=VALUE, where its own value is the matter; else levee doctor",
            )
