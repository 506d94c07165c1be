"""Pods, whatever makes them: no privilege, nothing of the host, no plain secrets, pinned images, limits.

Source: Kubernetes documentation, "Pod Security Standards" (baseline and restricted).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from levee.compliance.rule import Finding, Rule, Severity, Undecidable
from levee.compliance.rules import controls as c
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import (
    Check,
    absent,
    by_type,
    contains,
    differs,
    each,
    equals,
    every,
    matching,
    one_of,
    present,
    reads,
)
from levee.compliance.rules.scope import Scope
from levee.compliance.rules.secrets import no_plain_secret_pairs

_DIRECT: Final = "spec"
_TEMPLATE: Final = "spec.template.spec"
_PODS: Final = {
    "kubernetes:core/v1:Pod": _DIRECT,
    "kubernetes:apps/v1:DaemonSet": _TEMPLATE,
    "kubernetes:apps/v1:Deployment": _TEMPLATE,
    "kubernetes:apps/v1:ReplicaSet": _TEMPLATE,
    "kubernetes:apps/v1:StatefulSet": _TEMPLATE,
    "kubernetes:batch/v1:Job": _TEMPLATE,
    "kubernetes:batch/v1:CronJob": "spec.jobTemplate.spec.template.spec",
}
"""Type to the path of its pod's specification."""

_CONTAINERS: Final = ("containers[*]", "initContainers[*]")
_STANDARDS: Final = "https://kubernetes.io/docs/concepts/security/pod-security-standards/"
_HARDENED: Final = (*c.HARDENING, *c.LEAST_PRIVILEGE)
_PINNED: Final = r"[^@]+@sha256:[0-9a-f]{64}|[^@]+:(?!latest$)[^/:@]+"


def _pod(check: Check) -> Check:
    """The check, on the pod's specification."""
    return by_type({token: each(path, check) for token, path in _PODS.items()})


def _containers(check: Check) -> Check:
    """The check, on each container of the pod."""
    return _pod(every(*(each(path, check) for path in _CONTAINERS)))


def _inherited(path: str, wanted: tuple[object, ...], words: str) -> Check:
    """Each container has the value, or the pod has it and the container no other.

    Args:
        path: The property within ``securityContext``, which pods and containers both have.
        wanted: The values that will do.
        words: What must be, for the message.
    """
    within = f"securityContext.{path}"

    @reads(within, *(f"{containers}.{within}" for containers in _CONTAINERS))
    def run(scope: Scope) -> Iterator[Finding]:
        of_pod = scope.one(within)
        for containers in _CONTAINERS:
            for own in scope.read(f"{containers}.{within}"):
                found = of_pod if own.value is None else own
                if found.undecidable:
                    yield Undecidable(found.path).finding()
                elif found.value not in wanted:
                    yield Finding(f"`{own.path}` and the pod's own {words}", property=own.path)

    return _pod(run)


def _rule(id_: str, title: str, check: Check, severity: Severity, mend: str, *cis: str, url: str = _STANDARDS) -> Rule:
    return rule(
        f"kubernetes-{id_}",
        title,
        tuple(_PODS),
        check,
        severity=severity,
        mend=mend,
        url=url,
        controls=(*_HARDENED, *c.cis_kubernetes(*cis)),
    )


RULES: Final = (
    _rule(
        "not-privileged",
        "No container is privileged",
        _containers(differs("securityContext.privileged", True)),
        Severity.CRITICAL,
        "Remove `privileged=True` from the container's `security_context`.",
        "5.2.2",
    ),
    _rule(
        "no-privilege-escalation",
        "No container's processes may gain privileges",
        _containers(equals("securityContext.allowPrivilegeEscalation", False)),
        Severity.MEDIUM,
        "Set `allow_privilege_escalation=False` in the container's `security_context`.",
        "5.2.6",
    ),
    _rule(
        "runs-as-non-root",
        "No container runs as root",
        _inherited("runAsNonRoot", (True,), "must be true"),
        Severity.MEDIUM,
        "Set `run_as_non_root=True` in the pod's or the container's `security_context`.",
        "5.2.7",
    ),
    _rule(
        "seccomp",
        "Every container runs under a seccomp profile",
        _inherited("seccompProfile.type", ("RuntimeDefault", "Localhost"), "must be RuntimeDefault or Localhost"),
        Severity.LOW,
        'Set `seccomp_profile={"type": "RuntimeDefault"}` in the pod\'s `security_context`.',
        "5.7.2",
        url="https://kubernetes.io/docs/tutorials/security/seccomp/",
    ),
    _rule(
        "root-read-only",
        "No container may write to its root file system",
        _containers(equals("securityContext.readOnlyRootFilesystem", True)),
        Severity.LOW,
        "Set `read_only_root_filesystem=True` in the container's `security_context`, and mount an `emptyDir` to write.",
        "5.7.3",
        url="https://kubernetes.io/docs/tasks/configure-pod-container/security-context/",
    ),
    _rule(
        "capabilities-dropped",
        "Every container drops all capabilities",
        _containers(contains("securityContext.capabilities.drop", "ALL")),
        Severity.MEDIUM,
        'Set `capabilities={"drop": ["ALL"]}` in the container\'s `security_context`.',
        "5.2.8",
        "5.2.10",
    ),
    _rule(
        "no-capabilities-added",
        "No container adds a capability but that of low ports",
        _containers(one_of("securityContext.capabilities.add[*]", "NET_BIND_SERVICE")),
        Severity.HIGH,
        "Remove what is added but `NET_BIND_SERVICE`.",
        "5.2.9",
    ),
    _rule(
        "no-host-processes",
        "No pod shares the processes of its host",
        _pod(every(differs("hostPID", True), differs("hostIPC", True))),
        Severity.HIGH,
        "Remove `host_pid=True` and `host_ipc=True`.",
        "5.2.3",
        "5.2.4",
    ),
    _rule(
        "no-host-network",
        "No pod uses its host's network",
        _pod(differs("hostNetwork", True)),
        Severity.HIGH,
        "Remove `host_network=True`.",
        "5.2.5",
    ),
    _rule(
        "no-host-path",
        "No pod mounts a folder of its host",
        _pod(absent("volumes[*].hostPath")),
        Severity.HIGH,
        "Replace the `host_path` by an `emptyDir`, a claim or a CSI volume.",
        "5.2.12",
        url="https://kubernetes.io/docs/concepts/storage/volumes/#hostpath",
    ),
    _rule(
        "no-host-ports",
        "No container takes a port of its host",
        _containers(one_of("ports[*].hostPort", 0, default=0)),
        Severity.MEDIUM,
        "Remove `host_port`, and serve through a Service.",
        "5.2.13",
    ),
    _rule(
        "own-service-account",
        "Every pod has a service account of its own",
        _pod(every(present("serviceAccountName"), differs("serviceAccountName", "default"))),
        Severity.LOW,
        "Set `service_account_name` to an account made for this workload.",
        "5.1.5",
        url="https://kubernetes.io/docs/concepts/security/service-accounts/",
    ),
    _rule(
        "no-token-mounted",
        "No pod is given a token of the cluster's API unasked",
        _pod(equals("automountServiceAccountToken", False)),
        Severity.LOW,
        "Set `automount_service_account_token=False`; exempt what calls the API.",
        "5.1.6",
        url="https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/"
        "#opt-out-of-api-credential-automounting",
    ),
    rule(
        "kubernetes-no-plain-secrets",
        "No container has a secret in a plain variable",
        tuple(_PODS),
        _containers(no_plain_secret_pairs("env[*]")),
        severity=Severity.CRITICAL,
        mend="Replace `value` by `value_from` with a `secret_key_ref`, or mount the secret as a file.",
        url="https://kubernetes.io/docs/concepts/security/secrets-good-practices/",
        controls=(*c.SECRETS, *c.cis_kubernetes("5.4.1")),
    ),
    rule(
        "kubernetes-image-pinned",
        "Every image is named by a version or a digest",
        tuple(_PODS),
        _containers(matching("image", _PINNED, "an image with a tag other than latest, or a digest")),
        severity=Severity.MEDIUM,
        mend="End `image` in the version's tag, or better in `@sha256:...`.",
        url="https://kubernetes.io/docs/concepts/containers/images/#image-names",
        controls=(*c.HARDENING, *c.iso("A.8.32"), *c.soc2("CC8.1"), *c.part11("11.10(a)")),
    ),
    rule(
        "kubernetes-resources-limited",
        "Every container has a limit of memory and says what it needs",
        tuple(_PODS),
        _containers(
            every(
                present("resources.limits.memory"),
                present("resources.requests.memory"),
                present("resources.requests.cpu"),
            )
        ),
        severity=Severity.LOW,
        mend='Set `resources={"requests": {"cpu": ..., "memory": ...}, "limits": {"memory": ...}}`.',
        url="https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",
        controls=(*c.AVAILABILITY, *c.iso("A.8.6")),
    ),
)
