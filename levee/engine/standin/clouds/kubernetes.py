"""Kubernetes: the manifest comes back with the metadata and the status that a healthy cluster gives.

Source: Kubernetes API conventions, "Metadata" and "Typical status properties".
"""

from __future__ import annotations

import re
from typing import Any, Final

from levee.engine.standin.clouds.common import CREATED, SKIP
from levee.engine.standin.subject import NotYetError, Subject
from levee.engine.standin.values import UNKNOWN, Secret, Values
from levee.sdk import Property, ResourceType, Sdk, TypeRef

PLANNED: Final = frozenset[str]()
"""Computed outputs that the real provider already knows in a preview."""

_CLUSTER_SCOPED: Final = frozenset(
    {
        "Namespace",
        "Node",
        "PersistentVolume",
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "StorageClass",
        "PriorityClass",
        "IngressClass",
        "RuntimeClass",
        "APIService",
        "MutatingWebhookConfiguration",
        "ValidatingWebhookConfiguration",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "CSIDriver",
        "VolumeAttachment",
    }
)
_CUSTOM: Final = re.compile(r"kubernetes:([\w-]+(?:\.[\w-]+)+)/(v\d\w*):(\w+)")
_REPLICATED: Final = frozenset({"Deployment", "ReplicaSet", "StatefulSet"})


def identify(subject: Subject) -> str:
    """``namespace/name``, or the name alone where the kind is cluster-scoped."""
    metadata = subject.given("metadata") or {}
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(name, str):
        name = f"{subject.name}-{subject.hex('name', 8)}"
    if subject.type.class_name in _CLUSTER_SCOPED:
        return name
    return f"{_namespace(metadata)}/{name}"


def custom_resource(sdk: Sdk, token: str) -> ResourceType | None:
    """The type of a custom resource: a group that the SDK does not have is a CustomResourceDefinition's.

    A misspelt kind in a group that the SDK has stays unknown.
    """
    package = sdk.packages.get("kubernetes")
    found = _CUSTOM.fullmatch(token)
    if package is None or found is None:
        return None
    group, version, kind = found.groups()
    if any(known.startswith(f"kubernetes:{group}/") for known in package.tokens):
        return None
    names = {"apiVersion": "api_version", "kind": "kind", "metadata": "metadata", "spec": "spec"}
    properties = {name: Property(name, python, TypeRef("any"), required=False) for name, python in names.items()}
    return ResourceType(
        token=token,
        package=package.name,
        version=package.version,
        module="pulumi_kubernetes.apiextensions.CustomResource",
        class_name=kind,
        inputs=properties,
        outputs=properties,
        constants={"apiVersion": f"{group}/{version}", "kind": kind},
    )


def compute(_subject: Subject, _id: str, _output: Property, _path: str) -> Any:
    """Nothing by property: :func:`finish` completes the manifest as a whole."""
    return SKIP


def finish(subject: Subject, id_: str, outputs: Values) -> Values:
    """The manifest with its metadata and status as a cluster would give them back."""
    given = subject.inputs.get("metadata")
    if given is UNKNOWN:
        raise NotYetError("metadata")
    wrapped = isinstance(given, Secret)
    metadata = dict((given.value if isinstance(given, Secret) else given) or {})
    metadata.setdefault("name", id_.rsplit("/", 1)[-1])
    if subject.type.class_name not in _CLUSTER_SCOPED:
        metadata.setdefault("namespace", _namespace(metadata))
    metadata |= {
        "uid": subject.guid("uid"),
        "resourceVersion": subject.number("version", 6),
        "creationTimestamp": CREATED,
        "generation": 1,
    }
    finished = {**outputs, "metadata": Secret(metadata) if wrapped else metadata}
    if "status" in subject.type.outputs:
        finished["status"] = {**(finished.get("status") or {}), **_status(subject)}
    if subject.type.class_name == "Service" and "spec" in finished:
        finished["spec"] = _service_spec(subject, finished["spec"])
    return finished


def _namespace(metadata: Any) -> str:
    namespace = metadata.get("namespace") if isinstance(metadata, dict) else None
    if namespace is UNKNOWN:
        raise NotYetError("metadata.namespace")
    return namespace if isinstance(namespace, str) and namespace else "default"


def _status(subject: Subject) -> Values:
    spec = subject.given("spec") or {}
    spec = spec if isinstance(spec, dict) else {}
    kind = subject.type.class_name
    if kind in _REPLICATED:
        count = spec.get("replicas") if isinstance(spec.get("replicas"), int) else 1
        return {"replicas": count, "readyReplicas": count, "availableReplicas": count, "observedGeneration": 1}
    if kind == "Service" and spec.get("type") == "LoadBalancer":
        return {"loadBalancer": {"ingress": [{"hostname": f"{subject.name}.{subject.hex('lb', 8)}.example.com"}]}}
    if kind == "Service":
        return {"loadBalancer": {}}
    if kind == "Ingress":
        return {"loadBalancer": {"ingress": [{"hostname": f"{subject.name}.{subject.hex('lb', 8)}.example.com"}]}}
    if kind == "Job":
        return {"succeeded": 1, "completionTime": CREATED, "startTime": CREATED}
    phase = {"Namespace": "Active", "Pod": "Running", "PersistentVolumeClaim": "Bound", "PersistentVolume": "Bound"}
    return {"phase": phase[kind]} if kind in phase else {}


def _service_spec(subject: Subject, spec: Any) -> Any:
    if not isinstance(spec, dict) or spec.get("clusterIP") is not None:
        return spec
    address = subject.digest("ip")
    ip = f"10.96.{address[0]}.{1 + address[1] % 254}"
    return {**spec, "clusterIP": ip, "clusterIPs": [ip], "type": spec.get("type") or "ClusterIP"}
