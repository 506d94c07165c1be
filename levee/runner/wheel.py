"""Calls a module of the wheel in the data environment, and tells its errors as our own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from typing import Final

from levee.errors import EngineError, GateError, LeveeError, UsageError
from levee.runner.dataenv import DataEnv

_ERRORS: Final[Mapping[int, type[LeveeError]]] = {
    error.exit_code: error for error in (GateError, UsageError, EngineError)
}


def call(
    prepared: DataEnv,
    module: str,
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    keep: int | None = None,
) -> str:
    """Run ``python -m <module>`` of the wheel and return its standard output.

    Args:
        prepared: The data environment.
        module: Such as ``pipelines.export``.
        arguments: Its arguments; paths as they are seen from this process's folder.
        environment: Variables of the process; this one's own without Python's where absent.
        keep: A descriptor that it holds open too: a lock, which is free only when both are gone.

    Raises:
        LeveeError: The module refused, by its exit code: with its message, place and mend.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        [str(prepared.python), "-P", "-m", module, *arguments],
        env=dict(own if environment is None else environment),
        capture_output=True,
        text=True,
        check=False,
        pass_fds=() if keep is None else (keep,),
    )
    if done.returncode == 0:
        return done.stdout
    raise _told(done, module)


def _told(done: subprocess.CompletedProcess[str], module: str) -> LeveeError:
    """A ``PipelineError`` as the wheel prints it: the message, then lines that begin with ``at`` and ``fix``."""
    lines = done.stderr.strip().splitlines()
    error = _ERRORS.get(done.returncode, EngineError)
    if not lines or lines[0].startswith("Traceback"):
        return EngineError(f"{module} failed: {lines[-1] if lines else 'it said nothing'}", fix="levee doctor")
    marked = {mark: line[len(mark) :] for line in lines for mark in ("  at  ", "  fix ") if line.startswith(mark)}
    words = [line for line in lines if not line.startswith(("  at  ", "  fix "))]
    return error("\n".join(words), where=marked.get("  at  "), fix=marked.get("  fix "))
