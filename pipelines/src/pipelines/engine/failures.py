"""What an engine says when it fails, in one sentence and with a mend: stack traces are for the log."""

from __future__ import annotations

import re

from pipelines.errors import PipelineError, UsageError

_DISK_FULL = re.compile(
    r"no space left|os error 28|errno 28|disk quota exceeded|file too large|os error 27", re.IGNORECASE
)
_GONE = re.compile(r"connection refused|socket closed|UNAVAILABLE|failed to connect", re.IGNORECASE)
_WORKER = re.compile(r"Python worker")
_RAISED = re.compile(r"^\s*(?:[\w.]+\.)?(?!PythonException)(\w+(?:Error|Exception)): (\S.*)$", re.MULTILINE)
_MEND = re.compile(r"^ +fix (\S.*)$", re.MULTILINE)
LONGEST = 300
"""Characters of an engine's message that are shown."""


def interrupted(error: BaseException | None) -> bool:
    """Tell whether an error came of Ctrl-C: the client then asks the engine to stop, which may have stopped already.

    A chain of causes may be a ring: who handles an error may raise again what had caused it.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, KeyboardInterrupt):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False


def failure(error: BaseException, where: str) -> PipelineError:
    """Translate an engine's error; what a worker refused as wrong use, such as a key that is not there, stays that.

    Args:
        error: What pyspark, Sail, Spark or deltalake raised.
        where: Table or task that was at work.
    """
    if isinstance(error, PipelineError):
        return error
    text = str(error)
    if _DISK_FULL.search(text):
        return PipelineError(
            "the disk is full",
            where=where,
            fix="free some space and run again: the tables are as they were after their last whole commit",
        )
    if _GONE.search(text):
        return PipelineError(
            "the engine has gone", where=where, fix="run again; if it happens again, give it more memory or less work"
        )
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    first = lines[0] if lines else type(error).__name__
    if _WORKER.search(first) and (raised := _RAISED.findall(text)):
        name, said = raised[-1]
        if name == UsageError.__name__:
            return UsageError(said, where=where, fix=(_MEND.findall(text) or ["mend that, then run again"])[-1])
        first = said if name == PipelineError.__name__ else f"{name}: {said}"
    return PipelineError(
        f"the engine failed: {first[:LONGEST]}",
        where=where,
        fix="run again; if it fails again, report this message with the versions that `levee doctor` shows",
    )
