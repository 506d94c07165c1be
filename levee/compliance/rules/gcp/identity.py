"""IAM and audit logs: nobody public, no basic roles, no keys, narrow federation, logs that are whole and kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from levee.compliance.rule import Finding, Severity, Undecidable
from levee.compliance.rules import controls as c
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import (
    absent,
    at_least,
    differs,
    equals,
    every,
    matching,
    not_matching,
    only_where,
    present,
    reads,
    where_setting,
)
from levee.compliance.rules.gcp.common import DOCS, GRANTS, HIERARCHY, no_member, no_role
from levee.compliance.rules.scope import Scope, is_undecidable
from levee.compliance.rules.settings import LOG_DAYS, PROTECTED

_KEY: Final = "gcp:serviceaccount/key:Key"
_PROVIDER: Final = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
_AUDIT: Final = (
    "gcp:projects/iAMAuditConfig:IAMAuditConfig",
    "gcp:folder/iamAuditConfig:IamAuditConfig",
    "gcp:organizations/iamAuditConfig:IamAuditConfig",
)
_KINDS: Final = ("ADMIN_READ", "DATA_READ", "DATA_WRITE")
_LOGS: Final = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
_SINK: Final = "gcp:logging/projectSink:ProjectSink"
_GUIDE: Final = f"{DOCS}iam/docs/"

_SERVES_EVERYBODY: Final = (
    r"https://(token\.actions\.githubusercontent\.com|gitlab\.com|app\.terraform\.io|agent\.buildkite\.com"
    r"|api\.bitbucket\.org/2\.0/workspaces/[^/]+/pipelines-config/identity/oidc|oidc\.circleci\.com/org/[^/]+"
    r"|api\.pulumi\.com/oidc|accounts\.google\.com)/?"
)
"""Issuers whose tokens anybody may get (IAM documentation, "Best practices for using Workload Identity Federation")."""


@reads("auditLogConfigs[*].logType")
def _every_kind(scope: Scope) -> Iterator[Finding]:
    given = [found.value for found in scope.read("auditLogConfigs[*].logType")]
    missing = [kind for kind in _KINDS if kind not in given]
    if missing and any(is_undecidable(kind) for kind in given):
        yield Undecidable("auditLogConfigs").finding()
    elif missing:
        yield Finding(f"`auditLogConfigs` lacks {', '.join(missing)}", property="auditLogConfigs")


RULES: Final = (
    rule(
        "gcp-iam-not-public",
        "Nothing is granted to everybody",
        GRANTS,
        no_member("allUsers|allAuthenticatedUsers", "everybody: name a group or a service account"),
        severity=Severity.CRITICAL,
        mend='Name `"group:..."` or `"serviceAccount:..."` in `member`.',
        url=f"{_GUIDE}principals-overview",
        controls=(*c.NO_PUBLIC_ACCESS, *c.cis_gcp("1.9", "5.1", "7.1")),
    ),
    rule(
        "gcp-iam-no-personal-accounts",
        "Nothing is granted to a private Google account",
        GRANTS,
        no_member(r"user:.+@(gmail|googlemail)\.com", "a private account"),
        severity=Severity.HIGH,
        mend="Grant to a group of your own organisation.",
        url=f"{DOCS}resource-manager/docs/organization-policy/restricting-domains",
        controls=(*c.LEAST_PRIVILEGE, *c.cis_gcp("1.1")),
    ),
    rule(
        "gcp-iam-no-basic-roles",
        "Nobody owns or edits everything in a project, folder or organisation",
        HIERARCHY,
        no_role("roles/(owner|editor)", "a basic role: name a predefined or custom one"),
        severity=Severity.CRITICAL,
        mend="Name the predefined roles that are needed, on the resources that they are needed on.",
        url=f"{_GUIDE}roles-overview#basic",
        controls=(*c.LEAST_PRIVILEGE, *c.cis_gcp("1.5")),
    ),
    rule(
        "gcp-iam-no-impersonation-of-all",
        "Nobody acts as every service account of a project, folder or organisation",
        HIERARCHY,
        no_role(
            r"roles/iam\.(serviceAccountUser|serviceAccountTokenCreator|workloadIdentityUser|serviceAccountKeyAdmin)",
            "granted over all service accounts",
        ),
        severity=Severity.HIGH,
        mend="Grant it on the one account, with `gcp.serviceaccount.IAMMember`.",
        url=f"{_GUIDE}service-account-permissions",
        controls=(*c.LEAST_PRIVILEGE, *c.cis_gcp("1.6")),
    ),
    rule(
        "gcp-iam-custom-role-narrow",
        "No role of ours lets its holders give themselves more",
        "gcp:projects/iAMCustomRole:IAMCustomRole",
        not_matching(
            "permissions[*]",
            r"[\w.]+\.setIamPolicy|iam\.serviceAccounts\.(actAs|getAccessToken|signBlob|signJwt)"
            r"|iam\.serviceAccountKeys\.create|iam\.roles\.update",
            "a way to more rights",
        ),
        severity=Severity.HIGH,
        mend="Remove the permission; let a pipeline, whose code is reviewed, hold it.",
        url=f"{_GUIDE}creating-custom-roles",
        controls=c.LEAST_PRIVILEGE,
    ),
    rule(
        "gcp-iam-no-keys",
        "No service account has a private key that Google made and handed out",
        _KEY,
        present("publicKeyData"),
        severity=Severity.HIGH,
        mend="Remove the key: use workload identity federation, or a machine's own account; or upload a public key.",
        url=f"{_GUIDE}best-practices-for-managing-service-account-keys",
        controls=(*c.AUTHENTICATION, *c.cis_gcp("1.4")),
    ),
    rule(
        "gcp-iam-federation-narrow",
        "An identity provider that serves everybody is trusted on a condition, GitHub on the repository or its owner",
        _PROVIDER,
        every(
            only_where(matching("oidc.issuerUri", _SERVES_EVERYBODY, "everybody's"), present("attributeCondition")),
            only_where(
                matching("oidc.issuerUri", r"https://token\.actions\.githubusercontent\.com/?", "GitHub's"),
                matching(
                    "attributeCondition",
                    r"(?s).*(assertion|attribute)\.(repository|repository_id|repository_owner|repository_owner_id|sub)\b.*",
                    "a condition on the repository or its owner",
                ),
            ),
        ),
        severity=Severity.CRITICAL,
        mend="Set `attribute_condition=\"assertion.repository == 'acme/lake' && assertion.ref == 'refs/heads/main'\"`.",
        url=f"{_GUIDE}workload-identity-federation-with-deployment-pipelines",
        controls=c.AUTHENTICATION,
    ),
    rule(
        "gcp-iam-federation-principals-narrow",
        "No service account is open to every identity of a pool",
        GRANTS,
        no_member(
            r"principalSet://iam\.googleapis\.com/.*/workloadIdentityPools/[^/]+/\*",
            "every identity of a pool: name an attribute, such as attribute.repository/acme/lake",
        ),
        severity=Severity.HIGH,
        mend='Name `"principalSet://iam.googleapis.com/.../attribute.repository/acme/lake"` in `member`.',
        url=f"{_GUIDE}workload-identity-federation",
        controls=(*c.AUTHENTICATION, *c.LEAST_PRIVILEGE),
    ),
    rule(
        "gcp-audit-logs-whole",
        "The audit log of every service tells of reads and writes of data, by everybody",
        _AUDIT,
        every(equals("service", "allServices"), _every_kind, absent("auditLogConfigs[*].exemptedMembers")),
        severity=Severity.MEDIUM,
        mend='Set `service="allServices"` with DATA_READ, DATA_WRITE and ADMIN_READ, and exempt nobody.',
        url=f"{DOCS}logging/docs/audit/configure-data-access",
        controls=(*c.AUDIT_LOGS, *c.cis_gcp("2.1")),
    ),
    rule(
        "gcp-logs-retention",
        "Log buckets keep logs for as many days as the environment asks",
        _LOGS,
        at_least("retentionDays", LOG_DAYS, default=30),
        severity=Severity.MEDIUM,
        mend="Set `retention_days` to the environment's `retention.log_days`.",
        url=f"{DOCS}logging/docs/buckets",
        controls=c.LOG_RETENTION,
    ),
    rule(
        "gcp-logs-locked",
        "Where data must resist deletion, nobody can shorten how long a log bucket keeps logs",
        _LOGS,
        where_setting(PROTECTED, equals("locked", True)),
        severity=Severity.MEDIUM,
        mend="Set `locked=True`; it cannot be undone.",
        url=f"{DOCS}logging/docs/buckets#locking-logs-buckets",
        controls=c.LOG_INTEGRITY,
    ),
    rule(
        "gcp-logs-customer-managed-key",
        "Log buckets are encrypted with a key of ours",
        _LOGS,
        present("cmekSettings.kmsKeyName"),
        severity=Severity.LOW,
        mend='Set `cmek_settings={"kms_key_name": key.id}`.',
        url=f"{DOCS}logging/docs/routing/managed-encryption-storage",
        controls=c.ENCRYPTION_AT_REST,
    ),
    rule(
        "gcp-logs-sink-on",
        "No log sink is switched off",
        _SINK,
        differs("disabled", True),
        severity=Severity.HIGH,
        mend="Remove `disabled=True`.",
        url=f"{DOCS}logging/docs/export/configure_export_v2",
        controls=c.AUDIT_LOGS,
    ),
)
