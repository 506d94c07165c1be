"""Key Vault: cannot be purged, roles not policies, a firewall, keys that rotate, secrets that end, an audit log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from levee.compliance.rule import Finding, Severity, Undecidable
from levee.compliance.rules import controls as c
from levee.compliance.rules.azure.common import LEARN, closed_or_denied, logged
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import at_least, differs, equals, every, not_world_open, present, reads
from levee.compliance.rules.scope import Scope
from levee.compliance.rules.secrets import kept_secret
from levee.compliance.rules.settings import ROTATION_DAYS, setting_value

_VAULT: Final = "azure-native:keyvault:Vault"
_KEY: Final = "azure-native:keyvault:Key"
_SECRET: Final = "azure-native:keyvault:Secret"
_GUIDE: Final = f"{LEARN}key-vault/"
_ACTIONS: Final = "properties.rotationPolicy.lifetimeActions"
_TYPE: Final = f"{_ACTIONS}[*].action.type"
_AFTER: Final = f"{_ACTIONS}[*].trigger.timeAfterCreate"
_BEFORE: Final = f"{_ACTIONS}[*].trigger.timeBeforeExpiry"
_EXPIRY: Final = "properties.rotationPolicy.attributes.expiryTime"
_DURATION: Final = re.compile(r"P(?=\d)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?")
_DAYS: Final = (365, 30, 7, 1)


@reads(_ACTIONS, _TYPE, _AFTER, _BEFORE, _EXPIRY, settings=(ROTATION_DAYS,))
def _rotates(scope: Scope) -> Iterator[Finding]:
    """Some lifetime action makes a new version within the days that the environment allows."""
    most = setting_value(ROTATION_DAYS, scope.facts)
    expiry = scope.one(_EXPIRY)
    unknown = scope.one(_ACTIONS).undecidable
    for kind, after, before in zip(scope.read(_TYPE), scope.read(_AFTER), scope.read(_BEFORE), strict=True):
        if kind.undecidable or any(given.undecidable for given in (after, before, expiry)):
            unknown = True
        elif str(kind.value).lower() == "rotate" and 0 < _age(after.value, before.value, expiry.value) <= most:
            return
    if unknown:
        yield Undecidable(_ACTIONS).finding()
    else:
        complaint = f"`{_ACTIONS}` makes no new version within {most} days of the last one"
        yield Finding(complaint, property=_ACTIONS)


def _age(after: object, before: object, expiry: object) -> int:
    """Days after which a version is replaced: so long after its making, or so long before its expiry; 0 for never."""
    return _days(after) if after is not None else _days(expiry) - _days(before)


def _days(duration: object) -> int:
    """Days of an ISO 8601 duration as Key Vault writes it, a year 365 and a month 30; 0 where it is none."""
    found = _DURATION.fullmatch(str(duration))
    if found is None:
        return 0
    return sum(int(given or 0) * days for given, days in zip(found.groups(), _DAYS, strict=True))


RULES: Final = (
    rule(
        "azure-keyvault-purge-protected",
        "No key vault can be purged",
        _VAULT,
        every(
            equals("properties.enablePurgeProtection", True),
            differs("properties.enableSoftDelete", False),
        ),
        severity=Severity.HIGH,
        mend="Set `enable_purge_protection=True` and leave `enable_soft_delete` on.",
        url=f"{_GUIDE}general/soft-delete-overview",
        controls=(*c.KEY_MANAGEMENT, *c.DELETION_PROTECTION, *c.cis_azure("3.3.5")),
    ),
    rule(
        "azure-keyvault-soft-delete-days",
        "What was deleted from a key vault can be had back for 90 days",
        _VAULT,
        at_least("properties.softDeleteRetentionInDays", 90, default=90),
        severity=Severity.LOW,
        mend="Set `soft_delete_retention_in_days=90`, when the vault is made.",
        url=f"{_GUIDE}general/soft-delete-overview",
        controls=(*c.DELETION_PROTECTION, *c.cis_azure("3.3.5")),
    ),
    rule(
        "azure-keyvault-rbac",
        "Roles, not access policies, say who uses a key vault",
        _VAULT,
        equals("properties.enableRbacAuthorization", True),
        severity=Severity.MEDIUM,
        mend="Set `enable_rbac_authorization=True`, and add an `authorization.RoleAssignment` for each user.",
        url=f"{_GUIDE}general/rbac-guide",
        controls=(*c.LEAST_PRIVILEGE, *c.cis_azure("3.3.6")),
    ),
    rule(
        "azure-keyvault-firewall",
        "Every key vault lets in only whom its firewall names",
        _VAULT,
        every(
            closed_or_denied("properties.publicNetworkAccess", "properties.networkAcls.defaultAction"),
            not_world_open("properties.networkAcls.ipRules[*].value"),
        ),
        severity=Severity.HIGH,
        mend='Set `public_network_access="Disabled"`, or `network_acls={"default_action": "Deny", ...}`.',
        url=f"{_GUIDE}general/network-security",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "azure-keyvault-logged",
        "Every use of a key vault is logged",
        _VAULT,
        logged("AuditEvent"),
        severity=Severity.MEDIUM,
        mend="Add a `monitor.DiagnosticSetting` with `resource_uri=vault.id` and the category AuditEvent.",
        url=f"{_GUIDE}general/logging",
        controls=(*c.AUDIT_LOGS, *c.cis_azure("6.1.4")),
    ),
    rule(
        "azure-keyvault-key-rotated",
        "Every key rotates by itself, as often as the environment asks",
        _KEY,
        _rotates,
        severity=Severity.HIGH,
        mend='Set `rotation_policy` with a lifetime action `{"action": {"type": "rotate"}, "trigger": '
        '{"time_after_create": "P1Y"}}`.',
        url=f"{_GUIDE}keys/how-to-configure-key-rotation",
        controls=(*c.KEY_ROTATION, *c.cis_azure("3.3.8")),
    ),
    rule(
        "azure-keyvault-key-not-exportable",
        "No key leaves its vault",
        _KEY,
        differs("properties.attributes.exportable", True),
        severity=Severity.HIGH,
        mend="Remove `exportable=True` from `attributes`.",
        url=f"{_GUIDE}keys/about-keys-details",
        controls=c.KEY_MANAGEMENT,
    ),
    rule(
        "azure-keyvault-secret-expires",
        "Every secret has an end",
        _SECRET,
        present("properties.attributes.expires"),
        severity=Severity.MEDIUM,
        mend='Set `attributes={"expires": <seconds since 1970>}` in `properties`.',
        url=f"{_GUIDE}secrets/about-secrets",
        controls=(*c.SECRETS, *c.cis_azure("3.3.3", "3.3.4")),
    ),
    rule(
        "azure-keyvault-secret-kept",
        "The value of a secret is a secret to Pulumi too",
        _SECRET,
        kept_secret("properties.value"),
        severity=Severity.CRITICAL,
        mend="Wrap the value in `pulumi.Output.secret(...)`, or read it with `config.require_secret(...)`.",
        url="https://www.pulumi.com/docs/iac/concepts/secrets/",
        controls=c.SECRETS,
    ),
)
