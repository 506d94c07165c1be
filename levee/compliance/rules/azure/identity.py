"""Roles, federated identities, logs and backups of a subscription."""

from __future__ import annotations

from typing import Final

from levee.compliance.rule import Severity
from levee.compliance.rules import controls as c
from levee.compliance.rules.azure.common import LEARN
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import (
    at_least,
    equals,
    every,
    matching,
    never,
    not_matching,
    one_of,
    only_where,
    present,
)
from levee.compliance.rules.settings import LOG_DAYS

_ASSIGNMENT: Final = "azure-native:authorization:RoleAssignment"
_DEFINITION: Final = "azure-native:authorization:RoleDefinition"
_FEDERATED: Final = "azure-native:managedidentity:FederatedIdentityCredential"
_LOGS: Final = "azure-native:operationalinsights:Workspace"
_BACKUPS: Final = "azure-native:recoveryservices:Vault"

_OWNER: Final = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
_CONTRIBUTOR: Final = "b24988ac-6180-42a0-ab88-20f7382dd24c"
_ACCESS_ADMINISTRATOR: Final = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
_RBAC_ADMINISTRATOR: Final = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
"""Azure's built-in roles Owner, Contributor, User Access Administrator, Role Based Access Control Administrator."""

_EVERYTHING: Final = r"(?i)\*(/(\*|write))?|Microsoft\.Authorization/(\*|roleAssignments)(/(\*|write))?"
"""Actions by which a role may do everything, or give itself what may."""

_SUBSCRIPTION: Final = r"/(subscriptions/[^/]+|providers/Microsoft\.Management/managementGroups/[^/]+)?/?"
_GITHUB: Final = r"https://token\.actions\.githubusercontent\.com/?"

RULES: Final = (
    rule(
        "azure-role-not-over-subscription",
        "Nobody owns or changes a whole subscription",
        _ASSIGNMENT,
        never(
            every(
                matching(
                    "roleDefinitionId",
                    rf"(?i).*/({_OWNER}|{_CONTRIBUTOR}|{_ACCESS_ADMINISTRATOR})",
                    "a role over everything",
                ),
                matching("scope", _SUBSCRIPTION, "a subscription or a group of them"),
            ),
            "it gives a role over everything in the subscription: narrow the scope to a resource group, or the role",
        ),
        severity=Severity.CRITICAL,
        mend="Name a resource group or resource in `scope`, and the narrowest built-in role in `role_definition_id`.",
        url=f"{LEARN}role-based-access-control/best-practices",
        controls=c.LEAST_PRIVILEGE,
    ),
    rule(
        "azure-role-no-access-administrator",
        "Nobody who deploys or runs may give any role to others",
        _ASSIGNMENT,
        every(
            not_matching(
                "roleDefinitionId", rf"(?i).*/({_OWNER}|{_ACCESS_ADMINISTRATOR})", "Owner or User Access Administrator"
            ),
            only_where(
                matching("roleDefinitionId", rf"(?i).*/{_RBAC_ADMINISTRATOR}", "the RBAC administrator"),
                present("condition"),
            ),
        ),
        severity=Severity.HIGH,
        mend="Use the role Role Based Access Control Administrator with a `condition`, or a role without that right.",
        url=f"{LEARN}role-based-access-control/built-in-roles/privileged",
        controls=c.LEAST_PRIVILEGE,
    ),
    rule(
        "azure-role-definition-narrow",
        "No role of ours may do everything, or give itself any role",
        _DEFINITION,
        not_matching("permissions[*].actions[*]", _EVERYTHING, "a way to everything"),
        severity=Severity.CRITICAL,
        mend="Name the actions that the role needs in `permissions`.",
        url=f"{LEARN}role-based-access-control/custom-roles",
        controls=(*c.LEAST_PRIVILEGE, *c.cis_azure("2.23")),
    ),
    rule(
        "azure-role-definition-data-narrow",
        "No role of ours reads and writes all data",
        _DEFINITION,
        not_matching("permissions[*].dataActions[*]", r"\*", "every data action"),
        severity=Severity.HIGH,
        mend="Name the data actions that the role needs.",
        url=f"{LEARN}role-based-access-control/custom-roles",
        controls=c.LEAST_PRIVILEGE,
    ),
    rule(
        "azure-federation-narrow",
        "A managed identity trusts one subject, of a repository one branch or environment",
        _FEDERATED,
        every(
            matching("subject", r"[^*]+", "one subject, without wildcards"),
            only_where(
                matching("issuer", _GITHUB, "GitHub's"),
                matching(
                    "subject",
                    r"repo:[\w.@-]+/[\w.@-]+:(ref:refs/(heads|tags)/[^*]+|environment:[^*]+)",
                    "repo:<owner>/<repository>:ref:refs/heads/<branch>, or :environment:<name>",
                ),
            ),
        ),
        severity=Severity.CRITICAL,
        mend='Set `subject="repo:acme/lake:environment:prod"`.',
        url="https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations",
        controls=c.AUTHENTICATION,
    ),
    rule(
        "azure-logs-retention",
        "Log workspaces keep logs for as many days as the environment asks",
        _LOGS,
        at_least("retentionInDays", LOG_DAYS, default=30),
        severity=Severity.MEDIUM,
        mend="Set `retention_in_days` to the environment's `retention.log_days`.",
        url=f"{LEARN}azure-monitor/logs/data-retention-configure",
        controls=c.LOG_RETENTION,
    ),
    rule(
        "azure-logs-entra-only",
        "Every access to a log workspace is by an identity of Entra, not by its keys",
        _LOGS,
        equals("features.disableLocalAuth", True),
        severity=Severity.MEDIUM,
        mend='Set `features={"disable_local_auth": True}`.',
        url=f"{LEARN}azure-monitor/logs/azure-ad-authentication-logs",
        controls=(*c.AUTHENTICATION, *c.LOG_INTEGRITY),
    ),
    rule(
        "azure-backup-immutable",
        "No backup can be deleted before its time",
        _BACKUPS,
        one_of("properties.securitySettings.immutabilitySettings.state", "Locked", "Unlocked"),
        severity=Severity.HIGH,
        mend='Set `security_settings={"immutability_settings": {"state": "Locked"}}`.',
        url=f"{LEARN}backup/backup-azure-immutable-vault-concept",
        controls=(*c.BACKUP, *c.DELETION_PROTECTION),
    ),
    rule(
        "azure-backup-soft-delete",
        "Deleted backups can be had back",
        _BACKUPS,
        one_of(
            "properties.securitySettings.softDeleteSettings.softDeleteState", "Enabled", "AlwaysON", default="Enabled"
        ),
        severity=Severity.HIGH,
        mend='Set `soft_delete_settings={"soft_delete_state": "AlwaysON"}`.',
        url=f"{LEARN}backup/backup-azure-enhanced-soft-delete-about",
        controls=(*c.BACKUP, *c.DELETION_PROTECTION),
    ),
    rule(
        "azure-backup-not-public",
        "No recovery vault has a public endpoint",
        _BACKUPS,
        equals("properties.publicNetworkAccess", "Disabled"),
        severity=Severity.MEDIUM,
        mend='Set `public_network_access="Disabled"` in `properties`.',
        url=f"{LEARN}backup/private-endpoints-overview",
        controls=c.NO_PUBLIC_ACCESS,
    ),
)
