"""A governed data lake on S3, ADLS Gen2 or Cloud Storage: one store a layer, and the key that they share.

Every store is encrypted with a key of the company's own that is rotated, refuses other than TLS, is closed to the
public, keeps what was replaced, logs who reads and writes, and moves what is seldom read to cheaper tiers. Landing
files expire as their contracts say; the audit store cannot be deleted from before its time.

The stores keep public endpoints, behind firewalls and policies. A lake without them needs private endpoints in a
network of the environment's own, which no component makes yet.

| control | Amazon S3 | ADLS Gen2 | Cloud Storage |
|---|---|---|---|
| a store a layer | bucket | container; audit in an account of its own | bucket |
| key of our own, rotated | KMS, yearly, used through S3 only | Key Vault HSM, yearly, no purge | Cloud KMS, 90 days |
| other keys refused | bucket policy, SSE-C blocked | shared keys off | enforcement configuration |
| TLS 1.2 or newer | bucket policy | minimum version, HTTPS only | always |
| not public | public access block, owner enforced | no public blobs, firewall denies | prevention enforced, no ACLs |
| what was replaced | versions | soft delete | versions, soft delete |
| seldom read | Intelligent-Tiering | cool after 30 unread days | Autoclass |
| deliveries | IA, Glacier IR, expiry | cool, cold, expiry | Nearline, Archive, expiry |
| access logs | server access logging | Log Analytics | usage logs |
| audit | object lock | immutability policy | retention policy |

Example::

    import pulumi
    from components import lake
    from components.tags import Tags
    from pulumi_aws import Provider

    aws = Provider("aws-eu-west-1", region="eu-west-1", allowed_account_ids=["222222222222"])
    args = lake.LakeArgs(
        company="acme",
        environment="dev",
        target=lake.Aws(account="222222222222", region="eu-west-1"),
        tags=Tags(owner="data", cost_centre="cc-1", environment="dev", classification="internal"),
        datasets=(lake.Dataset("sales", "online_retail", landing_days=400),),
        protect=False,
    )
    made = lake.create("lake", args, pulumi.ResourceOptions(providers=[aws]))
    pulumi.export("gold", made.url(lake.Layer.GOLD))
"""

from __future__ import annotations

import pulumi

from components.lake.lake import Aws, Azure, Gcp, Lake, LakeArgs, Target
from components.lake.lifecycle import Ageing, Dataset, Rule, rules
from pipelines.contracts import Layer

__all__ = ["Ageing", "Aws", "Azure", "Dataset", "Gcp", "Lake", "LakeArgs", "Layer", "Rule", "Target", "create", "rules"]


def create(name: str, args: LakeArgs, opts: pulumi.ResourceOptions | None = None) -> Lake:
    """Make the lake on the cloud that ``args.target`` names.

    Args:
        name: Logical name; every child's name begins with it.
        args: What the lake is made of.
        opts: Options; pass the cloud's explicit provider here.
    """
    # Imported here: each cloud's SDK costs half a second, and a stack seldom needs all three.
    match args.target:
        case Aws() as target:
            from components.lake.aws import AwsLake

            return AwsLake(name, args, target, opts)
        case Azure() as target:
            from components.lake.azure import AzureLake

            return AzureLake(name, args, target, opts)
        case Gcp() as target:
            from components.lake.gcp import GcpLake

            return GcpLake(name, args, target, opts)
