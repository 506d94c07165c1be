"""AWS: images, instance types, and what services publish or keep by name.

Sources: EC2 User Guide (AMI owners: "Find an AMI"), Amazon CloudFront Developer Guide ("Use managed cache policies",
"Use managed origin request policies", "Use managed response headers policies"), Amazon EKS User Guide (versions and
add-ons), Amazon RDS release notes (engine versions).
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any, Final

from levee.engine.standin.answers.ask import CREATED, Answer, Ask, Rule, digits
from levee.engine.standin.answers.aws_places import hosted_s3, place, suffix, zones
from levee.engine.standin.clouds import policy_document

_OWNERS: Final = {
    "amazon": "137112412989",
    "canonical": "099720109477",
    "aws-marketplace": "679593333241",
    "debian": "136693071363",
    "redhat": "309956199498",
    "windows": "801119661308",
}
_ALIASES: Final = {number: name for name, number in _OWNERS.items()}
_DEFAULT_IMAGE: Final = "al2023-ami-2023.6.20250101.0-kernel-6.1-x86_64"
_MANAGED: Final = {
    "Managed-CachingOptimized": "658327ea-f89d-4fab-a63d-7e88639e58f6",
    "Managed-CachingDisabled": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
    "Managed-CachingOptimizedForUncompressedObjects": "b2884449-e4de-46a7-ac36-70bc7f1ddd6d",
    "UseOriginCacheControlHeaders": "83da9c7e-98b4-4e11-a168-04f0df8e2c65",
    "UseOriginCacheControlHeaders-QueryStrings": "4cc15a8a-d715-48a4-82b8-cc0b614638fe",
    "Managed-Amplify": "2e54312d-136d-493c-8eb9-b001f22f67d2",
    "Managed-Elemental-MediaPackage": "08627262-05a9-4f76-9ded-b50ca2e3a84f",
    "Managed-AllViewer": "216adef6-5c7f-47e4-b989-5492eafa07d3",
    "Managed-AllViewerExceptHostHeader": "b689b0a8-53d0-40ab-baf2-68738e2966ac",
    "Managed-AllViewerAndCloudFrontHeaders-2022-06": "33f36d7e-f396-46d9-90e0-52428a34d9dc",
    "Managed-CORS-S3Origin": "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf",
    "Managed-CORS-CustomOrigin": "59781a5b-3903-41f3-afcb-af62929ccde1",
    "Managed-UserAgentRefererHeaders": "acba4595-bd28-49b8-b9fe-13317c0390fa",
    "Managed-SimpleCORS": "60669652-455b-4ae9-85a4-c4c02393f86c",
    "Managed-CORS-With-Preflight": "5cc3b908-e619-4b99-88e5-2cf7f45965bd",
    "Managed-SecurityHeadersPolicy": "67f7725c-6f97-4210-82d7-5512b31e9d03",
    "Managed-CORS-and-SecurityHeadersPolicy": "e61eb60c-9c35-4d20-a928-2b84e02af89c",
    "Managed-CORS-with-preflight-and-SecurityHeadersPolicy": "eaab4381-ed33-4a86-88ca-d9558dc6cd63",
}
_TYPES: Final = {
    "t3.micro": (2, 1024),
    "t3.small": (2, 2048),
    "t3.medium": (2, 4096),
    "t4g.micro": (2, 1024),
    "t4g.small": (2, 2048),
    "m5.large": (2, 8192),
    "m6i.large": (2, 8192),
    "m7g.large": (2, 8192),
    "c5.large": (2, 4096),
    "r5.large": (2, 16384),
}
"""Instance type to virtual processors and memory in MiB."""
_EKS: Final = ("1.34", "1.33", "1.32", "1.31")
_ADDONS: Final = {
    "vpc-cni": "v1.19.2-eksbuild.1",
    "coredns": "v1.11.4-eksbuild.2",
    "kube-proxy": "v{version}.0-eksbuild.2",
    "aws-ebs-csi-driver": "v1.38.1-eksbuild.1",
    "aws-efs-csi-driver": "v2.1.4-eksbuild.1",
    "eks-pod-identity-agent": "v1.3.4-eksbuild.1",
}
_ENGINES: Final = {
    "postgres": ("17.6", "16.10", "15.14"),
    "aurora-postgresql": ("17.5", "16.9", "15.13"),
    "mysql": ("8.4.6", "8.0.43"),
    "aurora-mysql": ("8.0.mysql_aurora.3.10.0", "5.7.mysql_aurora.2.12.5"),
    "mariadb": ("11.8.3", "10.11.14"),
    "sqlserver-ex": ("16.00.4205.1.v1",),
    "oracle-se2": ("19.0.0.0.ru-2025-07.rur-2025-07.r1",),
}


def _family(engine: str, version: str) -> str:
    """The parameter group family of an engine's version: its major version, of MySQL's two numbers."""
    parts = 2 if "mysql" in engine or "mariadb" in engine else 1
    return f"{engine}{'.'.join(version.split('.')[:parts])}"


def _image(ask: Ask) -> Answer:
    wanted = next(iter(ask.filtered("name")), "") or ask.text("nameRegex")
    name = wanted if wanted and not re.search(r"[\^$()|]", wanted) else wanted.strip("^$") or _DEFAULT_IMAGE
    name = name.replace(".*", "*").replace("\\", "").replace("?", "0").replace("*", "20250101")
    arm = "arm64" in name or "arm64" in ask.filtered("architecture")
    owners = [str(o) for o in ask.args.get("owners") or ["amazon"]]
    owner = ask.account if "self" in owners else _OWNERS.get(owners[0], owners[0])
    asked = next(iter(ask.filtered("image-id")), "")
    id_ = asked or f"ami-{digits(f'{ask.region}|{name}|{arm}|{owner}', 17)}"
    windows = "windows" in name.lower()
    return {
        "id": id_,
        "imageId": id_,
        "name": name,
        "architecture": "arm64" if arm else "x86_64",
        "arn": ask.arn("ec2", f"image/{id_}", account=False),
        "ownerId": owner if owner.isdigit() else _OWNERS["amazon"],
        "imageOwnerAlias": "" if owner == ask.account else _ALIASES.get(owner, ""),
        "imageLocation": f"{_ALIASES.get(owner, owner)}/{name}",
        "description": name,
        "imageType": "machine",
        "public": owner != ask.account,
        "enaSupport": True,
        "rootDeviceName": "/dev/sda1" if windows or "ubuntu" in name or "debian" in name else "/dev/xvda",
        "rootDeviceType": "ebs",
        "rootSnapshotId": f"snap-{digits(id_, 17)}",
        "virtualizationType": "hvm",
        "hypervisor": "xen",
        "sriovNetSupport": "simple",
        "platform": "windows" if windows else "",
        "platformDetails": "Windows" if windows else "Linux/UNIX",
        "usageOperation": "RunInstances:0002" if windows else "RunInstances",
        "state": "available",
        "stateReason": {"code": "UNSET", "message": "UNSET"},
        "creationDate": "2025-01-01T00:00:00.000Z",
        "tags": {},
    }


def _image_ids(ask: Ask) -> Answer:
    return {"id": ask.hex(repr(sorted(ask.args.items())), 10), "ids": [_image(ask)["id"]]}


def _instance_type(ask: Ask) -> Answer:
    name = ask.text("instanceType", default="t3.micro")
    cpus, memory = _TYPES.get(name, (2, 8192))
    arm = bool(re.match(r"[a-z]+\d+g", name))
    return {
        "id": name,
        "instanceType": name,
        "defaultVcpus": cpus,
        "defaultCores": max(cpus // 2, 1),
        "defaultThreadsPerCore": 1 if arm else 2,
        "memorySize": memory,
        "supportedArchitectures": ["arm64" if arm else "x86_64"],
        "supportedRootDeviceTypes": ["ebs"],
        "supportedVirtualizationTypes": ["hvm"],
        "supportedUsagesClasses": ["on-demand", "spot"],
        "bareMetal": name.endswith(".metal"),
        "burstablePerformanceSupported": name.startswith("t"),
        "currentGeneration": True,
        "freeTierEligible": name in {"t3.micro", "t4g.micro"},
        "hypervisor": "nitro",
        "enaSupport": "required",
        "ebsEncryptionSupport": "supported",
        "ebsNvmeSupport": "required",
        "ebsOptimizedSupport": "default",
        "gpuses": [],
        "fpgas": [],
        "inferenceAccelerators": [],
        "instanceDisks": [],
    }


def _instance_types(ask: Ask) -> Answer:
    wanted = ask.filtered("instance-type")
    arm = "arm64" in ask.filtered("processor-info.supported-architecture")
    names = [n for n in _TYPES if (not wanted or n in wanted) and (not arm or re.match(r"[a-z]+\d+g", n))]
    return {"id": ask.region, "instanceTypes": names or wanted}


def _offerings(ask: Ask) -> Answer:
    kind = ask.text("locationType", default="region")
    names = ask.filtered("instance-type") or list(_TYPES)
    spots = zones(ask.region) if kind == "availability-zone" else [ask.region]
    asked = ask.filtered("location")
    pairs = [(n, spot) for spot in spots if not asked or spot in asked for n in names]
    return {
        "id": ask.region,
        "instanceTypes": [n for n, _ in pairs],
        "locations": [spot for _, spot in pairs],
        "locationTypes": [kind] * len(pairs),
    }


def _zone(ask: Ask) -> Answer:
    name = ask.text("name", default="example.com").rstrip(".")
    id_ = ask.text("zoneId") or f"Z{ask.hex(name, 20).upper()}"
    return {
        "id": id_,
        "zoneId": id_,
        "name": name,
        "arn": ask.arn("route53", f"hostedzone/{id_}", region=False, account=False),
        "callerReference": "levee-offline",
        "comment": "",
        "linkedServiceDescription": "",
        "linkedServicePrincipal": "",
        "nameServers": [f"ns-{n}.awsdns-{n % 64:02d}.{t}" for n, t in _NAME_SERVERS],
        "primaryNameServer": "ns-117.awsdns-53.com",
        "resourceRecordSetCount": 2,
    }


_NAME_SERVERS: Final = ((117, "com"), (730, "net"), (1235, "org"), (1962, "co.uk"))


def _certificate(ask: Ask) -> Answer:
    domain = ask.text("domain", default="example.com")
    arn = ask.arn("acm", f"certificate/{ask.guid(domain)}")
    return {"id": arn, "arn": arn, "domain": domain, "status": "ISSUED", "tags": ask.args.get("tags") or {}}


def _parameter(ask: Ask) -> Answer:
    name = ask.text("name")
    value = _parameter_value(ask, name)
    return {
        "id": name,
        "name": name,
        "arn": ask.arn("ssm", f"parameter/{name.lstrip('/')}"),
        "type": "String",
        "value": value,
        "insecureValue": value,
        "version": 1,
    }


def _parameter_value(ask: Ask, name: str) -> str:
    image = f"ami-{digits(f'{ask.region}|{name}', 17)}"
    if name.startswith("/aws/service/"):
        if name.endswith("/recommended") and "ecs" in name:
            return json.dumps({"image_id": image, "image_name": "amzn2-ami-ecs-hvm-2.0", "os": "Amazon Linux 2"})
        if name.startswith("/aws/service/global-infrastructure/regions/"):
            return place(name.split("/")[5]).title
        if "ami" in name or name.endswith("image_id") or "bottlerocket" in name or "canonical" in name:
            return image
        return ask.hex(name, 16)
    return image if "ami" in name.lower().split("/")[-1] else ask.hex(name, 16)


def _secret(ask: Ask) -> Answer:
    arn = ask.text("arn") or ask.arn("secretsmanager", f"secret:{ask.text('name')}-{ask.hex(ask.text('name'), 6)}")
    name = ask.text("name") or re.sub(r"-[A-Za-z0-9]{6}$", "", arn.rsplit(":", 1)[-1])
    return {
        "id": arn,
        "arn": arn,
        "name": name,
        "description": "",
        "kmsKeyId": "",
        "policy": "",
        "createdDate": CREATED,
    }


def _secret_version(ask: Ask) -> Answer:
    id_ = ask.text("secretId")
    arn = id_ if id_.startswith("arn:") else ask.arn("secretsmanager", f"secret:{id_}-{ask.hex(id_, 6)}")
    version, stage = ask.text("versionId", default=ask.guid(id_)), ask.text("versionStage", default="AWSCURRENT")
    return {
        "id": f"{id_}|{ask.text('versionId') or stage}",
        "arn": arn,
        "secretArn": arn,
        "secretString": ask.hex(id_, 32),
        "secretBinary": "",
        "versionId": version,
        "versionStage": stage,
        "versionStages": [stage],
        "createdDate": CREATED,
    }


def _named(service: str, kind: str, *names: str, region: bool = True) -> Rule:
    """What is found by its name, in ARN form."""

    def rule(ask: Ask) -> Answer:
        given = ask.text("arn")
        name = given.rsplit("/", 1)[-1] if given else ask.text(*(names or ("name",)), default="levee-offline")
        return {"id": name, "name": name, "arn": given or ask.arn(service, f"{kind}{name}", region=region)}

    return rule


def _policy(ask: Ask) -> Answer:
    arn = ask.text("arn")
    name = arn.rsplit("/", 1)[-1] or ask.text("name", default="ReadOnlyAccess")
    owner = "aws" if not arn and name.endswith(("Access", "Policy", "Administrator")) else ask.account
    arn = arn or f"arn:{ask.connection.partition}:iam::{owner}:policy/{name}"
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    return {
        "id": arn,
        "arn": arn,
        "name": name,
        "path": "/",
        "policy": policy_document.document([statement]),
        "policyId": f"ANPA{ask.hex(arn, 17).upper()}",
        "description": "",
        "attachmentCount": 0,
        "tags": {},
    }


def _role(ask: Ask) -> Answer:
    name = ask.text("name")
    path = "/"
    if name.startswith("AWSServiceRoleFor"):
        path = f"/aws-service-role/{name.removeprefix('AWSServiceRoleFor').lower()}.amazonaws.com/"
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {
        "id": name,
        "name": name,
        "path": path,
        "arn": ask.arn("iam", f"role{path}{name}", region=False),
        "uniqueId": f"AROA{ask.hex(name, 17).upper()}",
        "assumeRolePolicy": policy_document.document([trust]),
        "maxSessionDuration": 3600,
        "createDate": CREATED,
        "description": "",
        "permissionsBoundary": "",
        "roleLastUseds": [],
    }


def _session(ask: Ask) -> Answer:
    arn = ask.text("arn")
    assumed = re.match(r"arn:([\w-]+):sts::(\d+):assumed-role/([^/]+)/(.+)", arn)
    issuer = f"arn:{assumed[1]}:iam::{assumed[2]}:role/{assumed[3]}" if assumed else arn
    return {
        "id": arn,
        "arn": arn,
        "issuerArn": issuer,
        "issuerId": f"AROA{ask.hex(issuer, 17).upper()}" if assumed else "",
        "issuerName": assumed[3] if assumed else "",
        "sessionName": assumed[4] if assumed else "",
    }


def _ecr_token(ask: Ask) -> Answer:
    registry = ask.text("registryId", default=ask.account)
    password = base64.b64encode(ask.hex("ecr", 48).encode()).decode()
    return {
        "id": ask.region,
        "userName": "AWS",
        "password": password,
        "authorizationToken": base64.b64encode(f"AWS:{password}".encode()).decode(),
        "proxyEndpoint": f"https://{registry}.dkr.ecr.{ask.region}.{suffix(ask)}",
        "expiresAt": "2035-01-01T00:00:00Z",
    }


def _repository(ask: Ask) -> Answer:
    name = ask.text("name", "repositoryName")
    registry = ask.text("registryId", default=ask.account)
    return {
        "id": name,
        "name": name,
        "registryId": registry,
        "arn": ask.arn("ecr", f"repository/{name}"),
        "repositoryUrl": f"{registry}.dkr.ecr.{ask.region}.{suffix(ask)}/{name}",
        "imageTagMutability": "MUTABLE",
        "encryptionConfigurations": [{"encryptionType": "AES256", "kmsKey": ""}],
        "imageScanningConfigurations": [{"scanOnPush": False}],
        "mostRecentImageTags": ["latest"],
    }


def _ecr_image(ask: Ask) -> Answer:
    url = str(_repository(ask)["repositoryUrl"])
    digest = ask.text("imageDigest", default=f"sha256:{ask.hex(url + ask.text('imageTag'), 64)}")
    return {
        "id": digest,
        "imageDigest": digest,
        "imageTags": [ask.text("imageTag", default="latest")],
        "imageUri": f"{url}@{digest}",
        "imageSizeInBytes": 50_000_000,
        "imagePushedAt": 1735689600,
        "registryId": ask.text("registryId", default=ask.account),
    }


def _eks(ask: Ask) -> Answer:
    name = ask.text("name")
    host = ask.hex(f"{ask.region}|{name}", 32).upper()
    return {
        "id": name,
        "name": name,
        "arn": ask.arn("eks", f"cluster/{name}"),
        "endpoint": f"https://{host}.gr7.{ask.region}.eks.{suffix(ask)}",
        "certificateAuthorities": [{"data": base64.b64encode(_CERTIFICATE.encode()).decode()}],
        "identities": [{"oidcs": [{"issuer": f"https://oidc.eks.{ask.region}.{suffix(ask)}/id/{host}"}]}],
        "version": _EKS[0],
        "platformVersion": "eks.1",
        "status": "ACTIVE",
        "createdAt": CREATED,
        "roleArn": ask.arn("iam", f"role/{name}-cluster", region=False),
        "enabledClusterLogTypes": [],
        "tags": {},
    }


_CERTIFICATE: Final = (
    "-----BEGIN CERTIFICATE-----\nbm90IGEgcmVhbCBjZXJ0aWZpY2F0ZTogbGV2ZWUgb2ZmbGluZQ==\n-----END CERTIFICATE-----\n"
)


def _addon(ask: Ask) -> Answer:
    name = ask.text("addonName", default="vpc-cni")
    version = ask.text("kubernetesVersion", default=_EKS[0])
    return {
        "id": name,
        "addonName": name,
        "kubernetesVersion": version,
        "version": _ADDONS.get(name, "v1.0.0-eksbuild.1").format(version=version),
    }


def _eks_versions(ask: Ask) -> Answer:
    rows = [
        {
            "clusterType": "eks",
            "clusterVersion": v,
            "defaultPlatformVersion": "eks.1",
            "defaultVersion": n == 0,
            "kubernetesPatchVersion": f"{v}.1",
            "versionStatus": "STANDARD_SUPPORT",
            "releaseDate": CREATED,
            "endOfStandardSupportDate": "2027-01-01T00:00:00Z",
            "endOfExtendedSupportDate": "2028-01-01T00:00:00Z",
            "controlPlaneComponentConfigs": [],
            "controlPlaneScalingTiers": [],
        }
        for n, v in enumerate(_EKS)
        if not ask.args.get("defaultOnly") or n == 0
    ]
    return {"id": ask.region, "clusterVersions": rows}


def _engine(ask: Ask) -> Answer:
    engine = ask.text("engine", default="postgres")
    known = _ENGINES.get(engine, ("1.0",))
    preferred = [str(v) for v in ask.args.get("preferredVersions") or ()]
    asked = ask.text("version") or next(iter(preferred), "")
    version = next((v for v in known if v.startswith(asked)), asked) if asked else known[0]
    return {
        "id": version,
        "version": version,
        "versionActual": version,
        "engine": engine,
        "parameterGroupFamily": _family(engine, version),
        "engineDescription": engine,
        "versionDescription": f"{engine} {version}",
        "status": "available",
        "defaultCharacterSet": "",
        "exportableLogTypes": ["postgresql", "upgrade"] if "postgres" in engine else ["audit", "error", "general"],
        "validUpgradeTargets": [v for v in known if v > version],
        "supportsReadReplica": True,
    }


def _orderable(ask: Ask) -> Answer:
    engine = ask.text("engine", default="postgres")
    preferred = [str(v) for v in ask.args.get("preferredInstanceClasses") or ()]
    return {
        "id": ask.text("instanceClass") or next(iter(preferred), "db.t3.medium"),
        "instanceClass": ask.text("instanceClass") or next(iter(preferred), "db.t3.medium"),
        "engineVersion": ask.text("engineVersion") or _ENGINES.get(engine, ("1.0",))[0],
        "licenseModel": "postgresql-license" if "postgres" in engine else "general-public-license",
        "storageType": ask.text("storageType", default="gp3"),
        "availabilityZones": zones(ask.region),
        "multiAzCapable": True,
        "minStorageSize": 20,
        "maxStorageSize": 65536,
    }


def _kms_key(ask: Ask) -> Answer:
    asked = ask.text("keyId")
    alias = "alias/" in asked
    id_ = ask.guid(f"{ask.region}|{asked.rsplit(':', 1)[-1]}") if alias else asked.rsplit("/", 1)[-1] or ask.guid("key")
    managed = "alias/aws/" in asked
    return {
        "id": id_,
        "keyId": asked or id_,
        "arn": ask.arn("kms", f"key/{id_}"),
        "awsAccountId": ask.account,
        "enabled": True,
        "keyState": "Enabled",
        "keyManager": "AWS" if managed else "CUSTOMER",
        "keySpec": "SYMMETRIC_DEFAULT",
        "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "keyUsage": "ENCRYPT_DECRYPT",
        "origin": "AWS_KMS",
        "creationDate": CREATED,
        "description": "",
        "multiRegion": False,
        "multiRegionConfigurations": [],
        "xksKeyConfigurations": [],
    }


def _kms_alias(ask: Ask) -> Answer:
    name = ask.text("name", default="alias/aws/ebs")
    id_ = ask.guid(f"{ask.region}|{name}")
    arn = ask.arn("kms", name)
    return {"id": arn, "name": name, "arn": arn, "targetKeyId": id_, "targetKeyArn": ask.arn("kms", f"key/{id_}")}


def _bucket(ask: Ask) -> Answer:
    name = ask.text("bucket")
    return {
        "id": name,
        "bucket": name,
        "arn": ask.arn("s3", name, region=False, account=False),
        "bucketDomainName": f"{name}.s3.{suffix(ask)}",
        "bucketRegionalDomainName": f"{name}.s3.{ask.region}.{suffix(ask)}",
        "bucketRegion": ask.region,
        "hostedZoneId": hosted_s3(ask.region),
        "websiteDomain": "",
        "websiteEndpoint": "",
    }


def _managed(ask: Ask) -> Answer:
    id_, name = ask.text("id"), ask.text("name")
    by_id = {v: k for k, v in _MANAGED.items()}
    name = name or by_id.get(id_, "Managed-CachingOptimized")
    id_ = id_ or _MANAGED.get(name) or ask.guid(name)
    return {"id": id_, "name": name, "comment": "", "etag": "E23ZP02F085DFQ"}


def _organization(ask: Ask) -> Answer:
    org, root = f"o-{ask.hex('org', 10)}", f"r-{ask.hex('root', 4)}"
    arn = ask.arn("organizations", f"organization/{org}", region=False)
    account: dict[str, Any] = {
        "id": ask.account,
        "arn": ask.arn("organizations", f"account/{org}/{ask.account}", region=False),
        "name": "levee-offline",
        "email": "aws@example.com",
        "status": "ACTIVE",
        "state": "ACTIVE",
        "joinedMethod": "CREATED",
        "joinedTimestamp": CREATED,
    }
    return {
        "id": org,
        "arn": arn,
        "featureSet": "ALL",
        "masterAccountId": ask.account,
        "masterAccountArn": account["arn"],
        "masterAccountEmail": "aws@example.com",
        "masterAccountName": "levee-offline",
        "accounts": [account],
        "nonMasterAccounts": [],
        "awsServiceAccessPrincipals": [],
        "enabledPolicyTypes": ["SERVICE_CONTROL_POLICY"],
        "roots": [
            {
                "id": root,
                "arn": ask.arn("organizations", f"root/{org}/{root}", region=False),
                "name": "Root",
                "policyTypes": [],
            }
        ],
    }


def _sso(ask: Ask) -> Answer:
    return {
        "id": ask.region,
        "arns": [f"arn:{ask.connection.partition}:sso:::instance/ssoins-{ask.hex('sso', 16)}"],
        "identityStoreIds": [f"d-{ask.hex('store', 10)}"],
    }


def _topic(ask: Ask) -> Answer:
    arn = ask.arn("sns", ask.text("name"))
    return {"id": arn, "arn": arn, "name": ask.text("name")}


def _queue(ask: Ask) -> Answer:
    name = ask.text("name")
    url = f"https://sqs.{ask.region}.{suffix(ask)}/{ask.account}/{name}"
    return {"id": url, "url": url, "name": name, "arn": ask.arn("sqs", name)}


def _ip_ranges(_ask: Ask) -> Answer:
    return {
        "id": "1735689600",
        "cidrBlocks": ["3.5.140.0/22", "52.94.76.0/22"],
        "ipv6CidrBlocks": ["2600:1f14:fff:f800::/56"],
        "createDate": "2025-01-01-00-00-00",
        "syncToken": 1735689600,
    }


def _oidc(ask: Ask) -> Answer:
    url = ask.text("url").removeprefix("https://") or ask.text("arn").split("oidc-provider/", 1)[-1]
    arn = ask.text("arn") or ask.arn("iam", f"oidc-provider/{url}", region=False)
    return {"id": arn, "arn": arn, "url": url, "clientIdLists": ["sts.amazonaws.com"], "thumbprintLists": ["0" * 40]}


EXACT: Final = frozenset({"aws:iam/getPolicyDocument:getPolicyDocument"})
TABLE: Final[dict[str, Rule]] = {
    "aws:ec2/getAmi:getAmi": _image,
    "aws:ec2/getAmiIds:getAmiIds": _image_ids,
    "aws:ec2/getInstanceType:getInstanceType": _instance_type,
    "aws:ec2/getInstanceTypes:getInstanceTypes": _instance_types,
    "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": _offerings,
    "aws:ebs/getDefaultKmsKey:getDefaultKmsKey": lambda a: {"id": a.region, "keyArn": a.arn("kms", "alias/aws/ebs")},
    "aws:ebs/getEncryptionByDefault:getEncryptionByDefault": lambda a: {"id": a.region, "enabled": True},
    "aws:route53/getZone:getZone": _zone,
    "aws:acm/getCertificate:getCertificate": _certificate,
    "aws:ssm/getParameter:getParameter": _parameter,
    "aws:secretsmanager/getSecret:getSecret": _secret,
    "aws:secretsmanager/getSecretVersion:getSecretVersion": _secret_version,
    "aws:secretsmanager/getRandomPassword:getRandomPassword": lambda a: {
        "id": "random",
        "randomPassword": (a.hex("password", 64) * 64)[: int(a.args.get("passwordLength") or 32)],
    },
    "aws:iam/getPolicyDocument:getPolicyDocument": lambda a: policy_document.render(a.args),
    "aws:iam/getPolicy:getPolicy": _policy,
    "aws:iam/getRole:getRole": _role,
    "aws:iam/getUser:getUser": lambda a: {
        "id": a.text("userName"),
        "userName": a.text("userName"),
        "path": "/",
        "arn": a.arn("iam", f"user/{a.text('userName')}", region=False),
        "userId": f"AIDA{a.hex(a.text('userName'), 17).upper()}",
        "permissionsBoundary": "",
    },
    "aws:iam/getInstanceProfile:getInstanceProfile": _named("iam", "instance-profile/", region=False),
    "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": _oidc,
    "aws:iam/getSessionContext:getSessionContext": _session,
    "aws:iam/getAccountAlias:getAccountAlias": lambda a: {"id": "levee-offline", "accountAlias": "levee-offline"},
    "aws:ecr/getAuthorizationToken:getAuthorizationToken": _ecr_token,
    "aws:ecr/getCredentials:getCredentials": _ecr_token,
    "aws:ecrpublic/getAuthorizationToken:getAuthorizationToken": _ecr_token,
    "aws:ecr/getRepository:getRepository": _repository,
    "aws:ecr/getImage:getImage": _ecr_image,
    "aws:eks/getCluster:getCluster": _eks,
    "aws:eks/getClusterAuth:getClusterAuth": lambda a: {
        "id": a.text("name"),
        "name": a.text("name"),
        "token": f"k8s-aws-v1.{base64.urlsafe_b64encode(a.hex('eks', 48).encode()).decode().rstrip('=')}",
    },
    "aws:eks/getAddonVersion:getAddonVersion": _addon,
    "aws:eks/getClusterVersions:getClusterVersions": _eks_versions,
    "aws:ecs/getCluster:getCluster": lambda a: {
        "id": a.arn("ecs", f"cluster/{a.text('clusterName')}"),
        "arn": a.arn("ecs", f"cluster/{a.text('clusterName')}"),
        "status": "ACTIVE",
    },
    "aws:rds/getEngineVersion:getEngineVersion": _engine,
    "aws:rds/getOrderableDbInstance:getOrderableDbInstance": _orderable,
    "aws:kms/getKey:getKey": _kms_key,
    "aws:kms/getAlias:getAlias": _kms_alias,
    "aws:s3/getBucket:getBucket": _bucket,
    "aws:s3/getCanonicalUserId:getCanonicalUserId": lambda a: {"id": digits(a.account, 64), "displayName": "levee"},
    "aws:cloudfront/getCachePolicy:getCachePolicy": _managed,
    "aws:cloudfront/getOriginRequestPolicy:getOriginRequestPolicy": _managed,
    "aws:cloudfront/getResponseHeadersPolicy:getResponseHeadersPolicy": _managed,
    "aws:cloudfront/getLogDeliveryCanonicalUserId:getLogDeliveryCanonicalUserId": lambda a: {
        "id": "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0"
    },
    "aws:organizations/getOrganization:getOrganization": _organization,
    "aws:ssoadmin/getInstances:getInstances": _sso,
    "aws:sns/getTopic:getTopic": _topic,
    "aws:sqs/getQueue:getQueue": _queue,
    "aws:index/getIpRanges:getIpRanges": _ip_ranges,
}
