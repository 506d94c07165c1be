"""Who may do what in a cluster, and what is kept secret in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from levee.compliance.rule import Finding, Severity, Undecidable
from levee.compliance.rules import controls as c
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import differs, each, every, one_of, only_where, reads
from levee.compliance.rules.scope import Scope
from levee.plan import SECRET, UNKNOWN

_GROUP: Final = "kubernetes:rbac.authorization.k8s.io/v1"
ROLES: Final = (f"{_GROUP}:ClusterRole", f"{_GROUP}:Role")
BINDINGS: Final = (f"{_GROUP}:ClusterRoleBinding", f"{_GROUP}:RoleBinding")
_RBAC: Final = "https://kubernetes.io/docs/concepts/security/rbac-good-practices/"


@reads("resources[*]", "verbs[*]")
def _reads_no_secrets(scope: Scope) -> Iterator[Finding]:
    resources = [value.value for value in scope.read("resources[*]")]
    verbs = [value.value for value in scope.read("verbs[*]")]
    reading = any(verb in ("get", "list", "watch", "*") for verb in verbs)
    if UNKNOWN in (*resources, *verbs) and not ("secrets" in resources and reading):
        yield Undecidable(scope.prefix).finding()
    elif "secrets" in resources and reading:
        yield Finding(f"`{scope.prefix}` reads every secret that it reaches", property=scope.prefix)


@reads("data[*]", "stringData[*]")
def _kept_secret(scope: Scope) -> Iterator[Finding]:
    """A value may stand in plain only where the program made the whole map, or the value, a secret."""
    for name in ("data", "stringData"):
        for found in scope.read(f"{name}[*]"):
            if found.value == UNKNOWN:
                yield Undecidable(found.path).finding()
            elif found.value != SECRET:
                yield Finding(f"`{found.path}` is in plain in the state and in every preview", property=found.path)


RULES: Final = (
    rule(
        "kubernetes-no-cluster-admin",
        "Nobody is bound to cluster-admin",
        BINDINGS,
        differs("roleRef.name", "cluster-admin"),
        severity=Severity.HIGH,
        mend="Bind a role that names the resources and verbs that are needed.",
        url=_RBAC,
        controls=(*c.LEAST_PRIVILEGE, *c.cis_kubernetes("5.1.1")),
    ),
    rule(
        "kubernetes-not-anonymous",
        "Nothing is granted to whoever comes",
        BINDINGS,
        each(
            "subjects[*]",
            only_where(one_of("kind", "User", "Group"), differs("name", "system:anonymous", "system:unauthenticated")),
        ),
        severity=Severity.CRITICAL,
        mend="Remove the subject, and name the users or service accounts.",
        url=_RBAC,
        controls=(*c.LEAST_PRIVILEGE, *c.NO_PUBLIC_ACCESS),
    ),
    rule(
        "kubernetes-no-wildcard-role",
        "No role allows everything",
        ROLES,
        every(differs("rules[*].verbs[*]", "*"), differs("rules[*].resources[*]", "*")),
        severity=Severity.HIGH,
        mend="Name the verbs and the resources.",
        url=_RBAC,
        controls=(*c.LEAST_PRIVILEGE, *c.cis_kubernetes("5.1.3")),
    ),
    rule(
        "kubernetes-secrets-not-read-at-large",
        "No role of the whole cluster reads secrets",
        ROLES[0],
        each("rules[*]", _reads_no_secrets),
        severity=Severity.MEDIUM,
        mend="Move the rule to a Role in the namespace that needs it, and name the secrets in `resource_names`.",
        url=_RBAC,
        controls=(*c.LEAST_PRIVILEGE, *c.SECRETS, *c.cis_kubernetes("5.1.2")),
    ),
    rule(
        "kubernetes-secret-value-secret",
        "What a Secret holds is a secret to Pulumi too",
        "kubernetes:core/v1:Secret",
        _kept_secret,
        severity=Severity.CRITICAL,
        mend='Wrap each value: `pulumi.Output.secret(value)`, or `config.require_secret("name")`.',
        url="https://www.pulumi.com/docs/iac/concepts/secrets/",
        controls=c.SECRETS,
    ),
)
