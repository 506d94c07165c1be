"""Kubernetes clusters, container registries, container apps and instances."""

from __future__ import annotations

from typing import Final

from levee.compliance.rule import Severity
from levee.compliance.rules import controls as c
from levee.compliance.rules.azure.common import LEARN, closed, logged
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import by_type, differs, either, equals, every, not_world_open, one_of, present
from levee.compliance.rules.secrets import kept_secret, no_plain_secret_pairs

_AKS: Final = "azure-native:containerservice:ManagedCluster"
_AGENT_POOL: Final = "azure-native:containerservice:AgentPool"
_REGISTRY: Final = "azure-native:containerregistry:Registry"
_APP: Final = "azure-native:app:ContainerApp"
_GROUP: Final = "azure-native:containerinstance:ContainerGroup"
_AKS_GUIDE: Final = f"{LEARN}aks/"
_REGISTRY_GUIDE: Final = f"{LEARN}container-registry/"

RULES: Final = (
    rule(
        "azure-aks-api-private",
        "The API of every Kubernetes cluster is private, or answers named ranges only",
        _AKS,
        either(
            equals("apiServerAccessProfile.enablePrivateCluster", True),
            every(
                present("apiServerAccessProfile.authorizedIPRanges"),
                not_world_open("apiServerAccessProfile.authorizedIPRanges[*]"),
            ),
        ),
        severity=Severity.HIGH,
        mend='Set `api_server_access_profile={"enable_private_cluster": True}`.',
        url=f"{_AKS_GUIDE}private-clusters",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "azure-aks-entra-only",
        "Everybody signs in to a Kubernetes cluster through Entra",
        _AKS,
        every(equals("disableLocalAccounts", True), equals("aadProfile.managed", True)),
        severity=Severity.HIGH,
        mend='Set `disable_local_accounts=True` and `aad_profile={"managed": True, "enable_azure_rbac": True}`.',
        url=f"{_AKS_GUIDE}manage-local-accounts-managed-azure-ad",
        controls=c.AUTHENTICATION,
    ),
    rule(
        "azure-aks-rbac",
        "Roles say who does what in a Kubernetes cluster",
        _AKS,
        differs("enableRBAC", False),
        severity=Severity.HIGH,
        mend="Remove `enable_rbac=False`.",
        url=f"{_AKS_GUIDE}concepts-identity",
        controls=c.LEAST_PRIVILEGE,
    ),
    rule(
        "azure-aks-managed-identity",
        "No Kubernetes cluster has a service principal with a secret",
        _AKS,
        one_of("identity.type", "SystemAssigned", "UserAssigned"),
        severity=Severity.MEDIUM,
        mend='Set `identity={"type": "UserAssigned", "user_assigned_identities": [...]}`.',
        url=f"{_AKS_GUIDE}use-managed-identity",
        controls=c.AUTHENTICATION,
    ),
    rule(
        "azure-aks-disks-customer-managed-key",
        "The disks of every Kubernetes cluster are encrypted with a key of ours",
        _AKS,
        present("diskEncryptionSetID"),
        severity=Severity.MEDIUM,
        mend="Set `disk_encryption_set_id=disk_encryption_set.id`.",
        url=f"{_AKS_GUIDE}azure-disk-customer-managed-keys",
        controls=c.ENCRYPTION_AT_REST,
    ),
    rule(
        "azure-aks-secrets-encrypted",
        "Kubernetes' secrets are encrypted with a key of ours",
        _AKS,
        equals("securityProfile.azureKeyVaultKms.enabled", True),
        severity=Severity.MEDIUM,
        mend='Set `security_profile={"azure_key_vault_kms": {"enabled": True, "key_id": key.key_uri_with_version}}`.',
        url=f"{_AKS_GUIDE}use-kms-etcd-encryption",
        controls=c.ENCRYPTION_AT_REST,
    ),
    rule(
        "azure-aks-network-policy",
        "Network policies are obeyed in every Kubernetes cluster",
        _AKS,
        one_of("networkProfile.networkPolicy", "azure", "calico", "cilium"),
        severity=Severity.MEDIUM,
        mend='Set `network_profile={"network_policy": "cilium", ...}`.',
        url=f"{_AKS_GUIDE}use-network-policies",
        controls=c.PRIVATE_NETWORK,
    ),
    rule(
        "azure-aks-nodes-private",
        "No node has a public address",
        (_AKS, _AGENT_POOL),
        by_type(
            {
                _AKS: differs("agentPoolProfiles[*].enableNodePublicIP", True),
                _AGENT_POOL: differs("enableNodePublicIP", True),
            }
        ),
        severity=Severity.HIGH,
        mend="Remove `enable_node_public_ip=True`.",
        url=f"{_AKS_GUIDE}use-node-public-ips",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "azure-aks-upgraded",
        "Kubernetes clusters and their nodes get security patches by themselves",
        _AKS,
        either(
            one_of("autoUpgradeProfile.upgradeChannel", "patch", "stable", "rapid", "node-image"),
            one_of("autoUpgradeProfile.nodeOSUpgradeChannel", "NodeImage", "SecurityPatch"),
        ),
        severity=Severity.MEDIUM,
        mend='Set `auto_upgrade_profile={"upgrade_channel": "patch"}`.',
        url=f"{_AKS_GUIDE}auto-upgrade-cluster",
        controls=c.PATCHING,
    ),
    rule(
        "azure-aks-logged",
        "The audit log of every Kubernetes cluster is kept",
        _AKS,
        logged("kube-audit-admin, guard"),
        severity=Severity.MEDIUM,
        mend="Add a `monitor.DiagnosticSetting` with `resource_uri=cluster.id` and the category kube-audit-admin.",
        url=f"{_AKS_GUIDE}monitor-aks",
        controls=c.AUDIT_LOGS,
    ),
    rule(
        "azure-registry-no-admin",
        "No container registry has an administrator with a password",
        _REGISTRY,
        differs("adminUserEnabled", True),
        severity=Severity.HIGH,
        mend="Remove `admin_user_enabled=True`; give identities the role AcrPull.",
        url=f"{_REGISTRY_GUIDE}container-registry-authentication",
        controls=c.AUTHENTICATION,
    ),
    rule(
        "azure-registry-no-anonymous-pull",
        "Nobody pulls images anonymously",
        _REGISTRY,
        differs("anonymousPullEnabled", True),
        severity=Severity.CRITICAL,
        mend="Remove `anonymous_pull_enabled=True`.",
        url=f"{_REGISTRY_GUIDE}anonymous-pull-access",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "azure-registry-not-public",
        "No container registry has a public endpoint",
        _REGISTRY,
        either(closed(), equals("networkRuleSet.defaultAction", "Deny")),
        severity=Severity.MEDIUM,
        mend='Set `public_network_access="Disabled"`.',
        url=f"{_REGISTRY_GUIDE}container-registry-private-link",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "azure-registry-customer-managed-key",
        "Every container registry is encrypted with a key of ours",
        _REGISTRY,
        equals("encryption.status", "enabled"),
        severity=Severity.LOW,
        mend='Set `encryption={"status": "enabled", "key_vault_properties": {...}}`, when the registry is made.',
        url=f"{_REGISTRY_GUIDE}tutorial-enable-customer-managed-keys",
        controls=c.ENCRYPTION_AT_REST,
    ),
    rule(
        "azure-container-app-no-plain-secrets",
        "No container app has a secret in an environment variable, nor a secret that Pulumi shows",
        _APP,
        every(
            no_plain_secret_pairs("template.containers[*].env[*]"),
            no_plain_secret_pairs("template.initContainers[*].env[*]"),
            kept_secret("configuration.secrets[*].value"),
        ),
        severity=Severity.CRITICAL,
        mend="Name a secret of the app with a `key_vault_url` in `secret_ref`.",
        url=f"{LEARN}container-apps/manage-secrets",
        controls=c.SECRETS,
    ),
    rule(
        "azure-container-app-https-only",
        "No container app answers without TLS",
        _APP,
        differs("configuration.ingress.allowInsecure", True),
        severity=Severity.HIGH,
        mend="Remove `allow_insecure=True`.",
        url=f"{LEARN}container-apps/ingress-overview",
        controls=c.ENCRYPTION_IN_TRANSIT,
    ),
    rule(
        "azure-container-group-no-plain-secrets",
        "No container instance has a secret in a variable that is not secure",
        _GROUP,
        no_plain_secret_pairs("containers[*].environmentVariables[*]"),
        severity=Severity.CRITICAL,
        mend="Write `secure_value` in place of `value`.",
        url=f"{LEARN}container-instances/container-instances-environment-variables",
        controls=c.SECRETS,
    ),
    rule(
        "azure-container-group-private",
        "No container instance has a public address",
        _GROUP,
        differs("ipAddress.type", "Public"),
        severity=Severity.HIGH,
        mend='Set `ip_address={"type": "Private"}` and `subnet_ids`.',
        url=f"{LEARN}container-instances/container-instances-vnet",
        controls=c.NO_PUBLIC_ACCESS,
    ),
)
