"""The key of a lake on Azure, and the vault that it never leaves."""

from __future__ import annotations

import pulumi
import pulumi_random as random
from pulumi_azure_native import authorization, keyvault, monitor

from components import names
from components.lake.lake import Azure, LakeArgs

_CRYPTO_USER = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
"""Key Vault Crypto Service Encryption User: get, wrap and unwrap, nothing else (Azure built-in roles)."""


class Key(pulumi.ComponentResource):
    """A key in a vault that cannot be purged, rotated every year, used by one identity.

    Attributes:
        vault_uri: URI of the vault.
        key_name: Name of the key in it.
        uri: URI of the key, without a version.
    """

    def __init__(
        self,
        name: str,
        args: LakeArgs,
        target: Azure,
        *,
        group: pulumi.Output[str],
        user: pulumi.Output[str],
        logs: pulumi.Output[str],
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("levee:lake:AzureKey", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        # A deleted vault that cannot be purged keeps its name for 90 days, so each vault gets a new one.
        once = random.RandomId(name, byte_length=3, opts=child)
        vault = keyvault.Vault(
            name,
            vault_name=once.hex.apply(
                lambda digits: names.key_vault(args.company, args.environment, "lake", once=digits)
            ),
            resource_group_name=group,
            location=target.region,
            properties=_vault(target),
            tags=args.tags.azure(),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        key = keyvault.Key(
            name,
            key_name="lake",
            vault_name=vault.name,
            resource_group_name=group,
            properties=_rotated_yearly(),
            tags=args.tags.azure(),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        role = f"/subscriptions/{target.subscription}/providers/Microsoft.Authorization/roleDefinitions/{_CRYPTO_USER}"
        authorization.RoleAssignment(
            name,
            role_assignment_name=names.guid(target.subscription, args.company, args.environment, name, _CRYPTO_USER),
            scope=vault.id,
            role_definition_id=role,
            principal_id=user,
            principal_type=authorization.PrincipalType.SERVICE_PRINCIPAL,
            opts=child,
        )
        monitor.DiagnosticSetting(
            name,
            name="audit-logs",
            resource_uri=vault.id,
            workspace_id=logs,
            logs=[monitor.DiagnosticsLogSettingsArgs(category="AuditEvent", enabled=True)],
            opts=child,
        )
        self.vault_uri = pulumi.Output.format("https://{0}.vault.azure.net", vault.name)
        self.key_name = key.name
        self.uri = key.key_uri
        self.register_outputs({"uri": self.uri})


def _vault(target: Azure) -> keyvault.VaultPropertiesArgs:
    return keyvault.VaultPropertiesArgs(
        tenant_id=target.tenant,
        sku=keyvault.SkuArgs(family="A", name=keyvault.SkuName.PREMIUM),
        enable_rbac_authorization=True,
        enable_soft_delete=True,
        enable_purge_protection=True,
        soft_delete_retention_in_days=90,
        enabled_for_deployment=False,
        enabled_for_disk_encryption=False,
        enabled_for_template_deployment=False,
        public_network_access="Enabled" if target.allowed_cidrs else "Disabled",
        network_acls=keyvault.NetworkRuleSetArgs(
            default_action="Deny",
            bypass="AzureServices",
            ip_rules=[keyvault.IPRuleArgs(value=cidr) for cidr in target.allowed_cidrs],
        ),
    )


def _rotated_yearly() -> keyvault.KeyPropertiesArgs:
    """An RSA key in hardware. Each version lasts two years and is replaced after one."""
    rotate = keyvault.LifetimeActionArgs(
        action=keyvault.ActionArgs(type=keyvault.KeyRotationPolicyActionType.ROTATE),
        trigger=keyvault.TriggerArgs(time_after_create="P1Y"),
    )
    notify = keyvault.LifetimeActionArgs(
        action=keyvault.ActionArgs(type=keyvault.KeyRotationPolicyActionType.NOTIFY),
        trigger=keyvault.TriggerArgs(time_before_expiry="P30D"),
    )
    return keyvault.KeyPropertiesArgs(
        kty=keyvault.JsonWebKeyType.RS_A_HSM,
        key_size=3072,
        key_ops=["wrapKey", "unwrapKey"],
        attributes=keyvault.KeyAttributesArgs(enabled=True, exportable=False),
        rotation_policy=keyvault.RotationPolicyArgs(
            attributes=keyvault.KeyRotationPolicyAttributesArgs(expiry_time="P2Y"), lifetime_actions=[rotate, notify]
        ),
    )
