"""What a person sees of a run: one line a task, with a bar where the task says how far it is."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from levee.runner.job import Task

_MARKS = {"succeeded": "[green]✓[/]", "failed": "[red]✗[/]", "skipped": "[yellow]–[/]", "retried": "[yellow]↻[/]"}


class RunProgress:
    """Live bars on a terminal; one plain line a finished task elsewhere, so that a CI log shows the same."""

    def __init__(self, console: Console, title: str, tasks: tuple[Task, ...]) -> None:
        self._console = console
        self._live = console.is_terminal
        self._title = title
        self._width = max((len(task.key) for task in tasks), default=0)
        self._bars: dict[str, TaskID] = {}
        self._progress = Progress(
            SpinnerColumn(finished_text=" "),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[amount]}"),
            TimeElapsedColumn(),
            console=console,
            disable=not self._live,
        )
        for task in tasks:
            self._bars[task.key] = self._progress.add_task(
                f"  {task.key.ljust(self._width)}", total=1.0, start=False, amount=""
            )

    def __enter__(self) -> Self:
        self._console.print(f"[bold]{self._title}[/]", highlight=False)
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def started(self, key: str) -> None:
        """A task begins, or begins again."""
        self._progress.reset(self._bars[key], start=True, total=None)

    def advanced(self, key: str, done: float, total: float | None, unit: str) -> None:
        """A task says how far it is."""
        amount = f"{done:,.0f}" + (f" of {total:,.0f}" if total else "") + f" {unit}"
        self._progress.update(self._bars[key], completed=done, total=total, amount=amount)

    def ended(self, key: str, how: str, seconds: float, remark: str = "") -> None:
        """A task succeeded, failed, was skipped, or will be retried.

        Args:
            key: The task.
            how: Which of these.
            seconds: How long it took.
            remark: A line about it; of more only the first is shown, and brackets in it are no markup.
        """
        remark = escape(remark.partition("\n")[0])
        description = f"{_MARKS[how]} {key.ljust(self._width)}"
        if self._live:
            bar = self._bars[key]
            self._progress.update(bar, description=description, completed=1.0, total=1.0)
            if remark:
                self._progress.update(bar, amount=remark)
            self._progress.stop_task(bar)
        else:
            self._console.print(f"{description}  {seconds:7.1f} s  {remark}".rstrip(), highlight=False, soft_wrap=True)
