"""What a review found: data alone, which every writer is a function of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from levee.compliance import Rule
from levee.plan import Level, Op, Plan, Resource, Verdict, Violation

if TYPE_CHECKING:
    from levee.review.approval import Approval


@dataclass(frozen=True, slots=True)
class Revision:
    """One side of the comparison.

    Attributes:
        name: What it was asked for by, such as ``origin/main``.
        commit: The commit, hexadecimal; of the head the commit asked for, even where it is reviewed merged.
        tree: The tree that was previewed, hexadecimal.
    """

    name: str
    commit: str
    tree: str


@dataclass(frozen=True, slots=True)
class PropertyChange:
    """One input that differs.

    Attributes:
        path: The property, dotted, with list positions in brackets.
        before: Its value at the base as JSON text; ``None`` where it had none.
        after: Its value at the head, likewise.
    """

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """A resource that the head would create, change, replace or delete.

    Attributes:
        op: What would be done.
        resource: The resource as the head has it; a deleted one as the base had it.
        stateful: Whether it holds what cannot be made again: data, keys, logs.
        properties: The inputs that differ.
    """

    op: Op
    resource: Resource
    stateful: bool
    properties: tuple[PropertyChange, ...] = ()

    @property
    def endangers(self) -> bool:
        """Whether what the resource holds would be lost."""
        return self.stateful and self.op in (Op.REPLACE, Op.DELETE)


class Status(StrEnum):
    """Where a finding stands in this review."""

    NEW = "new"
    KNOWN = "known"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule's word against a resource of the head.

    Attributes:
        violation: What was said, of what, at which line; the file is relative to the repository.
        verdict: ``FAILED`` or ``NOT_EVALUATED``.
        status: New, already there at the base, or accepted in the repository.
        fingerprint: Names it across commits, lines and environments.
        title: What holds when the rule is kept; empty for a rule that is none of Levee's.
        remediation: The edit that mends it; empty likewise.
        severity: The rule's severity, or empty.
        url: Where the rule is explained, or empty.
        reason: Why it is accepted, where it is.
    """

    violation: Violation
    verdict: Verdict
    status: Status
    fingerprint: str
    title: str = ""
    remediation: str = ""
    severity: str = ""
    url: str = ""
    reason: str = ""

    @property
    def blocks(self) -> bool:
        """Whether the gate says no for it."""
        mandatory = self.violation.level is Level.MANDATORY
        return mandatory and self.verdict is Verdict.FAILED and self.status is Status.NEW


@dataclass(frozen=True, slots=True)
class CostMove:
    """A resource whose monthly cost changes; expected US dollars at list price.

    Attributes:
        name: Its logical name.
        type: Its type token.
        before: At the base, zero where it was not there.
        after: At the head, zero where it is gone.
        open: Lines without an amount on one side only, which make the difference less than the truth or more.
    """

    name: str
    type: str
    before: Decimal
    after: Decimal
    open: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CostChange:
    """A month of 730 hours before and after; expected US dollars at list price.

    Attributes:
        before: The base's total of what has an amount.
        after: The head's.
        moves: The resources that make the difference, the biggest first.
        undecided: What newly has no amount, a description each.
    """

    before: Decimal
    after: Decimal
    moves: tuple[CostMove, ...] = ()
    undecided: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EnvironmentReview:
    """What the change does to one environment.

    Attributes:
        name: The environment, or stack.
        head: The head's plan; ``None`` where it could not be previewed or has no such environment.
        changes: Resources that would change, the dangerous first.
        findings: What the rules say of the head.
        cost: What it costs before and after; ``None`` where nothing was priced.
        mended: How many findings of the base are gone.
        unsettled: How many changes the base shows against its own state: none of the head's doing.
        failure: Why the head could not be previewed; empty where it was.
        failure_code: The exit code of that failure.
        remarks: What a reader must know beside the numbers, a sentence each.
        approval: What is approved with the review; ``None`` where the head could not be previewed.
        securables: What grants can be on, and the grants; ``None`` where the head could not be previewed.
        rules: The rules that judged the head, without those that are disabled; none where it could not be previewed.
    """

    name: str
    head: Plan | None = None
    changes: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()
    cost: CostChange | None = None
    mended: int = 0
    unsettled: int = 0
    failure: str = ""
    failure_code: int = 0
    remarks: tuple[str, ...] = ()
    approval: Approval | None = None
    securables: Securables | None = None
    rules: Sequence[Rule] = ()

    def found(self, status: Status, verdict: Verdict = Verdict.FAILED) -> tuple[Finding, ...]:
        """The findings of that status and verdict."""
        return tuple(f for f in self.findings if f.status is status and f.verdict is verdict)

    @property
    def counts(self) -> Mapping[Op, int]:
        """Changes by operation."""
        counted: dict[Op, int] = {}
        for change in self.changes:
            counted[change.op] = counted.get(change.op, 0) + 1
        return counted

    @property
    def blocked(self) -> bool:
        """Whether a mandatory rule newly fails."""
        return any(f.blocks for f in self.findings)

    @property
    def quiet(self) -> bool:
        """Whether there is nothing to say of it."""
        new = any(f.status is Status.NEW for f in self.findings)
        return not (self.changes or new or self.mended or self.failure or self.remarks)


@dataclass(frozen=True, slots=True)
class Grant:
    """Privileges that a principal holds in Unity Catalog, by the plan of one environment.

    Attributes:
        environment: The environment.
        on: Catalogue, schema and table, as far as the securable reaches; ``None`` for a name that is not known.
        principal: The group, user or service principal; ``None`` where it is not known before the update.
        privileges: Such as ``SELECT``, sorted; ``None`` likewise.
        ends: Whether only the base has it.
        certain: Whether it surely reaches what it is told of, rather than may, for want of a name.
    """

    environment: str
    on: tuple[str | None, ...]
    principal: str | None
    privileges: tuple[str, ...] | None
    ends: bool = False
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Securables:
    """What an environment has in Unity Catalog that its tables lie in.

    Attributes:
        schemas: Catalogue and schema of each; ``None`` for a name that is not known.
        grants: On catalogues, schemas and tables.
    """

    schemas: tuple[tuple[str | None, ...], ...] = ()
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True, slots=True)
class ContractChange:
    """What changes in one data contract.

    Attributes:
        dataset: ``domain.dataset``.
        file: The contract's file, relative to the repository.
        what: What changes, a few words.
        breaking: Whether a reader of the table may fail or see what it must not.
        gold: Gold tables that are built of it.
        grants: Who may use the published table, or those gold tables, in the environments reviewed.
    """

    dataset: str
    file: str
    what: str
    breaking: bool
    gold: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True, slots=True)
class GovernedEdit:
    """An edit to what judges: it takes effect only after the merge, so a person must look at it.

    Attributes:
        file: The file, relative to the repository.
        what: What it decides.
    """

    file: str
    what: str


@dataclass(frozen=True)
class Review:
    """A whole review.

    Attributes:
        project: The Pulumi project's name.
        base: What it is compared with; its rules judge.
        head: What is proposed.
        environments: One by one, in their order.
        contracts: Changed data contracts, the breaking first.
        governed: Edits to what judges.
        remarks: What a reader must know beside all that.
        file: The project's file, relative to the repository, where what has no line of its own is shown.
    """

    project: str
    base: Revision
    head: Revision
    environments: tuple[EnvironmentReview, ...] = ()
    contracts: tuple[ContractChange, ...] = ()
    governed: tuple[GovernedEdit, ...] = ()
    remarks: tuple[str, ...] = ()
    file: str = "Pulumi.yaml"

    @property
    def quiet(self) -> bool:
        """Whether nothing changes anywhere."""
        return all(e.quiet for e in self.environments) and not (self.contracts or self.governed or self.remarks)

    @property
    def exit_code(self) -> int:
        """0 fine, 1 where a mandatory rule newly fails, else the code of what could not be previewed."""
        if any(e.blocked for e in self.environments):
            return 1
        return max((e.failure_code for e in self.environments), default=0)
