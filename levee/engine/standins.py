"""Starts the stand-in providers of an offline run in a process of their own, and stops them with it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from levee.errors import EngineError, UsageError


@contextmanager
def attached(
    site_packages: Path,
    *,
    cloud: Path,
    log: Path,
    errors_to: Path,
    cache: Path,
    stack: str,
    program: Path = Path(),
    state: Path | None = None,
    faults: Path | None = None,
    lookups: Path | None = None,
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
    command = [
        *(sys.executable, "-m", "levee.engine.standin"),
        *("--site-packages", str(site_packages)),
        *("--cloud", str(cloud)),
        *("--log", str(log)),
        *("--cache", str(cache)),
        *("--stack", stack),
        *("--program", str(program)),
        *(("--state", str(state)) if state else ()),
        *(("--faults", str(faults)) if faults else ()),
        *(("--lookups", str(lookups)) if lookups else ()),
    ]
    errors_to.parent.mkdir(parents=True, exist_ok=True)
    with errors_to.open("wb") as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        ready = process.stdout.readline()
        if not ready:
            said = errors_to.read_text(errors="replace").strip()
            if process.wait() == UsageError.exit_code:
                raise UsageError(said)
            last = (said.splitlines() or ["no word of why"])[-1]
            raise EngineError(f"the stand-in providers did not start: {last}", where=str(errors_to), fix="levee doctor")
        yield json.loads(ready)["ports"]
    finally:
        process.stdin.close()
        process.stdout.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
