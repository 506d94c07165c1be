"""Azure SQL, PostgreSQL, MySQL, Cosmos DB, Redis: private, TLS only, our keys, Entra only, audited, backed up."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Final

from levee.compliance.rule import Finding, Severity, Undecidable
from levee.compliance.rules import controls as c
from levee.compliance.rules.azure.common import LEARN, TLS, closed, logged
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import (
    at_least,
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
    reads,
    where_setting,
)
from levee.compliance.rules.relations import attached
from levee.compliance.rules.scope import Scope
from levee.compliance.rules.secrets import kept_secret
from levee.compliance.rules.settings import AUDIT_DAYS, BACKUP_DAYS, PROTECTED

_SQL: Final = "azure-native:sql:Server"
_SQL_RULE: Final = "azure-native:sql:FirewallRule"
_AUDITING: Final = ("azure-native:sql:ServerBlobAuditingPolicy", "azure-native:sql:ExtendedServerBlobAuditingPolicy")
_POSTGRES: Final = "azure-native:dbforpostgresql:Server"
_POSTGRES_RULE: Final = "azure-native:dbforpostgresql:FirewallRule"
_POSTGRES_SETTING: Final = "azure-native:dbforpostgresql:Configuration"
_MYSQL: Final = "azure-native:dbformysql:Server"
_MYSQL_RULE: Final = "azure-native:dbformysql:FirewallRule"
_MYSQL_SETTING: Final = "azure-native:dbformysql:Configuration"
_COSMOS: Final = "azure-native:cosmosdb:DatabaseAccount"
_REDIS: Final = "azure-native:redis:Redis"
_FLEXIBLE: Final = (_POSTGRES, _MYSQL)

_SQL_GUIDE: Final = f"{LEARN}azure-sql/database/"
_POSTGRES_GUIDE: Final = f"{LEARN}postgresql/flexible-server/"
_COSMOS_GUIDE: Final = f"{LEARN}cosmos-db/"
_REDIS_GUIDE: Final = f"{LEARN}azure-cache-for-redis/"

_WIDE: Final = 2**24
"""As many addresses as a range /8 has are as good as all."""


@reads("startIpAddress", "endIpAddress")
def _named_range(scope: Scope) -> Iterator[Finding]:
    first, last = scope.one("startIpAddress"), scope.one("endIpAddress")
    for bound in (first, last):
        if bound.undecidable:
            yield Undecidable(bound.path).finding()
            return
    try:
        start, end = int(ipaddress.ip_address(first.value)), int(ipaddress.ip_address(last.value))
    except ValueError as wrong:
        yield Undecidable(first.path, f"no range of addresses: {wrong}").finding()
        return
    if end - start + 1 >= _WIDE:
        yield Finding(f"it lets {first.value} to {last.value} in: name the ranges that need it", property=first.path)
    elif start == end == 0:
        yield Finding("0.0.0.0 lets every customer of Azure in: use a private endpoint", property=first.path)


RULES: Final = (
    rule(
        "azure-sql-not-public",
        "No SQL server has a public endpoint",
        _SQL,
        closed(),
        severity=Severity.HIGH,
        mend='Set `public_network_access="Disabled"`, and add a `network.PrivateEndpoint`.',
        url=f"{_SQL_GUIDE}connectivity-settings",
        controls=(*c.NO_PUBLIC_ACCESS, *c.cis_azure("5.1.7")),
    ),
    rule(
        "azure-database-firewall-narrow",
        "No database's firewall lets the whole internet, or all of Azure, in",
        (_SQL_RULE, _POSTGRES_RULE, _MYSQL_RULE),
        _named_range,
        severity=Severity.CRITICAL,
        mend="Name the ranges that need it, or remove the rule and use a private endpoint.",
        url=f"{_SQL_GUIDE}firewall-configure",
        controls=(*c.NO_PUBLIC_ACCESS, *c.cis_azure("5.1.2", "5.2.5")),
    ),
    rule(
        "azure-sql-tls-1-2",
        "No SQL server speaks TLS older than 1.2",
        _SQL,
        one_of("minimalTlsVersion", *TLS, default="1.2"),
        severity=Severity.HIGH,
        mend='Set `minimal_tls_version="1.2"`.',
        url=f"{_SQL_GUIDE}connectivity-settings#minimum-tls-version",
        controls=c.ENCRYPTION_IN_TRANSIT,
    ),
    rule(
        "azure-sql-customer-managed-key",
        "Every SQL server's databases are encrypted with a key of ours",
        _SQL,
        either(
            present("keyId"),
            attached(
                "azure-native:sql:EncryptionProtector",
                by="serverName",
                check=equals("serverKeyType", "AzureKeyVault"),
                wanted='a sql.EncryptionProtector with server_key_type="AzureKeyVault"',
            ),
        ),
        severity=Severity.MEDIUM,
        mend="Set `key_id=key.key_uri_with_version` and an `identity` that may use the key.",
        url=f"{LEARN}azure-sql/database/transparent-data-encryption-byok-overview",
        controls=(*c.ENCRYPTION_AT_REST, *c.cis_azure("5.1.3")),
    ),
    rule(
        "azure-sql-encrypted",
        "No SQL database's encryption is switched off",
        "azure-native:sql:TransparentDataEncryption",
        equals("state", "Enabled"),
        severity=Severity.CRITICAL,
        mend='Set `state="Enabled"`.',
        url=f"{_SQL_GUIDE}transparent-data-encryption-tde-overview",
        controls=(*c.ENCRYPTION_AT_REST, *c.cis_azure("5.1.5")),
    ),
    rule(
        "azure-sql-entra-only",
        "Everybody signs in to a SQL server through Entra",
        _SQL,
        equals("administrators.azureADOnlyAuthentication", True),
        severity=Severity.HIGH,
        mend='Set `administrators={"azure_ad_only_authentication": True, "login": ..., "sid": ...}`.',
        url=f"{_SQL_GUIDE}authentication-azure-ad-only-authentication",
        controls=(*c.AUTHENTICATION, *c.cis_azure("5.1.4")),
    ),
    rule(
        "azure-database-password-kept",
        "No database administrator's password is in plain",
        (_SQL, _POSTGRES, _MYSQL),
        kept_secret("administratorLoginPassword"),
        severity=Severity.CRITICAL,
        mend="Read it with `config.require_secret(...)` or `random.RandomPassword`, or sign in by Entra only.",
        url="https://www.pulumi.com/docs/iac/concepts/secrets/",
        controls=c.SECRETS,
    ),
    rule(
        "azure-sql-audited",
        "Every SQL server is audited",
        _SQL,
        attached(
            *_AUDITING,
            by="serverName",
            check=equals("state", "Enabled"),
            wanted='a sql.ServerBlobAuditingPolicy with state="Enabled"',
        ),
        severity=Severity.HIGH,
        mend='Add `sql.ServerBlobAuditingPolicy(name, server_name=server.name, state="Enabled", ...)`.',
        url=f"{_SQL_GUIDE}auditing-overview",
        controls=(*c.AUDIT_LOGS, *c.cis_azure("5.1.1")),
    ),
    rule(
        "azure-sql-audit-retention",
        "SQL audit records are kept for as long as the environment asks",
        _AUDITING,
        either(
            equals("retentionDays", 0, default=0),
            at_least("retentionDays", AUDIT_DAYS),
            equals("isAzureMonitorTargetEnabled", True),
        ),
        severity=Severity.MEDIUM,
        mend="Set `retention_days=0` (for ever), or the environment's `retention.audit_days`.",
        url=f"{_SQL_GUIDE}auditing-setup",
        controls=(*c.LOG_RETENTION, *c.cis_azure("5.1.6")),
    ),
    rule(
        "azure-sql-backups-kept",
        "SQL databases can be restored to any moment of the days that the environment asks",
        "azure-native:sql:BackupShortTermRetentionPolicy",
        at_least("retentionDays", BACKUP_DAYS, default=7),
        severity=Severity.MEDIUM,
        mend="Set `retention_days=14` or more.",
        url=f"{_SQL_GUIDE}automated-backups-overview",
        controls=c.BACKUP,
    ),
    rule(
        "azure-database-server-private",
        "No PostgreSQL or MySQL server has a public endpoint",
        _FLEXIBLE,
        either(closed("network.publicNetworkAccess"), present("network.delegatedSubnetResourceId")),
        severity=Severity.HIGH,
        mend='Set `network={"public_network_access": "Disabled"}`, or a delegated subnet.',
        url=f"{_POSTGRES_GUIDE}concepts-networking-private",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "azure-database-server-customer-managed-key",
        "Every PostgreSQL and MySQL server is encrypted with a key of ours",
        _FLEXIBLE,
        every(equals("dataEncryption.type", "AzureKeyVault"), present("dataEncryption.primaryKeyURI")),
        severity=Severity.MEDIUM,
        mend='Set `data_encryption={"type": "AzureKeyVault", "primary_key_uri": key.key_uri_with_version, ...}`.',
        url=f"{_POSTGRES_GUIDE}concepts-data-encryption",
        controls=c.ENCRYPTION_AT_REST,
    ),
    rule(
        "azure-database-server-backups-kept",
        "PostgreSQL and MySQL servers are backed up for as many days as the environment asks",
        _FLEXIBLE,
        at_least("backup.backupRetentionDays", BACKUP_DAYS, default=7),
        severity=Severity.MEDIUM,
        mend='Set `backup={"backup_retention_days": 14}` or more.',
        url=f"{_POSTGRES_GUIDE}concepts-backup-restore",
        controls=c.BACKUP,
    ),
    rule(
        "azure-database-server-survives",
        "Where data must resist loss, a PostgreSQL or MySQL server has a standby or a backup in another region",
        _FLEXIBLE,
        where_setting(
            PROTECTED,
            either(
                one_of("highAvailability.mode", "ZoneRedundant", "SameZone"),
                equals("backup.geoRedundantBackup", "Enabled"),
            ),
        ),
        severity=Severity.MEDIUM,
        mend='Set `high_availability={"mode": "ZoneRedundant"}`.',
        url=f"{LEARN}reliability/reliability-postgresql-flexible-server",
        controls=c.AVAILABILITY,
    ),
    rule(
        "azure-postgresql-entra-only",
        "Everybody signs in to a PostgreSQL server through Entra",
        _POSTGRES,
        every(equals("authConfig.activeDirectoryAuth", "Enabled"), equals("authConfig.passwordAuth", "Disabled")),
        severity=Severity.MEDIUM,
        mend='Set `auth_config={"active_directory_auth": "Enabled", "password_auth": "Disabled"}`.',
        url=f"{_POSTGRES_GUIDE}concepts-azure-ad-authentication",
        controls=c.AUTHENTICATION,
    ),
    rule(
        "azure-database-setting-tls",
        "No PostgreSQL or MySQL server is set to answer without TLS",
        (_POSTGRES_SETTING, _MYSQL_SETTING),
        only_where(equals("configurationName", "require_secure_transport"), matching("value", "(?i)on", "ON")),
        severity=Severity.HIGH,
        mend='Set `value="ON"`, or remove the configuration: on is the default.',
        url=f"{_POSTGRES_GUIDE}concepts-networking-ssl-tls",
        controls=(*c.ENCRYPTION_IN_TRANSIT, *c.cis_azure("5.2.1", "5.3.1")),
    ),
    rule(
        "azure-cosmosdb-not-public",
        "No Cosmos DB account is open to every network",
        _COSMOS,
        either(closed(), equals("isVirtualNetworkFilterEnabled", True), present("ipRules")),
        severity=Severity.HIGH,
        mend='Set `public_network_access="Disabled"`, or name networks in `virtual_network_rules` or `ip_rules`.',
        url=f"{_COSMOS_GUIDE}how-to-configure-firewall",
        controls=(*c.NO_PUBLIC_ACCESS, *c.cis_azure("5.4.1")),
    ),
    rule(
        "azure-cosmosdb-firewall-narrow",
        "No Cosmos DB account's firewall names the whole internet, or all of Azure",
        _COSMOS,
        every(
            not_world_open("ipRules[*].ipAddressOrRange"),
            not_matching("ipRules[*].ipAddressOrRange", r"0\.0\.0\.0", "every customer of Azure"),
        ),
        severity=Severity.CRITICAL,
        mend="Name the ranges that need it in `ip_rules`; 0.0.0.0 is every customer of Azure.",
        url=f"{_COSMOS_GUIDE}how-to-configure-firewall",
        controls=(*c.NO_PUBLIC_ACCESS, *c.cis_azure("5.4.1")),
    ),
    rule(
        "azure-cosmosdb-customer-managed-key",
        "Every Cosmos DB account is encrypted with a key of ours",
        _COSMOS,
        present("keyVaultKeyUri"),
        severity=Severity.MEDIUM,
        mend="Set `key_vault_key_uri=key.key_uri`, when the account is made.",
        url=f"{_COSMOS_GUIDE}how-to-setup-customer-managed-keys",
        controls=c.ENCRYPTION_AT_REST,
    ),
    rule(
        "azure-cosmosdb-entra-only",
        "Every access to a Cosmos DB account is by an identity of Entra",
        _COSMOS,
        equals("disableLocalAuth", True),
        severity=Severity.HIGH,
        mend="Set `disable_local_auth=True`.",
        url=f"{_COSMOS_GUIDE}nosql/how-to-connect-role-based-access-control",
        controls=(*c.AUTHENTICATION, *c.cis_azure("5.4.3")),
    ),
    rule(
        "azure-cosmosdb-tls-1-2",
        "No Cosmos DB account speaks TLS older than 1.2",
        _COSMOS,
        one_of("minimalTlsVersion", "Tls12", default="Tls12"),
        severity=Severity.HIGH,
        mend='Set `minimal_tls_version="Tls12"`.',
        url=f"{_COSMOS_GUIDE}self-serve-minimum-tls-enforcement",
        controls=c.ENCRYPTION_IN_TRANSIT,
    ),
    rule(
        "azure-cosmosdb-backed-up",
        "Every Cosmos DB account can be restored to a moment",
        _COSMOS,
        equals("backupPolicy.type", "Continuous"),
        severity=Severity.MEDIUM,
        mend='Set `backup_policy={"type": "Continuous"}`.',
        url=f"{_COSMOS_GUIDE}continuous-backup-restore-introduction",
        controls=c.BACKUP,
    ),
    rule(
        "azure-redis-tls-1-2",
        "Every Redis cache speaks TLS 1.2 or later and nothing else",
        _REDIS,
        every(differs("enableNonSslPort", True), one_of("minimumTlsVersion", *TLS)),
        severity=Severity.HIGH,
        mend='Set `minimum_tls_version="1.2"` and remove `enable_non_ssl_port=True`.',
        url=f"{_REDIS_GUIDE}cache-remove-tls-10-11",
        controls=c.ENCRYPTION_IN_TRANSIT,
    ),
    rule(
        "azure-redis-not-public",
        "No Redis cache has a public endpoint",
        _REDIS,
        either(closed(), present("subnetId")),
        severity=Severity.HIGH,
        mend='Set `public_network_access="Disabled"`.',
        url=f"{_REDIS_GUIDE}cache-private-link",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "azure-database-logged",
        "Database servers send their logs somewhere",
        (_POSTGRES, _MYSQL, _COSMOS),
        logged("allLogs"),
        severity=Severity.LOW,
        mend="Add a `monitor.DiagnosticSetting` with `resource_uri=server.id`.",
        url=f"{_POSTGRES_GUIDE}how-to-configure-and-access-logs",
        controls=c.AUDIT_LOGS,
    ),
)
