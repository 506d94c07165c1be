"""Azure: who asks, keys and kubeconfigs in the form that services give them, built-in roles.

Sources: Microsoft Learn, "Azure built-in roles"; the REST references of the services whose keys are listed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

from levee.engine.standin.answers.ask import CREATED, Answer, Answers, Ask, Rule
from levee.engine.standin.connection import AZURE_CLIENT, AZURE_OBJECT

_ROLES: Final = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "Storage Blob Data Reader",
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "17d1049b-9a84-46fb-8f53-869881c3d3ab": "Storage Account Contributor",
    "7f951dda-4ed3-4680-a7ca-43fe172d538d": "AcrPull",
    "8311e382-0749-4cb8-b61a-304f252e45ec": "AcrPush",
    "00482a5a-887f-4fb3-b363-3b7fe8e74483": "Key Vault Administrator",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "Key Vault Secrets Officer",
    "e147488a-f6f5-4113-8e2d-b22465e65bf6": "Key Vault Crypto Service Encryption User",
    "4d97b98b-1d4f-4787-a291-c67834d212e7": "Network Contributor",
    "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b": "Azure Kubernetes Service RBAC Cluster Admin",
    "9980e02c-c2be-4d73-94e8-173b1dc7cf3c": "Virtual Machine Contributor",
    "f1a07417-d97a-45cb-824c-7a7467783830": "Managed Identity Operator",
}
_VERSIONS: Final = ("1.34.1", "1.33.5", "1.32.9")


def _client(ask: Ask) -> Answer:
    return {
        "id": AZURE_OBJECT,
        "clientId": AZURE_CLIENT,
        "objectId": AZURE_OBJECT,
        "subscriptionId": ask.account,
        "tenantId": ask.connection.tenant,
    }


def key(ask: Ask, salt: str, size: int = 32) -> str:
    """A key as Azure gives them: that many bytes in base64."""
    raw = b"".join(bytes.fromhex(ask.hex(f"{salt}|{n}", 64)) for n in range(1 + size // 32))
    return base64.b64encode(raw[:size]).decode()


def _storage_keys(ask: Ask) -> Answer:
    account = ask.text("accountName")
    return {
        "keys": [
            {
                "keyName": f"key{n}",
                "permissions": "FULL",
                "value": key(ask, f"{account}|{n}", 64),
                "creationTime": CREATED,
            }
            for n in (1, 2)
        ]
    }


def _sas(ask: Ask, name: str) -> Answer:
    text = "&".join(
        f"{k}={v}"
        for k, v in (
            ("sv", "2023-11-03"),
            ("sp", ask.text("permissions", default="r")),
            ("se", ask.text("sharedAccessExpiryTime", "expiry", default=CREATED)),
            ("sig", key(ask, "sas")),
        )
    )
    return {name: text, "id": ask.hex(text, 20)}


def _namespace(ask: Ask, host: str) -> Answer:
    name, rule = ask.text("namespaceName"), ask.text("authorizationRuleName")
    path = f";EntityPath={ask.text('eventHubName')}" if ask.text("eventHubName") else ""
    first, second = key(ask, f"{name}|1"), key(ask, f"{name}|2")
    line = f"Endpoint=sb://{name}.{host}/;SharedAccessKeyName={rule};SharedAccessKey="
    return {
        "keyName": rule,
        "primaryKey": first,
        "secondaryKey": second,
        "primaryConnectionString": f"{line}{first}{path}",
        "secondaryConnectionString": f"{line}{second}{path}",
        "aliasPrimaryConnectionString": "",
        "aliasSecondaryConnectionString": "",
    }


def _pair(*names: str) -> Rule:
    """Two keys of what the arguments name."""

    def rule(ask: Ask) -> Answer:
        of = repr(sorted(ask.args.items()))
        return {name: key(ask, f"{of}|{n}") for n, name in enumerate(names)}

    return rule


def kubeconfig(ask: Ask, cluster: str, host: str) -> str:
    """A kubeconfig that parses; as JSON, which is YAML, too."""
    body: Mapping[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": cluster,
                "cluster": {"server": f"https://{host}:443", "certificate-authority-data": key(ask, "ca")},
            }
        ],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": f"clusterUser_{cluster}"}}],
        "current-context": cluster,
        "users": [{"name": f"clusterUser_{cluster}", "user": {"token": ask.hex(f"{cluster}|token", 64)}}],
    }
    return json.dumps(body, indent=2)


def _credentials(ask: Ask) -> Answer:
    name = ask.text("resourceName")
    host = f"{name}-{ask.hex(name, 8)}.hcp.{ask.connection.region or 'westeurope'}.azmk8s.io"
    text = kubeconfig(ask, name, host)
    return {"kubeconfigs": [{"name": "clusterUser", "value": base64.b64encode(text.encode()).decode()}]}


def _cosmos_strings(ask: Ask) -> Answer:
    name = ask.text("accountName")
    text = f"AccountEndpoint=https://{name}.documents.azure.com:443/;AccountKey={key(ask, name, 64)};"
    row = {
        "connectionString": text,
        "description": "Primary SQL Connection String",
        "keyKind": "Primary",
        "type": "Sql",
    }
    return {"connectionStrings": [row]}


def _registry(ask: Ask) -> Answer:
    name = ask.text("registryName")
    return {
        "username": name,
        "passwords": [{"name": f"password{n}", "value": ask.hex(f"{name}|{n}", 52)} for n in ("", 2)],
    }


def _role(ask: Ask) -> Answer:
    by_name = {v: k for k, v in _ROLES.items()}
    asked = ask.text("roleDefinitionId").rsplit("/", 1)[-1]
    title = _ROLES.get(asked) or ask.text("name") or "Custom role"
    guid = asked or by_name.get(title) or ask.guid(title)
    classic = ask.connection.package == "azure"
    return {
        "id": f"/subscriptions/{ask.account}/providers/Microsoft.Authorization/roleDefinitions/{guid}",
        "name": title if classic else guid,
        "roleDefinitionId": guid,
        "roleName": title,
        "roleType": "BuiltInRole",
        "type": "BuiltInRole" if classic else "Microsoft.Authorization/roleDefinitions",
        "assignableScopes": ["/"],
        "description": title,
        "permissions": [],
    }


def _group(ask: Ask) -> Answer:
    name = ask.text("resourceGroupName", "name")
    return {
        "id": f"/subscriptions/{ask.account}/resourceGroups/{name}",
        "name": name,
        "location": ask.connection.region or "westeurope",
        "properties": {"provisioningState": "Succeeded"},
        "type": "Microsoft.Resources/resourceGroups",
        "managedBy": "",
        "tags": {},
    }


def _public_address(ask: Ask) -> Answer:
    """The address that the IP has once something uses it (RFC 5737, TEST-NET-3), whatever its allocation."""
    seed = ask.hex(f"{ask.text('resourceGroupName')}/{ask.text('publicIpAddressName', 'name')}", 2)
    return {"ipAddress": f"203.0.113.{1 + int(seed, 16) % 254}"}


def _vault(ask: Ask) -> Answer:
    name = ask.text("vaultName")
    return {
        "id": f"/subscriptions/{ask.account}/resourceGroups/{ask.text('resourceGroupName')}"
        f"/providers/Microsoft.KeyVault/vaults/{name}",
        "name": name,
        "location": ask.connection.region or "westeurope",
        "type": "Microsoft.KeyVault/vaults",
        "properties": {
            "sku": {"family": "A", "name": "standard"},
            "tenantId": ask.connection.tenant,
            "vaultUri": f"https://{name}.vault.azure.net/",
            "provisioningState": "Succeeded",
            "enableSoftDelete": True,
            "privateEndpointConnections": [],
            "hsmPoolResourceId": "",
        },
    }


def _subscription(ask: Ask) -> Answer:
    id_ = ask.text("subscriptionId", default=ask.account)
    return {
        "id": f"/subscriptions/{id_}",
        "subscriptionId": id_,
        "displayName": "levee-offline",
        "state": "Enabled",
        "tenantId": ask.connection.tenant,
        "locationPlacementId": "Public_2014-09-01",
        "quotaId": "PayAsYouGo_2014-09-01",
        "spendingLimit": "Off",
        "tags": {},
    }


def _versions(ask: Ask) -> Answer:
    fits = [v for v in _VERSIONS if v.startswith(ask.text("versionPrefix"))] or list(_VERSIONS)
    return {"id": ask.region, "versions": fits, "defaultVersion": fits[-1], "latestVersion": fits[0]}


def _user(ask: Ask) -> Answer:
    name = ask.text("userPrincipalName", "mail", default="levee@example.com")
    id_ = ask.text("objectId") or (AZURE_OBJECT if name == "levee@example.com" else ask.guid(name))
    return {
        "id": f"/users/{id_}",
        "objectId": id_,
        "userPrincipalName": name,
        "mail": name,
        "mailNickname": name.split("@")[0],
        "displayName": name.split("@")[0],
        "accountEnabled": True,
        "userType": "Member",
    }


def _users(ask: Ask) -> Answer:
    names = [str(n) for n in ask.args.get("userPrincipalNames") or ask.args.get("mails") or ["levee@example.com"]]
    ids = [str(i) for i in ask.args.get("objectIds") or ()] or [ask.guid(n) for n in names]
    return {"id": ask.hex(repr(ids), 20), "objectIds": ids, "userPrincipalNames": names, "mailNicknames": names}


def _directory_group(ask: Ask) -> Answer:
    name = ask.text("displayName", default="levee")
    id_ = ask.text("objectId", default=ask.guid(f"group|{name}"))
    return {
        "id": f"/groups/{id_}",
        "objectId": id_,
        "displayName": name,
        "mailEnabled": False,
        "securityEnabled": True,
        "members": [AZURE_OBJECT],
        "owners": [AZURE_OBJECT],
    }


def _directory_groups(ask: Ask) -> Answer:
    names = [str(n) for n in ask.args.get("displayNames") or ["levee"]]
    ids = [str(i) for i in ask.args.get("objectIds") or ()] or [ask.guid(f"group|{n}") for n in names]
    return {
        "id": ask.hex(repr(ids), 20),
        "objectIds": ids,
        "displayNames": names,
        "groups": [
            {"displayName": n, "objectId": i, "mailEnabled": False, "securityEnabled": True}
            for n, i in zip(names, ids, strict=False)
        ],
    }


def _application(ask: Ask) -> Answer:
    name = ask.text("displayName", default="levee")
    client = ask.text("clientId", default=ask.guid(f"app|{name}"))
    id_ = ask.text("objectId", default=ask.guid(f"object|{name}"))
    return {"id": f"/applications/{id_}", "objectId": id_, "clientId": client, "displayName": name}


def _published(_ask: Ask) -> Answer:
    return {
        "id": "appIds",
        "result": {
            "MicrosoftGraph": "00000003-0000-0000-c000-000000000000",
            "AzureServiceManagement": "797f4846-ba00-4fd7-ba43-dac1f8f63013",
            "AzureStorage": "e406a681-f3d4-42a8-90b6-c2b029497af1",
            "AzureKeyVault": "cfa8b339-82a2-471a-a3c9-0fc0be7a4093",
        },
    }


def _domains(_ask: Ask) -> Answer:
    row = {
        "domainName": "levee.onmicrosoft.com",
        "default": True,
        "initial": True,
        "verified": True,
        "root": True,
        "adminManaged": True,
        "authenticationType": "Managed",
        "supportedServices": [],
    }
    return {"id": "domains", "domains": [row]}


ANSWERS: Final = Answers(
    invented={
        "azure-native:authorization:getClientConfig": _client,
        "azure-native:authorization:getClientToken": lambda a: {"token": a.hex("token", 64)},
        "azure-native:authorization:getRoleDefinition": _role,
        "azure-native:resources:getResourceGroup": _group,
        "azure-native:keyvault:getVault": _vault,
        "azure-native:network:getPublicIPAddress": _public_address,
        "azure-native:storage:listStorageAccountKeys": _storage_keys,
        "azure-native:storage:listStorageAccountSAS": lambda a: _sas(a, "accountSasToken"),
        "azure-native:storage:listStorageAccountServiceSAS": lambda a: _sas(a, "serviceSasToken"),
        "azure-native:containerregistry:listRegistryCredentials": _registry,
        "azure-native:containerservice:listManagedClusterUserCredentials": _credentials,
        "azure-native:containerservice:listManagedClusterAdminCredentials": _credentials,
        "azure-native:cosmosdb:listDatabaseAccountKeys": _pair(
            "primaryMasterKey", "secondaryMasterKey", "primaryReadonlyMasterKey", "secondaryReadonlyMasterKey"
        ),
        "azure-native:cosmosdb:listDatabaseAccountConnectionStrings": _cosmos_strings,
        "azure-native:operationalinsights:getSharedKeys": _pair("primarySharedKey", "secondarySharedKey"),
        "azure-native:operationalinsights:getWorkspaceSharedKeys": _pair("primarySharedKey", "secondarySharedKey"),
        "azure-native:redis:listRedisKeys": _pair("primaryKey", "secondaryKey"),
        "azure-native:servicebus:listNamespaceKeys": lambda a: _namespace(a, "servicebus.windows.net"),
        "azure-native:eventhub:listNamespaceKeys": lambda a: _namespace(a, "servicebus.windows.net"),
        "azure-native:eventhub:listEventHubKeys": lambda a: _namespace(a, "servicebus.windows.net"),
        "azure-native:cognitiveservices:listAccountKeys": _pair("key1", "key2"),
        "azure-native:maps:listAccountKeys": _pair("primaryKey", "secondaryKey"),
        "azure-native:batch:listBatchAccountKeys": _pair("primary", "secondary"),
        "azure-native:apimanagement:listSubscriptionSecrets": _pair("primaryKey", "secondaryKey"),
        "azure-native:web:listWebAppHostKeys": lambda a: {
            "masterKey": key(a, a.text("name")),
            "functionKeys": {"default": key(a, f"{a.text('name')}|default")},
            "systemKeys": {},
        },
        "azure-native:web:listWebAppPublishingCredentials": lambda a: {
            "publishingUserName": f"${a.text('name')}",
            "publishingPassword": a.hex(a.text("name"), 60),
            "scmUri": f"https://${a.text('name')}:{a.hex(a.text('name'), 60)}@{a.text('name')}.scm.azurewebsites.net",
        },
        "azure:core/getClientConfig:getClientConfig": _client,
        "azure:core/getSubscription:getSubscription": _subscription,
        "azure:core/getResourceGroup:getResourceGroup": _group,
        "azure:authorization/getRoleDefinition:getRoleDefinition": _role,
        "azure:storage/getAccountSAS:getAccountSAS": lambda a: _sas(a, "sas"),
        "azure:containerservice/getKubernetesServiceVersions:getKubernetesServiceVersions": _versions,
        "azuread:index/getClientConfig:getClientConfig": _client,
        "azuread:index/getUser:getUser": _user,
        "azuread:index/getUsers:getUsers": _users,
        "azuread:index/getGroup:getGroup": _directory_group,
        "azuread:index/getGroups:getGroups": _directory_groups,
        "azuread:index/getApplication:getApplication": _application,
        "azuread:index/getServicePrincipal:getServicePrincipal": _application,
        "azuread:index/getApplicationPublishedAppIds:getApplicationPublishedAppIds": _published,
        "azuread:index/getDomains:getDomains": _domains,
    },
)
