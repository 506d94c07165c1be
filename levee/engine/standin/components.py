"""Components that their provider's own program constructs (awsx, eks, ...): registered, typed, and not looked into.

The stand-in has the provider's types, not its program. It registers the component with the engine, checks its inputs,
and answers outputs of the types that the SDK annotates. What the component would create is nobody's knowledge offline,
so the journal lists each one as not evaluated.

Before the component is deployed its outputs are unknown, as in a real preview. In an update, an output that is a
resource is a real resource reference: to a resource that is *read* from the simulated cloud under the component, so
that it is in the graph, is never judged, and has the outputs that its own type has.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import grpc
from pulumi.runtime.proto import provider_pb2, resource_pb2, resource_pb2_grpc

from levee.engine.standin import wire
from levee.engine.standin.check import Checker
from levee.engine.standin.clouds import cloud_of
from levee.engine.standin.component_site import Site, cloud_package, reference
from levee.engine.standin.component_values import Shape
from levee.engine.standin.connection import connect
from levee.engine.standin.journal import Journal
from levee.engine.standin.manifests import COMPONENTS, Manifests, name_of, token_of, with_secrets
from levee.engine.standin.subject import Subject
from levee.engine.standin.values import UNKNOWN, Values, has_unknown, plain
from levee.errors import LeveeError
from levee.sdk import Sdk
from levee.wire import logical_name

NOT_EVALUATED: Final = "its children are made by its provider's own program, which an offline run does not have"
_INSTALL: Final = "install the package's SDK where the program's are: pulumi package add, or pip install"
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
            raise ComponentError(f"no installed SDK has the component {request.type!r}", fix=_INSTALL)
        inputs = wire.decode(request.inputs)
        wrong = Checker(self.sdk).check(inputs, type_.inputs)
        if wrong:
            said = "; ".join(failure.reason for failure in wrong)
            raise ComponentError(f"{request.type} {request.name!r}: {said}", fix="mend what the program gives it")
        with grpc.insecure_channel(request.monitorEndpoint, options=_LARGE) as channel:
            monitor = resource_pb2_grpc.ResourceMonitorStub(channel)
            registered = monitor.RegisterResource(_registration(request))
            if request.type in COMPONENTS:
                outputs, unseen = self._children(request, registered.urn, monitor, inputs)
            else:
                known = not request.dryRun or registered.urn in self._deployed
                site = Site(self.sdk, type_, request, registered.urn, monitor, inputs)
                outputs = site.outputs() if known else site.planned()
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
            references.append(reference(made.urn, made.id, version))
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
            raise ComponentError(f"no installed SDK has the method {request.tok!r}", fix=_INSTALL)
        args = wire.decode(request.args)
        urn = (plain(args.get("__self__")) or {}).get("urn", "")
        name = logical_name(urn)
        result = dict.fromkeys(method.outputs, UNKNOWN)
        if not request.dryRun or urn in self._deployed:
            connection = connect(owner.package, "", {}, Journal(None))
            subject = Subject(owner, name, {}, connection, f"{urn}|{request.tok}|{sorted(args)}")
            shape = Shape(self.sdk, cloud_of(cloud_package(self.sdk, owner)), subject)
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
