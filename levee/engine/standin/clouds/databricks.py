"""Databricks: ids as its REST API gives them.

Source: Databricks REST API reference (Jobs 2.1, Clusters 2.0, Instance Pools 2.0, Unity Catalog 2.1) and the id rules
of ``databricks/terraform-provider-databricks``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from levee.engine.standin.clouds.common import SKIP, own_name
from levee.engine.standin.connection import DATABRICKS_ACCOUNT
from levee.engine.standin.subject import Subject
from levee.sdk import Property

PLANNED: Final = frozenset[str]()
"""Computed outputs that the real provider already knows in a preview."""

METASTORE: Final = "7d9f3a52-1c84-4be6-a0d7-6e5b4c3a2f10"
OWNER: Final = "levee@example.com"
_LOWER: Final = "abcdefghijklmnopqrstuvwxyz012345"

_OBJECTS: Final = {
    "jobId": "jobs",
    "clusterId": "clusters",
    "clusterPolicyId": "cluster-policies",
    "instancePoolId": "instance-pools",
    "sqlEndpointId": "sql/warehouses",
    "pipelineId": "pipelines",
    "notebookId": "notebooks",
    "notebookPath": "notebooks",
    "directoryId": "directories",
    "directoryPath": "directories",
    "repoId": "repos",
}


def _route(subject: Subject) -> str:
    return {"Job": "job", "Notebook": "workspace"}.get(subject.type.class_name, subject.type.class_name.lower())


def _securable(subject: Subject) -> str:
    for output in subject.type.inputs.values():
        if output.type.kind == "string" and output.name != "principal":
            text = subject.text(output.name)
            if text:
                return f"{output.python_name}/{text}"
    return subject.hex("id", 16)


def _permissions(subject: Subject) -> str:
    for name, kind in _OBJECTS.items():
        text = subject.text(name)
        if text:
            return f"/{kind}/{text.lstrip('/')}"
    return f"/authorization/{subject.hex('id', 8)}"


_ID: Final[dict[str, Callable[[Subject], str]]] = {
    "Job": lambda s: s.number("id", 15),
    "Pipeline": lambda s: s.guid("id"),
    "Cluster": lambda s: f"0101-000000-{s.letters('id', 8, _LOWER)}",
    "InstancePool": lambda s: f"0101-000000-{s.letters('id', 6, _LOWER)}-pool-{s.letters('pool', 8, _LOWER)}",
    "ClusterPolicy": lambda s: s.hex("id", 16).upper(),
    "SqlEndpoint": lambda s: s.hex("id", 16),
    "SecretScope": own_name,
    "Secret": lambda s: f"{s.text('scope')}|||{s.text('key')}",
    "SecretAcl": lambda s: f"{s.text('scope')}|||{s.text('principal')}",
    "Catalog": own_name,
    "Schema": lambda s: f"{s.text('catalogName')}.{own_name(s)}",
    "Volume": lambda s: f"{s.text('catalogName')}.{s.text('schemaName')}.{own_name(s)}",
    "SqlTable": lambda s: f"{s.text('catalogName')}.{s.text('schemaName')}.{own_name(s)}",
    "ExternalLocation": own_name,
    "StorageCredential": own_name,
    "Grants": _securable,
    "Grant": lambda s: f"{_securable(s)}/{s.text('principal')}",
    "Metastore": lambda s: s.guid("id"),
    "MetastoreAssignment": lambda s: f"{s.text('workspaceId')}|{s.text('metastoreId')}",
    "MwsWorkspaces": lambda s: f"{s.text('accountId') or DATABRICKS_ACCOUNT}/{s.number('workspace', 16)}",
    "Permissions": _permissions,
    "Notebook": lambda s: s.text("path"),
    "Directory": lambda s: s.text("path"),
    "WorkspaceFile": lambda s: s.text("path"),
    "Group": lambda s: s.number("id", 15),
    "User": lambda s: s.number("id", 16),
    "ServicePrincipal": lambda s: s.number("id", 16),
    "GroupMember": lambda s: f"{s.text('groupId')}|{s.text('memberId')}",
    "Token": lambda s: s.hex("id", 64),
}


def identify(subject: Subject) -> str:
    """The id as the REST API, or the provider, gives it."""
    rule = _ID.get(subject.type.class_name)
    if rule is not None:
        return rule(subject)
    return own_name(subject) if subject.text("name") else subject.number("id", 16)


def compute(subject: Subject, id_: str, output: Property, path: str) -> Any:
    """A computed output in Databricks' form."""
    name, class_name = output.name, subject.type.class_name
    own_id = f"{class_name[:1].lower()}{class_name[1:]}Id"
    if path == own_id or (path in {"jobId", "clusterId", "policyId"} and path not in subject.type.inputs):
        return id_
    rule = _BY_CLASS.get(f"{class_name}.{path}")
    if rule is not None:
        return rule(subject, id_)
    if path in _TOP:
        return _TOP[path](subject, id_)
    if not output.required:
        return SKIP
    if name == "metastoreId":
        return METASTORE
    if name in {"owner", "creatorUserName", "createdBy", "updatedBy", "creator"}:
        return OWNER
    if name in {"createdAt", "updatedAt", "createTime", "updateTime"} and output.type.kind in {"integer", "number"}:
        return 1735689600000
    return SKIP


_BY_CLASS: Final[dict[str, Callable[[Subject, str], Any]]] = {
    "Catalog.fullName": lambda s, i: i,
    "Catalog.catalogType": lambda s, i: "MANAGED_CATALOG",
    "Catalog.securableType": lambda s, i: "CATALOG",
    "Catalog.isolationMode": lambda s, i: "OPEN",
    "Catalog.storageLocation": lambda s, i: s.text("storageRoot") or "",
    "Schema.fullName": lambda s, i: i,
    "Schema.storageLocation": lambda s, i: s.text("storageRoot") or "",
    "Volume.volumePath": lambda s, i: "/Volumes/" + i.replace(".", "/"),
    "SecretScope.backendType": lambda s, i: "DATABRICKS",
    "StorageCredential.storageCredentialId": lambda s, i: s.guid("credential"),
    "SqlEndpoint.state": lambda s, i: "RUNNING",
    "Cluster.state": lambda s, i: "RUNNING",
}
_TOP: Final[dict[str, Callable[[Subject, str], Any]]] = {
    "url": lambda s, i: f"{s.connection.host}/#{_route(s)}/{i}",
    "workspaceUrl": lambda s, i: f"https://{own_name(s)}.cloud.databricks.com",
    "workspaceId": lambda s, i: int(i.rsplit("/", 1)[-1]) if i.rsplit("/", 1)[-1].isdigit() else SKIP,
    "configReference": lambda s, i: f"{{{{secrets/{s.text('scope')}/{s.text('key')}}}}}" if s.text("scope") else SKIP,
    "applicationId": lambda s, i: s.guid("application"),
    "jdbcUrl": lambda s, i: (
        f"jdbc:databricks://{s.connection.host.removeprefix('https://')}:443/default;httpPath=/sql/1.0/warehouses/{i}"
    ),
    "odbcParams": lambda s, i: SKIP,
    "awsIamRole.externalId": lambda s, i: DATABRICKS_ACCOUNT,
    "databricksGcpServiceAccount.email": lambda s, i: (
        f"db-uc-credential-{s.hex('email', 6)}@uc-{s.letters('project', 6, _LOWER)}.iam.gserviceaccount.com"
    ),
}
