"""A governed data lake on S3, ADLS Gen2 or Cloud Storage: the facade.

>>> from components.lake import Aws, LakeArgs, create
>>> from components.tags import Tags
>>> tags = Tags(owner="data", cost_centre="cc-1", environment="dev", classification="internal")
>>> lake = create("lake-aws", LakeArgs("acme", "dev", Aws("222222222222", "eu-west-1"), tags, protect=False))
>>> lake.url(Layer.GOLD)  # doctest: +SKIP
s3://acme-dev-gold-...
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
