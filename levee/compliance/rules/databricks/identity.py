"""Who may do what: entitlements, tokens, secret scopes, permissions, the trust in a pipeline's identity."""

from __future__ import annotations

from typing import Final

from levee.compliance.rule import Parameter, Severity
from levee.compliance.rules import controls as c
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import (
    absent,
    at_most,
    differs,
    each,
    equals,
    every,
    matching,
    never,
    not_matching,
    one_of,
    only_where,
)
from levee.compliance.rules.databricks.specs import DOCS
from levee.compliance.rules.settings import Setting

_PRINCIPALS: Final = (
    "databricks:index/entitlements:Entitlements",
    "databricks:index/group:Group",
    "databricks:index/user:User",
    "databricks:index/servicePrincipal:ServicePrincipal",
)
_PERMISSIONS: Final = "databricks:index/permissions:Permissions"
_TOKENS: Final = ("databricks:index/token:Token", "databricks:index/oboToken:OboToken")
_DAY: Final = 86_400

TOKEN_SECONDS: Final = Setting(
    "token_seconds",
    Parameter(90 * _DAY, "Longest life of a token, in seconds.", {"type": "integer", "minimum": 1}),
)
TOKEN_DAYS: Final = Setting(
    "token_days", Parameter(90, "Longest life of a token, in days.", {"type": "integer", "minimum": 1})
)

_NINETY_DAYS: Final = r"([1-9]\d{0,5}|[1-6]\d{6}|7[0-6]\d{5}|77[0-6]\d{4}|777[0-5]\d{3}|7776000)s"
_EVERYBODY: Final = "(account )?users"
_POWERFUL: Final = "CAN_MANAGE.*|IS_OWNER|CAN_RESTART|CAN_EDIT"

RULES: Final = (
    rule(
        "databricks-no-cluster-create",
        "Nobody may create clusters but by a policy",
        _PRINCIPALS,
        differs("allowClusterCreate", True),
        severity=Severity.HIGH,
        mend="Remove `allow_cluster_create=True`; give `CAN_USE` on a cluster policy with `databricks.Permissions`.",
        url=f"{DOCS}security/auth/entitlements",
        controls=(*c.LEAST_PRIVILEGE, *c.databricks_sat("INFO-4")),
    ),
    rule(
        "databricks-no-pool-create",
        "Nobody may create instance pools but an administrator",
        _PRINCIPALS,
        differs("allowInstancePoolCreate", True),
        severity=Severity.MEDIUM,
        mend="Remove `allow_instance_pool_create=True`; make pools here, and give `CAN_ATTACH_TO` on them.",
        url=f"{DOCS}security/auth/entitlements",
        controls=(*c.LEAST_PRIVILEGE, *c.databricks_sat("INFO-4")),
    ),
    rule(
        "databricks-token-lifetime",
        "Every token ends within the days that the environment allows",
        _TOKENS,
        at_most("lifetimeSeconds", TOKEN_SECONDS),
        severity=Severity.HIGH,
        mend="Set `lifetime_seconds=7776000` (90 days) or less; without it the token never ends.",
        url=f"{DOCS}admin/access-control/tokens",
        controls=(*c.AUTHENTICATION, *c.databricks_sat("IA-4")),
    ),
    rule(
        "databricks-token-permission",
        "Not everybody may make tokens",
        _PERMISSIONS,
        only_where(
            equals("authorization", "tokens"),
            each("accessControls[*]", not_matching("groupName", _EVERYBODY, "everybody: name the groups that need it")),
        ),
        severity=Severity.MEDIUM,
        mend='Give `CAN_USE` on `authorization="tokens"` to the groups that need tokens, not to `users`.',
        url=f"{DOCS}admin/access-control/tokens",
        controls=(*c.LEAST_PRIVILEGE, *c.databricks_sat("IA-8")),
    ),
    rule(
        "databricks-no-passwords",
        "Nobody signs in with a password of the workspace's own",
        _PERMISSIONS,
        differs("authorization", "passwords"),
        severity=Severity.HIGH,
        mend='Remove the permission on `authorization="passwords"`; sign in through the identity provider.',
        url=f"{DOCS}security/auth/single-sign-on/",
        controls=c.AUTHENTICATION,
    ),
    rule(
        "databricks-permissions-not-everybody",
        "Not everybody may change, restart or own an object",
        _PERMISSIONS,
        each(
            "accessControls[*]",
            never(
                every(
                    matching("groupName", _EVERYBODY, "everybody"),
                    matching("permissionLevel", _POWERFUL, "powerful"),
                ),
                "the group of all users may change it: give this level to a group of those who must",
            ),
        ),
        severity=Severity.HIGH,
        mend="Name a narrower group in `access_controls`, or lower its `permission_level` to view, run or use.",
        url=f"{DOCS}security/auth/access-control/",
        controls=(*c.LEAST_PRIVILEGE, *c.databricks_sat("GOV-45")),
    ),
    rule(
        "databricks-service-principal-secret-lifetime",
        "Every OAuth secret of a service principal has an end",
        "databricks:index/servicePrincipalSecret:ServicePrincipalSecret",
        matching("lifetime", _NINETY_DAYS, "7776000s (90 days) or less"),
        severity=Severity.HIGH,
        mend='Set `lifetime="7776000s"`, or better: federate with `databricks.ServicePrincipalFederationPolicy`.',
        url=f"{DOCS}dev-tools/auth/oauth-m2m",
        controls=c.AUTHENTICATION,
    ),
    rule(
        "databricks-federation-narrow",
        "A service principal trusts one subject of an identity provider, of a repository one branch or environment",
        "databricks:index/servicePrincipalFederationPolicy:ServicePrincipalFederationPolicy",
        every(
            matching("oidcPolicy.subject", r"[^*]+", "one subject, without wildcards"),
            only_where(
                matching("oidcPolicy.issuer", r"https://token\.actions\.githubusercontent\.com/?", "GitHub's"),
                matching(
                    "oidcPolicy.subject",
                    r"repo:[\w.@-]+/[\w.@-]+:(ref:refs/(heads|tags)/[^*]+|environment:[^*]+)",
                    "repo:<owner>/<repository>:ref:refs/heads/<branch>, or :environment:<name>",
                ),
            ),
        ),
        severity=Severity.CRITICAL,
        mend='Set `oidc_policy={"issuer": ..., "audiences": [...], "subject": "repo:acme/lake:environment:prod"}`.',
        url=f"{DOCS}dev-tools/auth/oauth-federation-policy",
        controls=c.AUTHENTICATION,
    ),
    rule(
        "databricks-oauth-app-tokens-short",
        "Access tokens of OAuth applications last at most an hour",
        "databricks:index/customAppIntegration:CustomAppIntegration",
        at_most("tokenAccessPolicy.accessTokenTtlInMinutes", 60, default=60),
        severity=Severity.MEDIUM,
        mend='Set `token_access_policy={"access_token_ttl_in_minutes": 60}` or less.',
        url=f"{DOCS}integrations/enable-disable-oauth",
        controls=c.AUTHENTICATION,
    ),
    rule(
        "databricks-secret-scope-managed",
        "No secret scope is managed by everybody",
        "databricks:index/secretScope:SecretScope",
        not_matching("initialManagePrincipal", _EVERYBODY, "everybody"),
        severity=Severity.CRITICAL,
        mend='Remove `initial_manage_principal="users"`; give each reader a `databricks.SecretAcl`.',
        url=f"{DOCS}security/auth/access-control/#secret-acls",
        controls=(*c.SECRETS, *c.databricks_sat("GOV-41")),
    ),
    rule(
        "databricks-secret-acl-narrow",
        "No secret scope is open to everybody",
        "databricks:index/secretAcl:SecretAcl",
        not_matching("principal", _EVERYBODY, "everybody"),
        severity=Severity.CRITICAL,
        mend="Name the group or service principal that reads the scope in `principal`.",
        url=f"{DOCS}security/auth/access-control/#secret-acls",
        controls=(*c.SECRETS, *c.databricks_sat("GOV-41")),
    ),
    rule(
        "databricks-git-credential-app",
        "Repositories are reached through a provider's application, not by a personal token",
        "databricks:index/gitCredential:GitCredential",
        absent("personalAccessToken"),
        severity=Severity.MEDIUM,
        mend="Link the Databricks GitHub App, or an Entra application, and remove `personal_access_token`.",
        url=f"{DOCS}repos/get-access-tokens-from-git-provider",
        controls=c.AUTHENTICATION,
    ),
    rule(
        "databricks-restrict-workspace-admins",
        "Workspace administrators may not run jobs as others, nor make tokens for them",
        "databricks:index/restrictWorkspaceAdminsSetting:RestrictWorkspaceAdminsSetting",
        one_of("restrictWorkspaceAdmins.status", "RESTRICT_TOKENS_AND_JOB_RUN_AS"),
        severity=Severity.MEDIUM,
        mend='Set `restrict_workspace_admins={"status": "RESTRICT_TOKENS_AND_JOB_RUN_AS"}`.',
        url=f"{DOCS}admin/workspace-settings/restrict-workspace-admins",
        controls=(*c.LEAST_PRIVILEGE, *c.databricks_sat("GOV-35")),
    ),
)
