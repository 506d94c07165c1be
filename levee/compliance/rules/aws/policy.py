"""IAM policy documents as the rules read them: statements, who is let in, and to what.

Source: IAM User Guide, "IAM JSON policy element reference" and "How Amazon S3 defines public" (the condition keys).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from levee.compliance.rule import Finding, Undecidable
from levee.compliance.rules.checks import Check, document, is_world, reads
from levee.compliance.rules.scope import Scope, is_undecidable

Statement = Mapping[str, Any]

_LIMITING: Final = frozenset(
    key.lower()
    for key in (
        "aws:PrincipalAccount",
        "aws:PrincipalArn",
        "aws:PrincipalOrgID",
        "aws:PrincipalOrgPaths",
        "aws:SourceAccount",
        "aws:SourceArn",
        "aws:SourceIp",
        "aws:SourceOrgID",
        "aws:SourceOrgPaths",
        "aws:SourceOwner",
        "aws:SourceVpc",
        "aws:SourceVpce",
        "aws:userid",
        "aws:VpceAccount",
        "aws:VpceOrgID",
        "aws:VpceOrgPaths",
        "kms:CallerAccount",
        "s3:DataAccessPointAccount",
        "sns:Endpoint",
    )
)
"""Condition keys that narrow everybody down to somebody."""

_ANY: Final = re.compile(r"[*?]+|arn:[\w*-]+(:[*?]*)+")
"""A value that whatever is compared with it fits."""

_FOR_WHOEVER_LACKS_IT: Final = re.compile(r".*Not.*|.*IfExists|Null|ForAllValues:.*")
"""Condition operators that hold for a request without the key."""


def statements(text: Any, path: str) -> list[Statement]:
    """The statements of a policy document.

    Raises:
        Undecidable: The document is unknown, secret, or no JSON.
    """
    found = document(text, path)
    return [s for s in many(found.get("Statement")) if isinstance(s, Mapping)] if isinstance(found, Mapping) else []


def many(value: Any) -> list[Any]:
    """The items of an element that may be written as one or as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def principals(statement: Statement, kind: str = "AWS") -> list[str]:
    """Who is meant: ``"*"`` for everybody, else the principals of that kind."""
    principal = statement.get("Principal")
    if principal == "*":
        return ["*"]
    return many(principal.get(kind)) if isinstance(principal, Mapping) else []


def grants(statement: Statement) -> bool:
    """Whether it allows something."""
    return statement.get("Effect") == "Allow"


def is_public(statement: Statement) -> bool:
    """Whether it lets anybody in: an allowance to every principal, or all but some, that no condition narrows."""
    anybody = "*" in principals(statement) or "NotPrincipal" in statement
    return grants(statement) and anybody and not _narrowed(statement)


def covers(statement: Statement, action: str) -> bool:
    """Whether its actions include ``action``, wildcards counted."""
    return any(fnmatchcase(action.lower(), str(a).lower()) for a in many(statement.get("Action")))


def is_admin(statement: Statement) -> bool:
    """Whether it allows everything on everything."""
    everything = "*" in many(statement.get("Resource"))
    actions = many(statement.get("Action"))
    all_actions = any(a in ("*", "*:*") for a in actions) or not many(statement.get("NotAction", "any"))
    return grants(statement) and everything and all_actions


def no_statement(path: str, wrong: Callable[[Statement], str]) -> Check:
    """No statement of the policy at the path is wrong.

    Args:
        path: The property that holds the document.
        wrong: What is wrong with a statement, and what mends it; empty where all is well.
    """

    @reads(path)
    def run(scope: Scope) -> Iterator[Finding]:
        for found in scope.read(path):
            if not found.empty:
                for statement in statements(found.value, found.path):
                    said = wrong(statement)
                    if said:
                        yield Finding(f"{_named(statement)} {said}", property=found.path)
                    elif wrong(_at_worst(statement)):
                        yield Undecidable(found.path).finding()

    return run


def some_statement(path: str, wanted: Callable[[Statement], bool], words: str) -> Check:
    """Some statement of the policy at the path is as wanted; ``words`` says what to add."""

    @reads(path)
    def run(scope: Scope) -> Iterator[Finding]:
        found = scope.one(path)
        written = [] if found.empty else statements(found.value, found.path)
        if any(wanted(statement) for statement in written):
            return
        if any(_at_worst(statement) != statement for statement in written):
            yield Undecidable(found.path).finding()
        else:
            yield Finding(f"no statement of `{found.path}` {words}", property=found.path)

    return run


def not_public(path: str) -> Check:
    """The policy at the path lets nobody in whom it does not name."""
    return no_statement(
        path,
        lambda s: (
            "lets everybody in: name the principals, or add a condition such as aws:PrincipalOrgID"
            if is_public(s)
            else ""
        ),
    )


def _at_worst(value: Any) -> Any:
    """The same with a wildcard in the place of each unknown value: what passes so passes whatever it will be."""
    if isinstance(value, Mapping):
        return {key: _at_worst(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_at_worst(inner) for inner in value]
    return "*" if is_undecidable(value) else value


def _named(statement: Statement) -> str:
    sid = statement.get("Sid")
    return f"the statement {sid!r}" if sid else "a statement"


def _narrowed(statement: Statement) -> bool:
    conditions = statement.get("Condition")
    for operator, tests in conditions.items() if isinstance(conditions, Mapping) else ():
        if _FOR_WHOEVER_LACKS_IT.fullmatch(operator) or not isinstance(tests, Mapping):
            continue
        for key, given in tests.items():
            if key.lower() in _LIMITING and not any(_is_anything(value) for value in many(given)):
                return True
    return False


def _is_anything(value: Any) -> bool:
    return is_world(value) or bool(_ANY.fullmatch(str(value)))
