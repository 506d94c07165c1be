"""Components that their provider's own program constructs (awsx, eks, ...): registered, typed, and not looked into.

The stand-in has the provider's types, not its program. It registers the component with the engine, checks its inputs,
and answers outputs of the types that the SDK annotates. What the component would create is nobody's knowledge offline,
so the journal lists each one as not evaluated.

Before the component is deployed its outputs are unknown, as in a real preview. In an update, an output that is a
resource is a real resource reference: to a resource that is *read* from the simulated cloud under the component, so
that it is in the graph, is never judged, and has the outputs that its own type has.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import grpc
from pulumi.runtime.proto import provider_pb2, resource_pb2, resource_pb2_grpc

from levee.engine.standin import wire
from levee.engine.standin.check import Checker
from levee.engine.standin.clouds import SKIP, Cloud, cloud_of, common
from levee.engine.standin.connection import Connection, connect
from levee.engine.standin.journal import Journal
from levee.engine.standin.manifests import COMPONENTS, Manifests, name_of, token_of, with_secrets
from levee.engine.standin.subject import NotYetError, Subject
from levee.engine.standin.values import UNKNOWN, Value, Values, has_unknown, plain
from levee.errors import LeveeError
from levee.sdk import Property, ResourceType, Sdk, TypeRef, package_of
from levee.wire import RESOURCE_SIGNATURE, SIGNATURE

NOT_EVALUATED: Final = "its children are made by its provider's own program, which an offline run does not have"
_SEVERAL: Final = 3
"""Items of an invented list of subnets or zones: as many as a region has zones to most programs."""
_DEEPEST: Final = 4
_SIBLINGS: Final = 20
"""Components of a package that are asked which cloud it is about; such packages are small."""
_LARGE: Final = [("grpc.max_receive_message_length", 400 << 20), ("grpc.max_send_message_length", 400 << 20)]


class ComponentError(LeveeError):
    """A component cannot be constructed: its type is unknown, or its inputs are wrong."""


@dataclass(frozen=True)
class Components:
    """Constructs components and answers methods.

    Attributes:
        sdk: The types.
        journal: Where each component is listed as not evaluated.
        manifests: Knows what is inside a component of Kubernetes manifests.
        state: The stack's state file, as it was when the run began: which components are deployed.
    """

    sdk: Sdk
    journal: Journal
    manifests: Manifests
    state: Path | None = None

    def construct(self, request: provider_pb2.ConstructRequest) -> provider_pb2.ConstructResponse:
        """Register the component and answer its outputs.

        Raises:
            ComponentError: No installed SDK has the type, or an input is not what the type takes.
        """
        type_ = self.sdk.resource(request.type)
        if type_ is None:
            raise ComponentError(f"no installed SDK has the component {request.type!r}")
        inputs = wire.decode(request.inputs)
        wrong = Checker(self.sdk).check(inputs, type_.inputs)
        if wrong:
            raise ComponentError(f"{request.type} {request.name!r}: " + "; ".join(failure.reason for failure in wrong))
        with grpc.insecure_channel(request.monitorEndpoint, options=_LARGE) as channel:
            monitor = resource_pb2_grpc.ResourceMonitorStub(channel)
            registered = monitor.RegisterResource(_registration(request))
            if request.type in COMPONENTS:
                outputs, unseen = self._children(request, registered.urn, monitor, inputs)
            else:
                known = not request.dryRun or registered.urn in self._deployed
                site = _Site(self.sdk, type_, request, registered.urn, monitor, inputs)
                outputs = site.outputs() if known else {name: inputs.get(name, UNKNOWN) for name in type_.outputs}
                unseen = NOT_EVALUATED
            if unseen:
                self.journal.write(
                    "not_evaluated", once=registered.urn, urn=registered.urn, type=request.type, reason=unseen
                )
            state = wire.encode(outputs)
            monitor.RegisterResourceOutputs(
                resource_pb2.RegisterResourceOutputsRequest(urn=registered.urn, outputs=state)
            )
        depends = provider_pb2.ConstructResponse.PropertyDependencies(urns=[registered.urn])
        return provider_pb2.ConstructResponse(
            urn=registered.urn, state=state, stateDependencies=dict.fromkeys(outputs, depends)
        )

    def _children(
        self,
        request: provider_pb2.ConstructRequest,
        urn: str,
        monitor: resource_pb2_grpc.ResourceMonitorStub,
        inputs: Values,
    ) -> tuple[Values, str]:
        """Register what a component of manifests is made of: its outputs, and why its inside is not known, if so."""
        if has_unknown(inputs):
            return {"resources": UNKNOWN}, "what it is made of follows from values that a preview does not know"
        rendered = self.manifests.of_component(request.type, request.name, inputs)
        prefix = str(plain(inputs).get("resourcePrefix") or request.name)
        version = self.sdk.packages["kubernetes"].version
        references = []
        for manifest in rendered.objects:
            made = monitor.RegisterResource(
                resource_pb2.RegisterResourceRequest(
                    type=token_of(manifest),
                    name=name_of(manifest, prefix),
                    parent=urn,
                    custom=True,
                    object=wire.encode(with_secrets(manifest)),
                    provider=request.providers.get("kubernetes", ""),
                    version=version,
                    acceptSecrets=True,
                    acceptResources=True,
                    supportsPartialValues=True,
                )
            )
            references.append(_reference(made.urn, made.id, version))
        return {"resources": references}, rendered.unseen

    @cached_property
    def _deployed(self) -> frozenset[str]:
        """URNs in the state; read in a preview, before an update writes to the file."""
        if self.state is None or not self.state.exists():
            return frozenset()
        resources = json.loads(self.state.read_bytes())["checkpoint"]["latest"].get("resources") or ()
        return frozenset(resource["urn"] for resource in resources)

    def call(self, request: provider_pb2.CallRequest) -> provider_pb2.CallResponse:
        """The result of a method, by its type; unknown in a preview.

        Raises:
            ComponentError: No installed SDK has the method.
        """
        method = self.sdk.method(request.tok)
        owner = self.sdk.resource(request.tok.rpartition("/")[0])
        if method is None or owner is None:
            raise ComponentError(f"no installed SDK has the method {request.tok!r}")
        args = wire.decode(request.args)
        urn = (plain(args.get("__self__")) or {}).get("urn", "")
        name = urn.rsplit("::", 1)[-1]
        result = dict.fromkeys(method.outputs, UNKNOWN)
        if not request.dryRun or urn in self._deployed:
            connection = connect(owner.package, "", {}, Journal(None))
            subject = Subject(owner, name, {}, connection, f"{urn}|{request.tok}|{sorted(args)}")
            shape = _Shape(self.sdk, _cloud(self.sdk, owner), subject)
            result = {key: shape.value(output, key, 0) for key, output in method.outputs.items()}
        self.journal.write(
            "invented_lookup",
            token=request.tok,
            args={"self": urn},
            answer=result,
            reason="a method of a component, answered by its type; its provider's program was not asked",
        )
        response = provider_pb2.CallResponse()
        getattr(response, "return").CopyFrom(wire.encode(result))
        return response


def _registration(request: provider_pb2.ConstructRequest) -> resource_pb2.RegisterResourceRequest:
    """The component as its own program would register it."""
    dependencies = {
        name: resource_pb2.RegisterResourceRequest.PropertyDependencies(urns=found.urns)
        for name, found in request.inputDependencies.items()
    }
    return resource_pb2.RegisterResourceRequest(
        type=request.type,
        name=request.name,
        parent=request.parent,
        object=request.inputs,
        dependencies=request.dependencies,
        propertyDependencies=dependencies,
        providers=request.providers,
        aliases=request.aliases,
        aliasSpecs=True,
        protect=request.protect,
        retainOnDelete=request.retainOnDelete,
        deletedWith=request.deletedWith,
        ignoreChanges=request.ignoreChanges,
        replaceOnChanges=request.replaceOnChanges,
        additionalSecretOutputs=request.additionalSecretOutputs,
        parentStackTraceHandle=request.stack_trace_handle,
        acceptSecrets=True,
        acceptResources=True,
        supportsPartialValues=True,
    )


_FORMS: Final = {"array": "list", "object": "map", "map": "map", "resource": "resource", "any": "any", "union": "any"}
"""The form of a value by its type's kind; every other kind is a scalar."""


def comes_back(given: TypeRef, wanted: TypeRef) -> bool:
    """Whether an input is the output of its name: awsx's ``natGateways`` goes in a setting and comes out resources."""
    forms = {_FORMS.get(given.kind, "scalar"), _FORMS.get(wanted.kind, "scalar")}
    if forms == {"list"} and given.item is not None and wanted.item is not None:
        return comes_back(given.item, wanted.item)
    return len(forms) == 1 or ("any" in forms and "resource" not in forms)


def _cloud_package(sdk: Sdk, type_: ResourceType) -> str:
    """The provider that a component's resources belong to: the first that its outputs name, or another component's."""
    siblings = (found for token in sdk.packages[type_.package].tokens[:_SIBLINGS] if (found := sdk.resource(token)))
    for component in (type_, *siblings):
        for output in component.outputs.values():
            wanted = output.type.item if output.type.kind == "array" and output.type.item is not None else output.type
            if wanted.kind == "resource" and (token := sdk.token(wanted.ref)):
                return package_of(token)
    return type_.package


def _cloud(sdk: Sdk, type_: ResourceType) -> Cloud:
    return cloud_of(_cloud_package(sdk, type_))


@dataclass(frozen=True)
class _Shape:
    """Values of the types that the SDK annotates, for one component.

    Attributes:
        sdk: Where nested types are looked up.
        cloud: The rules of the provider that its resources belong to.
        subject: The component.
    """

    sdk: Sdk
    cloud: Cloud
    subject: Subject

    def value(self, output: Property, path: str, depth: int) -> Value:
        """A value for an output; ``None`` where there is nothing sensible."""
        kind, name = output.type.kind, output.name.lower()
        if ("kubeconfig" in name and kind in {"any", "string", "object"}) or self.subject.seed.find("Kubeconfig") > 0:
            document = kubeconfig(self.subject)
            return json.dumps(document) if kind == "string" else document
        if kind == "resource":
            return self.resource(output.type, path)
        if kind == "array":
            return self._items(output, path, depth)
        if kind == "object":
            return self._object(output.type, path, depth)
        if kind in {"map", "any", "asset"}:
            return {}
        if kind == "union":
            return self.value(replace(output, type=output.type.members[0]), path, depth)
        return self._scalar(output, path)

    def resource(self, wanted: TypeRef, path: str) -> Value:
        """A reference; only a component that is being constructed has any."""
        return None

    def _items(self, output: Property, path: str, depth: int) -> list[Value]:
        item = output.type.item
        if item is None or depth >= _DEEPEST:
            return []
        several = _SEVERAL if re.search(r"(?i)subnet|zone", path) and item.kind != "object" else 1
        one = replace(output, type=item, name=_singular(output.name))
        found = [self.value(one, f"{path}[{number}]", depth + 1) for number in range(several)]
        return [value for value in found if value is not None]

    def _object(self, wanted: TypeRef, path: str, depth: int) -> Values | None:
        if depth >= _DEEPEST:
            return None
        made = {
            name: self.value(nested, f"{path}.{name}", depth + 1)
            for name, nested in self.sdk.object(wanted.ref).items()
            if nested.required or nested.type.kind in {"resource", "string", "any"}
        }
        return {name: value for name, value in made.items() if value is not None}

    def _scalar(self, output: Property, path: str) -> Value:
        connection = self.subject.connection
        if output.name == "imageUri":
            registry = f"{connection.account}.dkr.ecr.{connection.region}.amazonaws.com"
            return f"{registry}/{self.subject.name}@sha256:{self.subject.hex(path, 64)}"
        subject = replace(self.subject, seed=f"{self.subject.seed}|{path}")
        try:
            value = self.cloud.compute(subject, subject.hex("id", 16), output, path)
            value = common.scalar(subject, subject.hex("id", 16), output, path) if value is SKIP else value
        except NotYetError:
            return None
        return None if value is SKIP else value


@dataclass(frozen=True)
class _Site:
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
        package = _cloud_package(self.sdk, self.type)
        connection = connect(package, "", self._configuration(package), Journal(None))
        subject = Subject(self.type, self.request.name, {}, connection, self.urn)
        shape = _References(self.sdk, cloud_of(package), subject, self)
        # References first: `vpcId` is the id of `vpc`, `publicSubnetIds` are those of `publicSubnets`.
        order = sorted(self.type.outputs.items(), key=lambda item: not _refers(item[1].type))
        made = {
            name: self.inputs[name]
            if self.inputs.get(name) is not None
            and (name not in self.type.inputs or comes_back(self.type.inputs[name].type, output.type))
            else shape.named(output)
            for name, output in order
        }
        return {name: made[name] for name in self.type.outputs if made[name] is not None}

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
            return _reference(made.urn, made.id, version)
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
        return _reference(read.urn, id_, version)


@dataclass(frozen=True)
class _References(_Shape):
    """The values of a component under construction: resources are read, once for each path.

    Attributes:
        site: The component.
        made: Reference by path.
        tokens: Type by path.
    """

    site: _Site
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


def _reference(urn: str, id_: str, version: str) -> Values:
    return {SIGNATURE: RESOURCE_SIGNATURE, "urn": urn, "id": id_, "packageVersion": version}


def _provider_inputs(token: str, name: str, connection: Connection) -> Mapping[str, Value]:
    if token == "pulumi:providers:kubernetes":
        placeless = ResourceType(token, "kubernetes", "", "", "Provider", {}, {})
        return {"kubeconfig": json.dumps(kubeconfig(Subject(placeless, name, {}, connection, name)))}
    return {"region": connection.region} if connection.region and package_of(token) == connection.package else {}


def _singular(name: str) -> str:
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else name


def kubeconfig(subject: Subject) -> dict[str, Any]:
    """A kubeconfig of an EKS cluster, with a certificate that is none.

    Source: Amazon EKS user guide, "Connect kubectl to an EKS cluster by creating a kubeconfig file".
    """
    region = subject.connection.region or "us-east-1"
    server = f"https://{subject.hex('endpoint', 32).upper()}.gr7.{region}.eks.amazonaws.com"
    certificate = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nstands for one\n-----END CERTIFICATE-----\n").decode()
    command = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "aws",
        "args": ["eks", "get-token", "--cluster-name", subject.name],
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "kubernetes", "cluster": {"server": server, "certificate-authority-data": certificate}}],
        "contexts": [{"name": "aws", "context": {"cluster": "kubernetes", "user": "aws"}}],
        "current-context": "aws",
        "users": [{"name": "aws", "user": {"exec": command}}],
    }
