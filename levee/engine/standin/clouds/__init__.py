"""Each cloud's own form of ids and computed values.

A cloud is two functions: ``identify`` gives a new resource its id, and ``compute`` gives a computed output, or
:data:`SKIP` where the cloud has no rule of its own and :mod:`levee.engine.standin.clouds.common` decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

from levee.engine.standin.clouds import aws, azure, common, databricks, gcp, kubernetes, random_values
from levee.engine.standin.clouds.common import SKIP
from levee.engine.standin.subject import Subject
from levee.sdk import Property


class Identify(Protocol):
    """Gives a new resource its id."""

    def __call__(self, subject: Subject) -> str: ...


class Compute(Protocol):
    """Gives one computed output, or :data:`SKIP`."""

    def __call__(self, subject: Subject, id_: str, output: Property) -> Any: ...


@dataclass(frozen=True, slots=True)
class Cloud:
    """The rules of one package."""

    identify: Identify
    compute: Compute


_COMMON: Final = Cloud(common.identify, common.compute)
_CLOUDS: Final = {
    "aws": Cloud(aws.identify, aws.compute),
    "azure-native": Cloud(azure.identify, azure.compute),
    "gcp": Cloud(gcp.identify, gcp.compute),
    "databricks": Cloud(databricks.identify, databricks.compute),
    "kubernetes": Cloud(kubernetes.identify, kubernetes.compute),
    "random": Cloud(random_values.identify, random_values.compute),
}

__all__ = ["SKIP", "Cloud", "cloud_of"]


def cloud_of(package: str) -> Cloud:
    """The rules of that package; common ones where it has none of its own."""
    return _CLOUDS.get(package, _COMMON)
