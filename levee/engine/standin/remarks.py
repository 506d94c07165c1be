"""What a reader of the plan has to know of a resource: what was not checked, was made up, or was not done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from levee.engine.standin import coverage
from levee.engine.standin.check import Checker
from levee.engine.standin.clouds import kubernetes, not_run
from levee.engine.standin.journal import Journal
from levee.engine.standin.known_types import KnownTypes
from levee.engine.standin.replacement import ReplacementFacts
from levee.engine.standin.sealing import CHANGED
from levee.engine.standin.subject import Target
from levee.engine.standin.values import Secret, Value, Values
from levee.sdk import ResourceType

_OWN: Final = "the project's own answer; what it leaves out is of the right type"


@dataclass(frozen=True)
class Remarks:
    """Writes them to the journal.

    Attributes:
        journal: Where they go.
        types: The types of a resource's parents.
        facts: What forces a replacement.
    """

    journal: Journal
    types: KnownTypes
    facts: ReplacementFacts
    _told: set[str] = field(default_factory=set)

    def fidelity(self, type_: ResourceType, checker: Checker) -> None:
        """One line for each type that is met, and one for each value that was let pass."""
        for path in checker.open_values:
            self.journal.write("open_enum", once=f"{type_.token}|{path}", type=type_.token, property=path)
        for path in checker.unchecked:
            self.journal.write("unchecked_property", once=f"{type_.token}|{path}", type=type_.token, property=path)
        if type_.token in self._told:
            return
        self._told.add(type_.token)
        self.journal.write(
            "fidelity",
            once=type_.token,
            type=type_.token,
            sdk=f"{type_.package} {type_.version}",
            checks={n: c.to_json() for n, c in coverage.of(type_, coverage.Context(self.facts)).items()},
            invented=coverage.invented_outputs(type_),
        )

    def invented(self, target: Target, id_: str, outputs: Values, *, reason: str, own: bool) -> None:
        """A resource that only a real cloud could show was made up.

        Args:
            target: The resource.
            id_: Its id.
            outputs: What was made up.
            reason: Why.
            own: Whether the project itself says what it is.
        """
        if self._inside_component(target):
            return
        self.journal.write(
            "invented_lookup",
            once=f"{target.type}|{id_}",
            token=target.type,
            urn=target.urn,
            args={"id": id_},
            answer={k: "[secret]" if isinstance(v, Secret) else v for k, v in outputs.items()},
            reason=_OWN if own else reason,
            origin="own" if own else "generated",
        )

    def _inside_component(self, target: Target) -> bool:
        """Whether a component's output refers to it: the component as a whole is then listed as not evaluated."""
        parents = target.urn.split("::")[2].split("$")[:-1]
        parent = self.types.resource(parents[-1]) if parents else None
        return parent is not None and parent.remote_component

    def not_done(self, target: Target) -> None:
        """What a real provider would have done on a machine, or in a cluster, and nobody does offline."""
        reason = not_run.reason(target.type)
        if reason is not None:
            self.journal.write("not_run", once=target.urn, urn=target.urn, type=target.type, reason=reason)
        if target.type == kubernetes.RELEASE:
            why = "its chart is not installed offline: what it would make is not evaluated"
            self.journal.write("not_evaluated", once=target.urn, urn=target.urn, type=target.type, reason=why)

    def unreadable(self, target: Target, outputs: Mapping[str, Value]) -> None:
        """Secrets that the simulated cloud knows only as hashes, and that are no longer those of the state."""
        hidden = [k for k, v in outputs.items() if isinstance(v, Secret) and v.value == CHANGED]
        if hidden:
            self.journal.write("unreadable_secret", urn=target.urn, type=target.type, properties=hidden)
