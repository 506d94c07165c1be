"""What clouds allow in names: length, characters, and whether a name is taken once for everybody.

The rules of Azure, Google Cloud, Kubernetes, Databricks and a few of AWS's are rows of ``names.toml`` with their
source. AWS's others are read from the CloudFormation schemas of the ``cfn-lint`` wheel, Google's RFC 1035 names from
the SDK's docstrings. A type without a rule is not judged.
"""

from __future__ import annotations

import fnmatch
import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from levee.engine.standin import cloudformation
from levee.engine.standin.name_property import name_property
from levee.sdk import ResourceType

DATA: Final = Path(__file__).with_name("names.toml")
_NOT_JUDGED: Final = frozenset(
    {
        "aws:route53/trafficPolicyInstance:TrafficPolicyInstance",  # the provider adds the last period itself
        "aws:servicediscovery/publicDnsNamespace:PublicDnsNamespace",  # a zone's name, with or without it
    }
)
"""Types whose provider takes more than CloudFormation does."""
_MAX_PATTERN: Final = 2000
"""No value longer than this is matched against a schema's own pattern."""
_RFC1035: Final = "RFC1035"
_GLOB: Final = frozenset("*?[")
_SHOWN: Final = 80
_LENGTHS: Final = (255, 128, 100, 80, 64, 63, 60, 50, 48, 40, 32, 24)
"""Lengths that are tried where a pattern holds the longest one."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """Which characters a name may have.

    Attributes:
        pattern: A regular expression that a whole name matches.
        words: The same for a reader.
        good: A name that fits.
        bad: Names that do not.
    """

    pattern: str
    words: str
    good: str = ""
    bad: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NameRule:
    """The rule of one type's name.

    Attributes:
        type: Type token, or a glob over them.
        property: The input that carries the name (``metadata.name`` for Kubernetes); empty where it is the one that an
            automatic name fills.
        least: Fewest characters.
        most: Most characters.
        grammar: Which characters.
        source: Who says so.
        everywhere: Whether a name is taken once for all accounts.
    """

    type: str
    property: str
    least: int
    most: int
    grammar: Grammar
    source: str
    everywhere: bool = False

    def broken_by(self, name: str) -> str:
        """What is wrong with a name, in a sentence with the rule; empty where nothing is."""
        if not self.least <= len(name) <= self.most:
            return f"has {len(name)} characters; allowed are {self.least} to {self.most}"
        if self.grammar.pattern and not re.search(self.grammar.pattern, name):
            return f"must be {self.grammar.words}"
        return ""

    def shown(self, name: str) -> str:
        """A name as an error quotes it."""
        return repr(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}...")


@functools.cache
def table() -> tuple[NameRule, ...]:
    """The rows of ``names.toml``, exact tokens before globs."""
    data = tomllib.loads(DATA.read_text(encoding="utf-8"))
    grammars = {
        name: Grammar(g["pattern"], g["words"], g["good"], tuple(g["bad"])) for name, g in data["grammars"].items()
    }
    rules = [_row(row, grammars, data["sources"][source]) for source, rows in data["rows"].items() for row in rows]
    return tuple(sorted(rules, key=lambda r: (bool(_GLOB & set(r.type)), -len(r.type))))


def _row(row: list[Any], grammars: Mapping[str, Grammar], source: str) -> NameRule:
    token, grammar, least, most, *more = row
    type_, _, property_ = token.partition("#")
    return NameRule(type_, property_, least, most, grammars[grammar], source, "global" in more)


@functools.cache
def _exact() -> Mapping[str, NameRule]:
    return {r.type: r for r in table() if not _GLOB & set(r.type)}


@functools.cache
def _globs() -> tuple[NameRule, ...]:
    return tuple(r for r in table() if _GLOB & set(r.type))


def rule_of(type_: ResourceType) -> NameRule | None:
    """The rule of a type's name, with the property that carries it; ``None`` where none is known."""
    token = _undated(type_.token)
    found = _exact().get(token) or next((r for r in _globs() if fnmatch.fnmatchcase(token, r.type)), None)
    if found is None:
        found = _from_schema(type_) if type_.package == "aws" else _from_docstring(type_)
    if found is None:
        return None
    property_ = found.property or ("metadata.name" if type_.package == "kubernetes" else _named_by(type_))
    return replace(found, property=property_) if property_ else None


def _undated(token: str) -> str:
    return re.sub(r"/v\d{8}\w*:", ":", token)


def _named_by(type_: ResourceType) -> str:
    return name_property(type_) or ("name" if "name" in type_.inputs else "")


def _from_schema(type_: ResourceType) -> NameRule | None:
    """AWS: length and pattern of the name in its CloudFormation schema."""
    schema, name = cloudformation.find(type_.token), _named_by(type_)
    path = schema.spelled(type_, name) if schema is not None and name else ""
    if schema is None or not path or type_.token in _NOT_JUDGED:
        return None
    said = schema.property(path)
    pattern = said.get("pattern", "") if _readable(said.get("pattern", "")) else ""
    if said.get("type") != "string" or not (pattern or said.get("maxLength")):
        return None
    return NameRule(
        type_.token,
        name,
        max(1, said.get("minLength", 1)),
        said.get("maxLength", _MAX_PATTERN),
        Grammar(pattern, f"as the pattern {pattern} says"),
        f"CloudFormation schema {schema.name}, {path}",
    )


def _readable(pattern: str) -> bool:
    """Whether a schema's pattern, which is ECMA's, means the same here."""
    try:
        re.compile(pattern)
    except re.error:
        return False
    return "[[:" not in pattern and "&&" not in pattern


def _from_docstring(type_: ResourceType) -> NameRule | None:
    """Google: a name whose docstring says that it must comply with RFC 1035."""
    name = type_.inputs.get("name")
    if type_.package != "gcp" or name is None or _RFC1035 not in name.doc:
        return None
    grammar = next(r.grammar for r in table() if r.type == "gcp:compute/network:Network")
    return NameRule(type_.token, "name", 1, 63, grammar, f"{type_.package} {type_.version} SDK, docstring of name")


def fitted(rule: NameRule, base: str, suffix: str) -> str:
    """An automatic name that keeps the rule, as near to the logical name as can be.

    Args:
        rule: The rule.
        base: The logical name.
        suffix: Random digits, with their separator.

    Returns:
        The name; as it would be without the rule, shortened, where no spelling of it keeps the rule.
    """
    hyphenated, bare = re.sub(r"[^A-Za-z0-9]+", "-", base).strip("-"), re.sub(r"[^A-Za-z0-9]+", "", base)
    spellings = dict.fromkeys(
        (
            base,
            base.lower(),
            hyphenated,
            hyphenated.lower(),
            hyphenated.replace("-", "_"),
            bare,
            bare.lower(),
            f"x{bare.lower()}",
        )
    )
    endings = dict.fromkeys((suffix, suffix.replace("-", "_"), suffix.lstrip("-_")))
    for most in (rule.most, *(m for m in _LENGTHS if m < min(rule.most, len(base) + len(suffix)))):
        for ending in endings:
            for spelling in (*spellings, *(f"alias/{s}" for s in spellings)):
                name = _shortened(spelling, ending, most)
                if not rule.broken_by(name):
                    return name
    return _shortened(base, suffix, rule.most)


def _shortened(base: str, suffix: str, most: int) -> str:
    room = max(1, most - len(suffix))
    return (base if len(base) <= room else base[:room].rstrip("-_.")) + suffix
