"""Lookups: the project's own answers, then what the simulated cloud holds, then a table of realistic answers, then an
invented answer of the right type. Terraform state is read, or refused, and never invented.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from levee.engine.standin import terraform_state
from levee.engine.standin.answers import EXACT, TABLE, Ask
from levee.engine.standin.check import Checker
from levee.engine.standin.clouds import cloud_of
from levee.engine.standin.connection import Connection
from levee.engine.standin.existing import Existing, Found, resource_token
from levee.engine.standin.journal import Journal
from levee.engine.standin.outputs import Outputs
from levee.engine.standin.own_answers import OwnAnswer, first
from levee.engine.standin.shapes import Shaper
from levee.engine.standin.subject import NotYetError, Subject
from levee.engine.standin.values import Secret, Values, has_secret, plain
from levee.sdk import FunctionType, Property, ResourceType

Origin = Literal["table", "generated", "cloud"]
"""Where an answer came from: the table of realistic ones, the SDK's types, or the simulated cloud, in part."""

_REASONS: Final[Mapping[Origin, str]] = {
    "table": "a realistic answer from the table; no cloud was asked",
    "generated": "an answer of the right type; no cloud was asked",
    "cloud": "found in the simulated cloud; invented beside it: ",
}


@dataclass(frozen=True)
class Lookups:
    """Answers lookups.

    Attributes:
        outputs: Invents values by type.
        journal: Where invented answers are listed.
        answers: The project's own, first fit first.
        existing: Finds what the simulated cloud holds.
        program: The folder that the program's relative paths start from.
    """

    outputs: Outputs
    journal: Journal
    answers: Sequence[OwnAnswer] = ()
    existing: Existing = field(default_factory=Existing)
    program: Path = Path()

    def answer(self, function: FunctionType, args: Values, connection: Connection) -> Values:
        """The result of a lookup; invented parts are written to the journal."""
        given = plain(args)
        own = first(self.answers, function.token, given)
        if own is not None:
            return {**_echo(function, args), **own.result}
        if function.token in terraform_state.READS:
            return {**_echo(function, args), **terraform_state.READS[function.token](given, self.program)}
        token = resource_token(self.outputs.sdk, function.token)
        found = self.existing.find(token, function, given, connection)
        made = self._made(function, given, connection, self._resource(token), found)
        if has_secret(args):
            made = {k: Secret(v) for k, v in made.items()}
        result = self._typed(function, args, made, connection)
        if function.token in EXACT:
            return result
        origin: Origin = "cloud" if found else "table" if function.token in TABLE else "generated"
        reason = _REASONS[origin]
        if found is not None:
            beside = sorted(
                name
                for name, output in function.outputs.items()
                if output.required and name != "id" and name not in args and name not in found.values
            )
            if not beside:
                return result
            reason += ", ".join(beside)
        self.journal.write(
            "invented_lookup",
            token=function.token,
            args=_public(args, given),
            answer=_public(result, plain(result)),
            reason=reason,
            origin=origin,
        )
        return result

    def own_resource(self, token: str, id_: str) -> Mapping[str, Any] | None:
        """The project's own answer to a program's ``get``; ``None`` where it has none."""
        return next((a.result for a in self.answers if a.fits_resource(token, id_)), None)

    def _resource(self, token: str) -> ResourceType | None:
        return self.outputs.sdk.resource(token) if token else None

    def _made(
        self,
        function: FunctionType,
        given: Mapping[str, Any],
        connection: Connection,
        resource: ResourceType | None,
        found: Found | None,
    ) -> Values:
        """What is known of the answer beyond its types, the surest last."""
        made: Values = {}
        rule = TABLE.get(function.token)
        if rule is not None:
            made = dict(rule(Ask(connection, given, self.existing)))
        elif resource is not None and found is None:
            made = self._as_resource(resource, function, given, connection)
        if found is not None:
            made = {**made, **found.values, "id": found.id}
        return {k: v for k, v in made.items() if k in function.outputs and self._fits(v, function.outputs[k])}

    def _fits(self, value: Any, output: Property) -> bool:
        checker = Checker(self.outputs.sdk, partial=True)
        return value is not None and checker.fits(value, output.type)

    def _as_resource(
        self, resource: ResourceType, function: FunctionType, given: Mapping[str, Any], connection: Connection
    ) -> Values:
        """What the stand-in would have made of the resource that the lookup is about."""
        inputs = {k: v for k, v in given.items() if v is not None and k in resource.inputs}
        subject = Subject(resource, _subject_name(function, given), inputs, connection, _seed(function, given))
        try:
            id_, values = self.outputs.create(subject)
        except NotYetError:
            return {}
        whole = Checker(self.outputs.sdk)
        known = {"id": id_} | {k: v for k, v in plain(values).items() if k not in given or given[k] is None}
        return {k: v for k, v in known.items() if k in function.outputs and whole.fits(v, function.outputs[k].type)}

    def _typed(self, function: FunctionType, args: Values, made: Values, connection: Connection) -> Values:
        """An answer with everything that the result's type says is there."""
        shape = ResourceType(
            token=function.token,
            package=function.package,
            version=function.version,
            module=function.module,
            class_name=function.token.rsplit(":", 1)[-1],
            inputs={k: p for k, p in function.inputs.items() if p.type.kind != "object"},
            outputs=function.outputs,
        )
        known = {**made, **{k: v for k, v in args.items() if v is not None and not (k == "name" and not v)}}
        subject = Subject(shape, _subject_name(function, args), known, connection, _seed(function, plain(args)))
        values = self.outputs.compute(subject, subject.hex("id", 16))
        # A cloud's rule may leave an object empty, as nothing has happened; a result class wants what it requires.
        bare = Shaper(self.outputs.sdk, cloud_of(""), subject)
        checker = Checker(self.outputs.sdk)
        for failure in checker.check(values, function.outputs):
            name = re.split(r"[.\[]", failure.path, maxsplit=1)[0]
            if values.get(name) is not None:
                values[name] = bare.completed(values[name], function.outputs[name].type, name)
        return values


def _echo(function: FunctionType, args: Values) -> Values:
    return {k: v for k, v in args.items() if v is not None and k in function.outputs}


def _seed(function: FunctionType, given: Mapping[str, Any]) -> str:
    return f"{function.token}|{sorted(given.items(), key=lambda i: i[0])!r}"


def _subject_name(function: FunctionType, args: Mapping[str, Any]) -> str:
    named = (v for k, v in args.items() if k.lower().endswith("name") and isinstance(v, str) and v)
    return next(named, function.token.rsplit(":", 1)[-1].removeprefix("get").lower())


def _public(values: Values, opened: Values) -> dict[str, Any]:
    """The values for the journal, secrets left out."""
    return {k: opened.get(k) if repr(v) == repr(opened.get(k)) else "[secret]" for k, v in values.items()}
