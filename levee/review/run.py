"""One review: what is read of both sides, then every environment's, two at once."""

from __future__ import annotations

import queue
import shutil
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from levee.engine import find_project
from levee.errors import UsageError
from levee.lock import exclusive
from levee.review import accepted, contracts, dependencies, environment, governed
from levee.review.model import EnvironmentReview, Review
from levee.review.request import Request, Run
from levee.review.sides import Sides
from levee.review.trees import Repository
from levee.toolchain import ensure_pulumi

_AT_ONCE: Final = 2
_KEPT: Final = 12
"""Bases whose state is kept, the newest."""


def review(request: Request) -> Review:
    """Review a change.

    Raises:
        UsageError: There is no project, repository, commit or environment of that name, or a file that the base
            judges by is malformed.
        EngineError: Git fails, or another review is at work in the project.
    """
    project = find_project(request.folder)
    repository = Repository.around(project.root)
    base, head = repository.revisions(request.base, request.head)
    folder = project.root / ".levee" / "review"
    with exclusive(folder / "run.lock", doing="a review"):
        (folder.parent / ".gitignore").write_text("*\n", encoding="utf-8")
        # Levee's own CLI, whatever the sides say of theirs.
        options = replace(request.options, pulumi=request.options.pulumi or ensure_pulumi())
        run = Run(replace(request, options=options), repository, project, base, head, folder)
        return _review(run)


def _review(run: Run) -> Review:
    sides = Sides.read(run.repository, run.project, run.base, run.head, run.folder / "read")
    names = _chosen(run, sides)
    changed = run.repository.changed(run.base, run.head)
    work = run.folder / "work"
    if run.base.tree == run.head.tree:
        reviews = {name: EnvironmentReview(name) for name in names}
    else:
        reviews = _each(names, lambda name: environment.review(run, sides, name))
        shutil.rmtree(work, ignore_errors=True)
        _prune(run.folder / "bases")
    return Review(
        project=run.project.name,
        base=run.base,
        head=run.head,
        environments=tuple(reviews[name] for name in names),
        contracts=contracts.compare(
            sides.base.contracts, sides.head.contracts, [e.securables for e in reviews.values() if e.securables]
        ),
        governed=governed.edits(changed, sides.base.settings, sides.head.settings),
        remarks=(
            *sides.remarks,
            *_uncommitted(run),
            *dependencies.remarks(changed, run.subfolder),
            *_idle(run, sides, reviews.values()),
        ),
        file=str(run.subfolder / run.project.file.name),
    )


def _uncommitted(run: Run) -> Iterator[str]:
    """What the user may take to be reviewed, and is not."""
    if run.request.head == "HEAD" and run.repository.uncommitted():
        yield "the checkout has changes that are not committed: they are not reviewed"


def _idle(run: Run, sides: Sides, reviews: Collection[EnvironmentReview]) -> tuple[str, ...]:
    """What is said of idle acceptances, where every environment was judged."""
    judged = run.base.tree != run.head.tree and all(e.head is not None for e in reviews)
    if run.request.environments or not judged:
        return ()
    return accepted.idle(sides.accepted, [f.fingerprint for e in reviews for f in e.findings])


def _chosen(run: Run, sides: Sides) -> list[str]:
    known = sorted({*sides.base.stacks, *sides.head.stacks})
    for name in run.request.environments:
        if name not in known:
            raise UsageError(
                f"neither side has an environment {name!r}; there are: {', '.join(known) or 'none'}",
                where=str(run.project.config_dir),
                fix="name one of them, or commit its Pulumi.<name>.yaml",
            )
    if not known:
        raise UsageError(
            "neither side has a stack's configuration",
            where=str(run.project.config_dir),
            fix="commit a Pulumi.<stack>.yaml, which may be empty",
        )
    return list(dict.fromkeys(run.request.environments)) or known


def _prune(folder: Path) -> None:
    kept = sorted(folder.glob("*"), key=lambda path: path.stat().st_mtime, reverse=True) if folder.is_dir() else []
    for old in kept[_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)


def _each(names: Sequence[str], work: Callable[[str], EnvironmentReview]) -> dict[str, EnvironmentReview]:
    """Do the work for every name, two at once, in threads that an interrupt of the main one leaves behind."""
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    for name in names:
        waiting.put(name)
    done: dict[str, EnvironmentReview] = {}
    failed: list[BaseException] = []

    def go() -> None:
        while not failed:
            try:
                name = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                done[name] = work(name)
            except BaseException as error:  # noqa: BLE001 raised again by the one that waits
                failed.append(error)

    threads = [threading.Thread(target=go, name=f"review-{place}", daemon=True) for place in range(_AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return done
