"""The outputs of a component under construction: what was given comes back, a resource is *read* as its child.

So it is in the graph, is never judged, and has the outputs that its own type has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pulumi.runtime.proto import provider_pb2, resource_pb2, resource_pb2_grpc

from levee.engine.standin import wire
from levee.engine.standin.clouds import cloud_of
from levee.engine.standin.component_values import Shape, comes_back, kubeconfig
from levee.engine.standin.connection import Connection, connect
from levee.engine.standin.journal import Journal
from levee.engine.standin.subject import NotYetError, Subject
from levee.engine.standin.values import UNKNOWN, Value, Values
from levee.sdk import Property, ResourceType, Sdk, TypeRef, package_of
from levee.wire import RESOURCE_SIGNATURE, SIGNATURE

_SIBLINGS: Final = 20
"""Components of a package that are asked which cloud it is about; such packages are small."""


def cloud_package(sdk: Sdk, type_: ResourceType) -> str:
    """The provider that a component's resources belong to: the first that its outputs name, or another component's."""
    siblings = (found for token in sdk.packages[type_.package].tokens[:_SIBLINGS] if (found := sdk.resource(token)))
    for component in (type_, *siblings):
        for output in component.outputs.values():
            wanted = output.type.item if output.type.kind == "array" and output.type.item is not None else output.type
            if wanted.kind == "resource" and (token := sdk.token(wanted.ref)):
                return package_of(token)
    return type_.package


@dataclass(frozen=True)
class Site:
    """One component under construction.

    Attributes:
        sdk: The types.
        type: The component's.
        request: The engine's.
        urn: The component's.
        monitor: The engine, for this component's children.
        inputs: The component's.
    """

    sdk: Sdk
    type: ResourceType
    request: provider_pb2.ConstructRequest
    urn: str
    monitor: resource_pb2_grpc.ResourceMonitorStub
    inputs: Values

    def outputs(self) -> Values:
        """Every output: what was given comes back, the rest is made."""
        package = cloud_package(self.sdk, self.type)
        connection = connect(package, "", self._configuration(package), Journal(None))
        subject = Subject(self.type, self.request.name, {}, connection, self.urn)
        shape = References(self.sdk, cloud_of(package), subject, self)
        # References first: `vpcId` is the id of `vpc`, `publicSubnetIds` are those of `publicSubnets`.
        order = sorted(self.type.outputs.items(), key=lambda item: not _refers(item[1].type))
        made = {name: self.inputs[name] if self._comes_back(output) else shape.named(output) for name, output in order}
        return {name: made[name] for name in self.type.outputs if made[name] is not None}

    def planned(self) -> Values:
        """Every output before the component is deployed: what was given, the rest unknown."""
        outputs = self.type.outputs.items()
        return {name: self.inputs[name] if self._comes_back(output) else UNKNOWN for name, output in outputs}

    def _comes_back(self, output: Property) -> bool:
        """Whether the output is the input of that name, and not a resource that was made of it."""
        given = self.type.inputs.get(output.name)
        return self.inputs.get(output.name) is not None and (given is None or comes_back(given.type, output.type))

    def _configuration(self, package: str) -> dict[str, Any]:
        """The stack's configuration of a provider."""
        prefix = f"{package}:"
        return {k.removeprefix(prefix): v for k, v in self.request.config.items() if k.startswith(prefix)}

    def refer(self, token: str, name: str, connection: Connection) -> Values | None:
        """Read a resource of that type from the simulated cloud, as a child, and refer to it."""
        type_ = self.sdk.resource(token)
        if type_ is None:
            return None
        version = type_.version
        if token.startswith("pulumi:providers:") or type_.remote_component:
            made = self.monitor.RegisterResource(
                resource_pb2.RegisterResourceRequest(
                    type=token,
                    name=name,
                    parent=self.urn,
                    custom=not type_.remote_component,
                    object=wire.encode(_provider_inputs(token, name, connection)),
                    version=version,
                    acceptSecrets=True,
                )
            )
            return reference(made.urn, made.id, version)
        child = Subject(type_, name, {}, connection, f"{self.urn}|{name}")
        try:
            id_ = cloud_of(type_.package).identify(child) or child.hex("id", 16)
        except NotYetError:
            id_ = child.hex("id", 16)
        read = self.monitor.ReadResource(
            resource_pb2.ReadResourceRequest(
                id=id_,
                type=token,
                name=name,
                parent=self.urn,
                provider=self.request.providers.get(type_.package, ""),
                version=version,
                acceptSecrets=True,
                acceptResources=True,
            )
        )
        return reference(read.urn, id_, version)


@dataclass(frozen=True)
class References(Shape):
    """The values of a component under construction: resources are read, once for each path.

    Attributes:
        site: The component.
        made: Reference by path.
        tokens: Type by path.
    """

    site: Site
    made: dict[str, Values | None] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def named(self, output: Property) -> Value:
        """The value of a top-level output."""
        return self.value(output, output.name, 0)

    def resource(self, wanted: TypeRef, path: str) -> Value:
        """The reference of that path."""
        if path not in self.made:
            token = self.sdk.token(wanted.ref)
            self.made[path] = self._same(token, path) or self._read(token, path) if token else None
            self.tokens[path] = token
        return self.made[path]

    def _read(self, token: str, path: str) -> Values | None:
        words = "-".join(re.findall(r"[a-z0-9]+|[A-Z][a-z0-9]*", path)).lower()
        return self.site.refer(token, f"{self.subject.name}-{words}", self.subject.connection)

    def _same(self, token: str, path: str) -> Values | None:
        """What an output of the component itself is already: ``core.cluster`` is ``eksCluster``."""
        name, index = _last(path)
        for other, made in self.made.items() if "." in path else ():
            known, at = _last(other)
            if self.tokens[other] == token and at == index and "." not in other and known.endswith(name):
                return made
        return None

    def _scalar(self, output: Property, path: str) -> Value:
        known = self._id_of(path)
        return super()._scalar(output, path) if known is None else known

    def _id_of(self, path: str) -> str | None:
        """``vpcId`` is the id of ``vpc``, ``publicSubnetIds[1]`` that of ``publicSubnets[1]``."""
        stem, _, index = path.partition("[")
        for ending, plural in (("Ids", "s"), ("Id", "")):
            if stem.endswith(ending):
                found = self.made.get(stem.removesuffix(ending) + plural + (f"[{index}" if index else ""))
                return found["id"] if found else None
        return None


def _last(path: str) -> tuple[str, str]:
    """The last name of a path in lower case, and its index."""
    name, _, index = path.rsplit(".", 1)[-1].partition("[")
    return name.lower(), index


def _refers(wanted: TypeRef) -> bool:
    return wanted.kind == "resource" or (wanted.item is not None and _refers(wanted.item))


def reference(urn: str, id_: str, version: str) -> Values:
    """A resource as a value on the wire."""
    return {SIGNATURE: RESOURCE_SIGNATURE, "urn": urn, "id": id_, "packageVersion": version}


def _provider_inputs(token: str, name: str, connection: Connection) -> Mapping[str, Value]:
    if token == "pulumi:providers:kubernetes":
        placeless = ResourceType(token, "kubernetes", "", "", "Provider", {}, {})
        return {"kubeconfig": json.dumps(kubeconfig(Subject(placeless, name, {}, connection, name)))}
    return {"region": connection.region} if connection.region and package_of(token) == connection.package else {}
