"""Build one Go command of a module whose ``go.mod`` and ``go.sum`` are committed, with a progress bar."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from levee.errors import EngineError, UsageError

OLDEST_GO: Final = (1, 21)
"""The first Go that fetches the toolchain which a ``go.mod`` asks for (go.dev/doc/toolchain)."""


def go_version(go: str) -> tuple[int, int] | None:
    """Major and minor of a Go command; ``None`` where it does not run."""
    try:
        answer = subprocess.run([go, "version"], capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"go(\d+)\.(\d+)", answer.stdout)
    return (int(found[1]), int(found[2])) if found else None


def build(
    module: Path, *, package: str, output: Path, defines: Mapping[str, str], console: Console, title: str
) -> None:
    """Build ``package`` to ``output``, which appears whole or not at all.

    Args:
        module: The folder of the ``go.mod``; never written to (``-mod=readonly``).
        package: Import path of a ``main`` package.
        output: The binary.
        defines: Package variables to set when linking.
        console: Where the progress bar goes: packages compiled of all that the command needs.
        title: What the bar says.

    Raises:
        UsageError: Go is missing or too old.
        EngineError: The build failed; the last lines of Go are in the message.
    """
    go = shutil.which("go")
    if go is None or (go_version(go) or (0, 0)) < OLDEST_GO:
        raise UsageError(
            "Go is missing" if go is None else f"the Go at {go} is too old",
            fix=f"install Go {OLDEST_GO[0]}.{OLDEST_GO[1]} or newer (go.dev/doc/install) and run the command again",
        )
    output.parent.mkdir(parents=True, exist_ok=True)
    for left in output.parent.glob(f".{output.name}-*"):  # of a build that was killed; the caller holds the lock
        left.unlink()
    part = output.with_name(f".{output.name}-{os.getpid()}")
    ldflags = " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in defines.items())])
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total} packages"))
    try:
        with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
            bar = progress.add_task(f"{title}: fetching its modules", total=None)
            needed = _lines([go, "list", "-mod=readonly", "-deps", package], module)
            progress.update(bar, description=title, total=len(needed), completed=0)
            command = [go, "build", "-v", "-mod=readonly", "-trimpath", "-ldflags", ldflags, "-o", str(part), package]
            _follow(command, module, _counter(progress, bar, len(needed), console, title), known=set(needed))
            progress.update(bar, completed=len(needed))
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)


def _counter(progress: Progress, bar: TaskID, total: int, console: Console, title: str) -> Callable[[], None]:
    """Advances the bar; where there is no terminal to draw one on, prints a line every tenth of the way."""
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        progress.advance(bar)
        if not console.is_terminal and done % max(total // 10, 1) == 0:
            console.print(f"{title}: {done} of {total} packages", highlight=False, soft_wrap=True)

    return advance


def _lines(command: list[str], folder: Path) -> list[str]:
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise _failure(command, answer.stderr.splitlines()[-5:], folder)
    return answer.stdout.split()


def _follow(command: list[str], folder: Path, advance: Callable[[], object], *, known: set[str]) -> None:
    last: deque[str] = deque(maxlen=5)
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            for line in process.stdout or ():
                if line.strip() in known:
                    advance()
                else:
                    last.append(line.strip())
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        raise _failure(command, list(last), folder)


def _failure(command: list[str], last: list[str], folder: Path) -> EngineError:
    said = "\n  ".join(last) or "(it said nothing)"
    return EngineError(
        f"{' '.join(command[:2])} failed:\n  {said}",
        where=str(folder),
        fix="check that the Go module proxy is reachable and that the disk has 3 GB free, then run the command again",
    )
