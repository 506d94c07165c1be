"""The life of a resource in the simulated cloud: check, diff, create, read, update, delete, and lookups.

Plain values in, plain values out; :mod:`servicer` puts it on the wire.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from levee.engine.standin import coverage, limits, naming
from levee.engine.standin.check import Checker, Failure
from levee.engine.standin.cloud import Origin, Record, SimulatedCloud
from levee.engine.standin.connection import Connection
from levee.engine.standin.fault_rules import Operation
from levee.engine.standin.faults import Call, Faults, Made
from levee.engine.standin.journal import Journal
from levee.engine.standin.known_types import KnownTypes
from levee.engine.standin.lookups import Lookups
from levee.engine.standin.manifests import INVOKES, Manifests
from levee.engine.standin.name_property import name_property
from levee.engine.standin.outputs import Outputs
from levee.engine.standin.remarks import Remarks
from levee.engine.standin.replacement import ReplacementFacts
from levee.engine.standin.subject import Subject, Target
from levee.engine.standin.values import UNKNOWN, Change, Values, changes, has_unknown, plain
from levee.errors import LeveeError
from levee.sdk import ResourceType, Sdk

_READ: Final = "a resource that the simulated cloud does not hold, read by its id"
_IMPORTED: Final = "an import that the simulated cloud does not hold, taken to be as the program says"


class CloudError(LeveeError):
    """The simulated cloud refuses: no such type, no such resource, a name that is taken."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What Diff found.

    Attributes:
        changes: Every changed input.
        replaces: Paths, among them, that force a replacement.
        delete_first: Whether the old resource must go before the new one can come.
    """

    changes: Sequence[Change] = ()
    replaces: Sequence[str] = ()
    delete_first: bool = False


@dataclass(frozen=True, slots=True)
class Expected:
    """What a program says of a resource that it is about to import.

    Attributes:
        inputs: Its inputs, as the program gives them.
        keep: Whether this is an update: a preview leaves no trace.
    """

    inputs: Values
    keep: bool


@dataclass
class Provider:
    """All packages' resources against one simulated cloud.

    Attributes:
        sdk: The types.
        cloud: What exists.
        journal: Where inventions and gaps are written.
        faults: What goes wrong on purpose.
        outputs: Invents computed values.
        lookups: Answers functions.
        manifests: Renders what Kubernetes components are made of.
        facts: What forces a replacement.
    """

    sdk: Sdk
    cloud: SimulatedCloud
    journal: Journal
    faults: Faults
    outputs: Outputs
    lookups: Lookups
    manifests: Manifests
    facts: ReplacementFacts = field(default_factory=ReplacementFacts)
    _expected: dict[tuple[str, str], Expected] = field(default_factory=dict)

    @cached_property
    def _types(self) -> KnownTypes:
        return KnownTypes(self.sdk)

    @cached_property
    def _remarks(self) -> Remarks:
        return Remarks(self.journal, self._types, self.facts)

    def check(
        self, target: Target, olds: Values, news: Values, *, proposed_name: str = ""
    ) -> tuple[Values, list[Failure]]:
        """The inputs with automatic names and constants, and what is wrong with them."""
        self.faults.before(Call("check", target.type, target.urn))
        type_ = self._types.resource(target.type)
        if type_ is None:
            return news, [Failure("", self._types.no_resource(target.type))]
        inputs = {**news, **{k: v for k, v in type_.constants.items() if news.get(k) is None}}
        inputs = naming.name_inputs(type_, self._next(target), olds, inputs, proposed_name)
        checker = Checker(self.sdk, strict=type_.package in coverage.STRICT)
        failures = [*checker.check(inputs, type_.inputs), *limits.failures(type_, target.urn, olds, news, self.cloud)]
        self._remarks.fidelity(type_, checker)
        return inputs, failures

    def diff(self, target: Target, old: Values, new: Values, ignore: Sequence[str] = ()) -> Difference:
        """What changed between two sets of checked inputs and whether it forces a replacement."""
        self.faults.before(Call("diff", target.type, target.urn))
        type_ = self._type(target.type)
        found = [c for c in changes(old, new) if c.top not in ignore and not c.top.startswith("__")]
        replaces, unknown = [], []
        for change in found:
            fact = self.facts.of(type_, change.path)
            if fact is None:
                unknown.append(change.path)
            elif fact.replaces:
                replaces.append(change.path)
        if unknown and not replaces:
            self.journal.write("replacement_unknown", urn=target.urn, type=target.type, properties=unknown)
        return Difference(found, replaces, bool(replaces) and naming.keeps_name(type_, self._next(target), old, new))

    def create(self, target: Target, inputs: Values, connection: Connection, *, preview: bool) -> tuple[str, Values]:
        """The id and outputs of a new resource; in a preview no id, and what is computed is unknown.

        Raises:
            CloudError: The name is taken.
        """
        type_ = self._type(target.type)
        call = self._call("create", target, inputs, connection, preview=preview)
        self.faults.before(call)
        seed = f"{target.urn}|{self.cloud.creations(target.urn)}"
        subject = Subject(type_, target.name, inputs, connection, seed)
        self._remarks.not_done(target)
        if preview:
            return "", self.outputs.preview(subject)
        id_, outputs = self.outputs.create(subject)
        self._refuse_taken(type_, target, id_, inputs=inputs, connection=connection)
        for failure in limits.conflicts(type_, target.urn, inputs, self.cloud):
            raise CloudError(f"Conflict: {failure.reason}", where=target.urn, fix="choose another range")
        self._store(connection.scope, target, id_, seed=seed, inputs=inputs, outputs=outputs, created=True)
        self.faults.after(call, Made(id_, inputs, outputs))
        return id_, outputs

    def read(
        self, target: Target, id_: str, inputs: Values | None, state: Values, connection: Connection
    ) -> tuple[str, Values, Values]:
        """A resource as the cloud has it now: id, inputs, outputs; an empty id where it is gone.

        Args:
            target: The resource.
            id_: Its id.
            inputs: The state's inputs; ``None`` on an import, and equal to ``state`` for a program's ``get``.
            state: The state's outputs.
            connection: Where to look.
        """
        type_ = self._type(target.type)
        self.faults.before(Call("read", target.type, target.urn))
        record = self._record(target, id_, connection)
        unmade = record is None or (record.origin == "invented" and not record.removed)
        if unmade and inputs is not None and inputs == state:
            record = self._invent(type_, target, id_, state, connection)
        if record is None:
            expected = self._expected.get((target.type, id_)) if inputs is None else None
            if expected is not None:
                return self._adopt(type_, target, id_, expected, connection)
            return "", {}, {}
        if record.removed:
            return "", {}, {}
        got_inputs = self.cloud.sealer.unseal_all(record.inputs, inputs or {})
        got_outputs = self.cloud.sealer.unseal_all(record.outputs, {**(inputs or {}), **state})
        if inputs is None:
            self._remarks.unreadable(target, got_outputs)
        return record.id, got_inputs, got_outputs

    def update(
        self,
        target: Target,
        id_: str,
        *,
        old: Values,
        new: Values,
        state: Values,
        connection: Connection,
        preview: bool,
    ) -> Values:
        """The outputs after an update.

        Raises:
            CloudError: The resource was removed behind the engine's back.
        """
        type_ = self._type(target.type)
        call = self._call("update", target, new, connection, preview=preview)
        self.faults.before(call)
        record = self._record(target, id_, connection)
        if record is not None and record.removed and not preview:
            raise CloudError(
                f"NotFound: {target.type} {id_!r} no longer exists",
                where=target.urn,
                fix="run `levee refresh`, then up",
            )
        seed = record.seed if record is not None else f"{target.type}|{id_}"
        before = Subject(type_, target.name, old, connection, seed)
        after = replace(before, inputs=new)
        outputs = self.outputs.update(before, after, id_, state)
        if not preview:
            scope = record.scope if record is not None else connection.scope
            self._store(scope, target, id_, seed=seed, inputs=new, outputs=outputs, was=record)
        self.faults.after(call, Made(id_, new, outputs))
        return outputs

    def delete(self, target: Target, id_: str, connection: Connection) -> None:
        """Take a resource away; one that is gone already is no error, as with most real providers."""
        call = Call("delete", target.type, target.urn)
        self.faults.before(call)
        record = self._record(target, id_, connection)
        if record is not None and not record.removed:
            self.cloud.put(replace(record, removed=True))
        self.faults.after(call)

    def invoke(self, token: str, args: Values, connection: Connection) -> tuple[Values, list[Failure]]:
        """The result of a lookup."""
        self.faults.before(Call("invoke", token))
        if token in INVOKES:
            return ({"result": UNKNOWN}, []) if has_unknown(args) else (self.manifests.answer(token, args), [])
        function = self._types.function(token)
        if function is None:
            return {}, [Failure("", self._types.no_function(token))]
        if unknown := self._types.unknown_arguments(function, args):
            return {}, [Failure(name, self._types.no_argument(function, name)) for name in unknown]
        if has_unknown(args):
            return dict.fromkeys(function.outputs, UNKNOWN), []
        return self.lookups.answer(function, args, connection), []

    def _call(
        self, operation: Operation, target: Target, inputs: Values, connection: Connection, *, preview: bool
    ) -> Call:
        return Call(
            operation,
            target.type,
            target.urn,
            preview=preview,
            inputs=inputs,
            region=connection.region,
            live=lambda: self.cloud.count(connection.scope, target.type),
        )

    def _record(self, target: Target, id_: str, connection: Connection) -> Record | None:
        """What the cloud holds of that id, also under a name that the type had before (an alias of the SDK)."""
        type_ = self._types.resource(target.type)
        tokens = (target.type, *(type_.aliases if type_ else ()))
        found = (self.cloud.get(connection.scope, token, id_, target.urn) for token in tokens)
        return next((record for record in found if record is not None), None)

    def _type(self, token: str) -> ResourceType:
        type_ = self._types.resource(token)
        if type_ is None:
            raise CloudError(self._types.no_resource(token), fix="mend the type, or install the SDK that has it")
        return type_

    def _next(self, target: Target) -> naming.Creation:
        """The creation of that resource that would come next."""
        return naming.Creation(target.name, target.urn, self.cloud.creations(target.urn))

    def _store(
        self,
        scope: str,
        target: Target,
        id_: str,
        *,
        seed: str,
        inputs: Values,
        outputs: Values,
        created: bool = False,
        origin: Origin = "created",
        was: Record | None = None,
    ) -> Record:
        seal = self.cloud.sealer.seal
        record = Record(scope, target.type, id_, target.urn, seed, seal(inputs), seal(outputs), origin)
        self.cloud.put(record, created=created, was=was)
        return record

    def _refuse_taken(
        self, type_: ResourceType, target: Target, id_: str, *, inputs: Values, connection: Connection
    ) -> None:
        """A name that another resource has cannot be given again; one's own can, after a create that was cut short."""
        name = name_property(type_)
        if name is None or plain(inputs.get(name)) not in {id_, id_.rsplit("/", 1)[-1]}:
            return
        everywhere = limits.taken_everywhere(type_)
        if everywhere:
            holders = self.cloud.named(target.type, id_.rsplit("/", 1)[-1])
        else:
            holders = self.cloud.holders(connection.scope, target.type, id_)
        for holder in holders:
            if holder.urn != target.urn:
                raise CloudError(
                    f"AlreadyExists: {target.type} {id_!r} exists already"
                    + (", and such a name is taken once for all accounts" if everywhere else "")
                    + (f", created as {holder.urn}" if holder.urn else ""),
                    where=target.urn,
                    fix="choose another name, or import the resource",
                )

    def _invent(self, type_: ResourceType, target: Target, id_: str, state: Values, connection: Connection) -> Record:
        """A resource that a program gets by id and that only a real cloud could show."""
        name = name_property(type_)
        named = {name: id_.rsplit("/", 1)[-1]} if name and state.get(name) is None else {}
        subject = Subject(type_, target.name, {**state, **named}, connection, f"{target.type}|{id_}")
        outputs = self._shown(target, id_, subject, _READ)
        return self._store(
            connection.scope, target, id_, seed=subject.seed, inputs=state, outputs=outputs, origin="invented"
        )

    def _adopt(
        self, type_: ResourceType, target: Target, id_: str, expected: Expected, connection: Connection
    ) -> tuple[str, Values, Values]:
        """An import of what only a real cloud could show: it is taken to be as the program says."""
        inputs, _ = self.check(target, {}, expected.inputs)
        subject = Subject(type_, target.name, inputs, connection, f"{target.type}|{id_}")
        outputs = self._shown(target, id_, subject, _IMPORTED)
        if expected.keep:
            self._store(
                connection.scope, target, id_, seed=subject.seed, inputs=inputs, outputs=outputs, origin="imported"
            )
        return id_, inputs, outputs

    def _shown(self, target: Target, id_: str, subject: Subject, reason: str) -> Values:
        """What a real cloud would show of it: the project's own answer, the rest made up and said to be."""
        own = self.lookups.own_resource(target.type, id_)
        outputs = {**self.outputs.compute(subject, id_), **(own or {})}
        self._remarks.invented(target, id_, outputs, reason=reason, own=own is not None)
        return outputs

    def expect(self, token: str, id_: str, expected: Expected) -> None:
        """Remember what a program says of a resource that it imports, for the read that follows."""
        self._expected[token, id_] = expected
