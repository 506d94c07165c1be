"""Lookups: the project's own answers, then a table of realistic ones, then an invented answer of the right type."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from levee.engine.standin.clouds.lookup_tables import EXACT, TABLE
from levee.engine.standin.connection import Connection
from levee.engine.standin.faults import load_yaml
from levee.engine.standin.journal import Journal
from levee.engine.standin.outputs import Outputs
from levee.engine.standin.subject import Subject
from levee.engine.standin.values import Secret, Values, has_secret, plain, same
from levee.errors import UsageError
from levee.sdk import FunctionType, ResourceType

_REASON_TABLE: Final = "a realistic answer from the table; no cloud was asked"
_REASON_TYPED: Final = "an answer of the right type; no cloud was asked"


@dataclass(frozen=True, slots=True)
class Answer:
    """One rule of a project's ``lookups.yaml``.

    Attributes:
        function: Glob over function tokens.
        result: What to answer, merged over the typed answer.
        args: Arguments that the call must have; others may differ.
    """

    function: str
    result: Mapping[str, Any]
    args: Mapping[str, Any] = field(default_factory=dict)

    def fits(self, token: str, args: Mapping[str, Any]) -> bool:
        """Whether the call is the one this answer is for."""
        return fnmatch.fnmatchcase(token, self.function) and all(same(args.get(k), v) for k, v in self.args.items())


@dataclass(frozen=True)
class Lookups:
    """Answers lookups.

    Attributes:
        outputs: Invents values by type.
        journal: Where invented answers are listed.
        answers: The project's own, first fit first.
    """

    outputs: Outputs
    journal: Journal
    answers: Sequence[Answer] = ()

    def answer(self, function: FunctionType, args: Values, connection: Connection) -> Values:
        """The result of a lookup; invented parts are written to the journal."""
        given = plain(args)
        own = next((a for a in self.answers if a.fits(function.token, given)), None)
        if own is not None:
            return {**self._echo(function, args), **own.result}
        rule: Callable[[Connection, Mapping[str, Any]], Values] | None = TABLE.get(function.token)
        if rule is not None:
            made = {k: v for k, v in rule(connection, given).items() if k in function.outputs}
            if has_secret(args):
                made = {k: Secret(v) for k, v in made.items()}
            result = {**self._typed(function, args, connection), **self._echo(function, args), **made}
        else:
            result = self._typed(function, args, connection)
        if function.token in EXACT:
            return result
        self.journal.write(
            "invented_lookup",
            token=function.token,
            args=_public(args, given),
            answer=_public(result, plain(result)),
            reason=_REASON_TABLE if rule is not None else _REASON_TYPED,
        )
        return result

    @staticmethod
    def _echo(function: FunctionType, args: Values) -> Values:
        return {k: v for k, v in args.items() if v is not None and k in function.outputs}

    def _typed(self, function: FunctionType, args: Values, connection: Connection) -> Values:
        shape = ResourceType(
            token=function.token,
            package=function.package,
            version=function.version,
            module=function.module,
            class_name=function.token.rsplit(":", 1)[-1],
            inputs=function.inputs,
            outputs=function.outputs,
        )
        seed = f"{function.token}|{sorted(plain(args).items(), key=lambda i: i[0])!r}"
        subject = Subject(shape, _subject_name(function, args), args, connection, seed)
        return self.outputs.compute(subject, subject.hex("id", 16))


def _subject_name(function: FunctionType, args: Values) -> str:
    named = (v for k, v in args.items() if k.lower().endswith("name") and isinstance(v, str) and v)
    return next(named, function.token.rsplit(":", 1)[-1].removeprefix("get").lower())


def _public(values: Values, opened: Values) -> dict[str, Any]:
    """The values for the journal, secrets left out."""
    return {k: "[secret]" if not same_shape(v, opened.get(k)) else opened.get(k) for k, v in values.items()}


def same_shape(value: Any, opened: Any) -> bool:
    """Whether opening secrets changed nothing, that is, whether the value held none."""
    return repr(value) == repr(opened)


def load(path: Path) -> list[Answer]:
    """Read a project's ``lookups.yaml``: a list under ``lookups:`` of ``function``, ``args`` and ``result``.

    Raises:
        UsageError: The file is not that.
    """
    data = load_yaml(path, "the lookups", "docs/reference/simulated-cloud.md")
    rules = data.get("lookups") if isinstance(data, dict) else data
    if not isinstance(rules, list):
        raise UsageError("no list of lookups", where=str(path), fix="put the answers under `lookups:`")
    answers = []
    for number, rule in enumerate(rules, 1):
        where = f"{path}, lookup {number}"
        if not isinstance(rule, Mapping) or not isinstance(rule.get("function"), str):
            raise UsageError("a lookup needs a `function`", where=where, fix="function: aws:ec2/getAmi:getAmi")
        unknown = rule.keys() - {"function", "args", "result"}
        if unknown or not isinstance(rule.get("result"), Mapping) or not isinstance(rule.get("args", {}), Mapping):
            raise UsageError(
                "a lookup is `function`, `args` (a map) and `result` (a map)",
                where=where,
                fix=f"remove {sorted(unknown)}",
            )
        answers.append(Answer(rule["function"], rule["result"], rule.get("args", {})))
    return answers
