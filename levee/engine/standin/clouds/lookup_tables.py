"""Realistic answers for the lookups that programs make most; each but the :data:`EXACT` ones is listed as invented.

Sources: AWS documentation (canonical user ids, ELB and S3 hosted zones), the providers' own data sources.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from levee.engine.standin.clouds import policy_document
from levee.engine.standin.clouds.databricks import METASTORE, OWNER
from levee.engine.standin.connection import (
    AZURE_CLIENT,
    AZURE_OBJECT,
    DATABRICKS_ACCOUNT,
    GCP_PROJECT_NUMBER,
    Connection,
)

Args = Mapping[str, Any]
Rule = Callable[[Connection, Args], dict[str, Any]]

_ZONES: Final = ("a", "b", "c")
_REGION_NAMES: Final = {
    "us-east-1": "US East (N. Virginia)",
    "us-east-2": "US East (Ohio)",
    "us-west-2": "US West (Oregon)",
    "eu-west-1": "Europe (Ireland)",
    "eu-central-1": "Europe (Frankfurt)",
    "ap-southeast-1": "Asia Pacific (Singapore)",
}
_SPARK: Final = (
    ("18.0.x-scala2.13", "18.0"),
    ("17.3.x-scala2.13", "17.3 LTS"),
    ("16.4.x-scala2.12", "16.4 LTS"),
    ("15.4.x-scala2.12", "15.4 LTS"),
)
"""Runtime keys, newest first (Databricks Runtime release notes)."""
_NODES: Final = {
    "aws": (("m7gd.xlarge", 16, 4), ("m7gd.2xlarge", 32, 8), ("r7gd.4xlarge", 128, 16)),
    "azure": (("Standard_D4ads_v5", 16, 4), ("Standard_D8ads_v5", 32, 8), ("Standard_E16ads_v5", 128, 16)),
    "gcp": (("n2-highmem-4", 32, 4), ("n2-highmem-8", 64, 8), ("n2-highmem-16", 128, 16)),
}
"""Node types with local disk: name, memory in GiB, cores; smallest first."""


def _hex(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def _zones(c: Connection, args: Args) -> dict[str, Any]:
    region = _region(c, args)
    return {
        "id": region,
        "names": [f"{region}{z}" for z in _ZONES],
        "zoneIds": [f"{_short(region)}-az{n}" for n, _ in enumerate(_ZONES, 1)],
        "groupNames": [f"{region}-zg-1"],
    }


def _short(region: str) -> str:
    area, side, number = (*region.split("-"), "", "")[:3]
    return f"{area}{side[:1]}{number}"


def _region(c: Connection, args: Args) -> str:
    given = args.get("region") or args.get("name")
    return str(given) if given else c.region


def _aws_region(c: Connection, args: Args) -> dict[str, Any]:
    region = _region(c, args)
    return {
        "id": region,
        "name": region,
        "region": region,
        "endpoint": f"ec2.{region}.amazonaws.com",
        "description": _REGION_NAMES.get(region, region),
    }


def _caller(c: Connection, _args: Args) -> dict[str, Any]:
    return {
        "accountId": c.account,
        "arn": f"arn:{c.partition}:iam::{c.account}:user/levee-offline",
        "id": c.account,
        "userId": f"AIDA{_hex(c.account, 17).upper()}",
    }


def _partition(c: Connection, _args: Args) -> dict[str, Any]:
    suffix = "amazonaws.com.cn" if c.partition == "aws-cn" else "amazonaws.com"
    return {
        "id": c.partition,
        "partition": c.partition,
        "dnsSuffix": suffix,
        "reverseDnsPrefix": ".".join(reversed(suffix.split("."))),
    }


def _ami(c: Connection, args: Args) -> dict[str, Any]:
    wanted = next(
        (f["values"][0] for f in args.get("filters") or [] if f.get("name") == "name" and f.get("values")), ""
    )
    name = str(wanted or args.get("nameRegex") or "al2023-ami-2023.6.20250101.0-kernel-6.1-x86_64").replace(
        "*", "20250101"
    )
    arm = "arm64" in name or any("arm64" in (f.get("values") or []) for f in args.get("filters") or [])
    id_ = f"ami-{_hex(f'{c.region}|{name}', 17)}"
    owner = (args.get("owners") or ["137112412989"])[0]
    return {
        "id": id_,
        "imageId": id_,
        "name": name,
        "architecture": "arm64" if arm else "x86_64",
        "arn": f"arn:{c.partition}:ec2:{c.region}::image/{id_}",
        "ownerId": owner if str(owner).isdigit() else "137112412989",
        "rootDeviceName": "/dev/xvda",
        "rootDeviceType": "ebs",
        "virtualizationType": "hvm",
        "hypervisor": "xen",
        "state": "available",
        "creationDate": "2025-01-01T00:00:00.000Z",
        "tags": {},
    }


def _vpc(c: Connection, args: Args) -> dict[str, Any]:
    id_ = args.get("id") or f"vpc-{_hex(f'{c.scope}|{sorted(args.items())!r}', 17)}"
    return {
        "id": id_,
        "arn": f"arn:{c.partition}:ec2:{c.region}:{c.account}:vpc/{id_}",
        "cidrBlock": args.get("cidrBlock") or "172.31.0.0/16",
        "default": args.get("default", True),
        "ownerId": c.account,
        "state": "available",
        "tags": args.get("tags") or {},
    }


def _subnets(c: Connection, args: Args) -> dict[str, Any]:
    ids = [f"subnet-{_hex(f'{c.scope}|{sorted(args.items())!r}|{zone}', 17)}" for zone in _ZONES]
    return {"id": c.region, "ids": ids}


def _subnet(c: Connection, args: Args) -> dict[str, Any]:
    id_ = args.get("id") or f"subnet-{_hex(f'{c.scope}|{sorted(args.items())!r}', 17)}"
    return {
        "id": id_,
        "arn": f"arn:{c.partition}:ec2:{c.region}:{c.account}:subnet/{id_}",
        "availabilityZone": args.get("availabilityZone") or f"{c.region}a",
        "availabilityZoneId": f"{_short(c.region)}-az1",
        "vpcId": args.get("vpcId") or f"vpc-{_hex(c.scope, 17)}",
        "cidrBlock": args.get("cidrBlock") or "172.31.0.0/20",
        "ownerId": c.account,
        "state": "available",
    }


def _zone(c: Connection, args: Args) -> dict[str, Any]:
    name = str(args.get("name") or "example.com").rstrip(".")
    id_ = args.get("zoneId") or f"Z{_hex(f'{c.account}|{name}', 20).upper()}"
    return {
        "id": id_,
        "zoneId": id_,
        "name": name,
        "arn": f"arn:{c.partition}:route53:::hostedzone/{id_}",
        "comment": "",
    }


def _named(service: str, kind: str, *, region: bool = True) -> Rule:
    """A resource found by its name, in ARN form."""

    def rule(c: Connection, args: Args) -> dict[str, Any]:
        name = str(
            args.get("name") or args.get("bucket") or args.get("functionName") or args.get("clusterName") or kind
        )
        where = c.region if region else ""
        arn = f"arn:{c.partition}:{service}:{where}:{c.account}:{kind}{name}"
        return {"id": name, "name": name, "arn": arn}

    return rule


def _bucket(c: Connection, args: Args) -> dict[str, Any]:
    name = str(args.get("bucket"))
    return {
        "id": name,
        "arn": f"arn:{c.partition}:s3:::{name}",
        "bucketDomainName": f"{name}.s3.amazonaws.com",
        "bucketRegionalDomainName": f"{name}.s3.{c.region}.amazonaws.com",
        "bucketRegion": c.region,
        "hostedZoneId": "Z3AQBSTGFYJSTF",
    }


def _secret_version(_c: Connection, args: Args) -> dict[str, Any]:
    id_ = str(args.get("secretId"))
    return {"id": f"{id_}|AWSCURRENT", "arn": id_, "secretString": _hex(id_, 32), "versionStages": ["AWSCURRENT"]}


def _ssm(c: Connection, args: Args) -> dict[str, Any]:
    name = str(args.get("name"))
    image = "/ami" in name or name.endswith("image_id") or "recommended" in name
    value = f"ami-{_hex(f'{c.region}|{name}', 17)}" if image else _hex(name, 16)
    return {
        "id": name,
        "name": name,
        "arn": f"arn:{c.partition}:ssm:{c.region}:{c.account}:parameter/{name.lstrip('/')}",
        "type": "String",
        "value": value,
        "insecureValue": value,
        "version": 1,
    }


def _azure_client(c: Connection, _args: Args) -> dict[str, Any]:
    return {
        "clientId": AZURE_CLIENT,
        "objectId": AZURE_OBJECT,
        "subscriptionId": c.account,
        "tenantId": c.tenant,
    }


def _storage_keys(_c: Connection, args: Args) -> dict[str, Any]:
    account = str(args.get("accountName"))
    keys = [
        {
            "keyName": f"key{n}",
            "permissions": "FULL",
            "value": _hex(f"{account}|{n}", 64),
            "creationTime": "2025-01-01T00:00:00Z",
        }
        for n in (1, 2)
    ]
    return {"keys": keys}


def _gcp_project(c: Connection, args: Args) -> dict[str, Any]:
    project = str(args.get("projectId") or c.project)
    return {
        "id": f"projects/{project}",
        "projectId": project,
        "name": project,
        "number": GCP_PROJECT_NUMBER,
        "labels": {},
    }


def _gcp_client(c: Connection, _args: Args) -> dict[str, Any]:
    return {
        "id": f"projects/{c.project}/regions/{c.region}/zones/{c.region}-a",
        "project": c.project,
        "region": c.region,
        "zone": f"{c.region}-a",
        "accessToken": f"ya29.{_hex(c.project, 40)}",
    }


def _gcp_zones(c: Connection, args: Args) -> dict[str, Any]:
    region = str(args.get("region") or c.region)
    return {"id": f"projects/{c.project}/regions/{region}", "names": [f"{region}-{z}" for z in _ZONES]}


def _gcp_agent(template: str) -> Rule:
    """A service agent's address."""

    def rule(c: Connection, args: Args) -> dict[str, Any]:
        email = template.format(number=GCP_PROJECT_NUMBER, project=args.get("project") or c.project)
        return {"id": email, "email": email, "emailAddress": email, "member": f"serviceAccount:{email}"}

    return rule


def _spark_version(_c: Connection, args: Args) -> dict[str, Any]:
    found = next((v for v, name in _SPARK if not args.get("longTermSupport") or "LTS" in name), _SPARK[1][0])
    if args.get("ml"):
        found = found.replace("-scala", "-cpu-ml-scala" if not args.get("gpu") else "-gpu-ml-scala")
    return {"id": found}


def _node_type(c: Connection, args: Args) -> dict[str, Any]:
    host = c.host
    cloud = "azure" if "azuredatabricks" in host else "gcp" if "gcp.databricks" in host else "aws"
    memory, cores = int(args.get("minMemoryGb") or 0), int(args.get("minCores") or 0)
    fits = [name for name, m, n in _NODES[cloud] if m >= memory and n >= cores]
    return {"id": fits[0] if fits else _NODES[cloud][-1][0]}


def _databricks_user(c: Connection, _args: Args) -> dict[str, Any]:
    return {
        "id": "7000000000000001",
        "userName": OWNER,
        "home": f"/Users/{OWNER}",
        "repos": f"/Repos/{OWNER}",
        "alphanumeric": "levee",
        "externalId": AZURE_OBJECT,
        "workspaceUrl": c.host,
        "aclPrincipalId": f"users/{OWNER}",
    }


def _databricks_workspace(c: Connection, _args: Args) -> dict[str, Any]:
    return {"id": "1000000000000001", "workspaceId": 1000000000000001, "workspaceUrl": c.host}


def _metastore(c: Connection, _args: Args) -> dict[str, Any]:
    name = f"metastore-{c.region or 'default'}"
    return {
        "id": METASTORE,
        "metastoreInfo": {
            "name": name,
            "metastoreId": METASTORE,
            "owner": OWNER,
            "cloud": "aws",
            "globalMetastoreId": METASTORE,
        },
    }


def _assume_role(c: Connection, args: Args) -> dict[str, Any]:
    """The trust policy of Databricks' Unity Catalog role (Databricks docs, "Create a storage credential")."""
    external = str(args.get("externalId") or DATABRICKS_ACCOUNT)
    role = str(args.get("roleName") or "databricks")
    account = str(args.get("awsAccountId") or c.account)
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL"},
        "Action": ["sts:AssumeRole"],
        "Condition": {"StringEquals": {"sts:ExternalId": external}},
    }
    return {"id": f"{account}-{role}", "json": policy_document.document([statement])}


EXACT: Final = frozenset(
    {
        "aws:iam/getPolicyDocument:getPolicyDocument",
        "aws:index/getPartition:getPartition",
        "aws:index/getRegion:getRegion",
        "databricks:index/getAwsUnityCatalogAssumeRolePolicy:getAwsUnityCatalogAssumeRolePolicy",
        "databricks:index/getCurrentConfig:getCurrentConfig",
    }
)
"""Answers that follow from the arguments and the provider's configuration alone: the real provider gives the same."""

TABLE: Final[dict[str, Rule]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": _caller,
    "aws:index/getRegion:getRegion": _aws_region,
    "aws:index/getPartition:getPartition": _partition,
    "aws:index/getAvailabilityZones:getAvailabilityZones": _zones,
    "aws:index/getRegions:getRegions": lambda c, a: {"id": c.partition, "names": sorted(_REGION_NAMES)},
    "aws:ec2/getAmi:getAmi": _ami,
    "aws:ec2/getVpc:getVpc": _vpc,
    "aws:ec2/getSubnet:getSubnet": _subnet,
    "aws:ec2/getSubnets:getSubnets": _subnets,
    "aws:route53/getZone:getZone": _zone,
    "aws:s3/getBucket:getBucket": _bucket,
    "aws:s3/getCanonicalUserId:getCanonicalUserId": lambda c, a: {"id": _hex(c.account, 64), "displayName": "levee"},
    "aws:secretsmanager/getSecretVersion:getSecretVersion": _secret_version,
    "aws:secretsmanager/getSecret:getSecret": _named("secretsmanager", "secret:"),
    "aws:ssm/getParameter:getParameter": _ssm,
    "aws:iam/getRole:getRole": _named("iam", "role/", region=False),
    "aws:iam/getPolicy:getPolicy": _named("iam", "policy/", region=False),
    "aws:iam/getUser:getUser": _named("iam", "user/", region=False),
    "aws:kms/getAlias:getAlias": _named("kms", ""),
    "aws:ecr/getRepository:getRepository": _named("ecr", "repository/"),
    "aws:eks/getCluster:getCluster": _named("eks", "cluster/"),
    "aws:sns/getTopic:getTopic": _named("sns", ""),
    "aws:iam/getPolicyDocument:getPolicyDocument": lambda c, a: policy_document.render(a),
    "aws:iam/getAccountAlias:getAccountAlias": lambda c, a: {"id": "levee-offline", "accountAlias": "levee-offline"},
    "azure-native:authorization:getClientConfig": _azure_client,
    "azure-native:authorization:getClientToken": lambda c, a: {"token": _hex(c.account, 64)},
    "azure-native:storage:listStorageAccountKeys": _storage_keys,
    "gcp:organizations/getProject:getProject": _gcp_project,
    "gcp:organizations/getClientConfig:getClientConfig": _gcp_client,
    "gcp:compute/getZones:getZones": _gcp_zones,
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": _gcp_agent(
        "service-{number}@gs-project-accounts.iam.gserviceaccount.com"
    ),
    "gcp:compute/getDefaultServiceAccount:getDefaultServiceAccount": _gcp_agent(
        "{number}-compute@developer.gserviceaccount.com"
    ),
    "gcp:bigquery/getDefaultServiceAccount:getDefaultServiceAccount": _gcp_agent(
        "bq-{number}@bigquery-encryption.iam.gserviceaccount.com"
    ),
    "databricks:index/getCurrentUser:getCurrentUser": _databricks_user,
    "databricks:index/getSparkVersion:getSparkVersion": _spark_version,
    "databricks:index/getNodeType:getNodeType": _node_type,
    "databricks:index/getCurrentMetastore:getCurrentMetastore": _metastore,
    "databricks:index/getAwsUnityCatalogAssumeRolePolicy:getAwsUnityCatalogAssumeRolePolicy": _assume_role,
    "databricks:index/getCurrentConfig:getCurrentConfig": lambda c, a: {
        "host": c.host,
        "accountId": DATABRICKS_ACCOUNT,
    },
}
