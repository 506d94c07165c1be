"""How Databricks on AWS reaches the lake: an IAM role that Unity Catalog assumes, and only it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

import pulumi
import pulumi_aws as aws
import pulumi_databricks as databricks

from components import names
from components.databricks.access import Access, Machines, given
from components.databricks.args import DatabricksArgs
from components.databricks.use import Use
from components.lake import Lake
from components.lake.aws import AwsLake
from pipelines.contracts import Layer

_UNITY_CATALOG: Final = "arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL"
"""Databricks' own principal (documentation, "Create a storage credential for connecting to AWS S3", step 1)."""

_READ: Final = ("s3:GetObject",)
_APPEND: Final = (*_READ, "s3:PutObject")
_WRITE: Final = (*_APPEND, "s3:DeleteObject")
_OBJECTS: Final[Mapping[Use, tuple[str, ...]]] = {Use.READ: _READ, Use.APPEND: _APPEND, Use.WRITE: _WRITE}
_LISTING: Final = ("s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads")


class AwsAccess(Access):
    """The storage credential and the role behind it."""

    identities: ClassVar[tuple[str, ...]] = ("aws_attributes.instance_profile_arn",)

    def __init__(self, name: str, args: DatabricksArgs, lake: Lake, opts: pulumi.ResourceOptions) -> None:
        super().__init__(name, opts)
        assert isinstance(lake, AwsLake)
        role_name = names.plain(args.company, args.environment, "unity-catalog", limit=64)
        role_arn = f"arn:aws:iam::{lake.target.account}:role/{role_name}"
        # The credential comes first: its external id goes into the role's trust policy. Hence the ARN in writing.
        credential = databricks.StorageCredential(
            name,
            name=names.identifier(args.company, args.environment, "lake"),
            aws_iam_role=databricks.StorageCredentialAwsIamRoleArgs(role_arn=role_arn),
            comment=f"The lake of {args.environment}",
            isolation_mode="ISOLATION_MODE_ISOLATED",
            skip_validation=True,
            force_destroy=args.force_destroy,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        external_id = credential.aws_iam_role.apply(
            lambda role: given(role.external_id if role else None, "external id")
        )
        role = aws.iam.Role(
            name,
            name=role_name,
            description="Unity Catalog reads and writes the lake",
            assume_role_policy=pulumi.Output.json_dumps(trust(role_arn, external_id)),
            max_session_duration=3600,
            tags=args.tags.aws(),
            opts=pulumi.ResourceOptions(parent=self),
        )
        document = pulumi.Output.all(key=lake.key, **{layer.value: bucket for layer, bucket in lake.buckets.items()})
        aws.iam.RolePolicy(
            name,
            name="lake",
            role=role.name,
            policy=document.apply(
                lambda known: json.dumps(permissions(role_arn, known.pop("key"), known, args.use_of))
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.finish(credential.name)

    def machines(self, *, spot: bool) -> Machines:
        """What a pool asks of EC2."""
        attributes = databricks.InstancePoolAwsAttributesArgs(
            availability="SPOT" if spot else "ON_DEMAND", zone_id="auto", spot_bid_price_percent=100 if spot else None
        )
        return Machines(aws=attributes)


def trust(role_arn: str, external_id: pulumi.Input[str]) -> dict[str, Any]:
    """Unity Catalog may assume the role with the credential's external id; the role may assume itself.

    The role cannot be named as a principal before it exists, so its account is, and the condition narrows it down.
    """
    account = role_arn.split(":")[4]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "UnityCatalog",
                "Effect": "Allow",
                "Principal": {"AWS": _UNITY_CATALOG},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
            },
            {
                "Sid": "Itself",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": {"sts:ExternalId": external_id},
                    "ArnEquals": {"aws:PrincipalArn": role_arn},
                },
            },
        ],
    }


def permissions(role_arn: str, key: str, buckets: Mapping[str, str], use: Callable[[Layer], Use]) -> dict[str, Any]:
    """What the role may do: in each store what its jobs do there.

    Args:
        role_arn: The role itself, which Unity Catalog makes assume itself.
        key: ARN of the lake's key.
        buckets: Bucket name by layer.
        use: What the jobs do in the store of a layer.
    """
    objects = [
        {
            "Sid": f"Objects{layer.title()}",
            "Effect": "Allow",
            "Action": list(_OBJECTS[use(Layer(layer))]),
            "Resource": f"arn:aws:s3:::{bucket}/*",
        }
        for layer, bucket in sorted(buckets.items())
    ]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Listing",
                "Effect": "Allow",
                "Action": list(_LISTING),
                "Resource": sorted(f"arn:aws:s3:::{bucket}" for bucket in buckets.values()),
            },
            *objects,
            {
                "Sid": "Key",
                "Effect": "Allow",
                "Action": ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*"],
                "Resource": key,
            },
            {"Sid": "Itself", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role_arn},
        ],
    }
