"""``levee review``: what a change would do to every environment, as one comment for its reviewer."""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from importlib.metadata import version
from json import dumps
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from levee.cli import panels
from levee.cli.console import errors, human, write_json, write_texts
from levee.cli.options import Config, FillConfig, Folder, JsonFile, References, Timeout
from levee.cli.scope import given_config
from levee.engine import Options
from levee.engine.event_stream import Listener
from levee.report.naming import plural
from levee.review import Request, Review, approval, document, junit, markdown, sarif
from levee.review import review as run_review
from levee.review.untrusted import Limits, go_alone
from levee.toolchain import ensure_pulumi


class Format(StrEnum):
    """What a review is written as, beside JSON."""

    MARKDOWN = "markdown"
    SARIF = "sarif"
    JUNIT = "junit"


FILES: Final[Mapping[Format, str]] = {
    Format.MARKDOWN: "comment.md",
    Format.SARIF: "review.sarif",
    Format.JUNIT: "review.junit.xml",
}
"""What each is called in ``--output``; beside them is always :data:`WHOLE`."""

WHOLE: Final = "review.json"

_FORMATS: Final = f"What to write: {', '.join(Format)}; repeatable; with --output all of them, else the comment."


def register(app: typer.Typer) -> None:
    """Add the command."""
    panels.command(
        app, review, example="levee review --base origin/main --env prod --output review", panel=panels.REVIEW
    )


def review(
    *,
    base: Annotated[
        str | None, typer.Option("--base", metavar="REF", help="What to compare with; the main branch where absent.")
    ] = None,
    head: Annotated[str, typer.Option("--head", metavar="REF", help="What is proposed.")] = "HEAD",
    env: Annotated[
        list[str] | None, typer.Option("--env", "-e", metavar="ENV", help="An environment; repeatable; else all.")
    ] = None,
    formats: Annotated[
        list[Format] | None,
        typer.Option("--format", metavar="NAME", help=_FORMATS),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="DIR", help="The folder to write to, the JSON too; else standard output."
        ),
    ] = None,
    cwd: Folder = Path(),
    config: Config = None,
    fill_config: FillConfig = False,
    references: References = None,
    timeout: Timeout = None,
    json: JsonFile = None,
    untrusted: Annotated[
        bool,
        typer.Option(
            "--untrusted", help="Give the program no secret, no network, no file but its own, and limits; Linux only."
        ),
    ] = False,
) -> int:
    """Say what a change would do to every environment, in one comment; 1 where a mandatory rule newly fails."""
    options = Options(config=given_config(config), fill_config=fill_config, references=references, timeout=timeout)
    if untrusted:
        ensure_pulumi()  # while there is a network
        go_alone([sys.executable, "-P", "-c", "from levee.cli import main; main()", *sys.argv[1:]])
    limits = Limits() if untrusted else None
    with _progress() as watch:
        found = run_review(Request(cwd, base, head, tuple(env or ()), options, watch=watch, limits=limits))
    chosen = formats or (list(Format) if to else [Format.MARKDOWN] if json != Path("-") else [])
    write_texts(((FILES[one], _written(found, one)) for one in dict.fromkeys(chosen)), to)
    if json:
        write_json(document.to_document(found), json)
    if to:
        write_json(document.to_document(found), to / WHOLE)
        _approve(found, to)
        human(json).print(f"{escape(_told(found))}: {escape(str(to))}", soft_wrap=True)
    return found.exit_code


def _approve(found: Review, to: Path) -> None:
    """Write what is approved with the review, of each environment that no rule holds up."""
    for environment in found.environments:
        file = to / f"approved.{environment.name.replace('/', '-')}.json"
        file.unlink(missing_ok=True)
        if environment.approval is not None and not environment.blocked:
            approval.write(environment.approval, file)


def _written(found: Review, one: Format) -> str:
    match one:
        case Format.MARKDOWN:
            return markdown.comment(found)
        case Format.SARIF:
            run = sarif.Run(version("levee"), found.exit_code, found.file)
            return dumps(sarif.log(found.environments, run), indent=2) + "\n"
        case Format.JUNIT:
            return junit.suites(found.environments, "levee review")


def _told(found: Review) -> str:
    changed = sum(len(e.changes) for e in found.environments)
    blocking = sum(f.blocks for e in found.environments for f in e.findings)
    failed = sum(bool(e.failure) for e in found.environments)
    words = [plural(len(found.environments), "environment"), plural(changed, "change")]
    words += [plural(blocking, "blocking finding")] if blocking else []
    words += [f"{failed:,} could not be previewed"] if failed else []
    return ", ".join(words)


@contextmanager
def _progress() -> Generator[Any]:
    """Show what each environment is at: a line each that moves on a terminal, else a line each time."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    lock = threading.Lock()
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        tasks: dict[str, Any] = {}

        def watch(environment: str, doing: str) -> Listener:
            with lock:
                if environment not in tasks:
                    tasks[environment] = progress.add_task("", total=None)
            task, said = tasks[environment], f"{escape(environment)}  {doing}"
            progress.update(task, description=said)
            if not errors.is_terminal:
                errors.print(said)
            seen: set[str] = set()

            def listen(event: Mapping[str, Any]) -> None:
                if step := event.get("resourcePreEvent"):
                    seen.add(step["metadata"]["urn"])
                    progress.update(task, description=f"{said}  {len(seen):,} resources")

            return listen

        yield watch
