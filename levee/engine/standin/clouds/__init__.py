"""Each cloud's own form of ids and computed values.

A cloud is two functions: ``identify`` gives a new resource its id, and ``compute`` gives a computed output, or
:data:`SKIP` where the cloud has no rule of its own and :mod:`levee.engine.standin.clouds.common` decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

from levee.engine.standin.clouds import (
    aws,
    azure,
    common,
    databricks,
    gcp,
    kubernetes,
    not_run,
    random_values,
    time_values,
)
from levee.engine.standin.clouds.common import SKIP
from levee.engine.standin.subject import Subject
from levee.engine.standin.values import Values
from levee.sdk import Property


class Identify(Protocol):
    """Gives a new resource its id."""

    def __call__(self, subject: Subject, /) -> str: ...


class Compute(Protocol):
    """Gives one computed output, or :data:`SKIP`; ``path`` is dotted where the output is nested."""

    def __call__(self, subject: Subject, id_: str, output: Property, path: str, /) -> Any: ...


class Draw(Protocol):
    """Makes the id and the outputs of a new resource together, where they depend on nothing but chance."""

    def __call__(self, type_name: str, inputs: Values, /) -> tuple[str, Values]: ...


class Finish(Protocol):
    """Completes the outputs as a whole."""

    def __call__(self, subject: Subject, id_: str, outputs: Values, /) -> Values: ...


@dataclass(frozen=True, slots=True)
class Cloud:
    """The rules of one package.

    Attributes:
        identify: Gives an id.
        compute: Gives a computed output.
        planned: Computed outputs that are known in a preview.
        finish: Has the last word on the outputs, where the cloud needs one.
        draw: Makes id and outputs together, in place of ``identify``.
        echoes: Whether a resource is a manifest: it comes back as it was given, also where it holds more than its type
            says, and only ``finish`` adds to it.
    """

    identify: Identify
    compute: Compute
    planned: frozenset[str] = frozenset()
    finish: Finish | None = None
    draw: Draw | None = None
    echoes: bool = False


def _draw_tls(type_name: str, inputs: Values) -> tuple[str, Values]:
    """Keys and certificates; the library that makes them is loaded when the first one is wanted."""
    from levee.engine.standin.clouds import tls_values

    return tls_values.draw(type_name, inputs)


_COMMON: Final = Cloud(common.identify, common.compute, common.PLANNED)
_CLOUDS: Final = {
    "aws": Cloud(aws.identify, aws.compute, aws.PLANNED),
    "azure-native": Cloud(azure.identify, azure.compute, azure.PLANNED),
    "gcp": Cloud(gcp.identify, gcp.compute, gcp.PLANNED),
    "databricks": Cloud(databricks.identify, databricks.compute, databricks.PLANNED),
    "kubernetes": Cloud(kubernetes.identify, kubernetes.compute, kubernetes.PLANNED, kubernetes.finish, echoes=True),
    "random": Cloud(common.identify, common.compute, draw=random_values.draw),
    "tls": Cloud(common.identify, common.compute, draw=_draw_tls),
    "time": Cloud(common.identify, common.compute, draw=time_values.draw),
    "command": Cloud(common.identify, not_run.command),
    "docker": Cloud(common.identify, not_run.image),
    "docker-build": Cloud(common.identify, not_run.image),
}

__all__ = ["SKIP", "Cloud", "cloud_of"]


def cloud_of(package: str) -> Cloud:
    """The rules of that package; common ones where it has none of its own."""
    return _CLOUDS.get(package, _COMMON)
