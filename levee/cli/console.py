"""The terminal: one console for results, one for everything else, and progress while the engine works."""

from __future__ import annotations

import json
import sys
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from levee.engine.event_stream import Listener
from levee.files import write_whole

output: Final = Console(highlight=False)
"""Results: standard output."""

errors: Final = Console(stderr=True, highlight=False)
"""Errors and progress: standard error, so that results can be piped."""

ON_STDOUT: Final = ("--json", "-")


def write_json(document: Mapping[str, Any], to: Path) -> None:
    """Write a result for other programs, whole or not at all: to a file, or where ``-`` is given to standard output."""
    if to == Path("-"):
        print_json(document)
        return
    write_whole(to, json.dumps(document, indent=2) + "\n")


def answer(document: Mapping[str, Any], json: Path | None) -> Console:
    """Write a result as JSON, with the version of its form, where that is asked for.

    Args:
        document: The result.
        json: What ``--json`` gave.

    Returns:
        Where the words for a person go.
    """
    if json:
        write_json({"version": 1, **document}, json)
    return human(json)


def write_texts(texts: Iterable[tuple[str, str]], to: Path | None) -> None:
    """Write texts, each to the file of its name in a folder, or one after another to standard output."""
    for name, text in texts:
        if to is None:
            sys.stdout.write(text)
        else:
            write_whole(to / name, text)


def print_json(document: Mapping[str, Any]) -> None:
    """The document on standard output."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def human(json: Path | None) -> Console:
    """Where the words for a person go: standard output, unless the JSON goes there."""
    return errors if json == Path("-") else output


def say(line: Text, to: Console) -> None:
    """Print a sentence: broken between words on a terminal, whole where a program reads it."""
    to.print(line, soft_wrap=not to.is_terminal)


@contextmanager
def engine_progress(doing: str) -> Generator[Listener]:
    """Show how far the engine is while the block runs.

    Args:
        doing: What is shown, such as ``"previewing dev"``.

    Yields:
        The listener to give to the engine.
    """
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("resources"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task(doing, total=None)
        counter = _Counter()

        def listen(event: Mapping[str, Any]) -> None:
            counter.take(event)
            total = counter.planned if counter.carrying_out else None
            done = counter.done if counter.carrying_out else counter.planned
            phase = "" if not counter.carrying_out else " (applying)"
            progress.update(task, completed=done, total=total, description=f"{doing}{phase}")

        yield listen


class _Counter:
    """Counts steps: an update announces in its preview how many there will be."""

    def __init__(self) -> None:
        self._planned: set[str] = set()
        self._done: set[str] = set()

    @property
    def planned(self) -> int:
        return len(self._planned)

    @property
    def done(self) -> int:
        return len(self._done)

    @property
    def carrying_out(self) -> bool:
        return bool(self._done)

    def take(self, event: Mapping[str, Any]) -> None:
        for kind in ("resourcePreEvent", "resOutputsEvent"):
            if step := event.get(kind):
                into = self._planned if step.get("planning") else self._done
                into.add(step["metadata"]["urn"])
