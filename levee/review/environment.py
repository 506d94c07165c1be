"""One environment's review: the base is brought up on a simulated cloud, the head previewed on it, both compared.

A fork has no state and no credential, so the state is made: the base is brought up in a stack that is thrown away, and
previewed once more against itself. That second preview knows what the head's preview knows, so the two are compared
like with like, and what the base changes by itself is told apart. Both are kept by content.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from levee import compliance
from levee.cost import CostReport
from levee.engine import Operation, Options, Project, perform
from levee.errors import LeveeError
from levee.plan import Level, Plan, document
from levee.review import changes, cost, findings, grants
from levee.review.approval import Approval, Code, approval
from levee.review.model import EnvironmentReview
from levee.review.place import Place
from levee.review.program_files import levee_digest, of_folder
from levee.review.request import Run
from levee.review.sides import Sides
from levee.review.untrusted import Hold


def review(run: Run, sides: Sides, name: str) -> EnvironmentReview:
    """What the change does to one environment; one whose head cannot be previewed says why.

    Args:
        run: The review.
        sides: What was read of both sides.
        name: The environment, or stack.
    """
    return _Environment(run, sides, name).review()


@dataclass(frozen=True, slots=True)
class _Base:
    """The base, as it came up.

    Attributes:
        kept: A folder with ``workspace/``, the stack's state and simulated cloud, and ``plan.json``.
        plan: A preview of it on its own state.
        cost: What that costs in a month.
    """

    kept: Path
    plan: Plan
    cost: CostReport


@dataclass(frozen=True)
class _Environment:
    run: Run
    sides: Sides
    name: str

    @cached_property
    def place(self) -> Place:
        """Where both sides are written to."""
        return Place(self.run.repository, self.run.project, self.run.folder / "work" / self.name.replace("/", "-"))

    @cached_property
    def policies(self) -> Mapping[str, Any]:
        """The packs' configuration, the base's."""
        return self.sides.policies_of(self.name)

    def review(self) -> EnvironmentReview:
        """The whole of it."""
        base, remarks = self._base()
        if self.name not in self.sides.head.stacks:
            count = f"{base.plan.summary.resources:,}" if base else "its"
            stay = f"removed; {count} resources stay in the cloud until `levee destroy {self.name}`"
            return EnvironmentReview(self.name, remarks=(stay,))
        try:
            head, approved = self._head(base)
            costs = cost.change(base.cost if base else None, cost.cost_of(head, self.policies))
        except LeveeError as failed:
            why = self._short(failed)
            return EnvironmentReview(self.name, failure=why, failure_code=failed.exit_code, remarks=remarks)
        compared = self._compared(base.plan if base else None, head)
        return replace(compared, cost=costs, remarks=remarks, approval=approved)

    def _base(self) -> tuple[_Base | None, tuple[str, ...]]:
        """The base, where it has the environment and comes up; and what a reader must know where it does not."""
        if self.name not in self.sides.base.stacks:
            new = "a new environment: what it says of policies, exemptions and budgets counts after the merge"
            return None, (new,)
        try:
            kept = self._bring_up()
            plan = document.read(kept / "plan.json")
            return _Base(kept, plan, cost.cost_of(plan, self.policies)), ()
        except LeveeError as failed:
            why = f"the base cannot be brought up, so everything counts as new: {self._short(failed)}"
            return None, (why,)

    def _bring_up(self) -> Path:
        """The base's state and plan, made once for a content: the folder that ``_Base.kept`` describes."""
        kept = self.run.folder / "bases" / self._key()
        if (kept / "plan.json").is_file():
            kept.touch()
            return kept
        project = self.place.write(self.run.base.tree)
        up = replace(self._options(project, "base: up", {}), throwaway=True)
        perform(Operation.UP, project.root, self.name, up)
        preview = self._options(project, "base: preview", cost.with_baseline(self.policies, None))
        plan = perform(Operation.PREVIEW, project.root, self.name, preview)
        making = kept.with_name(f".{kept.name}")
        shutil.rmtree(making, ignore_errors=True)
        shutil.copytree(self.place.workspace(project, self.name), making / "workspace", symlinks=True)
        document.write(plan, making / "plan.json")
        shutil.rmtree(kept, ignore_errors=True)
        making.rename(kept)
        return kept

    def _head(self, base: _Base | None) -> tuple[Plan, Approval]:
        """The head's preview on the base's state, and what is approved with it."""
        project = self.place.write(self.run.head.tree)
        code = Code.of(project, of_folder(project.root))  # before the program can write there
        if base is not None:
            shutil.copytree(base.kept / "workspace", self.place.workspace(project, self.name), symlinks=True)
        policies = cost.with_baseline(self.policies, base.cost if base else None)
        preview = self._options(project, "head: preview", policies)
        plan = perform(Operation.PREVIEW, project.root, self.name, preview)
        return plan, approval(plan, code)

    def _compared(self, base: Plan | None, head: Plan) -> EnvironmentReview:
        rules = self.sides.rules_of(self.name)
        changed, unsettled = changes.changes(base, head, self.run.subfolder)
        found, mended = findings.findings(
            base,
            head,
            rules={rule.id: rule for rule in rules},
            accepted=self.sides.accepted,
            today=self.run.request.today,
            folder=self.run.subfolder,
        )
        return EnvironmentReview(
            self.name,
            head,
            changed,
            found,
            mended=mended,
            unsettled=unsettled,
            securables=grants.read(self.name, base, head),
            rules=[rule for rule in rules if self.policies[rule.id].get(compliance.LEVEL_KEY) != Level.DISABLED],
        )

    def _options(self, project: Project, doing: str, policies: Mapping[str, Any]) -> Options:
        """The engine's options; without policies no pack runs, so that nothing holds the base up."""
        request = self.run.request
        return replace(
            request.options,
            packs=(compliance.merged_pack(),) if policies else (),
            pack_config=policies,
            environment={**os.environ, **compliance.switched(policies)},
            program_environment={**request.options.program_environment, **self.place.imports()},
            on_event=request.watch(self.name, doing),
            hold=Hold(project, self.name, self.place.folder, request.limits) if request.limits else None,
        )

    def _key(self) -> str:
        """What decides how the base comes up: its files, Levee, the SDKs, what was given, the day, for exemptions."""
        request, site = self.run.request, self.run.project.site_packages
        options = request.options
        decides = (
            (self.run.base.tree, str(self.place.root), self.name, request.today.isoformat(), levee_digest()),
            sorted(path.name for path in site.glob("*.dist-info")),
            (dict(options.config), options.fill_config, json.dumps(self.policies, sort_keys=True)),
            options.references.read_text(encoding="utf-8") if options.references else "",
        )
        return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:32]

    def _short(self, failed: LeveeError) -> str:
        """What failed, with its place as the repository has it."""
        where = f" ({failed.where})" if failed.where else ""
        return f"{failed.message}{where}".replace(f"{self.place.folder}/", "")
