"""Azure: resource ids built from the inputs that make the path, and the usual endpoints.

Source: Azure Resource Manager, "Resource ID" and the "Resource providers for Azure services" list.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from levee.engine.standin.clouds.common import CREATED, NEUTRAL, SKIP
from levee.engine.standin.connection import AZURE_OBJECT
from levee.engine.standin.name_property import name_property
from levee.engine.standin.subject import Subject
from levee.sdk import Property

PLANNED: Final = frozenset({"type"})
"""Computed outputs that do not depend on the cloud's answer."""

_NAMESPACES: Final = {
    "app": "App",
    "apimanagement": "ApiManagement",
    "appconfiguration": "AppConfiguration",
    "applicationinsights": "Insights",
    "authorization": "Authorization",
    "automation": "Automation",
    "cdn": "Cdn",
    "cognitiveservices": "CognitiveServices",
    "compute": "Compute",
    "consumption": "Consumption",
    "containerinstance": "ContainerInstance",
    "containerregistry": "ContainerRegistry",
    "containerservice": "ContainerService",
    "cosmosdb": "DocumentDB",
    "costmanagement": "CostManagement",
    "dashboard": "Dashboard",
    "databricks": "Databricks",
    "datafactory": "DataFactory",
    "dataprotection": "DataProtection",
    "dbformysql": "DBforMySQL",
    "dbforpostgresql": "DBforPostgreSQL",
    "eventgrid": "EventGrid",
    "eventhub": "EventHub",
    "insights": "Insights",
    "keyvault": "KeyVault",
    "kusto": "Kusto",
    "logic": "Logic",
    "machinelearningservices": "MachineLearningServices",
    "managedidentity": "ManagedIdentity",
    "monitor": "Insights",
    "network": "Network",
    "operationalinsights": "OperationalInsights",
    "purview": "Purview",
    "recoveryservices": "RecoveryServices",
    "redis": "Cache",
    "search": "Search",
    "security": "Security",
    "servicebus": "ServiceBus",
    "sql": "Sql",
    "storage": "Storage",
    "synapse": "Synapse",
    "web": "Web",
}
_TYPES: Final = {
    "storage:StorageAccount": "storageAccounts",
    "storage:BlobContainer": "storageAccounts/blobServices/default/containers",
    "storage:BlobServiceProperties": "storageAccounts/blobServices",
    "storage:FileShare": "storageAccounts/fileServices/default/shares",
    "storage:Queue": "storageAccounts/queueServices/default/queues",
    "storage:Table": "storageAccounts/tableServices/default/tables",
    "storage:ManagementPolicy": "storageAccounts/managementPolicies",
    "storage:BlobContainerImmutabilityPolicy": (
        "storageAccounts/blobServices/default/containers/immutabilityPolicies/default"
    ),
    "keyvault:Key": "vaults/keys",
    "keyvault:Secret": "vaults/secrets",
    "keyvault:Vault": "vaults",
    "containerregistry:Registry": "registries",
    "managedidentity:UserAssignedIdentity": "userAssignedIdentities",
    "compute:Disk": "disks",
    "web:WebApp": "sites",
    "web:AppServicePlan": "serverfarms",
    "network:PublicIPAddress": "publicIPAddresses",
    "operationalinsights:Workspace": "workspaces",
    "insights:DiagnosticSetting": "diagnosticSettings",
    "monitor:DiagnosticSetting": "diagnosticSettings",
    "authorization:ManagementLockAtResourceGroupLevel": "locks",
    "authorization:ManagementLockAtResourceLevel": "locks",
    "authorization:ManagementLockAtSubscriptionLevel": "locks",
    "authorization:ManagementLockByScope": "locks",
    "authorization:RoleAssignment": "roleAssignments",
    "authorization:RoleDefinition": "roleDefinitions",
    "authorization:PolicyAssignment": "policyAssignments",
    "consumption:Budget": "budgets",
}
_COUNTED: Final = re.compile(r"(?i)status|stats")
_HAPPENED: Final = re.compile(r"(?i)status|stats|policy|hold|history|error|restore|failover")
"""Objects that tell of something that has not happened to a new resource; they come back empty."""
_ENDPOINT: Final = re.compile(r"^(primary|secondary)Endpoints\.(\w+)$")
_STORAGE_KINDS: Final = frozenset({"blob", "dfs", "file", "queue", "table", "web"})


def _own(subject: Subject) -> str:
    """The resource's own name in the cloud."""
    name = name_property(subject.type)
    return (subject.text(name) if name else "") or subject.text("name") or _implied(subject) or subject.name


def _implied(subject: Subject) -> str:
    """Singletons such as a storage account's policies are called ``default``."""
    return "default" if subject.kind.startswith("storage:") else ""


def _parents(subject: Subject) -> list[str]:
    """The inputs that name the resources above it, outermost first."""
    own = name_property(subject.type)
    return [
        p.name
        for p in subject.type.inputs.values()
        if p.required
        and p.type.kind == "string"
        and p.name.endswith("Name")
        and p.name not in {own, "resourceGroupName"}
        and p.name not in subject.type.outputs
    ]


def _segments(subject: Subject) -> list[str]:
    """The type's path: from the table, else each parent's and the class's own plural."""
    known = _TYPES.get(subject.kind)
    if known is not None:
        return known.split("/")
    parents = [_plural(p.removesuffix("Name")) for p in _parents(subject)]
    class_name = subject.type.class_name
    return [*parents, _plural(class_name[:1].lower() + class_name[1:])]


def _plural(word: str) -> str:
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{word[:-1]}ies"
    return word if word.endswith("s") and not word.endswith("ss") else f"{word}{'es' if word.endswith('ss') else 's'}"


def _interleave(segments: list[str], names: list[str]) -> str:
    """``a/x/b/y`` of ``[a, b]`` and ``[x, y]``; a segment ``default`` stands for its own name."""
    path: list[str] = []
    left = list(names)
    for index, segment in enumerate(segments):
        path.append(segment)
        fixed = index + 1 < len(segments) and segments[index + 1] == "default"
        if segment != "default" and not fixed and left:
            path.append(left.pop(0))
    return "/".join(path)


def resource_type(subject: Subject) -> str:
    """``Microsoft.Storage/storageAccounts``."""
    namespace = _NAMESPACES.get(subject.service, subject.service.capitalize())
    return f"Microsoft.{namespace}/{'/'.join(s for s in _segments(subject) if s != 'default')}"


def identify(subject: Subject) -> str:
    """``/subscriptions/<subscription>/resourceGroups/<group>/providers/<namespace>/<type>/<name>``."""
    subscription = f"/subscriptions/{subject.connection.account}"
    if subject.kind == "resources:ResourceGroup":
        return f"{subscription}/resourceGroups/{_own(subject)}"
    names = [subject.text(n) for n in _parents(subject)]
    if subject.kind.endswith(("RoleAssignment", "RoleDefinition")):
        names.append(subject.text("roleAssignmentName", "roleDefinitionId") or subject.guid("name"))
    else:
        names.append(_own(subject))
    path = _interleave(_segments(subject), names)
    scope = subject.text("scope", "resourceUri", "resourceScope").rstrip("/")
    group = subject.text("resourceGroupName")
    base = scope or (f"{subscription}/resourceGroups/{group}" if group else subscription)
    namespace = _NAMESPACES.get(subject.service, subject.service.capitalize())
    return f"{base}/providers/Microsoft.{namespace}/{path}"


def compute(subject: Subject, id_: str, output: Property, path: str) -> Any:
    """A computed output in Azure's form."""
    if path in _TOP:
        return _TOP[path](subject)
    endpoint = _ENDPOINT.match(path)
    if endpoint:
        if endpoint[1] == "secondary" or endpoint[2] not in _STORAGE_KINDS:
            return SKIP
        return f"https://{_own(subject)}.{endpoint[2]}.core.windows.net/"
    rule = _BY_KIND.get(f"{subject.kind}.{path}")
    if rule is not None:
        return rule(subject, id_)
    return _by_name(subject, id_, output, path) if output.required else SKIP


def _by_name(subject: Subject, id_: str, output: Property, path: str) -> Any:
    """An output whose name says what it is, wherever it lies."""
    name = output.name
    is_resource = subject.type.class_name[:1].isupper()  # a lookup's result is of something that has happened
    if output.type.kind == "object" and _HAPPENED.search(name) and is_resource and not path.endswith("]"):
        return NEUTRAL if _COUNTED.search(name) else {}
    if name == "id" and output.type.kind == "string" and id_:
        return f"{id_}/{path.rsplit('.', 2)[-2] if '.' in path else 'child'}"
    rule = _BY_NAME.get(name)
    return rule(subject) if rule is not None else SKIP


_BY_NAME: Final[dict[str, Callable[[Subject], Any]]] = {
    "createdAt": lambda s: CREATED,
    "createdBy": lambda s: AZURE_OBJECT,
    "updatedBy": lambda s: AZURE_OBJECT,
    "provisioningState": lambda s: "Succeeded",
    "tenantId": lambda s: s.connection.tenant,
}
_TOP: Final[dict[str, Callable[[Subject], Any]]] = {
    "name": _own,
    "type": resource_type,
    "location": lambda s: s.connection.region if "location" in s.type.inputs else SKIP,
    "provisioningState": lambda s: "Succeeded",
    "azureApiVersion": lambda s: "2025-01-01",
    "primaryLocation": lambda s: s.text("location") or s.connection.region,
    "statusOfPrimary": lambda s: "available",
    "identity.tenantId": lambda s: s.connection.tenant,
    "creationTime": lambda s: CREATED,
}
_BY_KIND: Final[dict[str, Callable[[Subject, str], Any]]] = {
    "keyvault:Vault.properties.vaultUri": lambda s, i: f"https://{_own(s)}.vault.azure.net/",
    "keyvault:Vault.properties.provisioningState": lambda s, i: "Succeeded",
    "keyvault:Key.keyUri": lambda s, i: f"https://{s.text('vaultName')}.vault.azure.net/keys/{_own(s)}",
    "keyvault:Key.keyUriWithVersion": lambda s, i: (
        f"https://{s.text('vaultName')}.vault.azure.net/keys/{_own(s)}/{s.hex('version', 32)}"
    ),
    "keyvault:Secret.properties.secretUri": lambda s, i: (
        f"https://{s.text('vaultName')}.vault.azure.net/secrets/{_own(s)}"
    ),
    "containerregistry:Registry.loginServer": lambda s, i: f"{_own(s)}.azurecr.io",
    "web:WebApp.defaultHostName": lambda s, i: f"{_own(s)}.azurewebsites.net",
    "operationalinsights:Workspace.customerId": lambda s, i: s.guid("customer"),
    "databricks:Workspace.workspaceUrl": lambda s, i: (
        f"adb-{s.number('ws', 16)}.{s.digest('ws')[0] % 20}.azuredatabricks.net"
    ),
    "databricks:Workspace.workspaceId": lambda s, i: s.number("ws", 16),
    "sql:Server.fullyQualifiedDomainName": lambda s, i: f"{_own(s)}.database.windows.net",
    "authorization:RoleAssignment.name": lambda s, i: i.rsplit("/", 1)[-1],
    "managedidentity:UserAssignedIdentity.principalId": lambda s, i: s.guid("principal"),
    "managedidentity:UserAssignedIdentity.clientId": lambda s, i: s.guid("client"),
}
