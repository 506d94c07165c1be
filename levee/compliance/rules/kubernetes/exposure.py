"""What of a cluster is reached from where: services, ingresses, namespaces and their networks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from levee.compliance.rule import Finding, Severity, Undecidable
from levee.compliance.rules import controls as c
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import (
    Check,
    differs,
    either,
    equals,
    every,
    not_world_open,
    only_where,
    present,
    reads,
)
from levee.compliance.rules.relations import attached
from levee.compliance.rules.scope import Scope, is_undecidable

SERVICE: Final = "kubernetes:core/v1:Service"
INGRESS: Final = "kubernetes:networking.k8s.io/v1:Ingress"
NAMESPACE: Final = "kubernetes:core/v1:Namespace"
POLICY: Final = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
_NAMESPACED: Final = (
    "kubernetes:core/v1:Pod",
    "kubernetes:core/v1:Secret",
    SERVICE,
    "kubernetes:apps/v1:DaemonSet",
    "kubernetes:apps/v1:Deployment",
    "kubernetes:apps/v1:StatefulSet",
    "kubernetes:batch/v1:CronJob",
    "kubernetes:batch/v1:Job",
)
_INTERNAL: Final = {
    "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal",
    "service.beta.kubernetes.io/aws-load-balancer-internal": "true",
    "service.beta.kubernetes.io/azure-load-balancer-internal": "true",
    "networking.gke.io/load-balancer-type": "internal",
    "cloud.google.com/load-balancer-type": "internal",
}
"""Annotation to the value by which each cloud keeps a load balancer off the internet."""

_ENFORCE: Final = "pod-security.kubernetes.io/enforce"


def _written(path: str, wanted: Mapping[str, tuple[str, ...]], words: str) -> Check:
    """One of the labels or annotations, whose keys hold dots, has one of its values."""

    @reads(path)
    def run(scope: Scope) -> Iterator[Finding]:
        found = scope.one(path)
        given: Any = found.value if isinstance(found.value, Mapping) else {}
        if any(str(given.get(key)).lower() in values for key, values in wanted.items()):
            return
        if found.undecidable or any(is_undecidable(given.get(key)) for key in wanted):
            yield Undecidable(found.path).finding()
        else:
            yield Finding(f"`{path}` does not say that {words}", property=path)

    return run


RULES: Final = (
    rule(
        "kubernetes-load-balancer-not-open",
        "No load balancer is open to the world",
        SERVICE,
        only_where(
            equals("spec.type", "LoadBalancer"),
            either(
                _written("metadata.annotations", {k: (v,) for k, v in _INTERNAL.items()}, "it is internal"),
                every(present("spec.loadBalancerSourceRanges"), not_world_open("spec.loadBalancerSourceRanges[*]")),
            ),
        ),
        severity=Severity.HIGH,
        mend="Set `load_balancer_source_ranges`, or the cloud's annotation of an internal load balancer.",
        url="https://kubernetes.io/docs/concepts/services-networking/service/#internal-load-balancer",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "kubernetes-no-node-port",
        "No service opens a port on every node",
        SERVICE,
        differs("spec.type", "NodePort"),
        severity=Severity.LOW,
        mend='Set `type="ClusterIP"`, and serve through an Ingress or a load balancer.',
        url="https://kubernetes.io/docs/concepts/services-networking/service/#type-nodeport",
        controls=c.PRIVATE_NETWORK,
    ),
    rule(
        "kubernetes-ingress-tls",
        "Every ingress has a certificate",
        INGRESS,
        present("spec.tls"),
        severity=Severity.HIGH,
        mend='Set `tls=[{"hosts": [...], "secret_name": ...}]` in the ingress\'s `spec`.',
        url="https://kubernetes.io/docs/concepts/services-networking/ingress/#tls",
        controls=c.ENCRYPTION_IN_TRANSIT,
    ),
    rule(
        "kubernetes-namespace-network-policy",
        "Every namespace says who may talk to its pods",
        NAMESPACE,
        attached(POLICY, by="metadata.namespace", wanted="a kubernetes.networking.v1.NetworkPolicy"),
        severity=Severity.MEDIUM,
        mend="Add a `NetworkPolicy` in the namespace that denies ingress by default.",
        url="https://kubernetes.io/docs/concepts/services-networking/network-policies/",
        controls=(*c.PRIVATE_NETWORK, *c.cis_kubernetes("5.3.2")),
    ),
    rule(
        "kubernetes-namespace-pod-security",
        "Every namespace enforces a Pod Security Standard",
        NAMESPACE,
        _written("metadata.labels", {_ENFORCE: ("baseline", "restricted")}, "a Pod Security Standard is enforced"),
        severity=Severity.MEDIUM,
        mend=f'Add the label `{{"{_ENFORCE}": "restricted"}}`, or "baseline".',
        url="https://kubernetes.io/docs/concepts/security/pod-security-admission/",
        controls=(*c.HARDENING, *c.cis_kubernetes("5.2.1")),
    ),
    rule(
        "kubernetes-own-namespace",
        "Nothing lives in the default namespace",
        _NAMESPACED,
        every(present("metadata.namespace"), differs("metadata.namespace", "default")),
        severity=Severity.LOW,
        mend='Set `metadata={"namespace": namespace.metadata.name}`.',
        url="https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/",
        controls=(*c.HARDENING, *c.cis_kubernetes("5.7.4")),
    ),
)
