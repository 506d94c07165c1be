"""Machines, their disks, and GKE clusters."""

from __future__ import annotations

from typing import Final

from levee.compliance.rule import Severity
from levee.compliance.rules import controls as c
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import (
    Check,
    absent,
    by_type,
    contains,
    differs,
    either,
    equals,
    every,
    matching,
    not_matching,
    not_world_open,
    one_of,
    only_where,
    present,
    unless,
    where_setting,
)
from levee.compliance.rules.gcp.common import DOCS
from levee.compliance.rules.secrets import no_plain_secrets
from levee.compliance.rules.settings import PROTECTED

_MACHINE: Final = "gcp:compute/instance:Instance"
_DISK: Final = "gcp:compute/disk:Disk"
_CLUSTER: Final = "gcp:container/cluster:Cluster"
_NODES: Final = "gcp:container/nodePool:NodePool"
_GUIDE: Final = f"{DOCS}compute/docs/"
_GKE_GUIDE: Final = f"{DOCS}kubernetes-engine/docs/"
_DEFAULT_ACCOUNT: Final = r"\d+-compute@developer\.gserviceaccount\.com|default"
_AUTOPILOT: Final = equals("enableAutopilot", True)


def _nodes(check: Check) -> Check:
    """The check, for the nodes of a pool, and for those that a cluster has itself."""
    return by_type({_NODES: check, _CLUSTER: unless(either(_AUTOPILOT, equals("removeDefaultNodePool", True)), check)})


RULES: Final = (
    rule(
        "gcp-machine-private",
        "No machine has a public address of its own",
        _MACHINE,
        every(absent("networkInterfaces[*].accessConfigs"), absent("networkInterfaces[*].ipv6AccessConfigs")),
        severity=Severity.HIGH,
        mend="Remove `access_configs`; reach the machine through Identity-Aware Proxy.",
        url=f"{_GUIDE}ip-addresses/configure-static-external-ip-address",
        controls=(*c.NO_PUBLIC_ACCESS, *c.cis_gcp("4.9")),
    ),
    rule(
        "gcp-machine-own-identity",
        "No machine runs as the project's default service account",
        _MACHINE,
        only_where(
            present("serviceAccount"),
            every(
                present("serviceAccount.email"),
                not_matching("serviceAccount.email", _DEFAULT_ACCOUNT, "the default service account"),
            ),
        ),
        severity=Severity.HIGH,
        mend='Set `service_account={"email": account.email, "scopes": ["cloud-platform"]}` to an account of its own.',
        url=f"{_GUIDE}access/service-accounts",
        controls=(*c.LEAST_PRIVILEGE, *c.cis_gcp("4.1", "4.2")),
    ),
    rule(
        "gcp-machine-os-login",
        "Whoever signs in to a machine does so by IAM, not by keys in metadata",
        (_MACHINE, "gcp:compute/projectMetadata:ProjectMetadata"),
        by_type(
            {
                _MACHINE: every(
                    matching("metadata.enable-oslogin", "(?i)true", "TRUE", default="TRUE"),
                    matching("metadata.block-project-ssh-keys", "(?i)true", "TRUE"),
                ),
                "gcp:compute/projectMetadata:ProjectMetadata": matching("metadata.enable-oslogin", "(?i)true", "TRUE"),
            }
        ),
        severity=Severity.MEDIUM,
        mend='Set `metadata={"block-project-ssh-keys": "TRUE"}`, and `{"enable-oslogin": "TRUE"}` on the project.',
        url=f"{_GUIDE}oslogin",
        controls=(*c.AUTHENTICATION, *c.cis_gcp("4.3", "4.4")),
    ),
    rule(
        "gcp-machine-no-serial-port",
        "No machine lets anybody in by its serial port",
        _MACHINE,
        not_matching("metadata.serial-port-enable", "(?i)true|1", "on"),
        severity=Severity.MEDIUM,
        mend="Remove `serial-port-enable` from `metadata`.",
        url=f"{_GUIDE}troubleshooting/troubleshooting-using-serial-console",
        controls=(*c.HARDENING, *c.cis_gcp("4.5")),
    ),
    rule(
        "gcp-machine-no-forwarding",
        "No machine forwards traffic that is not its own",
        _MACHINE,
        differs("canIpForward", True),
        severity=Severity.MEDIUM,
        mend="Remove `can_ip_forward=True`, or exempt the network appliance that needs it.",
        url=f"{DOCS}vpc/docs/using-routes#canipforward",
        controls=(*c.PRIVATE_NETWORK, *c.cis_gcp("4.6")),
    ),
    rule(
        "gcp-machine-shielded",
        "Every machine boots only what is signed",
        _MACHINE,
        every(
            equals("shieldedInstanceConfig.enableSecureBoot", True),
            differs("shieldedInstanceConfig.enableVtpm", False),
            differs("shieldedInstanceConfig.enableIntegrityMonitoring", False),
        ),
        severity=Severity.MEDIUM,
        mend='Set `shielded_instance_config={"enable_secure_boot": True}`.',
        url=f"{DOCS}security/products/shielded-vm",
        controls=(*c.HARDENING, *c.cis_gcp("4.8")),
    ),
    rule(
        "gcp-machine-no-plain-secrets",
        "No machine has a secret in its metadata",
        _MACHINE,
        no_plain_secrets("metadata"),
        severity=Severity.CRITICAL,
        mend="Put it into Secret Manager, and let the machine's service account read it.",
        url=f"{DOCS}secret-manager/docs/overview",
        controls=c.SECRETS,
    ),
    rule(
        "gcp-disk-customer-managed-key",
        "Every disk is encrypted with a key of ours",
        (_DISK, _MACHINE),
        by_type(
            {
                _DISK: present("diskEncryptionKey.kmsKeySelfLink"),
                _MACHINE: either(present("bootDisk.kmsKeySelfLink"), present("bootDisk.source")),
            }
        ),
        severity=Severity.MEDIUM,
        mend='Set `disk_encryption_key={"kms_key_self_link": key.id}`, on a boot disk `kms_key_self_link=key.id`.',
        url=f"{_GUIDE}disks/customer-managed-encryption",
        controls=c.ENCRYPTION_AT_REST,
    ),
    rule(
        "gcp-gke-nodes-private",
        "No node has a public address",
        _CLUSTER,
        equals("privateClusterConfig.enablePrivateNodes", True),
        severity=Severity.HIGH,
        mend='Set `private_cluster_config={"enable_private_nodes": True}`.',
        url=f"{_GKE_GUIDE}concepts/network-isolation",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "gcp-gke-api-private",
        "The API of every cluster is private, or answers named ranges only",
        _CLUSTER,
        either(
            equals("privateClusterConfig.enablePrivateEndpoint", True),
            equals("controlPlaneEndpointsConfig.ipEndpointsConfig.enabled", False),
            every(
                present("masterAuthorizedNetworksConfig.cidrBlocks"),
                not_world_open("masterAuthorizedNetworksConfig.cidrBlocks[*].cidrBlock"),
            ),
        ),
        severity=Severity.HIGH,
        mend='Set `private_cluster_config={"enable_private_endpoint": True, ...}`, or name your ranges in '
        "`master_authorized_networks_config`.",
        url=f"{_GKE_GUIDE}concepts/network-isolation",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "gcp-gke-workload-identity",
        "Workloads have identities of their own, not that of the node",
        _CLUSTER,
        either(_AUTOPILOT, present("workloadIdentityConfig.workloadPool")),
        severity=Severity.HIGH,
        mend='Set `workload_identity_config={"workload_pool": f"{project}.svc.id.goog"}`.',
        url=f"{_GKE_GUIDE}concepts/workload-identity",
        controls=(*c.LEAST_PRIVILEGE, *c.AUTHENTICATION),
    ),
    rule(
        "gcp-gke-secrets-encrypted",
        "Kubernetes' secrets are encrypted with a key of ours",
        _CLUSTER,
        every(equals("databaseEncryption.state", "ENCRYPTED"), present("databaseEncryption.keyName")),
        severity=Severity.HIGH,
        mend='Set `database_encryption={"state": "ENCRYPTED", "key_name": key.id}`.',
        url=f"{_GKE_GUIDE}how-to/encrypting-secrets",
        controls=c.ENCRYPTION_AT_REST,
    ),
    rule(
        "gcp-gke-network-policy",
        "Network policies are obeyed in every cluster",
        _CLUSTER,
        either(_AUTOPILOT, equals("datapathProvider", "ADVANCED_DATAPATH"), equals("networkPolicy.enabled", True)),
        severity=Severity.MEDIUM,
        mend='Set `datapath_provider="ADVANCED_DATAPATH"`.',
        url=f"{_GKE_GUIDE}how-to/dataplane-v2",
        controls=c.PRIVATE_NETWORK,
    ),
    rule(
        "gcp-gke-no-legacy-access",
        "Nobody signs in to a cluster by a client certificate, nor is anything allowed by attribute files",
        _CLUSTER,
        every(
            differs("enableLegacyAbac", True),
            differs("masterAuth.clientCertificateConfig.issueClientCertificate", True),
        ),
        severity=Severity.HIGH,
        mend="Remove `enable_legacy_abac=True` and `issue_client_certificate=True`.",
        url=f"{_GKE_GUIDE}how-to/hardening-your-cluster",
        controls=c.AUTHENTICATION,
    ),
    rule(
        "gcp-gke-released",
        "Every cluster is in a release channel, so that it gets security patches",
        _CLUSTER,
        one_of("releaseChannel.channel", "RAPID", "REGULAR", "STABLE", "EXTENDED", default="REGULAR"),
        severity=Severity.MEDIUM,
        mend='Set `release_channel={"channel": "REGULAR"}`.',
        url=f"{_GKE_GUIDE}concepts/release-channels",
        controls=c.PATCHING,
    ),
    rule(
        "gcp-gke-images-judged",
        "Only images that a policy admits run in a cluster",
        _CLUSTER,
        matching(
            "binaryAuthorization.evaluationMode", "PROJECT_SINGLETON_POLICY_ENFORCE", "PROJECT_SINGLETON_POLICY_ENFORCE"
        ),
        severity=Severity.LOW,
        mend='Set `binary_authorization={"evaluation_mode": "PROJECT_SINGLETON_POLICY_ENFORCE"}`.',
        url=f"{DOCS}binary-authorization/docs/overview",
        controls=c.HARDENING,
    ),
    rule(
        "gcp-gke-logged",
        "Every cluster logs what its system and its workloads do",
        _CLUSTER,
        unless(absent("loggingConfig"), contains("loggingConfig.enableComponents", "SYSTEM_COMPONENTS", "WORKLOADS")),
        severity=Severity.MEDIUM,
        mend='Set `logging_config={"enable_components": ["SYSTEM_COMPONENTS", "WORKLOADS", "APISERVER"]}`.',
        url=f"{DOCS}kubernetes-engine/docs/concepts/about-logs",
        controls=c.AUDIT_LOGS,
    ),
    rule(
        "gcp-gke-deletion",
        "Where data must resist deletion, no cluster is deleted by an update",
        _CLUSTER,
        where_setting(PROTECTED, differs("deletionProtection", False)),
        severity=Severity.MEDIUM,
        mend="Remove `deletion_protection=False`.",
        url="https://www.pulumi.com/registry/packages/gcp/api-docs/container/cluster/",
        controls=c.DELETION_PROTECTION,
    ),
    rule(
        "gcp-gke-nodes-own-identity",
        "No node runs as the project's default service account",
        (_NODES, _CLUSTER),
        _nodes(
            every(
                present("nodeConfig.serviceAccount"),
                not_matching("nodeConfig.serviceAccount", _DEFAULT_ACCOUNT, "the default service account"),
            )
        ),
        severity=Severity.HIGH,
        mend='Set `node_config={"service_account": account.email, ...}` to an account with the role '
        "Kubernetes Engine Default Node Service Account.",
        url=f"{_GKE_GUIDE}how-to/hardening-your-cluster",
        controls=c.LEAST_PRIVILEGE,
    ),
    rule(
        "gcp-gke-nodes-metadata-hidden",
        "No workload reads the metadata of its node",
        (_NODES, _CLUSTER),
        _nodes(differs("nodeConfig.workloadMetadataConfig.mode", "GCE_METADATA")),
        severity=Severity.HIGH,
        mend='Set `workload_metadata_config={"mode": "GKE_METADATA"}`.',
        url=f"{_GKE_GUIDE}concepts/workload-identity",
        controls=c.HARDENING,
    ),
    rule(
        "gcp-gke-nodes-shielded",
        "Every node boots only what is signed",
        (_NODES, _CLUSTER),
        _nodes(equals("nodeConfig.shieldedInstanceConfig.enableSecureBoot", True)),
        severity=Severity.MEDIUM,
        mend='Set `shielded_instance_config={"enable_secure_boot": True}` in `node_config`.',
        url=f"{_GKE_GUIDE}how-to/shielded-gke-nodes",
        controls=c.HARDENING,
    ),
    rule(
        "gcp-gke-nodes-repaired",
        "Nodes are upgraded and repaired by themselves",
        _NODES,
        every(differs("management.autoUpgrade", False), differs("management.autoRepair", False)),
        severity=Severity.MEDIUM,
        mend='Set `management={"auto_upgrade": True, "auto_repair": True}`.',
        url=f"{_GKE_GUIDE}concepts/node-auto-upgrades",
        controls=c.PATCHING,
    ),
)
