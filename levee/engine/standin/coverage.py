"""How far each check goes on a type: which of its inputs it concerns, and which of those it decides.

A check that is added to the stand-in says here how far it reaches, with one :func:`register`. The log's ``fidelity``
lines, ``levee fidelity`` and ``docs/reference/fidelity.md`` are made of what is registered.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from levee.engine.standin.replacement import ReplacementFacts
from levee.sdk import ResourceType, TypeRef

STRICT: Final = frozenset({"aws", "gcp", "databricks", "random"})
"""Bridged providers, which refuse a property that they do not know."""

_UNTYPED: Final = frozenset({"any", "resource"})


@dataclass(frozen=True, slots=True)
class Context:
    """What a check may ask beside the type.

    Attributes:
        facts: What forces a replacement.
    """

    facts: ReplacementFacts


Inputs = Callable[[ResourceType, Context], Collection[str]]
"""Names of top-level inputs of a type."""


def _every(type_: ResourceType, _: Context) -> Collection[str]:
    return type_.inputs.keys()


@dataclass(frozen=True, slots=True)
class Check:
    """One check and how far it goes.

    Attributes:
        name: What reports call it.
        what: One sentence for the reference page: what is checked, and what is left to the real provider.
        decides: The inputs that it decides.
        concerns: The inputs that it could say something of; all of them where it is not given.
    """

    name: str
    what: str
    decides: Inputs
    concerns: Inputs = _every


@dataclass(frozen=True, slots=True)
class Coverage:
    """How far one check goes on one type.

    Attributes:
        concerned: The inputs that the check could say something of, in the SDK's order.
        undecided: Those of them that it does not decide.
    """

    concerned: tuple[str, ...]
    undecided: tuple[str, ...]

    @property
    def decided(self) -> int:
        """How many inputs the check decides."""
        return len(self.concerned) - len(self.undecided)

    def to_json(self) -> dict[str, Any]:
        """For the log: how many there are, and the names of those that are not decided."""
        return {"concerned": list(self.concerned), "undecided": list(self.undecided)}


_CHECKS: Final[dict[str, Check]] = {}


def register(check: Check) -> Check:
    """Add a check to every report; a second one of the same name takes its place."""
    _CHECKS[check.name] = check
    return check


def checks() -> tuple[Check, ...]:
    """Every registered check, in the order of registration."""
    return tuple(_CHECKS.values())


def of(type_: ResourceType, context: Context) -> Mapping[str, Coverage]:
    """How far each check goes on a type, by the check's name."""
    found = {}
    for check in _CHECKS.values():
        concerned = tuple(check.concerns(type_, context))
        decided = frozenset(check.decides(type_, context))
        found[check.name] = Coverage(concerned, tuple(name for name in concerned if name not in decided))
    return found


def invented_outputs(type_: ResourceType) -> tuple[str, ...]:
    """The outputs that only a cloud computes: unknown in a preview, invented in an update."""
    return tuple(name for name in type_.outputs if name not in type_.inputs)


def _leaves(type_: TypeRef) -> Iterator[TypeRef]:
    if type_.item is not None:
        yield from _leaves(type_.item)
    else:
        yield type_


def _required(type_: ResourceType, _: Context) -> Collection[str]:
    return [name for name, p in type_.inputs.items() if p.required]


def _typed(type_: ResourceType, _: Context) -> Collection[str]:
    return [n for n, p in type_.inputs.items() if not any(leaf.kind in _UNTYPED for leaf in _leaves(p.type))]


def _enums(type_: ResourceType, _: Context) -> Collection[str]:
    return [n for n, p in type_.inputs.items() if any(leaf.kind == "enum" for leaf in _leaves(p.type))]


def _closed_enums(type_: ResourceType, context: Context) -> Collection[str]:
    inputs = type_.inputs
    return [n for n in _enums(type_, context) if not any(leaf.open for leaf in _leaves(inputs[n].type))]


def _if_strict(type_: ResourceType, _: Context) -> Collection[str]:
    return type_.inputs.keys() if type_.package in STRICT else ()


def _with_fact(type_: ResourceType, context: Context) -> Collection[str]:
    return [name for name in type_.inputs if context.facts.of(type_, name) is not None]


register(
    Check(
        "required inputs", "An input that the SDK requires and the program leaves out is refused.", _required, _required
    )
)
register(
    Check("types", "A value of another type than the SDK's is refused, at every depth; `Any` takes everything.", _typed)
)
register(
    Check(
        "enums",
        "A value beyond the SDK's list is refused; where the SDK admits others too, it is let pass and listed.",
        _closed_enums,
        _enums,
    )
)
register(
    Check(
        "unknown properties",
        "Bridged providers refuse a property that the type does not have; elsewhere it is let pass and listed.",
        _if_strict,
    )
)
register(
    Check(
        "replacement facts",
        "Whether a change of the input replaces the resource; where no fact says so, the step says it is unknown.",
        _with_fact,
    )
)
