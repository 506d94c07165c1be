"""What a rule is: data about a rule, and one pure function from a resource or a graph to findings.

A rule never reads a clock, a file or the network: whatever it needs beyond the resource comes in ``Facts``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from levee.plan import SECRET, UNKNOWN, Level, Resource, Verdict

if TYPE_CHECKING:
    from levee.compliance.budgets import Pricer
    from levee.compliance.exemption import Exemption
    from levee.compliance.graph import Graph
    from levee.compliance.tagging.place import Places


class Severity(StrEnum):
    """How bad it is when the rule is broken; CrossGuard's four words."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Control:
    """A paragraph of a standard that a rule serves: ``Control("ISO/IEC 27001", "2022", "A.5.12")``."""

    standard: str
    version: str
    reference: str

    def __str__(self) -> str:
        return f"{self.standard}:{self.version} {self.reference}"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One setting of a rule.

    Attributes:
        default: The value where neither environment nor ``--policy-pack-config`` gives one.
        description: One sentence, for the reference page.
        schema: JSON schema of the value; the engine refuses a config that does not fit.
    """

    default: Any
    description: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says against a resource.

    Attributes:
        message: What is wrong and what mends it, one or two sentences.
        verdict: ``FAILED``, or ``NOT_EVALUATED`` where a value is not known yet.
        property: Dotted path of the property that it is about, or empty.
        urn: Only of a stack rule: the resource meant; empty for the stack as a whole.
    """

    message: str
    verdict: Verdict = Verdict.FAILED
    property: str = ""
    urn: str = ""


@dataclass(frozen=True)
class Facts:
    """What a rule may know beyond the resource itself.

    Attributes:
        stack: Name of the stack, which is the environment's name.
        today: The UTC date of the evaluation.
        provider: Inputs of the resource's provider; empty where it has none.
        parameters: This rule's settings, defaults filled in.
        places: Where each type carries its tags, as the provider SDKs say.
        exemptions: Every exemption of the environment.
        spending: Prices a graph; ``None`` where nobody handed in prices.
    """

    stack: str
    today: date
    places: Places
    provider: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    exemptions: Sequence[Exemption] = ()
    spending: Pricer | None = None


@dataclass(frozen=True, slots=True)
class Excused:
    """What the evaluation of a whole stack saw of its exemptions: for each its hits, in the environment's order."""

    resources_matched: Sequence[int]
    findings_excused: Sequence[int]


ResourceCheck: TypeAlias = Callable[[Resource, Facts], Iterable[Finding]]
GraphCheck: TypeAlias = Callable[[Resource, "Graph", Facts], Iterable[Finding]]
StackCheck: TypeAlias = Callable[[Sequence[Resource], Facts, Excused], Iterable[Finding]]


class Undecidable(Exception):  # noqa: N818 - not an error: the third verdict
    """Raised inside a rule where nobody can say yet; becomes "not evaluated".

    Args:
        path: Dotted path of the property that is not known, or empty.
        reason: Why not; by default that the value comes only with the update.
    """

    def __init__(self, path: str, reason: str = "") -> None:
        super().__init__(reason or f"`{path}` is not known before the update")
        self.path = path

    def finding(self) -> Finding:
        """The finding that says so."""
        return Finding(str(self), verdict=Verdict.NOT_EVALUATED, property=self.path)


class NotConcerned(Exception):  # noqa: N818 - not an error: no verdict at all
    """Raised inside a rule of a resource that is of its types and none of its business: neither passed nor failed."""


@dataclass(frozen=True, slots=True)
class Read:
    """A property that a rule reads.

    Attributes:
        path: Dotted wire names; ``[*]`` for each item.
        type: Base token of the type that has it; empty: each type of the rule.
    """

    path: str
    type: str = ""


@dataclass(frozen=True)
class Rule:
    """One policy of a pack.

    Attributes:
        id: Unique over all packs, kebab-case; the policy name that CrossGuard, environments and exemptions use.
        pack: The pack it belongs to.
        title: What holds when the rule is kept, one sentence.
        severity: How bad a breach is.
        level: Enforcement where the environment says nothing.
        remediation: The edit that mends a breach.
        url: Where the requirement is explained.
        controls: Paragraphs of standards that it serves.
        parameters: Its settings by name.
        applies: Whether it has anything to say about a type token; not asked of a stack rule.
        types: The base type tokens that it judges, where they are a list.
        reads: The properties that it looks at, where it says so.
        check: The rule itself, over one resource before it is created.
        check_graph: The rule itself, over one resource in the finished graph.
        check_stack: The rule itself, over the finished graph as a whole.
    """

    id: str
    pack: str
    title: str
    severity: Severity
    level: Level
    remediation: str
    url: str
    controls: Sequence[Control] = ()
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    applies: Callable[[str, Facts], bool] = lambda _token, _facts: True
    types: Sequence[str] = ()
    reads: Sequence[Read] = ()
    check: ResourceCheck | None = None
    check_graph: GraphCheck | None = None
    check_stack: StackCheck | None = None

    def __post_init__(self) -> None:
        if sum(check is not None for check in (self.check, self.check_graph, self.check_stack)) != 1:
            raise ValueError(f"rule {self.id} needs exactly one of check, check_graph and check_stack")

    @property
    def defaults(self) -> dict[str, Any]:
        """Parameter name to default value."""
        return {name: parameter.default for name, parameter in self.parameters.items()}


def known(value: Any, path: str) -> Any:
    """The value itself.

    Args:
        value: A JSON value as a ``Plan`` holds it.
        path: Its dotted path, for the message.

    Raises:
        Undecidable: It is unknown or secret, so that nothing can be said about it.
    """
    if isinstance(value, str) and (value in (UNKNOWN, SECRET)):
        raise Undecidable(path)
    return value
