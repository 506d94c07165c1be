"""Databricks: who asks, runtimes, node types, and the AWS policies that its documentation spells out.

Sources: Databricks Runtime release notes; Databricks on AWS documentation ("Create a credential configuration", "Create
a storage credential", "Create an S3 bucket for workspace deployment"); ``databricks/terraform-provider-databricks``.
"""

from __future__ import annotations

from typing import Any, Final

from levee.engine.standin.answers.ask import Answer, Answers, Ask
from levee.engine.standin.clouds import policy_document
from levee.engine.standin.clouds.databricks import METASTORE, OWNER
from levee.engine.standin.connection import AZURE_OBJECT, DATABRICKS_ACCOUNT

_SPARK: Final = (
    ("18.0.x-scala2.13", "18.0"),
    ("17.3.x-scala2.13", "17.3 LTS"),
    ("16.4.x-scala2.12", "16.4 LTS"),
    ("15.4.x-scala2.12", "15.4 LTS"),
)
"""Runtime keys, newest first."""
_NODES: Final = {
    "aws": (("m7gd.xlarge", 16, 4), ("m7gd.2xlarge", 32, 8), ("r7gd.4xlarge", 128, 16)),
    "azure": (("Standard_D4ads_v5", 16, 4), ("Standard_D8ads_v5", 32, 8), ("Standard_E16ads_v5", 128, 16)),
    "gcp": (("n2-highmem-4", 32, 4), ("n2-highmem-8", 64, 8), ("n2-highmem-16", 128, 16)),
}
"""Node types with local disk: name, memory in GiB, cores; smallest first."""
_DATABRICKS_ON_AWS: Final = "414351767826"


def _cloud(ask: Ask) -> str:
    host = ask.connection.host
    return "azure" if "azuredatabricks" in host else "gcp" if "gcp.databricks" in host else "aws"


def _spark_version(ask: Ask) -> Answer:
    asked = ask.text("sparkVersion", "scala")
    fits = [v for v, name in _SPARK if not ask.args.get("longTermSupport") or "LTS" in name]
    found = next((v for v in fits if not asked or asked in v), fits[0])
    if ask.args.get("ml"):
        found = found.replace("-scala", "-gpu-ml-scala" if ask.args.get("gpu") else "-cpu-ml-scala")
    return {"id": found}


def _node_type(ask: Ask) -> Answer:
    memory, cores = int(ask.args.get("minMemoryGb") or 0), int(ask.args.get("minCores") or 0)
    nodes = _NODES[_cloud(ask)]
    return {"id": next((name for name, m, n in nodes if m >= memory and n >= cores), nodes[-1][0])}


def _user(ask: Ask) -> Answer:
    name = ask.text("userName", default=OWNER)
    id_ = "7000000000000001" if name == OWNER else str(int(ask.hex(name, 12), 16))
    return {
        "id": id_,
        "userId": id_,
        "userName": name,
        "displayName": name.split("@")[0],
        "home": f"/Users/{name}",
        "repos": f"/Repos/{name}",
        "alphanumeric": name.split("@")[0].replace(".", "_"),
        "externalId": AZURE_OBJECT,
        "workspaceUrl": ask.connection.host,
        "aclPrincipalId": f"users/{name}",
        "applicationId": "",
        "active": True,
    }


def _group(ask: Ask) -> Answer:
    name = ask.text("displayName", default="users")
    return {
        "id": str(int(ask.hex(name, 12), 16)),
        "displayName": name,
        "aclPrincipalId": f"groups/{name}",
        "members": [],
        "users": [],
        "groups": [],
        "childGroups": [],
        "servicePrincipals": [],
    }


def _metastore(ask: Ask) -> Answer:
    name = ask.text("name", default=f"metastore-{ask.connection.region or 'default'}")
    id_ = ask.text("metastoreId", default=METASTORE)
    info = {"name": name, "metastoreId": id_, "owner": OWNER, "cloud": _cloud(ask), "globalMetastoreId": id_}
    return {"id": id_, "metastoreId": id_, "name": name, "metastoreInfo": info}


def _zones(ask: Ask) -> Answer:
    region = ask.connection.region or "us-east-1"
    names = [f"{region}{letter}" for letter in "abc"]
    return {"id": names[0], "defaultZone": names[0], "zones": names}


def _warehouse(ask: Ask) -> Answer:
    id_ = ask.text("id", default=ask.hex(ask.text("name"), 16))
    return {
        "id": id_,
        "name": ask.text("name", default="Starter Warehouse"),
        "state": "RUNNING",
        "clusterSize": "Small",
        "jdbcUrl": f"jdbc:spark://{ask.connection.host.removeprefix('https://')}:443/default;httpPath=/sql/1.0/warehouses/{id_}",
    }


def _partition(ask: Ask) -> str:
    return ask.text("awsPartition", default="aws")


def _principal(ask: Ask, *, logs: bool = False) -> str:
    account = ask.text("databricksAccountId", default="090101015318" if logs else _DATABRICKS_ON_AWS)
    what = "role/SaasUsageDeliveryRole-prod-IAMRole-3PLHICCRR1TK" if logs else "root"
    return f"arn:{_partition(ask)}:iam::{account}:{what}"


def _policy(statements: list[dict[str, Any]], id_: str) -> Answer:
    return {"id": id_, "json": policy_document.document(statements)}


def _assume_role(ask: Ask) -> Answer:
    external = ask.text("externalId", default=DATABRICKS_ACCOUNT)
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"AWS": _principal(ask, logs=bool(ask.args.get("forLogDelivery")))},
        "Condition": {"StringEquals": {"sts:ExternalId": external}},
    }
    return _policy([statement], external)


def _bucket_policy(ask: Ask) -> Answer:
    bucket = ask.text("bucket")
    account = ask.text("databricksE2AccountId")
    principal = ask.text("fullAccessRole") or _principal(ask)
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Action": [
            "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket",
            "s3:GetBucketLocation",
        ],
        "Resource": [f"arn:{_partition(ask)}:s3:::{bucket}/*", f"arn:{_partition(ask)}:s3:::{bucket}"],
        "Principal": {"AWS": principal},
    }  # fmt: skip
    if account:
        statement["Condition"] = {"StringEquals": {"aws:PrincipalTag/DatabricksAccountId": [account]}}
    return _policy([statement], bucket)


def _cross_account(ask: Ask) -> Answer:
    actions = [
        "ec2:AssociateIamInstanceProfile", "ec2:AttachVolume", "ec2:AuthorizeSecurityGroupEgress",
        "ec2:AuthorizeSecurityGroupIngress", "ec2:CancelSpotInstanceRequests", "ec2:CreateTags", "ec2:CreateVolume",
        "ec2:DeleteTags", "ec2:DeleteVolume", "ec2:DescribeAvailabilityZones", "ec2:DescribeInstances",
        "ec2:DescribeInstanceStatus", "ec2:DescribeInternetGateways", "ec2:DescribeNatGateways",
        "ec2:DescribeNetworkAcls", "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups",
        "ec2:DescribeSpotInstanceRequests", "ec2:DescribeSpotPriceHistory", "ec2:DescribeSubnets",
        "ec2:DescribeVolumes", "ec2:DescribeVpcAttribute", "ec2:DescribeVpcs", "ec2:DetachVolume",
        "ec2:RequestSpotInstances", "ec2:RunInstances", "ec2:TerminateInstances",
    ]  # fmt: skip
    spot = {
        "Effect": "Allow",
        "Action": ["iam:CreateServiceLinkedRole", "iam:PutRolePolicy"],
        "Resource": f"arn:{_partition(ask)}:iam::*:role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot",
        "Condition": {"StringLike": {"iam:AWSServiceName": "spot.amazonaws.com"}},
    }
    statements: list[dict[str, Any]] = [{"Effect": "Allow", "Action": actions, "Resource": "*"}, spot]
    roles = ask.args.get("passRoles")
    if roles:
        statements.append({"Effect": "Allow", "Action": "iam:PassRole", "Resource": roles})
    return _policy(statements, "cross-account")


def _unity_policy(ask: Ask) -> Answer:
    bucket, partition = ask.text("bucketName"), _partition(ask)
    statements: list[dict[str, Any]] = [
        {
            "Effect": "Allow",
            "Action": [
                "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "s3:GetBucketLocation",
                "s3:ListBucketMultipartUploads", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload",
            ],
            "Resource": [f"arn:{partition}:s3:::{bucket}/*", f"arn:{partition}:s3:::{bucket}"],
        },
        {
            "Effect": "Allow",
            "Action": ["sts:AssumeRole"],
            "Resource": [f"arn:{partition}:iam::{ask.text('awsAccountId')}:role/{ask.text('roleName')}"],
        },
    ]  # fmt: skip
    if ask.text("kmsName"):
        key = {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*"]}
        statements.insert(1, {**key, "Resource": [ask.text("kmsName")]})
    return _policy(statements, f"{bucket}-{ask.text('awsAccountId')}-{ask.text('roleName')}")


def _unity_trust(ask: Ask) -> Answer:
    """The trust policy of Unity Catalog's role ("Create a storage credential")."""
    external = ask.text("externalId", default=DATABRICKS_ACCOUNT)
    role = ask.text("roleName", default="databricks")
    account = ask.text("awsAccountId", default=ask.account)
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{_DATABRICKS_ON_AWS}:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL"},
        "Action": ["sts:AssumeRole"],
        "Condition": {"StringEquals": {"sts:ExternalId": external}},
    }
    return _policy([statement], f"{account}-{role}")


ANSWERS: Final = Answers(
    exact={
        "databricks:index/getAwsUnityCatalogAssumeRolePolicy:getAwsUnityCatalogAssumeRolePolicy": _unity_trust,
        "databricks:index/getCurrentConfig:getCurrentConfig": lambda a: {
            "host": a.connection.host,
            "accountId": DATABRICKS_ACCOUNT,
        },
    },
    invented={
        "databricks:index/getCurrentUser:getCurrentUser": _user,
        "databricks:index/getUser:getUser": _user,
        "databricks:index/getGroup:getGroup": _group,
        "databricks:index/getSparkVersion:getSparkVersion": _spark_version,
        "databricks:index/getNodeType:getNodeType": _node_type,
        "databricks:index/getZones:getZones": _zones,
        "databricks:index/getCurrentMetastore:getCurrentMetastore": _metastore,
        "databricks:index/getMetastore:getMetastore": _metastore,
        "databricks:index/getMetastores:getMetastores": lambda a: {"id": "metastores", "ids": {"metastore": METASTORE}},
        "databricks:index/getSqlWarehouse:getSqlWarehouse": _warehouse,
        "databricks:index/getAwsAssumeRolePolicy:getAwsAssumeRolePolicy": _assume_role,
        "databricks:index/getAwsBucketPolicy:getAwsBucketPolicy": _bucket_policy,
        "databricks:index/getAwsCrossAccountPolicy:getAwsCrossAccountPolicy": _cross_account,
        "databricks:index/getAwsUnityCatalogPolicy:getAwsUnityCatalogPolicy": _unity_policy,
    },
)
