"""The lake on Azure Data Lake Storage Gen2: a container a layer, the audit store in an account of its own.

What Azure lacks, and what stands in for it: blob versioning is refused on accounts with a hierarchical namespace, so
soft delete keeps what was replaced or removed, and Delta keeps its own versions; the *locking* of an immutability
policy is an action that no ARM resource performs, so with ``lock`` the stack prints the one command that does it
(`AzureLake.lock_command`), and until it ran the policy holds but could be shortened.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import ClassVar

import pulumi
from pulumi_azure_native import authorization, managedidentity, monitor, operationalinsights, resources, storage

from components import names
from components.lake.azure_keys import Key
from components.lake.lake import Azure, Lake, LakeArgs
from components.lake.lifecycle import LOCKED, Rule, rules
from pipelines.contracts import Layer

_LOG_DAYS = (30, 730)
"""Log Analytics keeps logs for between 30 and 730 days."""

_SOFT_DELETE_DAYS = (1, 365)
_PREFIXES_A_RULE = 10


class AzureLake(Lake):
    """A lake on ADLS Gen2.

    Attributes:
        target: Where it is.
        resource_group: Name of its resource group.
        accounts: Resource id of the storage account by layer.
        lock_command: The command that locks the audit store's retention for good; ``None`` without ``args.lock``.
    """

    cloud: ClassVar[str] = "azure"

    def __init__(self, name: str, args: LakeArgs, target: Azure, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.target = target
        child = pulumi.ResourceOptions(parent=self)
        group = resources.ResourceGroup(
            name,
            resource_group_name=names.plain(args.company, args.environment, "lake", limit=90),
            location=target.region,
            tags=args.tags.azure(),
            opts=child,
        )
        self.resource_group = group.name
        logs = operationalinsights.Workspace(
            f"{name}-logs",
            workspace_name=names.plain(args.company, args.environment, "lake-logs"),
            resource_group_name=group.name,
            location=target.region,
            retention_in_days=_within(args.ageing.log_days, _LOG_DAYS),
            sku=operationalinsights.WorkspaceSkuArgs(name="PerGB2018"),
            features=operationalinsights.WorkspaceFeaturesArgs(
                disable_local_auth=True, enable_log_access_using_only_resource_permissions=True
            ),
            tags=args.tags.azure(),
            opts=child,
        )
        identity = managedidentity.UserAssignedIdentity(
            f"{name}-identity",
            resource_name_=names.plain(args.company, args.environment, "lake"),
            resource_group_name=group.name,
            location=target.region,
            tags=args.tags.azure(),
            opts=child,
        )
        key = Key(f"{name}-key", args, target, group=group.name, user=identity.principal_id, logs=logs.id, opts=child)
        data = [layer for layer in Layer if layer not in LOCKED]
        site = _Site(args, target, group.name, identity.id, key, logs.id)
        lake = _Account(f"{name}-data", "lake", data, site, child)
        audit = _Account(f"{name}-audit", "audit", [Layer.AUDIT], site, child)
        self.accounts = {layer: (audit if layer in LOCKED else lake).id for layer in Layer}
        self.lock_command = audit.lock_command() if args.lock else None
        self.finish(lake.urls | audit.urls, key.uri)


@dataclass(frozen=True, slots=True)
class _Site:
    """What the accounts of one lake share."""

    args: LakeArgs
    target: Azure
    group: pulumi.Output[str]
    identity: pulumi.Output[str]
    key: Key
    logs: pulumi.Output[str]


class _Account(pulumi.ComponentResource):
    """A storage account with its containers.

    Attributes:
        id: Resource id.
        urls: ``abfss://`` URL by layer.
    """

    def __init__(
        self,
        name: str,
        purpose: str,
        layers: list[Layer],
        site: _Site,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("levee:lake:AzureAccount", name, None, opts)
        args, target, identity, key = site.args, site.target, site.identity, site.key
        self.name, self.args, self.group = name, args, site.group
        self.child = pulumi.ResourceOptions(parent=self)
        account = storage.StorageAccount(
            name,
            account_name=names.storage_account(args.company, args.environment, purpose, account=target.subscription),
            resource_group_name=site.group,
            location=target.region,
            kind=storage.Kind.STORAGE_V2,
            sku=storage.SkuArgs(name="Standard_ZRS" if target.zone_redundant else "Standard_LRS"),
            access_tier=storage.AccessTier.HOT,
            is_hns_enabled=True,
            enable_https_traffic_only=True,
            minimum_tls_version=storage.MinimumTlsVersion.TLS1_2,
            allow_blob_public_access=False,
            allow_shared_key_access=False,
            allow_cross_tenant_replication=False,
            allowed_copy_scope=storage.AllowedCopyScope.AAD,
            default_to_o_auth_authentication=True,
            is_local_user_enabled=False,
            is_sftp_enabled=False,
            public_network_access=storage.PublicNetworkAccess.ENABLED,
            network_rule_set=_firewall(target),
            sas_policy=_signatures(),
            identity=storage.IdentityArgs(type="UserAssigned", user_assigned_identities=[identity]),
            encryption=_encryption(identity, key),
            tags=args.tags_of(Layer.LANDING if Layer.LANDING in layers else layers[0]).azure(),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect, depends_on=[key]),
        )
        self.id, self.account = account.id, account.name
        blobs = self._keep_deleted()
        parts = [blobs, self._log(site.logs), self._age(layers, after=blobs)]
        parts += [part for layer in layers for part in self._container(layer)]
        if args.protect:
            # After everything in the account, so that it is also the first to go: it would hold the rest back.
            authorization.ManagementLockByScope(
                name,
                lock_name="no-deletion",
                scope=account.id,
                level=authorization.LockLevel.CAN_NOT_DELETE,
                notes="Holds the data lake.",
                opts=pulumi.ResourceOptions(parent=self, depends_on=parts),
            )
        # Written out, not taken from outputs: the lake's URLs are known before it exists.
        host = names.storage_account(args.company, args.environment, purpose, account=target.subscription)
        self.urls = {
            layer: pulumi.Output.from_input(f"abfss://{layer.value}@{host}.dfs.core.windows.net") for layer in layers
        }
        self.register_outputs({"id": self.id, "urls": {layer.value: url for layer, url in self.urls.items()}})

    def lock_command(self) -> pulumi.Output[str]:
        """The command that locks the audit container's policy; it cannot be undone."""
        container = Layer.AUDIT.value
        where = pulumi.Output.format(
            "--resource-group {0} --account-name {1} --container-name {2}", self.group, self.account, container
        )
        return pulumi.Output.format(
            "az storage container immutability-policy lock {0} --if-match $(az storage container immutability-policy "
            "show {0} --query etag --output tsv)",
            where,
        )

    def _keep_deleted(self) -> pulumi.Resource:
        days = _within(self.args.ageing.noncurrent_days, _SOFT_DELETE_DAYS)
        return storage.BlobServiceProperties(
            self.name,
            account_name=self.account,
            blob_services_name="default",
            resource_group_name=self.group,
            delete_retention_policy=storage.DeleteRetentionPolicyArgs(enabled=True, days=days),
            container_delete_retention_policy=storage.DeleteRetentionPolicyArgs(enabled=True, days=days),
            last_access_time_tracking_policy=storage.LastAccessTimeTrackingPolicyArgs(enable=True),
            opts=self.child,
        )

    def _log(self, logs: pulumi.Output[str]) -> pulumi.Resource:
        return monitor.DiagnosticSetting(
            self.name,
            name="access-logs",
            resource_uri=pulumi.Output.format("{0}/blobServices/default", self.id),
            workspace_id=logs,
            logs=[
                monitor.DiagnosticsLogSettingsArgs(category=category, enabled=True)
                for category in ("StorageRead", "StorageWrite", "StorageDelete")
            ],
            opts=self.child,
        )

    def _container(self, layer: Layer) -> list[pulumi.Resource]:
        name = f"{self.name}-{layer.value}"
        container = storage.BlobContainer(
            name,
            container_name=layer.value,
            account_name=self.account,
            resource_group_name=self.group,
            public_access=storage.PublicAccess.NONE,
            opts=pulumi.ResourceOptions(parent=self, protect=self.args.protect),
        )
        if layer not in LOCKED:
            return [container]
        retention = storage.BlobContainerImmutabilityPolicy(
            name,
            immutability_policy_name="default",
            container_name=container.name,
            account_name=self.account,
            resource_group_name=self.group,
            immutability_period_since_creation_in_days=self.args.ageing.audit_days,
            allow_protected_append_writes=True,
            opts=self.child,
        )
        return [container, retention]

    def _age(self, layers: list[Layer], *, after: pulumi.Resource) -> pulumi.Resource:
        # Azure refuses a rule by last access until the account tracks it, which the blob service's properties turn on.
        every = [
            rule
            for layer in layers
            for neutral in rules(layer, self.args.ageing, self.args.datasets)
            for rule in lifecycle_rules(layer, neutral)
        ]
        return storage.ManagementPolicy(
            self.name,
            management_policy_name="default",
            account_name=self.account,
            resource_group_name=self.group,
            policy=storage.ManagementPolicySchemaArgs(rules=every),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[after]),
        )


def _encryption(identity: pulumi.Output[str], key: Key) -> storage.EncryptionArgs:
    """The lake's key, without a version so that a rotation is followed, and a second layer by the platform's own."""
    service = storage.EncryptionServiceArgs(enabled=True, key_type=storage.KeyType.ACCOUNT)
    return storage.EncryptionArgs(
        key_source=storage.KeySource.MICROSOFT_KEYVAULT,
        require_infrastructure_encryption=True,
        services=storage.EncryptionServicesArgs(blob=service, file=service),
        encryption_identity=storage.EncryptionIdentityArgs(encryption_user_assigned_identity=identity),
        key_vault_properties=storage.KeyVaultPropertiesArgs(key_name=key.key_name, key_vault_uri=key.vault_uri),
    )


def _signatures() -> storage.SasPolicyArgs:
    """A signature that holds longer than a day, or that does not say from when on, is told in the access logs.

    Not blocked: with shared keys off the only signatures are those of delegates, Unity Catalog's among them, and how
    long its own hold and whether they name their start is documented nowhere. Source: Azure Storage documentation,
    "Configure an expiration policy for shared access signatures".
    """
    return storage.SasPolicyArgs(sas_expiration_period="1.00:00:00", expiration_action=storage.ExpirationAction.LOG)


def _firewall(target: Azure) -> storage.NetworkRuleSetArgs:
    """Nobody, but Azure's own services, the ranges and subnets named, and the subscription's access connectors.

    A connector lets Unity Catalog in, which looks at paths and signs. The clusters read with what it signed, from their
    own network: their subnets are `Azure.subnets`. The accounts keep their public endpoint, behind this firewall;
    private endpoints need a network of the environment's own, which no component makes yet.
    """
    connectors = (
        f"/subscriptions/{target.subscription}/resourceGroups/*/providers/Microsoft.Databricks/accessConnectors/*"
    )
    return storage.NetworkRuleSetArgs(
        default_action=storage.DefaultAction.DENY,
        bypass="Logging, Metrics, AzureServices",
        ip_rules=[
            storage.IPRuleArgs(i_p_address_or_range=address, action=storage.Action.ALLOW)
            for cidr in target.allowed_cidrs
            for address in addresses(cidr)
        ],
        virtual_network_rules=[
            storage.VirtualNetworkRuleArgs(virtual_network_resource_id=subnet, action=storage.Action.ALLOW)
            for subnet in target.subnets
        ],
        resource_access_rules=[storage.ResourceAccessRuleArgs(tenant_id=target.tenant, resource_id=connectors)],
    )


def addresses(cidr: str) -> list[str]:
    """A range as a storage firewall takes it: /31 and /32 are refused, their addresses are not.

    Source: Azure Storage documentation, "Configure Azure Storage firewalls", restrictions for IP network rules.
    """
    network = IPv4Network(cidr)
    return [cidr] if network.prefixlen < 31 else [str(address) for address in network]


def lifecycle_rules(layer: Layer, rule: Rule) -> list[storage.ManagementPolicyRuleArgs]:
    """Azure's words for a rule: at most ten prefixes each, which begin with the container's name."""
    actions = _actions(rule)
    if actions is None:
        return []
    prefixes = [f"{layer.value}/{prefix}" for prefix in rule.prefixes or ("",)]
    chunks = [prefixes[start : start + _PREFIXES_A_RULE] for start in range(0, len(prefixes), _PREFIXES_A_RULE)]
    return [
        storage.ManagementPolicyRuleArgs(
            name=f"{layer.value}-{rule.name}" + (f"-{number}" if number else ""),
            type=storage.RuleType.LIFECYCLE,
            enabled=True,
            definition=storage.ManagementPolicyDefinitionArgs(
                filters=storage.ManagementPolicyFilterArgs(blob_types=["blockBlob"], prefix_match=chunk),
                actions=actions,
            ),
        )
        for number, chunk in enumerate(chunks)
    ]


def _actions(rule: Rule) -> storage.ManagementPolicyActionArgs | None:
    """What a rule does to blobs; ``None`` where soft delete already does all of it."""
    if rule.by_access:
        unused = storage.DateAfterModificationArgs(days_after_last_access_time_greater_than=30)
        blob = storage.ManagementPolicyBaseBlobArgs(tier_to_cool=unused, enable_auto_tier_to_hot_from_cool=True)
    elif rule.cool_after_days or rule.cold_after_days or rule.expire_after_days:
        blob = storage.ManagementPolicyBaseBlobArgs(
            tier_to_cool=_after(rule.cool_after_days),
            tier_to_cold=_after(rule.cold_after_days),
            delete=_after(rule.expire_after_days),
        )
    else:
        return None
    return storage.ManagementPolicyActionArgs(base_blob=blob)


def _after(days: int | None) -> storage.DateAfterModificationArgs | None:
    return None if days is None else storage.DateAfterModificationArgs(days_after_modification_greater_than=days)


def _within(days: int, limits: tuple[int, int]) -> int:
    low, high = limits
    return max(low, min(days, high))
