"""Words for people: clouds, types, verdicts, counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from levee.plan import Op

CLOUDS: Final[Mapping[str, str]] = {
    "aws": "AWS",
    "azure-native": "Azure",
    "gcp": "Google Cloud",
    "databricks": "Databricks",
    "kubernetes": "Kubernetes",
    "random": "Random values",
}
"""Provider package to what people call it, in the order in which they are shown."""

OPS: Final[Mapping[Op, tuple[str, str]]] = {
    Op.REPLACE: ("±", "replace"),
    Op.DELETE: ("-", "delete"),
    Op.UPDATE: ("~", "update"),
    Op.CREATE: ("+", "create"),
    Op.IMPORT: ("»", "import"),
    Op.REFRESH: ("↻", "refresh"),
    Op.READ: (">", "read"),
    Op.SAME: ("=", "unchanged"),
}
"""Operation to sign and word, the most dangerous first."""


def cloud(package: str) -> str:
    """What people call a provider package."""
    return CLOUDS.get(package, package)


def cloud_order(package: str) -> tuple[int, str]:
    """Sort key of a package."""
    known = list(CLOUDS)
    return (known.index(package) if package in known else len(known), package)


def short_type(token: str) -> str:
    """A type token without what repeats: ``s3 Bucket`` of ``aws:s3/bucket:Bucket``."""
    parts = token.split(":")
    if len(parts) != 3:
        return token
    _, module, name = parts
    head, _, tail = module.partition("/")
    if head == "index":
        return name
    if tail and tail.lower() != name.lower():  # core/v1, rbac.authorization.k8s.io/v1
        return f"{module} {name}"
    return f"{head} {name}"


def plural(count: int, one: str, many: str = "") -> str:
    """``1 resource``, ``1,204 resources``."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def seconds(value: float) -> str:
    """A duration: ``0.4 s``, ``12 s``, ``2 min 5 s``."""
    if value < 10:
        return f"{value:.1f} s"
    if value < 60:
        return f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s"
