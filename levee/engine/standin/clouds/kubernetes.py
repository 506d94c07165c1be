"""Kubernetes: the manifest comes back with the metadata and the status that a healthy cluster gives.

Source: Kubernetes API conventions, "Metadata" and "Typical status properties".
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
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
RELEASE: Final = "kubernetes:helm.sh/v3:Release"
"""The one type whose children only its provider's Helm knows."""
_SUFFIX: Final = "bcdfghjklmnpqrstvwxz2456789"
"""What the API server makes the end of a generated name of (``k8s.io/apiserver`` ``names/generate.go``)."""
_CUSTOM: Final = re.compile(r"kubernetes:([\w-]+(?:\.[\w-]+)+)/(v\d\w*):(\w+)")


def is_cluster_scoped(kind: str) -> bool:
    """Whether objects of the kind belong to no namespace."""
    return kind in _CLUSTER_SCOPED


def identify(subject: Subject) -> str:
    """``namespace/name``, or the name alone where the kind is cluster-scoped."""
    if subject.type.token == RELEASE:
        return f"{subject.text('namespace') or 'default'}/{_release_name(subject)}"
    metadata = subject.given("metadata") or {}
    name = metadata.get("name") if isinstance(metadata, dict) else None
    prefix = metadata.get("generateName") if isinstance(metadata, dict) else None
    if not isinstance(name, str) and isinstance(prefix, str) and prefix:
        name = f"{prefix}{subject.letters('name', 5, _SUFFIX)}"
    elif not isinstance(name, str):
        name = f"{subject.name}-{subject.hex('name', 8)}"
    if _kind(subject) in _CLUSTER_SCOPED:
        return name
    return f"{_namespace(subject, metadata)}/{name}"


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
    if subject.type.token == RELEASE:
        names = {"name": _release_name(subject), "namespace": subject.text("namespace") or "default"}
        return {**outputs, **names, "status": _status(subject)}
    given = subject.inputs.get("metadata")
    if given is UNKNOWN:
        raise NotYetError("metadata")
    wrapped = isinstance(given, Secret)
    metadata = dict((given.value if isinstance(given, Secret) else given) or {})
    metadata.setdefault("name", id_.rsplit("/", 1)[-1])
    if _kind(subject) not in _CLUSTER_SCOPED:
        metadata.setdefault("namespace", _namespace(subject, metadata))
    metadata |= {
        "uid": subject.guid("uid"),
        "resourceVersion": subject.number("version", 6),
        "creationTimestamp": CREATED,
        "generation": 1,
    }
    finished = {**outputs, "metadata": Secret(metadata) if wrapped else metadata}
    if "status" in subject.type.outputs and subject.type.outputs["status"].type.kind != "string":
        finished["status"] = {**(finished.get("status") or {}), **_status(subject)}
    if _kind(subject) == "Service" and "spec" in finished:
        finished["spec"] = _service_spec(subject, finished["spec"])
    if _kind(subject) == "Secret" and subject.inputs.get("stringData") is not None:
        finished["data"] = _secret_data(finished.get("data"), subject.inputs["stringData"])
    return finished


def _kind(subject: Subject) -> str:
    """The kind of the object in the cluster: a ``DeploymentPatch`` is about a ``Deployment``."""
    return str(subject.type.constants.get("kind") or subject.type.class_name)


def _namespace(subject: Subject, metadata: Any) -> str:
    namespace = metadata.get("namespace") if isinstance(metadata, dict) else None
    if namespace is UNKNOWN:
        raise NotYetError("metadata.namespace")
    if isinstance(namespace, str) and namespace:
        return namespace
    return str(subject.connection.config.get("namespace") or "default")


def _status(subject: Subject) -> Values:
    """The status that a healthy cluster gives the kind; empty where it has none to give."""
    spec = subject.given("spec")
    rule = _STATUS.get(_kind(subject))
    return rule(subject, spec if isinstance(spec, dict) else {}) if rule is not None else {}


def _replicated(_subject: Subject, spec: Values) -> Values:
    wanted = spec.get("replicas")
    count = wanted if isinstance(wanted, int | float) and not isinstance(wanted, bool) else 1
    counts = dict.fromkeys(("replicas", "readyReplicas", "availableReplicas", "updatedReplicas"), int(count))
    return {**counts, "observedGeneration": 1, "conditions": [_condition("Available")]}


def _everywhere(_subject: Subject, _spec: Values) -> Values:
    """A DaemonSet on a cluster of one node."""
    counts = ("currentNumberScheduled", "desiredNumberScheduled", "numberAvailable", "numberReady")
    return {**dict.fromkeys(counts, 1), "numberMisscheduled": 0, "observedGeneration": 1}


def _balanced(subject: Subject, spec: Values) -> Values:
    """A load balancer has an address or a name, by its cloud: here both, so that a program finds what it reads."""
    # Of a service that is only read nobody knows the type: what a program reads of one is its address.
    if _kind(subject) == "Service" and spec and spec.get("type") != "LoadBalancer":
        return {"loadBalancer": {}}
    octets = subject.digest("lb-ip")
    hostname = f"{subject.name}.{subject.hex('lb', 8)}.example.com"
    address = f"203.0.113.{1 + octets[0] % 254}"  # RFC 5737, TEST-NET-3
    return {"loadBalancer": {"ingress": [{"hostname": hostname, "ip": address}]}}


def _claimed(_subject: Subject, spec: Values) -> Values:
    resources = spec.get("resources")
    asked = resources.get("requests") if isinstance(resources, dict) else None
    capacity = {"capacity": asked} if isinstance(asked, dict) else {}
    return {"phase": "Bound", "accessModes": spec.get("accessModes") or [], **capacity}


def _running(subject: Subject, _spec: Values) -> Values:
    octets = subject.digest("pod-ip")
    address = f"10.244.{octets[0]}.{1 + octets[1] % 254}"
    conditions = [_condition(kind) for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")]
    return {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "conditions": conditions}


def _defined(_subject: Subject, spec: Values) -> Values:
    names = spec.get("names") if isinstance(spec.get("names"), dict) else {}
    return {"acceptedNames": names, "conditions": [_condition("NamesAccepted"), _condition("Established")]}


def _condition(kind: str) -> Values:
    return {"type": kind, "status": "True", "lastTransitionTime": CREATED}


def _phase(phase: str) -> Callable[[Subject, Values], Values]:
    return lambda _subject, _spec: {"phase": phase}


_STATUS: Final[dict[str, Callable[[Subject, Values], Values]]] = {
    "Deployment": _replicated,
    "ReplicaSet": _replicated,
    "StatefulSet": _replicated,
    "ReplicationController": _replicated,
    "DaemonSet": _everywhere,
    "Service": _balanced,
    "Ingress": _balanced,
    "PersistentVolumeClaim": _claimed,
    "Pod": _running,
    "CustomResourceDefinition": _defined,
    "Job": lambda _subject, _spec: {
        "succeeded": 1,
        "startTime": CREATED,
        "completionTime": CREATED,
        "conditions": [_condition("Complete")],
    },
    "Namespace": _phase("Active"),
    "PersistentVolume": _phase("Bound"),
    "Release": lambda subject, _spec: {
        "status": "deployed",
        "name": _release_name(subject),
        "namespace": subject.text("namespace") or "default",
        "chart": subject.text("chart"),
        "version": subject.text("version"),
        "revision": 1,
    },
}


def _release_name(subject: Subject) -> str:
    return subject.text("name") or f"{subject.name}-{subject.hex('name', 8)}"


def _service_spec(subject: Subject, spec: Any) -> Any:
    """A Service's spec with its addresses and node ports."""
    if not isinstance(spec, dict):
        return spec
    kind = spec.get("type") or "ClusterIP"
    finished = {**spec, "type": kind}
    if spec.get("clusterIP") is None and kind != "ExternalName":
        address = subject.digest("ip")
        ip = f"10.96.{address[0]}.{1 + address[1] % 254}"
        finished |= {"clusterIP": ip, "clusterIPs": [ip]}
    ports = spec.get("ports")
    if kind in {"NodePort", "LoadBalancer"} and isinstance(ports, list):
        finished["ports"] = [
            {"nodePort": 30000 + int.from_bytes(subject.digest(f"port {n}")[:2], "big") % 2768, "protocol": "TCP", **p}
            if isinstance(p, dict)
            else p
            for n, p in enumerate(ports)
        ]
    return finished


def _secret_data(data: Any, given: Any) -> Any:
    """A Secret's ``data`` with its ``stringData`` in it, in base64, as the API server keeps them."""
    opened = given.value if isinstance(given, Secret) else given
    if not isinstance(opened, dict):
        return data
    known = data.value if isinstance(data, Secret) else data
    texts = {key: value.value if isinstance(value, Secret) else value for key, value in opened.items()}
    encoded = {
        key: base64.b64encode(value.encode()).decode() if isinstance(value, str) else value
        for key, value in texts.items()
    }
    return Secret({**(known if isinstance(known, dict) else {}), **encoded})
