"""Starts the stand-in providers of an offline run in a process of their own, and stops them with it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from levee.errors import EngineError, LeveeError, UsageError


@contextmanager
def attached(
    site_packages: Path,
    *,
    cloud: Path,
    log: Path,
    errors_to: Path,
    cache: Path,
    stack: str,
    program: Path,
    state: Path,
    faults: Path | None,
    lookups: Path | None,
) -> Generator[Mapping[str, int]]:
    """Serve every provider package that the program's interpreter has, until the block is left.

    The process ends when its standard input closes, so it dies with this one, however that ends.

    Args:
        site_packages: Where the program's SDKs are.
        cloud: The simulated cloud's database.
        log: JSON lines: invented lookups, fidelity, faults.
        errors_to: File for what the process says on standard error.
        cache: Folder for what was read of the SDKs.
        stack: The stack's name.
        program: The folder that the program's relative paths start from.
        state: Its state file.
        faults: Rules of faults to inject.
        lookups: The project's own answers to lookups.

    Yields:
        Port by package name, on the loopback address.

    Raises:
        UsageError: The faults or lookups are malformed; with file and rule.
        EngineError: The process did not come up.
    """
    given = {
        "site-packages": site_packages,
        "cloud": cloud,
        "log": log,
        "cache": cache,
        "stack": stack,
        "program": program,
        "state": state,
        "faults": faults,
        "lookups": lookups,
    }
    errors_to.parent.mkdir(parents=True, exist_ok=True)
    with errors_to.open("wb") as errors:
        process = subprocess.Popen(
            _command(given), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        ready = process.stdout.readline()
        if not ready:
            raise _refusal(process.wait(), errors_to)
        yield json.loads(ready)["ports"]
    finally:
        process.stdin.close()
        process.stdout.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _command(given: Mapping[str, Path | str | None]) -> list[str]:
    flags = [part for name, value in given.items() if value is not None for part in (f"--{name}", str(value))]
    return [sys.executable, "-m", "levee.engine.standin", *flags]


def _refusal(code: int, errors: Path) -> LeveeError:
    """Why the process ended before it was ready: its own words where the user's files are wrong, else its last line."""
    said = errors.read_text(errors="replace").strip()
    if code == UsageError.exit_code:
        return UsageError(said)
    last = (said.splitlines() or ["no word of why"])[-1]
    return EngineError(f"the stand-in providers did not start: {last}", where=str(errors), fix="levee doctor")
