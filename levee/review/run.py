"""One review: the base of every environment brought up on a simulated cloud, the head previewed on it.

A fork has no state and no credential, so the state is made: the base is brought up in a stack that is thrown away, and
previewed once more against itself. That second preview knows what the head's preview knows, so the two are compared
like with like, and what the base changes by itself is told apart. Both are kept by content.
"""

from __future__ import annotations

import hashlib
import json
import os
import queue
import shutil
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final

from levee import compliance
from levee.cost import CostReport
from levee.engine import Operation, Options, Project, find_project, perform
from levee.engine.event_stream import Listener
from levee.errors import LeveeError, UsageError
from levee.lock import exclusive
from levee.plan import Level, Plan, document
from levee.review import accepted, changes, contracts, cost, dependencies, findings, governed, grants
from levee.review.approval import Approval, Code, approval
from levee.review.model import EnvironmentReview, Review, Revision
from levee.review.place import Place
from levee.review.program_files import levee_digest, of_folder
from levee.review.sides import Sides
from levee.review.trees import Repository
from levee.review.untrusted import Hold, Limits
from levee.toolchain import ensure_pulumi

_AT_ONCE: Final = 2
_KEPT: Final = 12
"""Bases whose state is kept, the newest."""

Watch = Callable[[str, str], Listener | None]
"""Told the environment and what is being done; gives the listener of the engine's events."""


@dataclass(frozen=True)
class Request:
    """What to review.

    Attributes:
        folder: The project's folder, or one below it.
        base: What to compare with; ``None`` for the repository's main branch.
        head: What is proposed.
        environments: The environments or stacks; all of them where none is named.
        options: How to run the engine; packs and their configuration are the review's own business.
        today: The UTC date that exemptions and acceptances are judged by.
        watch: Gets told how far it is.
        limits: What the program may use, where it is not to be trusted; ``None`` where it is.
    """

    folder: Path
    base: str | None = None
    head: str = "HEAD"
    environments: Sequence[str] = ()
    options: Options = field(default_factory=Options)
    today: date = field(default_factory=lambda: datetime.now(UTC).date())
    watch: Watch = lambda _environment, _doing: None
    limits: Limits | None = None


@dataclass(frozen=True)
class _Run:
    request: Request
    repository: Repository
    project: Project
    base: Revision
    head: Revision
    folder: Path

    @property
    def subfolder(self) -> PurePosixPath:
        """The project's folder in the repository."""
        return PurePosixPath(self.project.root.relative_to(self.repository.root).as_posix())


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
        run = _Run(replace(request, options=options), repository, project, base, head, folder)
        return _review(run)


def _review(run: _Run) -> Review:
    sides = Sides.read(run.repository, run.project, run.base, run.head, run.folder / "read")
    names = _chosen(run, sides)
    changed = run.repository.changed(run.base, run.head)
    work = run.folder / "work"
    if run.base.tree == run.head.tree:
        reviews = {name: EnvironmentReview(name) for name in names}
    else:
        reviews = _each(names, lambda name: _environment(run, sides, name))
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
        remarks=(*sides.remarks, *dependencies.remarks(changed, run.subfolder), *_idle(run, sides, reviews.values())),
        file=str(run.subfolder / run.project.file.name),
    )


def _idle(run: _Run, sides: Sides, reviews: Collection[EnvironmentReview]) -> tuple[str, ...]:
    """What is said of idle acceptances, where every environment was judged."""
    judged = run.base.tree != run.head.tree and all(e.head is not None for e in reviews)
    if run.request.environments or not judged:
        return ()
    return accepted.idle(sides.accepted, [f.fingerprint for e in reviews for f in e.findings])


def _chosen(run: _Run, sides: Sides) -> list[str]:
    known = sorted({*sides.base.stacks, *sides.head.stacks})
    for name in run.request.environments:
        if name not in known:
            raise UsageError(
                f"neither side has an environment {name!r}",
                where=str(run.project.config_dir),
                fix=f"--env {known[0]}" if known else "commit its Pulumi.<name>.yaml",
            )
    if not known:
        raise UsageError(
            "neither side has a stack's configuration",
            where=str(run.project.config_dir),
            fix="commit a Pulumi.<stack>.yaml, which may be empty",
        )
    return list(dict.fromkeys(run.request.environments)) or known


def _environment(run: _Run, sides: Sides, name: str) -> EnvironmentReview:
    place = Place(run.repository, run.project, run.folder / "work" / name.replace("/", "-"))
    policies, rules = sides.policies_of(name), sides.rules_of(name)
    remarks: list[str] = []
    base: Plan | None = None
    before: CostReport | None = None
    kept: Path | None = None
    if name in sides.base.stacks:
        try:
            kept = _bring_up(run, place, name, policies)
            base = document.read(kept / "plan.json")
            before = cost.cost_of(base, policies)
        except LeveeError as failed:
            remarks.append(f"the base cannot be brought up, so everything counts as new: {_short(failed, place)}")
    else:
        remarks.append("a new environment: what it says of policies, exemptions and budgets counts after the merge")
    if name not in sides.head.stacks:
        return EnvironmentReview(
            name, remarks=(f"removed; {_count(base)} resources stay in the cloud until `levee destroy {name}`",)
        )
    try:
        head, approved = _preview(run, place, name, cost.with_baseline(policies, before), kept)
        costs = cost.change(before, cost.cost_of(head, policies))
    except LeveeError as failed:
        return EnvironmentReview(
            name, failure=_short(failed, place), failure_code=failed.exit_code, remarks=tuple(remarks)
        )
    changed, unsettled = changes.changes(base, head, run.subfolder)
    found, mended = findings.findings(
        base,
        head,
        rules={rule.id: rule for rule in rules},
        accepted=sides.accepted,
        today=run.request.today,
        folder=run.subfolder,
    )
    return EnvironmentReview(
        name,
        head,
        changed,
        found,
        costs,
        mended,
        unsettled,
        remarks=tuple(remarks),
        approval=approved,
        securables=grants.read(name, base, head),
        rules=[rule for rule in rules if policies[rule.id].get(compliance.LEVEL_KEY) != Level.DISABLED],
    )


def _bring_up(run: _Run, place: Place, name: str, policies: Mapping[str, Any]) -> Path:
    """The base's state and plan, made once for a content.

    Returns:
        A folder with ``workspace/``, the stack's state and simulated cloud, and ``plan.json``.
    """
    kept = run.folder / "bases" / _key(run, place, name, policies)
    if (kept / "plan.json").is_file():
        kept.touch()
        return kept
    project = place.write(run.base.tree)
    up = _options(run, place, project, name=name, doing="base: up", policies={})
    perform(Operation.UP, project.root, name, replace(up, throwaway=True))
    plan = perform(
        Operation.PREVIEW,
        project.root,
        name,
        _options(run, place, project, name=name, doing="base: preview", policies=cost.with_baseline(policies, None)),
    )
    making = kept.with_name(f".{kept.name}")
    shutil.rmtree(making, ignore_errors=True)
    shutil.copytree(place.workspace(project, name), making / "workspace", symlinks=True)
    document.write(plan, making / "plan.json")
    shutil.rmtree(kept, ignore_errors=True)
    making.rename(kept)
    return kept


def _preview(
    run: _Run, place: Place, name: str, policies: Mapping[str, Any], kept: Path | None
) -> tuple[Plan, Approval]:
    project = place.write(run.head.tree)
    code = Code.of(project, of_folder(project.root))  # before the program can write there
    if kept is not None:
        shutil.copytree(kept / "workspace", place.workspace(project, name), symlinks=True)
    options = _options(run, place, project, name=name, doing="head: preview", policies=policies)
    plan = perform(Operation.PREVIEW, project.root, name, options)
    return plan, approval(plan, code)


def _options(
    run: _Run, place: Place, project: Project, *, name: str, doing: str, policies: Mapping[str, Any]
) -> Options:
    """The engine's options; without policies no pack runs, so that nothing holds the base up."""
    return replace(
        run.request.options,
        packs=(compliance.merged_pack(),) if policies else (),
        pack_config=policies,
        environment={**os.environ, **compliance.switched(policies)},
        program_environment={**run.request.options.program_environment, **place.imports()},
        on_event=run.request.watch(name, doing),
        hold=Hold(project, name, place.folder, run.request.limits) if run.request.limits else None,
    )


def _key(run: _Run, place: Place, name: str, policies: Mapping[str, Any]) -> str:
    """What decides how the base comes up: its files, Levee, the SDKs, what was given, and the day, for exemptions."""
    site = run.project.site_packages
    options = run.request.options
    decides = (
        (run.base.tree, str(place.root), name, run.request.today.isoformat(), levee_digest()),
        sorted(path.name for path in site.glob("*.dist-info")),
        (dict(options.config), options.fill_config, json.dumps(policies, sort_keys=True)),
        options.references.read_text(encoding="utf-8") if options.references else "",
    )
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:32]


def _prune(folder: Path) -> None:
    kept = sorted(folder.glob("*"), key=lambda path: path.stat().st_mtime, reverse=True) if folder.is_dir() else []
    for old in kept[_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)


def _short(failed: LeveeError, place: Place) -> str:
    """What failed, with its place as the repository has it."""
    where = f" ({failed.where})" if failed.where else ""
    return f"{failed.message}{where}".replace(f"{place.folder}/", "")


def _count(plan: Plan | None) -> str:
    return f"{plan.summary.resources:,}" if plan else "its"


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
