"""Cloudflare, DigitalOcean, GitHub, Docker, TLS and Snowflake."""

from __future__ import annotations

from typing import Any, Final

from levee.engine.standin.answers.ask import CREATED, Answer, Answers, Ask, pick

_CF_ACCOUNT: Final = {"id": "023e105f4ecef8ad9ca31a8372d0c353", "name": "levee-offline"}
"""The account of Cloudflare's own API examples."""
_DO_REGIONS: Final = (
    ("ams3", "Amsterdam 3"), ("blr1", "Bangalore 1"), ("fra1", "Frankfurt 1"), ("lon1", "London 1"),
    ("nyc1", "New York 1"), ("nyc3", "New York 3"), ("sfo3", "San Francisco 3"), ("sgp1", "Singapore 1"),
    ("syd1", "Sydney 1"), ("tor1", "Toronto 1"),
)  # fmt: skip
_DO_VERSIONS: Final = ("1.34.1-do.0", "1.33.6-do.0", "1.32.10-do.0")
_DO_SIZES: Final = (
    ("s-1vcpu-1gb", 1, 1024, 25, 6.0),
    ("s-1vcpu-2gb", 1, 2048, 50, 12.0),
    ("s-2vcpu-2gb", 2, 2048, 60, 18.0),
    ("s-2vcpu-4gb", 2, 4096, 80, 24.0),
    ("s-4vcpu-8gb", 4, 8192, 160, 48.0),
)
"""Slug, virtual processors, memory in MiB, disk in GiB, USD a month."""


def _cf_zone(ask: Ask) -> dict[str, Any]:
    asked = ask.args.get("filter") or {}
    name = ask.text("name") or str(asked.get("name") or "example.com")
    return {
        "id": ask.text("zoneId", default=ask.hex(f"zone|{name}", 32)),
        "name": name,
        "status": "active",
        "type": "full",
        "paused": False,
        "account": _CF_ACCOUNT,
        "activatedOn": CREATED,
        "createdOn": CREATED,
        "modifiedOn": CREATED,
        "nameServers": ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"],
        "originalNameServers": [],
        "originalDnshost": "",
        "originalRegistrar": "",
        "permissions": [],
        "developmentMode": 0,
    }


def _cf_accounts(_ask: Ask) -> Answer:
    row = {**_CF_ACCOUNT, "type": "standard", "createdOn": CREATED}
    return {"id": _CF_ACCOUNT["id"], "results": [row]}


def _cf_ranges(_ask: Ask) -> Answer:
    return {
        "etag": "38f79d050aa027e3be3865e495dcc9bc",
        "ipv4Cidrs": ["173.245.48.0/20", "103.21.244.0/22", "104.16.0.0/13", "172.64.0.0/13"],
        "ipv6Cidrs": ["2400:cb00::/32", "2606:4700::/32"],
        "jdcloudCidrs": [],
    }


def _region(slug: str) -> dict[str, Any]:
    return {
        "slug": slug,
        "name": dict(_DO_REGIONS).get(slug, slug),
        "available": True,
        "features": ["backups", "ipv6", "metadata", "install_agent", "storage", "image_transfer"],
        "sizes": [size for size, *_ in _DO_SIZES],
    }


def _filters(ask: Ask) -> dict[str, Any]:
    wanted = {}
    for one in ask.args.get("filters") or []:
        values = one.get("values") or []
        if len(values) == 1:
            value = values[0]
            wanted[str(one.get("key"))] = {"true": True, "false": False}.get(str(value), value)
    return wanted


def _do_versions(ask: Ask) -> Answer:
    fits = [v for v in _DO_VERSIONS if v.startswith(ask.text("versionPrefix"))] or list(_DO_VERSIONS)
    return {"id": "versions", "latestVersion": fits[0], "validVersions": fits}


def _do_regions(ask: Ask) -> Answer:
    rows = [_region(slug) for slug, _ in _DO_REGIONS]
    wanted = {k: v for k, v in _filters(ask).items() if k in {"slug", "name", "available"}}
    return {"id": "regions", "regions": pick(rows, **wanted)}


def _do_image(ask: Ask) -> dict[str, Any]:
    slug = ask.text("slug", "name", default="ubuntu-24-04-x64")
    number = int(ask.args.get("id") or int(ask.hex(slug, 7), 16))
    return {
        "id": number,
        "slug": slug,
        "name": ask.text("name", default=slug),
        "image": slug,
        "distribution": slug.split("-")[0].capitalize(),
        "type": "base",
        "status": "available",
        "minDiskSize": 7,
        "sizeGigabytes": 0.6,
        "private": False,
        "regions": [r for r, _ in _DO_REGIONS],
        "tags": [],
        "created": CREATED,
        "description": slug,
        "errorMessage": "",
    }


def _do_sizes(ask: Ask) -> Answer:
    rows = [
        {
            "slug": slug,
            "vcpus": cpus,
            "memory": memory,
            "disk": disk,
            "priceMonthly": price,
            "priceHourly": round(price / 672, 5),
            "transfer": 1.0,
            "available": True,
            "regions": [r for r, _ in _DO_REGIONS],
            "gpuInfos": [],
        }
        for slug, cpus, memory, disk, price in _DO_SIZES
    ]
    return {"id": "sizes", "sizes": pick(rows, **{k: v for k, v in _filters(ask).items() if k in rows[0]}) or rows}


def _ssh_key(ask: Ask) -> Answer:
    name = ask.text("name")
    digest = ask.hex(name, 32)
    return {
        "id": int(ask.hex(name, 7), 16),
        "name": name,
        "fingerprint": ":".join(digest[i : i + 2] for i in range(0, 32, 2)),
        "publicKey": f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{ask.hex(name, 43)} {name}",
    }


def _repository(ask: Ask) -> Answer:
    owner = str(ask.connection.config.get("owner") or "levee-offline")
    full = ask.text("fullName") or f"{owner}/{ask.text('name', default='repository')}"
    name = full.rsplit("/", 1)[-1]
    return {
        "id": name,
        "name": name,
        "fullName": full,
        "repoId": int(ask.hex(full, 7), 16),
        "nodeId": f"R_{ask.hex(full, 10)}",
        "defaultBranch": "main",
        "visibility": "private",
        "private": True,
        "htmlUrl": f"https://github.com/{full}",
        "httpCloneUrl": f"https://github.com/{full}.git",
        "gitCloneUrl": f"git://github.com/{full}.git",
        "sshCloneUrl": f"git@github.com:{full}.git",
        "svnUrl": f"https://github.com/{full}",
        "hasIssues": True,
        "topics": [],
        "pages": [],
    }


def _user(ask: Ask) -> Answer:
    login = ask.text("username", default="levee-offline") or "levee-offline"
    number = str(int(ask.hex(login, 7), 16))
    return {
        "id": number,
        "login": login,
        "name": login,
        "nodeId": f"U_{ask.hex(login, 10)}",
        "email": f"{login}@example.com",
        "avatarUrl": f"https://avatars.githubusercontent.com/u/{number}",
        "createdAt": CREATED,
        "updatedAt": CREATED,
        "sshKeys": [],
        "gpgKeys": [],
        "siteAdmin": False,
    }


def _organization(ask: Ask) -> Answer:
    name = ask.text("name", default="levee-offline")
    return {
        "id": str(int(ask.hex(name, 7), 16)),
        "login": name,
        "orgname": name,
        "name": name,
        "nodeId": f"O_{ask.hex(name, 10)}",
        "plan": "team",
        "members": [],
        "repositories": [],
        "users": [],
        "description": "",
    }


def _branch(ask: Ask) -> Answer:
    branch = ask.text("branch", default="main")
    sha = ask.hex(f"{ask.text('repository')}|{branch}", 40)
    return {"id": f"{ask.text('repository')}:{branch}", "ref": f"refs/heads/{branch}", "sha": sha, "etag": sha}


def _image(ask: Ask) -> Answer:
    digest = f"sha256:{ask.hex(ask.text('name'), 64)}"
    return {"id": digest, "sha256Digest": digest, "repoDigest": f"{ask.text('name').split(':')[0]}@{digest}"}


ANSWERS: Final = Answers(
    invented={
        "cloudflare:index/getZone:getZone": _cf_zone,
        "cloudflare:index/getZones:getZones": lambda a: {"id": "zones", "results": [_cf_zone(a)]},
        "cloudflare:index/getAccounts:getAccounts": _cf_accounts,
        "cloudflare:index/getAccount:getAccount": lambda a: {**_CF_ACCOUNT, "type": "standard", "createdOn": CREATED},
        "cloudflare:index/getIpRanges:getIpRanges": _cf_ranges,
        "digitalocean:index/getKubernetesVersions:getKubernetesVersions": _do_versions,
        "digitalocean:index/getRegions:getRegions": _do_regions,
        "digitalocean:index/getRegion:getRegion": lambda a: {"id": a.text("slug"), **_region(a.text("slug"))},
        "digitalocean:index/getImage:getImage": _do_image,
        "digitalocean:index/getImages:getImages": lambda a: {"id": "images", "images": [_do_image(a)]},
        "digitalocean:index/getSizes:getSizes": _do_sizes,
        "digitalocean:index/getAccount:getAccount": lambda a: {
            "id": a.guid("account"),
            "uuid": a.guid("account"),
            "email": "levee@example.com",
            "emailVerified": True,
            "dropletLimit": 25,
            "floatingIpLimit": 5,
            "status": "active",
            "statusMessage": "",
        },
        "digitalocean:index/getSshKey:getSshKey": _ssh_key,
        "digitalocean:index/getSshKeys:getSshKeys": lambda a: {"id": "keys", "sshKeys": [_ssh_key(a)]},
        "github:index/getRepository:getRepository": _repository,
        "github:index/getUser:getUser": _user,
        "github:index/getOrganization:getOrganization": _organization,
        "github:index/getBranch:getBranch": _branch,
        "docker:index/getRegistryImage:getRegistryImage": _image,
        "docker:index/getRemoteImage:getRemoteImage": _image,
        "snowflake:index/getCurrentAccount:getCurrentAccount": lambda a: {
            "id": "current_account",
            "account": "LEVEE_OFFLINE",
            "region": "AWS_US_EAST_1",
            "url": "https://levee-offline.snowflakecomputing.com",
        },
        "snowflake:index/getCurrentRole:getCurrentRole": lambda a: {"id": "current_role", "name": "ACCOUNTADMIN"},
    },
)
