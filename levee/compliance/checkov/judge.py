"""Checkov's verdicts on a graph: asked once a graph, and told in the program's words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from weakref import WeakKeyDictionary

from levee import terraform
from levee.compliance.checkov.configuration import Configuration, arm_type, translate
from levee.compliance.checkov.worker import shared
from levee.compliance.graph import Graph
from levee.errors import LeveeError
from levee.plan import SECRET, Resource, Verdict
from levee.terraform.types import Attribute, camel

_RESULTS: Final = {"passed": Verdict.PASSED, "failed": Verdict.FAILED, "unknown": Verdict.NOT_EVALUATED}
_ENVELOPE: Final = ("apiVersion", "properties")
"""Of an ARM resource's path, what the program does not spell."""
_STEP: Final = re.compile(r"[/.]")


class CheckRaised(Exception):  # noqa: N818 - it is Checkov's error, told as its own
    """A check of Checkov's failed itself; the gate fails by the check's name."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What one check said of one resource.

    Attributes:
        verdict: Its verdict.
        property: The property that it looked at first, in Pulumi's names; empty where it does not say.
        error: What it raised, if it did.
    """

    verdict: Verdict
    property: str = ""
    error: str = ""


@dataclass(frozen=True)
class Judgement:
    """Everything that Checkov said of a graph.

    Attributes:
        by: Check id and URN to what was said; a check that says nothing of a resource does not concern it.
        broken: Checks that failed themselves over the graph as a whole, with their errors.
        unmapped: Type tokens that Checkov has no word for, with their numbers of resources.
        failure: Why nothing could be asked at all; empty where it could.
    """

    by: Mapping[tuple[str, str], Judged] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    unmapped: Mapping[str, int] = field(default_factory=dict)
    failure: str = ""

    def counts(self) -> Mapping[Verdict, int]:
        """How many verdicts of each kind there are."""
        said = [judged.verdict for judged in self.by.values()]
        return {verdict: said.count(verdict) for verdict in _RESULTS.values()}


_JUDGEMENTS: Final[WeakKeyDictionary[Graph, Judgement]] = WeakKeyDictionary()


def judgement(graph: Graph) -> Judgement:
    """Checkov's verdicts on a graph, asked once; where it cannot be asked, that."""
    if graph not in _JUDGEMENTS:
        try:
            _JUDGEMENTS[graph] = judge(graph.by_urn.values())
        except LeveeError as error:
            _JUDGEMENTS[graph] = Judgement(failure=str(error))
    return _JUDGEMENTS[graph]


def judge(resources: Iterable[Resource]) -> Judgement:
    """Ask Checkov about resources that belong together.

    Raises:
        UsageError: Checkov is not installed.
        CheckovError: Checkov could not be asked.
    """
    resources = tuple(resources)
    configuration = translate(resources)
    if not configuration.resources:
        return Judgement(unmapped=configuration.unmapped)
    answer = shared().ask({"resources": configuration.resources})
    return _read(answer["verdicts"], {r.urn: r for r in resources}, configuration)


def _read(
    verdicts: Sequence[Mapping[str, Any]], resources: Mapping[str, Resource], configuration: Configuration
) -> Judgement:
    by: dict[tuple[str, str], Judged] = {}
    broken: dict[str, str] = {}
    for said in verdicts:
        check, urn = said["check"], said["key"]
        if said["result"] == "raised":
            broken[check] = said["error"]
            continue
        judged = Judged(_RESULTS[said["result"]], _first(resources[urn], said.get("properties") or ()))
        before = by.get((check, urn))
        if before is None or _worse(judged, before):
            by[check, urn] = judged
    return Judgement(by, broken, configuration.unmapped)


def _worse(judged: Judged, before: Judged) -> bool:
    """Whether a second verdict of one check on one resource, such as on each pod that it makes, outweighs the first."""
    order = (Verdict.PASSED, Verdict.NOT_EVALUATED, Verdict.FAILED)
    return order.index(judged.verdict) > order.index(before.verdict)


def _first(resource: Resource, keys: Sequence[str]) -> str:
    """The first property that a check names, as the program spells it."""
    for key in keys:
        steps = [step for step in _STEP.split(key) if step and step != "resource_type"]
        if steps and (path := _pulumi_path(resource, steps)):
            return path
    return ""


def _pulumi_path(resource: Resource, steps: Sequence[str]) -> str:
    known = terraform.of_token(resource.type)
    if known is None:
        arm = arm_type(resource.type)
        renamed = {new: old for old, new in arm.renamed.items()} if arm else {}
        return ".".join(_in_the_open(resource, [renamed.get(step, step) for step in steps if step not in _ENVELOPE]))
    of: Mapping[str, Attribute] = known.attributes
    path: list[str] = []
    for step in steps:
        if step.strip("[]").isdigit() or step == "*":
            continue
        name, attribute = next(((n, a) for n, a in of.items() if a.name == step), (camel(step), None))
        path.append(name)
        of = attribute.of if attribute else {}
    return ".".join(_in_the_open(resource, path))


def _in_the_open(resource: Resource, path: Sequence[str]) -> Iterator[str]:
    """The path as far as no secret holds the rest of it, whose keys nobody may see either."""
    held: Any = resource.inputs
    for name in path:
        yield name
        items = held if isinstance(held, list) else [held]
        held = next((item[name] for item in items if isinstance(item, Mapping) and name in item), None)
        if held == SECRET:
            return
