"""Values of the types that the SDK annotates, for the outputs of components and of their methods."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, replace
from typing import Any, Final

from levee.engine.standin.clouds import SKIP, Cloud, common
from levee.engine.standin.subject import NotYetError, Subject
from levee.engine.standin.values import Value, Values
from levee.sdk import Property, Sdk, TypeRef

_SEVERAL: Final = 3
"""Items of an invented list of subnets or zones: as many as a region has zones to most programs."""
_DEEPEST: Final = 4
_FORMS: Final = {"array": "list", "object": "map", "map": "map", "resource": "resource", "any": "any", "union": "any"}
"""The form of a value by its type's kind; every other kind is a scalar."""


def comes_back(given: TypeRef, wanted: TypeRef) -> bool:
    """Whether an input is the output of its name: awsx's ``natGateways`` goes in a setting and comes out resources."""
    forms = {_FORMS.get(given.kind, "scalar"), _FORMS.get(wanted.kind, "scalar")}
    if forms == {"list"} and given.item is not None and wanted.item is not None:
        return comes_back(given.item, wanted.item)
    return len(forms) == 1 or ("any" in forms and "resource" not in forms)


@dataclass(frozen=True)
class Shape:
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
        if ("kubeconfig" in name and kind in {"any", "string", "object"}) or "Kubeconfig" in self.subject.seed:
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
