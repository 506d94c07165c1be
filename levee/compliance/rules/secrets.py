"""Secrets where anybody who may look at a resource reads them: in environment variables, configuration and properties.

A name says that a value is a secret, or the value's own form does. Whatever is found, no message repeats it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

from levee.compliance.rule import Finding, Read, Undecidable
from levee.compliance.rules.checks import Check, each, only_where, reads
from levee.compliance.rules.scope import Scope, Value
from levee.plan import SECRET, UNKNOWN

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_WORDS: Final = frozenset(
    {"password", "passwd", "pwd", "passphrase", "secret", "token", "credential", "credentials", "apikey"}
)
_PAIRS: Final = frozenset(
    {(kind, "key") for kind in ("access", "account", "api", "encryption", "private", "secret", "shared", "signing")}
    | {("connection", "string")}
)
_ABOUT: Final = re.compile(
    "arn|count|endpoint|expiry|file|id|issuer|length|limit|name|path|provider|ref|scope|ttl|type|uri|url|version"
)
"""Last words of a name that speaks about a secret and is none: ``DB_PASSWORD_ARN``, ``TOKEN_URL``."""

_REFERENCE: Final = re.compile(
    r"\{\{secrets/[^{}]+\}\}"  # Databricks: "Manage secrets", secret paths
    r"|@Microsoft\.KeyVault\(.+\)"  # Azure App Service: "Use Key Vault references"
    r"|https://[\w-]+\.vault\.azure\.net/.+"
    r"|arn:aws[\w-]*:(secretsmanager|ssm):.+"
    r"|(projects/[^/]+/)?secrets/.+"
    r"|\$\{?[\w.:/-]+\}?|\$\([\w.:/-]+\)"
    r"|(?i:true|false|none|null)|"
)
"""A value that leads to a secret, or is none at all."""

_FORMS: Final = re.compile(
    r"(AKIA|ASIA)[0-9A-Z]{16}"  # AWS access key id
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|gh[opsu]_\w{36}|github_pat_\w{22,}"
    r"|dapi[0-9a-f]{32}"  # Databricks personal access token
    r"|xox[abprs]-[\w-]{10,}"  # Slack
    r"|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\."  # JSON Web Token
    r"|(?i:(account|sharedaccess)key=[\w+/=]{20,})"
    r"|(?i:(password|pwd)=[^;&{$\s]+)"
    r"|\w+://[^/\s:@]+:[^/\s:@{$]+@"  # credentials within a URL
)


def is_secret_name(name: str) -> bool:
    """Whether a variable or setting of that name holds a secret: ``DB_PASSWORD``, ``fs.azure.account.key.x``."""
    words = [word.lower() for word in _WORD.findall(name)]
    if not words or _ABOUT.fullmatch(words[-1]):
        return False
    return not _WORDS.isdisjoint(words) or not _PAIRS.isdisjoint(pairwise(words))


def is_plain_secret(name: str, value: Any) -> bool:
    """Whether a known value is a secret by its name or its form, and no reference to one."""
    text = _text(value)
    return bool(_FORMS.search(text)) or (is_secret_name(name) and not _REFERENCE.fullmatch(text))


def no_plain_secrets(path: str) -> Check:
    """No item of the map at the path is a secret in plain.

    Args:
        path: The path of a map from names to values.
    """

    def run(scope: Scope) -> Iterator[Finding]:
        for found in scope.read(f"{path}[*]"):
            if found.path.endswith("]"):
                yield from _judge(found, found.path.rpartition("[")[2].removesuffix("]"))
            else:
                yield Undecidable(found.path).finding()  # the whole map

    return Check(run, (Read(path),))


def no_plain_secret_pairs(path: str, *, name: str = "name", value: str = "value", where: Check | None = None) -> Check:
    """No item of the list at the path, each with a name and a value, is a secret in plain.

    Args:
        path: The path of the items, with ``[*]``.
        name: The item's property that names it.
        value: The item's property that holds the value.
        where: The items to judge; others hold the name of a secret, not the secret.
    """

    @reads(name, value)
    def pair(scope: Scope) -> Iterator[Finding]:
        named = scope.one(name)
        if named.undecidable:
            yield Undecidable(named.path).finding()
        else:
            yield from _judge(scope.one(value), str(named.value))

    return each(path, pair if where is None else only_where(where, pair))


def kept_secret(path: str) -> Check:
    """What is given at the path is a secret to Pulumi too, so that state, previews and logs never show it."""

    @reads(path)
    def run(scope: Scope) -> Iterator[Finding]:
        for found in scope.read(path):
            if found.value == UNKNOWN:
                yield Undecidable(found.path).finding()
            elif not found.empty and found.value != SECRET:
                yield _finding(found)

    return run


def _judge(found: Value, name: str) -> Iterator[Finding]:
    """An unknown value under a harmless name passes: a secret output is a secret to the engine, known or not."""
    if found.value == UNKNOWN:
        if is_secret_name(name):
            yield Undecidable(found.path).finding()
    elif found.value == SECRET:
        if is_secret_name(name):
            yield _finding(found)
        else:
            yield Undecidable(found.path, f"`{found.path}` is secret: it may lead to a secret or be one").finding()
    elif is_plain_secret(name, found.value):
        yield _finding(found)


def _finding(found: Value) -> Finding:
    return Finding(
        f"`{found.path}` holds a secret in plain: whoever may read the resource or its state reads it",
        property=found.path,
    )


def _text(value: Any) -> str:
    return "" if value is None else str(value)
