"""Google Cloud: zones, images, networks, DNS zones, clusters and container registries.

Sources: Google Cloud documentation ("Regions and zones", "Operating system details"), the provider's own data sources
(``hashicorp/terraform-provider-google``).
"""

from __future__ import annotations

from typing import Final

from levee.engine.standin.answers.ask import CREATED, Answer, Answers, Ask

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


def _managed_zone(ask: Ask) -> Answer:
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


ANSWERS: Final = Answers(
    invented={
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
        "gcp:container/getEngineVersions:getEngineVersions": _engine_versions,
        "gcp:container/getRegistryRepository:getRegistryRepository": _registry,
        "gcp:container/getRegistryImage:getRegistryImage": _registry,
        "gcp:dns/getManagedZone:getManagedZone": _managed_zone,
        "gcp:artifactregistry/getRepository:getRepository": _repository,
        "gcp:cloudrun/getLocations:getLocations": lambda a: {
            "id": f"projects/{a.project}",
            "locations": list(_REGIONS),
        },
    },
)
