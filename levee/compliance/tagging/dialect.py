"""What each provider calls a tag, and what it accepts as one.

A dialect says under which property *names* a package keeps tags, never which types have them: that is read from the
provider's SDK (``place.py``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Final


@dataclass(frozen=True)
class Dialect:
    """The tagging rules of one provider package.

    Attributes:
        package: Package name as in type tokens.
        word: What the provider's documentation calls them.
        properties: Names of the input property that holds them, the first that a type has wins.
        nested: Names that count at any depth of one below an object property (``settings.userLabels``).
        provider_property: The provider's own input whose tags every resource inherits, or empty.
        provider_key: The key inside that input, or empty where the input is the map itself.
        limit: Most tags on one resource.
        key: What a whole key must look like.
        value: What a whole value must look like.
        key_rule: ``key`` in words.
        value_rule: ``value`` in words.
        folds_case: Whether values can hold only lower-case letters, so that a value is compared without case.
        source: Where the provider states this.
    """

    package: str
    word: str
    properties: tuple[str, ...]
    limit: int
    key: re.Pattern[str]
    value: re.Pattern[str]
    key_rule: str
    value_rule: str
    source: str
    nested: tuple[str, ...] = ()
    provider_property: str = ""
    provider_key: str = ""
    folds_case: bool = False


_KUBERNETES_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"

AWS: Final = Dialect(
    package="aws",
    word="tags",
    properties=("tags",),
    provider_property="defaultTags",
    provider_key="tags",
    limit=50,
    key=re.compile(r"(?!(?i:aws:))[\w \-+=.:/@]{1,128}"),
    value=re.compile(r"[\w \-+=.:/@]{0,256}"),
    key_rule="1 to 128 letters, digits, spaces and + - = . _ : / @, not beginning with aws:",
    value_rule="at most 256 letters, digits, spaces and + - = . _ : / @",
    source="https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html",
)
AZURE: Final = Dialect(
    package="azure-native",
    word="tags",
    properties=("tags",),
    limit=50,
    key=re.compile(r"[^<>%&\\?/]{1,512}"),
    value=re.compile(r"(?s:.{0,256})"),
    key_rule=r"1 to 512 characters without < > % & \ ? /",
    value_rule="at most 256 characters",
    source="https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations",
)
GCP: Final = Dialect(
    package="gcp",
    word="labels",
    properties=("labels", "resourceLabels", "userLabels"),
    nested=("userLabels",),
    provider_property="defaultLabels",
    limit=64,
    key=re.compile(r"[a-z][a-z0-9_-]{0,62}"),
    value=re.compile(r"[a-z0-9_-]{0,63}"),
    key_rule="1 to 63 of a-z 0-9 _ -, beginning with a letter",
    value_rule="at most 63 of a-z 0-9 _ -",
    folds_case=True,
    source="https://cloud.google.com/resource-manager/docs/labels-overview#requirements",
)
DATABRICKS: Final = Dialect(
    package="databricks",
    word="tags",
    properties=("customTags", "tags"),
    nested=("customTags",),
    limit=45,
    key=re.compile(r"[\w \-+=.:/@]{1,127}"),
    value=re.compile(r"[\w \-+=.:/@]{0,255}"),
    key_rule="1 to 127 letters, digits, spaces and + - = . _ : / @",
    value_rule="at most 255 letters, digits, spaces and + - = . _ : / @",
    folds_case=True,  # they become tags of the machines, on Google Cloud labels: written to fit the narrowest
    source="https://docs.databricks.com/api/workspace/clusters/create (custom_tags), tag limits of the host cloud",
)
KUBERNETES: Final = Dialect(
    package="kubernetes",
    word="labels",
    properties=("metadata",),
    nested=("labels",),
    limit=1000,
    key=re.compile(rf"(?:[a-z0-9](?:[a-z0-9.-]{{0,251}}[a-z0-9])?/)?{_KUBERNETES_NAME}"),
    value=re.compile(rf"(?:{_KUBERNETES_NAME})?"),
    key_rule="an optional DNS prefix and /, then 1 to 63 of A-Z a-z 0-9 _ . - between letters or digits",
    value_rule="at most 63 of A-Z a-z 0-9 _ . - between letters or digits",
    source="https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set",
)

DIALECTS: Final[Mapping[str, Dialect]] = {d.package: d for d in (AWS, AZURE, GCP, DATABRICKS, KUBERNETES)}

_ANY: Final = Dialect(
    package="",
    word="tags",
    properties=("tags", "labels"),
    limit=1000,
    key=re.compile(r"(?s:.+)"),
    value=re.compile(r"(?s:.*)"),
    key_rule="not empty",
    value_rule="anything",
    source="",
)


@cache
def dialect_of(package: str) -> Dialect:
    """The dialect of a package; for one that has none here, tags and labels under those names, in any alphabet."""
    return DIALECTS.get(package) or replace(_ANY, package=package)


_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])")
_SEPARATORS = re.compile(r"[\s_.:-]+")
_NOT_LABEL = re.compile(r"[^a-z0-9_-]")
_SYNONYMS: Final = {"cost-center": "cost-centre", "costcentre": "cost-centre", "costcenter": "cost-centre"}


def canonical_key(key: str) -> str:
    """The one spelling under which keys are compared: ``CostCentre``, ``cost_center`` are ``cost-centre``.

    A DNS prefix as Kubernetes writes it is left off: ``app.kubernetes.io/managed-by`` is ``managed-by``.
    """
    bare = key.rsplit("/", 1)[-1]
    folded = _SEPARATORS.sub("-", _CAMEL.sub("-", bare)).strip("-").lower()
    return _SYNONYMS.get(folded, folded)


def label_value(value: str) -> str:
    """The nearest value that a GCP label can hold: lower case, other characters as ``_``, at most 63."""
    return _NOT_LABEL.sub("_", value.lower())[:63]


def same_value(wanted: str, found: str, dialect: Dialect) -> bool:
    """Whether ``found`` is how that provider would hold ``wanted``.

    Where the provider folds values, every character that it lacks counts as the same: ``_`` or ``-``, as one likes.
    """
    return found == wanted or (dialect.folds_case and _folded(found) == _folded(wanted))


def _folded(value: str) -> str:
    return label_value(value).replace("_", "-").strip("-")
