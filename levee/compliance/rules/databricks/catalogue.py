"""Unity Catalog: who is granted what, where data lies, with which credential, and that nothing goes around it."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from typing import Final

from levee.compliance.rule import Finding, Parameter, Severity, Undecidable
from levee.compliance.rules import controls as c
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import (
    Check,
    absent,
    by_type,
    differs,
    each,
    equals,
    every,
    matching,
    not_matching,
    one_of,
    only_where,
    reads,
    where_setting,
)
from levee.compliance.rules.databricks.specs import DOCS
from levee.compliance.rules.relations import beside
from levee.compliance.rules.scope import Scope
from levee.compliance.rules.settings import PROTECTED, Setting, setting_value

_CATALOG: Final = "databricks:index/catalog:Catalog"
_SCHEMA: Final = "databricks:index/schema:Schema"
_LOCATION: Final = "databricks:index/externalLocation:ExternalLocation"
_CREDENTIAL: Final = "databricks:index/storageCredential:StorageCredential"
_METASTORE: Final = "databricks:index/metastore:Metastore"
_GRANT: Final = "databricks:index/grant:Grant"
_GRANTS: Final = "databricks:index/grants:Grants"
_MOUNT: Final = "databricks:index/mount:Mount"
_TABLES: Final = ("databricks:index/sqlTable:SqlTable", "databricks:index/table:Table")

_PATTERNS: Final = {"type": "array", "items": {"type": "string"}}
READ_ONLY_LOCATIONS: Final = Setting(
    "read_only_locations",
    Parameter(
        ["*landing*"], "Names of external locations that must be read-only, shell patterns without case.", _PATTERNS
    ),
)
ALLOWED_MOUNTS: Final = Setting(
    "allowed_mounts", Parameter([], "Names of DBFS mounts that are still suffered, shell patterns.", _PATTERNS)
)

_PRIVILEGES: Final = f"{DOCS}data-governance/unity-catalog/manage-privileges/privileges"
_EVERYBODY: Final = "account users|users|all workspace users"
_CHANGING: Final = r"ALL[_ ]PRIVILEGES|MANAGE.*|MODIFY|WRITE.*|CREATE.*|APPLY.*|REFRESH|EXTERNAL.*"
_PERSON: Final = r"[^@\s]+@[^@\s]+"


def _granted(check: Check) -> Check:
    """The check, for each grant; its paths are ``principal`` and ``privileges``."""
    return by_type({_GRANT: check, _GRANTS: each("grants[*]", check)})


@reads("name", "readOnly", settings=(READ_ONLY_LOCATIONS,))
def _read_only(scope: Scope) -> Iterator[Finding]:
    name, read_only = scope.one("name"), scope.one("readOnly")
    if name.undecidable:
        yield Undecidable("name").finding()
    elif not _any_match(str(name.value or scope.resource.name), scope, READ_ONLY_LOCATIONS):
        return
    elif read_only.undecidable:
        yield Undecidable("readOnly").finding()
    elif read_only.value is not True:
        yield Finding(f"{name.value} is written by nobody but its source: `readOnly` must be true", property="readOnly")


@reads("name", settings=(ALLOWED_MOUNTS,))
def _mount_suffered(scope: Scope) -> Iterator[Finding]:
    name = scope.one("name")
    if name.undecidable:
        yield Undecidable("name").finding()
    elif not _any_match(str(name.value or scope.resource.name), scope, ALLOWED_MOUNTS):
        yield Finding("a mount gives every user of the workspace the rights of one credential", property="name")


def _any_match(name: str, scope: Scope, patterns: Setting) -> bool:
    return any(fnmatch.fnmatchcase(name.lower(), p.lower()) for p in setting_value(patterns, scope.facts))


RULES: Final = (
    rule(
        "databricks-grants-not-everybody",
        "Nothing may be changed by everybody in the account",
        (_GRANT, _GRANTS),
        _granted(
            only_where(
                matching("principal", _EVERYBODY, "everybody"),
                not_matching("privileges[*]", _CHANGING, "given to everybody: grant it to a group"),
            )
        ),
        severity=Severity.CRITICAL,
        mend="Grant `USE_CATALOG`, `BROWSE` or `SELECT` at most to `account users`; the rest to groups.",
        url=_PRIVILEGES,
        controls=(*c.LEAST_PRIVILEGE, *c.databricks_sat("INFO-18")),
    ),
    rule(
        "databricks-grants-to-groups",
        "Privileges are granted to groups and service principals, not to people",
        (_GRANT, _GRANTS),
        _granted(not_matching("principal", _PERSON, "a person: grant to a group that the person is in")),
        severity=Severity.MEDIUM,
        mend="Put the person into a group of the identity provider, and grant to the group.",
        url=_PRIVILEGES,
        controls=c.LEAST_PRIVILEGE,
    ),
    rule(
        "databricks-metastore-owned-by-group",
        "No metastore is owned by a person",
        _METASTORE,
        not_matching("owner", _PERSON, "a person: name a group"),
        severity=Severity.HIGH,
        mend='Set `owner="metastore-admins"` or another group.',
        url=f"{DOCS}data-governance/unity-catalog/manage-privileges/admin-privileges",
        controls=(*c.LEAST_PRIVILEGE, *c.databricks_sat("GOV-21")),
    ),
    rule(
        "databricks-metastore-audit-tables",
        "The audit log of every metastore can be queried",
        _METASTORE,
        beside(
            "databricks:index/systemSchema:SystemSchema",
            check=equals("schema", "access"),
            wanted='a databricks.SystemSchema with schema="access"',
        ),
        severity=Severity.MEDIUM,
        mend='Add `databricks.SystemSchema(name, schema="access")`.',
        url=f"{DOCS}admin/system-tables/",
        controls=(*c.AUDIT_LOGS, *c.databricks_sat("GOV-34")),
    ),
    rule(
        "databricks-metastore-no-external-access",
        "No engine outside Databricks reads tables of a metastore",
        _METASTORE,
        differs("externalAccessEnabled", True),
        severity=Severity.MEDIUM,
        mend="Remove `external_access_enabled=True`, or exempt the metastore with the engines that need it.",
        url=f"{DOCS}external-access/admin",
        controls=c.EGRESS,
    ),
    rule(
        "databricks-catalog-isolated",
        "Every catalogue is bound to the workspaces that need it",
        _CATALOG,
        one_of("isolationMode", "ISOLATED"),
        severity=Severity.MEDIUM,
        mend='Set `isolation_mode="ISOLATED"`, and add a `databricks.WorkspaceBinding` for each workspace.',
        url=f"{DOCS}catalogs/binding",
        controls=c.LEAST_PRIVILEGE,
    ),
    rule(
        "databricks-location-isolated",
        "Every external location and storage credential is bound to the workspaces that need it",
        (_LOCATION, _CREDENTIAL),
        one_of("isolationMode", "ISOLATION_MODE_ISOLATED"),
        severity=Severity.MEDIUM,
        mend='Set `isolation_mode="ISOLATION_MODE_ISOLATED"`.',
        url=f"{DOCS}connect/unity-catalog/cloud-storage/manage-external-locations",
        controls=c.LEAST_PRIVILEGE,
    ),
    rule(
        "databricks-location-read-only",
        "Locations that only their source writes are read-only",
        _LOCATION,
        _read_only,
        severity=Severity.HIGH,
        mend="Set `read_only=True`.",
        url=f"{DOCS}connect/unity-catalog/cloud-storage/manage-external-locations",
        controls=c.LEAST_PRIVILEGE,
    ),
    rule(
        "databricks-location-no-fallback",
        "No external location falls back to a cluster's own credentials",
        _LOCATION,
        differs("fallback", True),
        severity=Severity.HIGH,
        mend="Remove `fallback=True`.",
        url=f"{DOCS}connect/unity-catalog/cloud-storage/manage-external-locations",
        controls=c.LEAST_PRIVILEGE,
    ),
    rule(
        "databricks-location-encrypted-transport",
        "Data in external locations travels encrypted",
        _LOCATION,
        not_matching("url", r"(abfs|wasb|adl|http)://.*", "an address without TLS: use s3, abfss, gs or r2"),
        severity=Severity.HIGH,
        mend="Write the URL with `abfss://` in place of `abfs://` or `wasb://`.",
        url=f"{DOCS}connect/unity-catalog/cloud-storage/",
        controls=c.ENCRYPTION_IN_TRANSIT,
    ),
    rule(
        "databricks-credential-no-static-keys",
        "No storage credential is a long-lived key",
        _CREDENTIAL,
        every(absent("azureServicePrincipal"), absent("gcpServiceAccountKey"), absent("cloudflareApiToken")),
        severity=Severity.HIGH,
        mend="Use an IAM role, an Azure access connector or a service account that Databricks makes.",
        url=f"{DOCS}connect/unity-catalog/cloud-storage/storage-credentials",
        controls=c.AUTHENTICATION,
    ),
    rule(
        "databricks-no-mounts",
        "Nothing is mounted into DBFS",
        _MOUNT,
        _mount_suffered,
        severity=Severity.HIGH,
        mend="Replace the mount by an external location and a volume, or list it in `allowed_mounts` until then.",
        url=f"{DOCS}dbfs/mounts",
        controls=(*c.LEAST_PRIVILEGE, *c.databricks_sat("GOV-11")),
    ),
    rule(
        "databricks-dbfs-file-harmless",
        "No file is put where DBFS serves it over HTTPS, runs it, or holds tables",
        "databricks:index/dbfsFile:DbfsFile",
        not_matching(
            "path",
            r"(dbfs:)?/?(FileStore|databricks/(init|scripts)|user/hive)/.*",
            "in such a folder: use databricks.File with a volume",
        ),
        severity=Severity.HIGH,
        mend='Use `databricks.File(name, path="/Volumes/<catalog>/<schema>/<volume>/...")`.',
        url=f"{DOCS}dbfs/",
        controls=(*c.LEAST_PRIVILEGE, *c.databricks_sat("GOV-10", "DP-9")),
    ),
    rule(
        "databricks-table-in-unity-catalog",
        "Every table is in Unity Catalog and lies in a location that it governs",
        _TABLES,
        every(
            not_matching("catalogName", "hive_metastore", "the Hive metastore, which Unity Catalog does not govern"),
            not_matching("storageLocation", r"(dbfs:)?/.*", "on DBFS: use a volume, a location, or a managed table"),
        ),
        severity=Severity.HIGH,
        mend="Name a catalogue of Unity Catalog in `catalog_name`, and drop a `storage_location` on DBFS.",
        url=f"{DOCS}data-governance/unity-catalog/",
        controls=(*c.LEAST_PRIVILEGE, *c.databricks_sat("GOV-10")),
    ),
    rule(
        "databricks-catalogue-deletion",
        "Where data must resist deletion, no catalogue, schema or location is deleted with what it holds",
        (_CATALOG, _SCHEMA, _LOCATION, _METASTORE),
        where_setting(PROTECTED, differs("forceDestroy", True)),
        severity=Severity.HIGH,
        mend="Remove `force_destroy=True`.",
        url="https://www.pulumi.com/registry/packages/databricks/api-docs/catalog/",
        controls=c.DELETION_PROTECTION,
    ),
    rule(
        "databricks-artifact-allowlist-narrow",
        "No path or package is allowed on shared clusters by a prefix that holds everything",
        "databricks:index/artifactAllowlist:ArtifactAllowlist",
        not_matching(
            "artifactMatchers[*].artifact",
            r"/|dbfs:/*|/(Volumes|Workspace)/*|(s3|abfss|gs)://[^/]*/?|[\w.-]{0,3}",
            "a prefix of everything",
        ),
        severity=Severity.MEDIUM,
        mend="Name the folder of a volume, or the coordinates of a package, in `artifact`.",
        url=f"{DOCS}data-governance/unity-catalog/manage-privileges/allowlist",
        controls=(*c.HARDENING, *c.databricks_sat("INFO-38")),
    ),
)
