"""The ``Plan`` and its parts: frozen, JSON in and JSON out under a versioned schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, Self

from levee.plan.fidelity import Fidelity
from levee.plan.urn import Urn
from levee.wire import UNKNOWN_STRING

SCHEMA_VERSION: Final = 1
"""Raised by one with every change of the JSON that an old reader would misread."""

UNKNOWN: Final = UNKNOWN_STRING
"""The engine's own sentinel of a value that only the real provider knows."""

STACK_TYPE: Final = "pulumi:pulumi:Stack"
"""The type of the resource that is the stack itself, the parent of all others."""

SECRET: Final = "[secret]"
"""What stands in the place of every secret; whatever writes or prints a ``Plan`` writes this."""


TERRAFORM: Final = "terraform"
"""The ``operation`` of a ``Plan`` that no engine of Pulumi's made."""


class Sealed(str):
    """``SECRET``, which keeps what it stands for where the process was given that: for Checkov's worker alone.

    To print, compare, copy or write it is to have ``SECRET``.
    """

    __slots__ = ("_value",)

    def __new__(cls, value: Any) -> Self:
        """Seal a JSON value."""
        made = super().__new__(cls, SECRET)
        made._value = value
        return made

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (SECRET,)

    def unseal(self) -> Any:
        """What it stands for."""
        return self._value


class Op(StrEnum):
    """What the engine does with a resource (``pkg/resource/deploy/step.go``)."""

    SAME = "same"
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    READ = "read"
    REFRESH = "refresh"
    IMPORT = "import"


class Level(StrEnum):
    """CrossGuard's enforcement levels."""

    ADVISORY = "advisory"
    MANDATORY = "mandatory"
    REMEDIATE = "remediate"
    DISABLED = "disabled"


class Verdict(StrEnum):
    """What a rule said of a resource. Undecidable is never passed."""

    PASSED = "passed"
    FAILED = "failed"
    EXEMPT = "exempt"
    NOT_EVALUATED = "not-evaluated"


@dataclass(frozen=True, slots=True)
class Source:
    """Where in the program a thing was written; ``file`` is relative to the project where it lies inside."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Resource:
    """One node of the graph.

    Attributes:
        urn: The identity.
        type: The type token, such as ``aws:s3/bucket:Bucket``.
        name: The logical name.
        op: What this run does with it; ``SAME`` in a deployed stack that was only read.
        custom: Whether a provider keeps it (``False`` for a component).
        id: The cloud's id; empty before it exists.
        inputs: Property name (the provider's camelCase) to JSON value; ``UNKNOWN`` and ``SECRET`` stand in place.
        outputs: The same for outputs.
        parent: URN of the parent, or ``None``.
        provider: ``<provider urn>::<id>`` as the engine writes it, or empty.
        dependencies: URNs, every ``depends_on`` and every resource whose output an input holds.
        property_dependencies: Property name to the URNs its value came from.
        protect: Whether the engine refuses to delete it.
        source: Where the program registered it; ``None`` where the engine made it itself.
        diff: The properties that change (dotted paths), empty unless ``op`` is update or replace.
        replace_keys: Those of ``diff`` that force the replacement.
        replacement_unknown: No fact says whether this update is really a replacement.
    """

    urn: str
    type: str
    name: str
    op: Op = Op.SAME
    custom: bool = True
    id: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    parent: str | None = None
    provider: str = ""
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    protect: bool = False
    source: Source | None = None
    diff: tuple[str, ...] = ()
    replace_keys: tuple[str, ...] = ()
    replacement_unknown: bool = False

    @property
    def package(self) -> str:
        """The provider package, ``aws`` of ``aws:s3/bucket:Bucket``."""
        return Urn.parse(self.urn).package

    @property
    def is_provider(self) -> bool:
        """Whether this is an explicit or default provider."""
        return self.type.startswith("pulumi:providers:")


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that a resource, or with an empty ``urn`` the whole stack, breaks."""

    pack: str
    policy: str
    level: Level
    message: str
    urn: str = ""
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class InventedLookup:
    """A lookup that the stand-in answered with a value no cloud gave."""

    token: str
    args: Mapping[str, Any]
    answer: Mapping[str, Any]
    source: Source | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FilledConfig:
    """A configuration value that nobody has set and ``--fill-config`` invented.

    Attributes:
        key: The full key, ``namespace:name``; an item of an object is dotted.
        value: The placeholder, ``SECRET`` where the program asked for a secret or the kind is one.
        kind: What it is, such as ``CIDR block``.
        why: What gave it away, such as ``used as cidr_block``.
        source: The program's line that asked first; ``None`` where the provider would.
    """

    key: str
    value: Any
    kind: str
    why: str = ""
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts over the plan. ``not_evaluated`` counts rule-and-resource pairs that nobody could decide."""

    resources: int = 0
    by_op: Mapping[str, int] = field(default_factory=dict)
    by_package: Mapping[str, int] = field(default_factory=dict)
    violations_by_level: Mapping[str, int] = field(default_factory=dict)
    not_evaluated: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Plan:
    """The graph of one stack with what was found in it. Equal plans have equal JSON.

    Attributes:
        project: The Pulumi project's name.
        stack: The stack's name.
        operation: ``preview``, ``up``, ``refresh``, ``destroy``, ``deployed`` where the state was only read, or
            ``terraform`` where they are Terraform's resources.
        offline: Whether stand-ins answered for the clouds.
        resources: The graph; the stack itself and its providers are in it.
        violations: Broken rules.
        exempt: Broken rules that an unexpired exemption covers.
        not_evaluated: Rules that could not be decided, mostly for a value that only the real provider knows.
        invented_lookups: Answers to lookups that no cloud gave.
        filled_config: Configuration that nobody has set and that was invented for this run.
        outputs: The stack's outputs.
        notes: What was done on the user's behalf, one sentence each.
        fidelity: How far to believe an offline plan.
        seconds: Wall time of the engine's process.
    """

    project: str
    stack: str
    operation: str
    offline: bool
    resources: tuple[Resource, ...] = ()
    violations: tuple[Violation, ...] = ()
    exempt: tuple[Violation, ...] = ()
    not_evaluated: tuple[Violation, ...] = ()
    invented_lookups: tuple[InventedLookup, ...] = ()
    filled_config: tuple[FilledConfig, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    fidelity: Fidelity = field(default_factory=Fidelity)
    seconds: float = 0.0

    @cached_property
    def by_urn(self) -> Mapping[str, Resource]:
        """Resources by URN."""
        return {r.urn: r for r in self.resources}

    @property
    def blocked(self) -> bool:
        """Whether a mandatory rule is broken."""
        return any(v.level is Level.MANDATORY for v in self.violations)

    @property
    def changes(self) -> bool:
        """Whether anything was, or would be, made, changed or deleted."""
        return any(r.op not in {Op.SAME, Op.READ} for r in self.resources)

    def of_type(self, token: str) -> Iterator[Resource]:
        """Every resource of that type token, in the program's order."""
        return (r for r in self.resources if r.type == token)

    def children(self, urn: str | None) -> Iterator[Resource]:
        """Direct children; with ``None`` the roots."""
        return (r for r in self.resources if r.parent == urn)

    @cached_property
    def summary(self) -> Summary:
        """The counts of this plan; the stack and the providers are not resources that a person counts."""
        counted = [r for r in self.resources if not r.is_provider and r.type != STACK_TYPE]
        return Summary(
            resources=len(counted),
            by_op=_count(r.op.value for r in counted),
            by_package=_count(r.package for r in counted if r.custom),
            violations_by_level=_count(v.level.value for v in self.violations),
            not_evaluated=len(self.not_evaluated),
            seconds=self.seconds,
        )


def _count(values: Iterator[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return dict(sorted(counts.items()))
