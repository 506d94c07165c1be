"""``get_resource`` of a chart, a manifest or a kustomization whose objects cannot be seen offline.

Such a component has no children (they are listed as not evaluated), and the Kubernetes SDK looks what is asked for up
in an empty mapping. Instead the object is read by its id, as a program does with ``Service.get``: the stand-in invents
it, and the report lists it with the line that asked. A component that has children is left alone: there a wrong name is
the program's own mistake.

Loaded by path into the *program's own* interpreter, so it may import nothing but the standard library and ``pulumi``.
"""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def install(pulumi: Any) -> None:
    """Have every component of the Kubernetes SDK that has a ``get_resource`` answer."""
    begin = pulumi.ComponentResource.__init__

    @functools.wraps(begin)
    def beginning(component: Any, t: str, *args: Any, **more: Any) -> None:
        kind = type(component)
        looks_up = getattr(kind, "get_resource", None)
        if t.startswith("kubernetes:") and looks_up is not None and not hasattr(looks_up, "__wrapped__"):
            kind.get_resource = _reading(looks_up, pulumi)
        begin(component, t, *args, **more)

    pulumi.ComponentResource.__init__ = beginning


def _reading(get_resource: Callable[..., Any], pulumi: Any) -> Callable[..., Any]:
    """``get_resource`` that reads from the cluster what a component without children does not hold."""

    @functools.wraps(get_resource)
    def get(component: Any, group_version_kind: str, name: Any, namespace: Any = None) -> Any:
        def find(asked: Any) -> Any:
            children, name_now, namespace_now = asked
            if children:
                return get_resource(component, group_version_kind, name, namespace)
            return _read(pulumi, component, group_version_kind, name_now, namespace_now or "default")

        return pulumi.Output.all(component.resources, name, namespace).apply(find)

    return get


def _read(pulumi: Any, component: Any, group_version_kind: str, name: str, namespace: str) -> Any:
    """The object by its id, once for each component."""
    read = component.__dict__.setdefault("_levee_read", {})
    key = f"{group_version_kind}:{namespace}/{name}"
    if key not in read:
        api_version, _, kind = group_version_kind.rpartition("/")
        options = {"id": f"{namespace}/{name}", "opts": pulumi.ResourceOptions(parent=component)}
        known = _class(api_version, kind)
        if known is None:
            custom = importlib.import_module("pulumi_kubernetes.apiextensions").CustomResource
            read[key] = custom.get(name, api_version=api_version, kind=kind, **options)
        else:
            read[key] = known.get(name, **options)
    return read[key]


def _class(api_version: str, kind: str) -> Any:
    """The SDK's class for ``apps/v1`` and ``Deployment``; ``None`` for what only the cluster defines."""
    group, _, version = api_version.rpartition("/")
    module = f"pulumi_kubernetes.{group.split('.')[0] or 'core'}.{version}"
    try:
        return getattr(importlib.import_module(module), kind, None)
    except ModuleNotFoundError:
        return None
