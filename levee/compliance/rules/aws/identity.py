"""IAM: no static keys, no administrators by wildcard, trust that is limited to a repository and branch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from levee.compliance.rule import Finding, Severity
from levee.compliance.rules import controls as c
from levee.compliance.rules.aws.common import security_hub
from levee.compliance.rules.aws.policy import (
    Statement,
    covers,
    grants,
    is_admin,
    is_public,
    many,
    no_statement,
    principals,
)
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import (
    Check,
    at_least,
    by_type,
    not_matching,
    one_of,
    only_where,
    reads,
)
from levee.compliance.rules.scope import Scope

ROLE: Final = "aws:iam/role:Role"
_POLICIES: Final = (
    "aws:iam/policy:Policy",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:iam/userPolicy:UserPolicy",
    "aws:iam/groupPolicy:GroupPolicy",
)
_ATTACHMENTS: Final = (
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:iam/userPolicyAttachment:UserPolicyAttachment",
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
    "aws:iam/policyAttachment:PolicyAttachment",
)
_PASSWORDS: Final = "aws:iam/accountPasswordPolicy:AccountPasswordPolicy"
_IAM_GUIDE: Final = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
_ADMIN_ARN: Final = r"arn:aws[\w-]*:iam::aws:policy/(AdministratorAccess|IAMFullAccess)"
_DATA_ACTIONS: Final = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")

GITHUB: Final = "token.actions.githubusercontent.com"
_ONE_REPOSITORY: Final = re.compile(r"repo:[^:*?/]+/[^:*?]+:.+")
_ONE_REF: Final = re.compile(r"repo:[^:*?/]+/[^:*?]+:(ref:refs/(heads|tags)/[^*?]+|environment:[^*?]+)")


_COMPARING: Final = tuple(
    f"{prefix}{operator}"
    for prefix in ("", "ForAnyValue:")
    for operator in ("StringEquals", "StringEqualsIgnoreCase", "StringLike")
)


def _admin(statement: Statement) -> str:
    return "allows everything on everything: name the actions and resources" if is_admin(statement) else ""


def _whole_service(statement: Statement) -> str:
    if not grants(statement) or is_admin(statement) or "*" not in many(statement.get("Resource")):
        return ""
    whole = [a for a in many(statement.get("Action")) if isinstance(a, str) and re.fullmatch(r"[a-z0-9-]+:\*", a)]
    return f"allows {', '.join(whole)} on every resource: name the actions, or the resources" if whole else ""


def _pass_any_role(statement: Statement) -> str:
    wide = grants(statement) and covers(statement, "iam:PassRole") and "*" in many(statement.get("Resource"))
    return "lets every role be passed on: name the roles" if wide and not is_admin(statement) else ""


def _all_data(statement: Statement) -> str:
    everywhere = [r for r in many(statement.get("Resource")) if r in ("*", "arn:aws:s3:::*", "arn:aws:s3:::*/*")]
    if not grants(statement) or is_admin(statement) or not everywhere or statement.get("Condition"):
        return ""
    data = [action for action in _DATA_ACTIONS if covers(statement, action)]
    return f"allows {', '.join(data)} in every bucket: name the layer's bucket" if data else ""


def _federates(statement: Statement, provider: str) -> bool:
    return grants(statement) and any(str(p).endswith(provider) for p in principals(statement, "Federated"))


def _subjects(statement: Statement) -> list[Any]:
    """The values that GitHub's ``sub`` claim is compared with; empty where it is not."""
    conditions = statement.get("Condition") or {}
    return [
        value
        for operator in _COMPARING
        for key, given in (conditions.get(operator) or {}).items()
        if key.lower() == f"{GITHUB}:sub"
        for value in many(given)
    ]


def _any_repository(statement: Statement) -> str:
    if not _federates(statement, GITHUB):
        return ""
    subjects = _subjects(statement)
    limited = bool(subjects) and all(_ONE_REPOSITORY.fullmatch(str(subject)) for subject in subjects)
    return "" if limited else f"trusts every repository on GitHub: compare `{GITHUB}:sub` with repo:OWNER/NAME:..."


def _any_branch(statement: Statement) -> str:
    if not _federates(statement, GITHUB) or _any_repository(statement):
        return ""
    wide = [str(subject) for subject in _subjects(statement) if not _ONE_REF.fullmatch(str(subject))]
    return f"trusts every branch of {', '.join(wide)}: name the branch, tag or environment" if wide else ""


def _everybody(statement: Statement) -> str:
    return "lets everybody assume the role: name the principals" if is_public(statement) else ""


def _in_policies(wrong: Any) -> Check:
    """No statement of a policy, inline ones of a role included, is wrong."""
    own = no_statement("policy", wrong)
    inline = no_statement("inlinePolicies[*].policy", wrong)
    return by_type({**dict.fromkeys(_POLICIES, own), ROLE: inline})


@reads("user")
def _exists(_scope: Scope) -> Iterator[Finding]:
    yield Finding("a static key outlives whoever holds it: use a role, or OIDC federation", property="user")


RULES: Final = (
    rule(
        "aws-iam-no-administrator-policy",
        "No policy allows everything on everything",
        (*_POLICIES, ROLE),
        _in_policies(_admin),
        severity=Severity.CRITICAL,
        mend="Name the actions and the resources of the statement.",
        url=security_hub("iam", 1),
        controls=(*c.LEAST_PRIVILEGE, *c.cis_aws("1.16")),
    ),
    rule(
        "aws-iam-no-administrator-access",
        "Nobody is given AdministratorAccess or IAMFullAccess",
        (*_ATTACHMENTS, ROLE),
        by_type(
            {
                **dict.fromkeys(_ATTACHMENTS, not_matching("policyArn", _ADMIN_ARN, "an administrator's policy")),
                ROLE: not_matching("managedPolicyArns[*]", _ADMIN_ARN, "an administrator's policy"),
            }
        ),
        severity=Severity.HIGH,
        mend="Attach a policy that names the actions and resources that are needed.",
        url=f"{_IAM_GUIDE}best-practices.html#grant-least-privilege",
        controls=c.LEAST_PRIVILEGE,
    ),
    rule(
        "aws-iam-no-whole-service",
        "No policy allows a whole service on every resource",
        (*_POLICIES, ROLE),
        _in_policies(_whole_service),
        severity=Severity.MEDIUM,
        mend="Replace `service:*` by the actions that are used, or `*` by the resources.",
        url=security_hub("iam", 21),
        controls=c.LEAST_PRIVILEGE,
    ),
    rule(
        "aws-iam-pass-role-limited",
        "No policy lets every role be passed to a service",
        (*_POLICIES, ROLE),
        _in_policies(_pass_any_role),
        severity=Severity.HIGH,
        mend="Name the roles in `Resource`, and the service by the condition `iam:PassedToService`.",
        url=f"{_IAM_GUIDE}id_roles_use_passrole.html",
        controls=c.LEAST_PRIVILEGE,
    ),
    rule(
        "aws-iam-data-access-by-bucket",
        "Nobody reads or writes the objects of every bucket",
        (*_POLICIES, ROLE),
        _in_policies(_all_data),
        severity=Severity.HIGH,
        mend="Name the buckets of the layers that are needed in `Resource`.",
        url="https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html",
        controls=c.LEAST_PRIVILEGE,
    ),
    rule(
        "aws-iam-role-trust-not-public",
        "No role can be assumed by everybody",
        ROLE,
        no_statement("assumeRolePolicy", _everybody),
        severity=Severity.CRITICAL,
        mend="Name the accounts, roles or services in the `Principal` of `assume_role_policy`.",
        url=f"{_IAM_GUIDE}id_roles_create_for-user_externalid.html",
        controls=(*c.LEAST_PRIVILEGE, *c.AUTHENTICATION),
    ),
    rule(
        "aws-iam-github-trust-one-repository",
        "A role for GitHub Actions trusts named repositories only",
        ROLE,
        no_statement("assumeRolePolicy", _any_repository),
        severity=Severity.CRITICAL,
        mend=f'Add the condition `{{"StringLike": {{"{GITHUB}:sub": "repo:OWNER/NAME:ref:refs/heads/main"}}}}`.',
        url="https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws",
        controls=(*c.AUTHENTICATION, *c.LEAST_PRIVILEGE),
    ),
    rule(
        "aws-iam-github-trust-one-branch",
        "A role for GitHub Actions trusts named branches, tags or environments only",
        ROLE,
        no_statement("assumeRolePolicy", _any_branch),
        severity=Severity.HIGH,
        mend=f"End the value of `{GITHUB}:sub` in `:ref:refs/heads/main` or `:environment:prod`.",
        url="https://docs.github.com/en/actions/reference/security/oidc",
        controls=(*c.AUTHENTICATION, *c.LEAST_PRIVILEGE),
    ),
    rule(
        "aws-iam-no-access-keys",
        "No user has a static access key",
        "aws:iam/accessKey:AccessKey",
        only_where(one_of("status", "Active", default="Active"), _exists),
        severity=Severity.HIGH,
        mend="Replace the key by a role that is assumed: OIDC for pipelines, IAM Identity Center for people.",
        url=f"{_IAM_GUIDE}best-practices.html#lock-away-credentials",
        controls=(*c.AUTHENTICATION, *c.pci("8.6.3")),
    ),
    rule(
        "aws-iam-passwords-long",
        "Passwords have fourteen characters or more",
        _PASSWORDS,
        at_least("minimumPasswordLength", 14),
        severity=Severity.MEDIUM,
        mend="Set `minimum_password_length=14`.",
        url=security_hub("iam", 15),
        controls=(*c.AUTHENTICATION, *c.pci("8.3.6"), *c.cis_aws("1.8")),
    ),
    rule(
        "aws-iam-passwords-not-reused",
        "None of the last 24 passwords can be used again",
        _PASSWORDS,
        at_least("passwordReusePrevention", 24),
        severity=Severity.LOW,
        mend="Set `password_reuse_prevention=24`.",
        url=security_hub("iam", 16),
        controls=(*c.AUTHENTICATION, *c.pci("8.3.7"), *c.cis_aws("1.9")),
    ),
)
