"""Google Cloud: project, places, images, service agents, and what is found by name.

Sources: Google Cloud documentation ("Regions and zones", "Operating system details", "Service agents"), the provider's
own data sources (``hashicorp/terraform-provider-google``).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

from levee.engine.standin.answers.ask import CREATED, Answer, Ask, Rule
from levee.engine.standin.connection import GCP_PROJECT_NUMBER

_API: Final = "https://www.googleapis.com/compute/v1/projects"
_ZONES: Final = {"us-east1": "bcd", "europe-west1": "bcd", "us-central1": "abcf"}
_REGIONS: Final = (
    "asia-east1", "asia-northeast1", "asia-south1", "asia-southeast1", "australia-southeast1", "europe-north1",
    "europe-west1", "europe-west2", "europe-west3", "europe-west4", "northamerica-northeast1", "southamerica-east1",
    "us-central1", "us-east1", "us-east4", "us-west1", "us-west2",
)  # fmt: skip
_GKE: Final = ("1.34.1-gke.1829001", "1.33.5-gke.1201000", "1.32.9-gke.1130000")
_FAMILIES: Final = {
    "debian-12": ("debian-cloud", "debian-12-bookworm-v20250113", 10),
    "debian-11": ("debian-cloud", "debian-11-bullseye-v20250113", 10),
    "ubuntu-2404-lts-amd64": ("ubuntu-os-cloud", "ubuntu-2404-noble-amd64-v20250113", 10),
    "ubuntu-2204-lts": ("ubuntu-os-cloud", "ubuntu-2204-jammy-v20250112", 10),
    "cos-stable": ("cos-cloud", "cos-stable-117-18613-75-89", 10),
    "rocky-linux-9": ("rocky-linux-cloud", "rocky-linux-9-v20250114", 20),
    "windows-2022": ("windows-cloud", "windows-server-2022-dc-v20250114", 50),
}


def _zone_names(region: str) -> list[str]:
    return [f"{region}-{letter}" for letter in _ZONES.get(region, "abc")]


def _project(ask: Ask) -> Answer:
    project = ask.text("projectId", default=ask.project)
    return {
        "id": f"projects/{project}",
        "projectId": project,
        "name": project,
        "number": GCP_PROJECT_NUMBER if project == ask.project else str(int(ask.hex(project, 10), 16)),
        "orgId": "123456789012",
        "folderId": "",
        "billingAccount": "01A2B3-C4D5E6-F7A8B9",
        "autoCreateNetwork": True,
        "labels": {},
        "effectiveLabels": {},
        "pulumiLabels": {},
        "tags": {},
        "deletionPolicy": "PREVENT",
    }


def _projects(ask: Ask) -> Answer:
    row = {
        "projectId": ask.project,
        "name": ask.project,
        "number": GCP_PROJECT_NUMBER,
        "createTime": CREATED,
        "labels": {},
        "lifecycleState": "ACTIVE",
        "parent": {"type": "organization", "id": "123456789012"},
    }
    return {"id": ask.text("filter", default="projects"), "projects": [row]}


def _client(ask: Ask) -> Answer:
    c = ask.connection
    zone = str(c.config.get("zone") or f"{c.region}-a")
    return {
        "id": f"projects/{c.project}/regions/{c.region}/zones/{zone}",
        "project": c.project,
        "region": c.region,
        "zone": zone,
        "accessToken": f"ya29.{ask.hex('token', 40)}",
        "defaultLabels": dict(c.config.get("defaultLabels") or {}),
    }


def _billing(ask: Ask) -> Answer:
    id_ = ask.text("billingAccount", default="01A2B3-C4D5E6-F7A8B9").removeprefix("billingAccounts/")
    return {
        "id": id_,
        "billingAccount": id_,
        "name": f"billingAccounts/{id_}",
        "displayName": ask.text("displayName", default="levee"),
        "open": True,
        "currencyCode": "USD",
        "projectIds": [ask.project],
    }


def _organization(ask: Ask) -> Answer:
    id_ = ask.text("organization", default="123456789012").removeprefix("organizations/")
    return {
        "id": f"organizations/{id_}",
        "name": f"organizations/{id_}",
        "orgId": id_,
        "domain": ask.text("domain", default="example.com"),
        "directoryCustomerId": "C0123abcd",
        "createTime": CREATED,
        "lifecycleState": "ACTIVE",
    }


def _image(ask: Ask) -> Answer:
    family = ask.text("family", default="" if ask.args.get("name") else "debian-12")
    known = _FAMILIES.get(family, (ask.project, f"{family or 'image'}-v20250101", 10))
    project, name = ask.text("project", default=known[0]), ask.text("name", default=known[1])
    return {
        "id": f"projects/{project}/global/images/{name}",
        "name": name,
        "family": family,
        "project": project,
        "selfLink": f"{_API}/{project}/global/images/{name}",
        "imageId": str(int(ask.hex(name, 15), 16)),
        "diskSizeGb": known[2],
        "archiveSizeBytes": 1_000_000_000,
        "creationTimestamp": CREATED,
        "description": name,
        "licenses": [f"{_API}/{project}/global/licenses/{family or name}"],
        "labels": {},
        "status": "READY",
        "sourceDisk": "",
        "sourceDiskId": "",
        "sourceImageId": "",
        "sourceDiskEncryptionKeySha256": "",
        "imageEncryptionKeySha256": "",
    }


def _network(ask: Ask) -> Answer:
    name = ask.text("name") or ask.text("selfLink").rsplit("/", 1)[-1] or "default"
    number = int(ask.hex(name, 15), 16)
    return {
        "id": f"projects/{ask.project}/global/networks/{name}",
        "name": name,
        "project": ask.project,
        "selfLink": f"{_API}/{ask.project}/global/networks/{name}",
        "networkId": number,
        "numericId": str(number),
        "description": "Default network for the project" if name == "default" else "",
        "gatewayIpv4": "",
        "internalIpv6Range": "",
        "subnetworksSelfLinks": [
            f"{_API}/{ask.project}/regions/{r}/subnetworks/{name}" for r in (_REGIONS if name == "default" else ())
        ],
    }


def _subnetwork(ask: Ask) -> Answer:
    link = ask.text("selfLink")
    name = ask.text("name") or link.rsplit("/", 1)[-1] or "default"
    region = ask.text("region") or (link.split("/regions/")[-1].split("/")[0] if "/regions/" in link else ask.region)
    number = 128 + 4 * (_REGIONS.index(region) if region in _REGIONS else 0)
    return {
        "id": f"projects/{ask.project}/regions/{region}/subnetworks/{name}",
        "name": name,
        "region": region,
        "project": ask.project,
        "selfLink": f"{_API}/{ask.project}/regions/{region}/subnetworks/{name}",
        "network": f"{_API}/{ask.project}/global/networks/{'default' if name == 'default' else name}",
        "ipCidrRange": f"10.{number}.0.0/20",
        "gatewayAddress": f"10.{number}.0.1",
        "privateIpGoogleAccess": False,
        "secondaryIpRanges": [],
        "stackType": "IPV4_ONLY",
        "description": "",
        "externalIpv6Prefix": "",
        "internalIpv6Prefix": "",
        "ipv6AccessType": "",
    }


def _engine_versions(ask: Ask) -> Answer:
    fits = [v for v in _GKE if v.startswith(ask.text("versionPrefix"))] or list(_GKE)
    return {
        "id": CREATED,
        "defaultClusterVersion": fits[-1],
        "latestMasterVersion": fits[0],
        "latestNodeVersion": fits[0],
        "validMasterVersions": fits,
        "validNodeVersions": fits,
        "releaseChannelDefaultVersion": dict(zip(("RAPID", "REGULAR", "STABLE"), _GKE, strict=True)),
        "releaseChannelLatestVersion": dict(zip(("RAPID", "REGULAR", "STABLE"), _GKE, strict=True)),
        "releaseChannelUpgradeTargetVersion": dict(zip(("RAPID", "REGULAR", "STABLE"), _GKE, strict=True)),
    }


def _account(ask: Ask) -> Answer:
    given = ask.text("accountId", default="levee").rsplit("/", 1)[-1]
    email = given if "@" in given else f"{given}@{ask.project}.iam.gserviceaccount.com"
    return {
        "id": f"projects/{ask.project}/serviceAccounts/{email}",
        "name": f"projects/{ask.project}/serviceAccounts/{email}",
        "accountId": given.split("@")[0],
        "email": email,
        "member": f"serviceAccount:{email}",
        "uniqueId": str(int(ask.hex(email, 17), 16)).rjust(21, "1")[:21],
        "displayName": "",
        "disabled": False,
        "project": ask.project,
    }


def _agent(template: str) -> Rule:
    """A service agent's address."""

    def rule(ask: Ask) -> Answer:
        email = template.format(number=GCP_PROJECT_NUMBER, project=ask.project)
        return {
            "id": f"projects/{ask.project}/serviceAccounts/{email}" if "{project}" in template else email,
            "name": f"projects/{ask.project}/serviceAccounts/{email}",
            "email": email,
            "emailAddress": email,
            "member": f"serviceAccount:{email}",
            "uniqueId": GCP_PROJECT_NUMBER,
            "subjectId": GCP_PROJECT_NUMBER,
            "displayName": "",
            "project": ask.project,
        }

    return rule


def _secret(ask: Ask) -> Answer:
    id_ = ask.text("secretId").rsplit("/", 1)[-1]
    name = f"projects/{ask.project}/secrets/{id_}"
    return {"id": name, "name": name, "secretId": id_, "createTime": CREATED, "labels": {}, "annotations": {}}


def _secret_version(ask: Ask) -> Answer:
    secret, version = ask.text("secret").rsplit("/", 1)[-1], ask.text("version", default="1")
    name = f"projects/{GCP_PROJECT_NUMBER}/secrets/{secret}/versions/{version}"
    data = ask.hex(secret, 32)
    if ask.args.get("isSecretDataBase64"):
        data = base64.b64encode(data.encode()).decode()
    return {
        "id": name,
        "name": name,
        "version": version,
        "secretData": data,
        "createTime": CREATED,
        "destroyTime": "",
        "enabled": True,
    }


def _policy(ask: Ask) -> Answer:
    """``data.google_iam_policy``: sorted bindings as JSON, which needs no cloud."""
    members: dict[str, tuple[dict[str, Any], set[str]]] = {}
    for binding in ask.args.get("bindings") or []:
        condition = binding.get("condition")
        where = json.dumps([binding.get("role"), condition], sort_keys=True)
        body, found = members.setdefault(where, ({"role": binding.get("role")}, set()))
        if condition:
            body["condition"] = {k: v for k, v in condition.items() if v}
        found.update(binding.get("members") or [])
    bindings = [{"members": sorted(found), **body} for _, (body, found) in sorted(members.items())]
    body: dict[str, Any] = {"bindings": bindings} if bindings else {}
    audits = ask.args.get("auditConfigs") or []
    if audits:
        body["auditConfigs"] = [_audit(a) for a in audits]
    text = json.dumps(body, separators=(",", ":"))
    return {"id": ask.hex(text, 10), "policyData": text}


def _audit(config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "auditLogConfigs": [{k: v for k, v in one.items() if v} for one in config.get("auditLogConfigs") or []],
        "service": config.get("service"),
    }


def _zone(ask: Ask) -> Answer:
    name = ask.text("name")
    return {
        "id": f"projects/{ask.project}/managedZones/{name}",
        "name": name,
        "dnsName": f"{name}.example.com.",
        "description": "",
        "managedZoneId": str(int(ask.hex(name, 12), 16)),
        "nameServers": [f"ns-cloud-a{n}.googledomains.com." for n in (1, 2, 3, 4)],
        "visibility": "public",
        "project": ask.project,
    }


def _ring(ask: Ask) -> Answer:
    return {"id": f"projects/{ask.project}/locations/{ask.text('location')}/keyRings/{ask.text('name')}"}


def _crypto_key(ask: Ask) -> Answer:
    id_ = f"{ask.text('keyRing')}/cryptoKeys/{ask.text('name')}"
    return {
        "id": id_,
        "purpose": "ENCRYPT_DECRYPT",
        "rotationPeriod": "7776000s",
        "destroyScheduledDuration": "2592000s",
        "primaries": [{"name": f"{id_}/cryptoKeyVersions/1", "state": "ENABLED"}],
        "versionTemplates": [{"algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION", "protectionLevel": "SOFTWARE"}],
        "labels": {},
    }


def _repository(ask: Ask) -> Answer:
    name, location = ask.text("repositoryId"), ask.text("location", default=ask.region)
    return {
        "id": f"projects/{ask.project}/locations/{location}/repositories/{name}",
        "name": name,
        "format": "DOCKER",
        "mode": "STANDARD_REPOSITORY",
        "registryUri": f"{location}-docker.pkg.dev/{ask.project}/{name}",
        "createTime": CREATED,
        "description": "",
        "labels": {},
    }


def _registry(ask: Ask) -> Answer:
    host = f"{ask.text('region')}.gcr.io" if ask.text("region") else "gcr.io"
    image = ask.text("name")
    end = f"@{ask.text('digest')}" if ask.text("digest") else f":{ask.text('tag')}" if ask.text("tag") else ""
    url = f"{host}/{ask.project}"
    return {"id": url, "repositoryUrl": url, "imageUrl": f"{url}/{image}{end}"}


def _machine_types(ask: Ask) -> Answer:
    rows = [
        {
            "name": name,
            "guestCpus": cpus,
            "memoryMb": memory,
            "isSharedCpus": name.startswith("e2-m"),
            "architecture": "X86_64",
            "description": name,
            "selfLink": f"{_API}/{ask.project}/zones/{ask.text('zone')}/machineTypes/{name}",
            "maximumPersistentDisks": 128,
            "maximumPersistentDisksSizeGb": 263168,
            "accelerators": [],
            "bundledLocalSsds": [],
            "deprecateds": [],
        }
        for name, cpus, memory in (("e2-medium", 2, 4096), ("e2-standard-2", 2, 8192), ("n2-standard-4", 4, 16384))
    ]
    return {"id": f"projects/{ask.project}/zones/{ask.text('zone')}/machineTypes/filters/", "machineTypes": rows}


_NETBLOCKS: Final = {
    "restricted-googleapis": "199.36.153.4/30",
    "private-googleapis": "199.36.153.8/30",
    "dns-forwarders": "35.199.192.0/19",
    "iap-forwarders": "35.235.240.0/20",
    "health-checkers": "35.191.0.0/16 130.211.0.0/22",
    "legacy-health-checkers": "35.191.0.0/16 209.85.152.0/22 209.85.204.0/22",
}


def _netblocks(ask: Ask) -> Answer:
    kind = ask.text("rangeType", default="cloud-netblocks")
    blocks = _NETBLOCKS.get(kind, "8.34.208.0/20 8.35.192.0/21").split()
    return {"id": f"netblock-ip-ranges-{kind}", "cidrBlocks": blocks, "cidrBlocksIpv4s": blocks, "cidrBlocksIpv6s": []}


EXACT: Final = frozenset({"gcp:organizations/getIAMPolicy:getIAMPolicy"})
TABLE: Final[dict[str, Rule]] = {
    "gcp:organizations/getProject:getProject": _project,
    "gcp:projects/getProject:getProject": _projects,
    "gcp:organizations/getClientConfig:getClientConfig": _client,
    "gcp:organizations/getClientOpenIdUserInfo:getClientOpenIdUserInfo": lambda a: {
        "id": "levee@example.com",
        "email": "levee@example.com",
    },
    "gcp:organizations/getBillingAccount:getBillingAccount": _billing,
    "gcp:organizations/getOrganization:getOrganization": _organization,
    "gcp:organizations/getIAMPolicy:getIAMPolicy": _policy,
    "gcp:compute/getZones:getZones": lambda a: {
        "id": f"projects/{a.project}/regions/{a.region}",
        "names": _zone_names(a.region),
    },
    "gcp:compute/getRegions:getRegions": lambda a: {"id": f"projects/{a.project}", "names": list(_REGIONS)},
    "gcp:compute/getImage:getImage": _image,
    "gcp:compute/getNetwork:getNetwork": _network,
    "gcp:compute/getSubnetwork:getSubnetwork": _subnetwork,
    "gcp:compute/getMachineTypes:getMachineTypes": _machine_types,
    "gcp:compute/getNetblockIPRanges:getNetblockIPRanges": _netblocks,
    "gcp:compute/getLBIPRanges:getLBIPRanges": lambda a: {
        "id": "compute-lb-ip-ranges",
        "networks": ["209.85.152.0/22", "209.85.204.0/22", "35.191.0.0/16"],
        "httpSslTcpInternals": ["130.211.0.0/22", "35.191.0.0/16"],
    },
    "gcp:compute/getDefaultServiceAccount:getDefaultServiceAccount": _agent(
        "{number}-compute@developer.gserviceaccount.com"
    ),
    "gcp:container/getEngineVersions:getEngineVersions": _engine_versions,
    "gcp:container/getRegistryRepository:getRegistryRepository": _registry,
    "gcp:container/getRegistryImage:getRegistryImage": _registry,
    "gcp:serviceaccount/getAccount:getAccount": _account,
    "gcp:serviceaccount/getAccountAccessToken:getAccountAccessToken": lambda a: {
        "id": a.text("targetServiceAccount"),
        "accessToken": f"ya29.{a.hex(a.text('targetServiceAccount'), 40)}",
    },
    "gcp:secretmanager/getSecret:getSecret": _secret,
    "gcp:secretmanager/getSecretVersion:getSecretVersion": _secret_version,
    "gcp:secretmanager/getSecretVersionAccess:getSecretVersionAccess": _secret_version,
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": _agent(
        "service-{number}@gs-project-accounts.iam.gserviceaccount.com"
    ),
    "gcp:storage/getTransferProjectServiceAccount:getTransferProjectServiceAccount": _agent(
        "project-{number}@storage-transfer-service.iam.gserviceaccount.com"
    ),
    "gcp:bigquery/getDefaultServiceAccount:getDefaultServiceAccount": _agent(
        "bq-{number}@bigquery-encryption.iam.gserviceaccount.com"
    ),
    "gcp:appengine/getDefaultServiceAccount:getDefaultServiceAccount": _agent("{project}@appspot.gserviceaccount.com"),
    "gcp:dns/getManagedZone:getManagedZone": _zone,
    "gcp:kms/getKMSKeyRing:getKMSKeyRing": _ring,
    "gcp:kms/getKMSCryptoKey:getKMSCryptoKey": _crypto_key,
    "gcp:artifactregistry/getRepository:getRepository": _repository,
    "gcp:cloudrun/getLocations:getLocations": lambda a: {"id": f"projects/{a.project}", "locations": list(_REGIONS)},
}
