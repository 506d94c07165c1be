"""How far an offline plan can be believed: what was checked of what the program gives, and what nobody asked a cloud.

Made by ``levee.engine.fidelity`` of what the stand-ins wrote down; what it says of lookups and of configuration is in
the plan itself (``invented_lookups``, ``filled_config``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CheckReach:
    """How far one check goes on one type.

    Attributes:
        name: The check, such as ``types`` or ``replacement facts``.
        inputs: How many inputs of the type it could say something of.
        decided: Of those, how many it decides.
        given: How many of the concerned inputs the program's resources give, each input of each resource counted.
        undecided: Those given that it does not decide; the names, each once.
        let_pass: How many of ``given`` it does not decide.
    """

    name: str
    inputs: int
    decided: int
    given: int = 0
    undecided: tuple[str, ...] = ()
    let_pass: int = 0


@dataclass(frozen=True, slots=True)
class TypeFidelity:
    """What the stand-in knew of one resource type that the program uses.

    Attributes:
        type: The type token.
        sdk: The SDK whose types were served, such as ``aws 7.51.1``.
        resources: How many resources of the type there are.
        given: How many inputs the program gives, over all of them.
        checks: Each check's reach.
        invented: The outputs that only a cloud computes: unknown in a preview, invented in an update.
        open_values: Values beyond an open enum's list, ``path=value``, which were let pass.
        unchecked: Paths of properties that the type does not have, which were let pass.
        replacement_unknown: Changed properties of which no fact says whether they replace the resource.
    """

    type: str
    sdk: str
    resources: int
    given: int
    checks: tuple[CheckReach, ...] = ()
    invented: tuple[str, ...] = ()
    open_values: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    replacement_unknown: tuple[str, ...] = ()

    @property
    def package(self) -> str:
        """The provider package."""
        return self.type.partition(":")[0]


@dataclass(frozen=True, slots=True)
class NotEvaluated:
    """A resource of which nothing can be said offline.

    Attributes:
        urn: The resource.
        type: Its type token.
        why: What is missing, in a few words.
    """

    urn: str
    type: str
    why: str


@dataclass(frozen=True, slots=True)
class Fidelity:
    """How far to believe a plan.

    Attributes:
        types: What was known, type by type; empty for an online plan, which the real providers answered.
        not_evaluated: Resources of which nothing could be checked, remote components' children among them.
        placeholders: Secrets, references and provider settings that stand in for what nobody gave, a sentence each.
        only_the_provider: What no offline check decides, a sentence each.
    """

    types: tuple[TypeFidelity, ...] = ()
    not_evaluated: tuple[NotEvaluated, ...] = ()
    placeholders: tuple[str, ...] = ()
    only_the_provider: tuple[str, ...] = ()

    @property
    def given(self) -> int:
        """How many inputs the program gives to resources whose type is known."""
        return sum(t.given for t in self.types)

    def reach(self) -> Mapping[str, tuple[int, int]]:
        """Over all types, by check: of the inputs given that it concerns, how many it decided, and how many."""
        found: dict[str, tuple[int, int]] = {}
        for type_ in self.types:
            for check in type_.checks:
                decided, given = found.get(check.name, (0, 0))
                found[check.name] = (decided + check.given - check.let_pass, given + check.given)
        return found
