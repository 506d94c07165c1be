"""A project's ``lookups.yaml``: its own answers to lookups, and its own resources for ``get``."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from levee.engine.standin import rules_file
from levee.engine.standin.check import Checker, near
from levee.engine.standin.values import same
from levee.errors import UsageError
from levee.sdk import FunctionType, Property, ResourceType, Sdk, package_of

_REFERENCE: Final = "see docs/reference/simulated-cloud.md#lookupsyaml"
_KEYS: Final = ({"function", "args", "result"}, {"resource", "id", "result"})
_EXAMPLE: Final = "- {function: aws:ec2/getVpc:getVpc, args: {default: true}, result: {id: vpc-0a1b2c3d}}"
_GLOB: Final = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class OwnAnswer:
    """One rule of a project's ``lookups.yaml``.

    Attributes:
        token: Glob over function tokens, or over types where the rule is for a program's ``get``.
        result: What to answer. Of a function, what it leaves out and the call does not give is absent.
        args: Arguments that the call must have; others may differ.
        id: Glob over ids, of a ``get``; empty in a function's rule.
        where: ``file:line``.
    """

    token: str
    result: Mapping[str, Any]
    args: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""
    where: str = ""

    def fits(self, token: str, args: Mapping[str, Any]) -> bool:
        """Whether the call of a function is the one that this answer is for."""
        if self.id or not fnmatch.fnmatchcase(token, self.token):
            return False
        return all(k in args and _meets(args[k], v) for k, v in self.args.items())

    def fits_resource(self, token: str, id_: str) -> bool:
        """Whether the ``get`` of a resource is the one that this answer is for."""
        return bool(self.id) and fnmatch.fnmatchcase(token, self.token) and fnmatch.fnmatchcase(id_, self.id)


def _meets(given: Any, wanted: Any) -> bool:
    """Equal, or a map that has every wanted entry, or a list that has every wanted item."""
    if isinstance(given, Mapping) and isinstance(wanted, Mapping):
        return all(k in given and _meets(given[k], v) for k, v in wanted.items())
    if isinstance(given, list) and isinstance(wanted, list):
        return all(any(_meets(one, want) for one in given) for want in wanted)
    return same(given, wanted)


def load(path: Path, sdk: Sdk | None = None) -> list[OwnAnswer]:
    """Read a project's answers.

    Args:
        path: A list of rules, alone or under ``lookups:``.
        sdk: Where functions, types and their properties are looked up; without it they are not checked.

    Raises:
        UsageError: A rule is not one, or names a function, type, argument or property that an installed SDK does not
            have, or gives a value of another type; with file and line.
    """
    rules = rules_file.items(path, "lookups", what="lookups", see=_REFERENCE)
    found = [_rule(rule, where) for rule, where in rules]
    if sdk is not None:
        for answer in found:
            _check(answer, sdk)
    return found


def _rule(rule: Any, where: str) -> OwnAnswer:
    sort = "resource" if isinstance(rule, Mapping) and "resource" in rule else "function"
    if not isinstance(rule, Mapping) or not isinstance(rule.get(sort), str):
        raise UsageError("a lookup needs a `function` or a `resource`", where=where, fix=f"for example {_EXAMPLE}")
    keys = _KEYS[sort == "resource"]
    unknown = sorted(map(str, rule.keys() - keys))
    if unknown:
        hint = near(unknown[0], keys, "; did you mean ", "?")
        raise UsageError(
            f"a lookup of a {sort} has no key {unknown[0]!r}{hint}",
            where=where,
            fix=f"its keys are {', '.join(sorted(keys))}; {_REFERENCE}",
        )
    for key in ("args", "result"):
        if not isinstance(rule.get(key, {}), Mapping) or (key == "result" and "result" not in rule):
            raise UsageError(f"`{key}` of a lookup is a map", where=where, fix=f"for example {_EXAMPLE}")
    return OwnAnswer(
        token=rule[sort],
        result=_plain(rule["result"]),
        args=_plain(rule.get("args", {})),
        id=str(rule.get("id", "*")) if sort == "resource" else "",
        where=where,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, bool) or value is None:
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return str(value)


def _check(answer: OwnAnswer, sdk: Sdk) -> None:
    """Refuse what an installed SDK contradicts; a glob, or a package that is not installed, is taken as it is."""
    if _GLOB & set(answer.token) or package_of(answer.token) not in sdk.packages:
        return
    known: FunctionType | ResourceType | None
    known = sdk.resource(answer.token) if answer.id else sdk.function(answer.token)
    if known is None:
        package = sdk.packages[package_of(answer.token)]
        what = "resource type" if answer.id else "function"
        raise UsageError(
            f"{package.name} {package.version} has no {what} {answer.token!r}",
            where=answer.where,
            fix="write the token as the list of invented lookups prints it",
        )
    if not answer.id:
        _refuse_unknown(answer, answer.args, known.inputs, "argument")
    _refuse_unknown(answer, answer.result, {**known.inputs, **known.outputs}, "output")
    checker = Checker(sdk, strict=False)
    for name, value in answer.result.items():
        output = known.outputs.get(name) or known.inputs.get(name)
        if output is not None and not checker.fits(value, output.type):
            raise UsageError(
                f"`result.{name}` of {answer.token} does not fit its type ({output.type.kind})",
                where=answer.where,
                fix=_REFERENCE,
            )


def _refuse_unknown(answer: OwnAnswer, given: Mapping[str, Any], known: Mapping[str, Property], what: str) -> None:
    for name in given:
        if name not in known and name != "id":
            hint = near(name, known, "; did you mean ", "?")
            raise UsageError(
                f"{answer.token} has no {what} {name!r}{hint}",
                where=answer.where,
                fix="names are the wire's: camelCase, as in the list of invented lookups",
            )


def first(answers: Sequence[OwnAnswer], token: str, args: Mapping[str, Any]) -> OwnAnswer | None:
    """The first answer that is for this call of a function."""
    return next((a for a in answers if a.fits(token, args)), None)
