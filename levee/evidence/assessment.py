"""What the rules say of a plan, requirement by requirement: a pure function that an auditor's papers are made of."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path

import levee.compliance
from levee.compliance import Outcome, Rule
from levee.evidence.framework import Framework
from levee.files import digest_of
from levee.plan import Plan, Verdict, document


class Status(StrEnum):
    """How a requirement stands, as far as rules can tell."""

    SATISFIED = "satisfied"
    NOT_SATISFIED = "not satisfied"
    NOT_DECIDED = "not decided"
    NOTHING_TO_JUDGE = "nothing to judge"
    NOT_COVERED = "not covered by tooling"


@dataclass(frozen=True)
class RuleResult:
    """What one rule said over the whole stack.

    Attributes:
        rule: The rule.
        outcomes: What it said of each resource that it judged.
    """

    rule: Rule
    outcomes: Sequence[Outcome]

    @property
    def tally(self) -> Mapping[Verdict, int]:
        """Resources by the verdict on them, the worst where a rule says several things of one."""
        worst: dict[str, Verdict] = {}
        order = (Verdict.PASSED, Verdict.EXEMPT, Verdict.NOT_EVALUATED, Verdict.FAILED)
        for outcome in self.outcomes:
            before = worst.get(outcome.urn, Verdict.PASSED)
            worst[outcome.urn] = max(before, outcome.verdict, key=order.index)
        return Counter(worst.values())


@dataclass(frozen=True)
class Requirement:
    """One requirement of a framework.

    Attributes:
        framework: Whose it is.
        reference: Its number.
        title: Its short title.
        rules: What the rules that serve it said.
    """

    framework: Framework
    reference: str
    title: str
    rules: Sequence[RuleResult]

    @property
    def tally(self) -> Counter[Verdict]:
        """Verdicts over all its rules."""
        return sum((Counter(result.tally) for result in self.rules), Counter())

    @property
    def status(self) -> Status:
        """How it stands: one breach is enough for "not satisfied", one open question for "not decided"."""
        tally = self.tally
        if not self.rules:
            return Status.NOT_COVERED
        if tally[Verdict.FAILED]:
            return Status.NOT_SATISFIED
        if tally[Verdict.NOT_EVALUATED]:
            return Status.NOT_DECIDED
        return Status.SATISFIED if tally else Status.NOTHING_TO_JUDGE


@dataclass(frozen=True)
class Assessment:
    """The evidence of one environment at one time.

    Attributes:
        plan: What was judged.
        requirements: Every requirement of every framework asked for.
        made_at: When, UTC.
        plan_digest: SHA-256 of the plan's JSON without its timings.
        rules_digest: SHA-256 of ``levee.compliance``, code and tables.
        versions: Name of a tool or provider SDK to its version.
    """

    plan: Plan
    requirements: Sequence[Requirement]
    made_at: datetime
    plan_digest: str
    rules_digest: str
    versions: Mapping[str, str]

    @property
    def rules(self) -> Sequence[RuleResult]:
        """Every rule that serves one of the requirements, once."""
        return tuple({r.rule.id: r for q in self.requirements for r in q.rules}.values())

    @property
    def counts(self) -> Mapping[Framework, Counter[Status]]:
        """How many requirements of each framework stand how."""
        found: dict[Framework, Counter[Status]] = {}
        for requirement in self.requirements:
            found.setdefault(requirement.framework, Counter())[requirement.status] += 1
        return found


def assess(
    plan: Plan, rules: Sequence[Rule], outcomes: Iterable[Outcome], frameworks: Sequence[Framework], now: datetime
) -> Assessment:
    """Put the outcomes under the requirements that their rules serve.

    Args:
        plan: What was judged.
        rules: The rules that judged it.
        outcomes: What they said, passes included.
        frameworks: Whose requirements are asked for.
        now: The time of the assessment, UTC.
    """
    said: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        said[outcome.rule.id].append(outcome)
    results = [RuleResult(rule, said[rule.id]) for rule in rules]
    return Assessment(
        plan,
        tuple(requirement for framework in frameworks for requirement in _requirements(framework, results)),
        now,
        plan_digest(plan),
        digest_of(Path(levee.compliance.__file__).parent),
        _versions(plan),
    )


def plan_digest(plan: Plan) -> str:
    """SHA-256 of the plan's JSON; two runs of one program give the same, however long they took."""
    whole = document.to_document(plan)
    whole["summary"].pop("seconds", None)
    whole.pop("seconds", None)
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def _requirements(framework: Framework, results: Sequence[RuleResult]) -> Iterable[Requirement]:
    serving: dict[str, list[RuleResult]] = defaultdict(list)
    for result in results:
        served = {framework.text.requirement(control) for control in result.rule.controls}
        for reference in served - {None}:
            serving[str(reference)].append(result)
    for reference, title in framework.text.requirements.items():
        yield Requirement(framework, reference, title, tuple(serving[reference]))


def _versions(plan: Plan) -> Mapping[str, str]:
    sdks = {name: number for name, _, number in sorted({t.sdk.partition(" ") for t in plan.fidelity.types}) if number}
    return {"levee": version("levee"), "pulumi": version("pulumi"), **sdks}
