"""Photographs in a bucket, served by one machine in a network that the company already has."""

import pulumi
import pulumi_aws as aws
import pulumi_random as random

config = pulumi.Config()
visitors = config.require("visitorCidr")
size = config.get("size") or "t3.small"
editor_password = config.require_secret("editorPassword")
tags = {"owner": config.require("ownerEmail"), "cost-centre": config.get("costCentre") or "photos"}

vpc = aws.ec2.get_vpc(tags={"Name": "core"})
image = aws.ec2.get_ami(most_recent=True, owners=["amazon"], filters=[{"name": "name", "values": ["al2023-ami-*"]}])

suffix = random.RandomId("suffix", byte_length=4)
photos = aws.s3.Bucket("photos", bucket=pulumi.Output.concat("photo-archive-", suffix.hex), tags=tags)
aws.s3.BucketPublicAccessBlock(
    "photos",
    bucket=photos.id,
    block_public_acls=True,
    block_public_policy=True,
    ignore_public_acls=True,
    restrict_public_buckets=True,
)

firewall = aws.ec2.SecurityGroup(
    "web",
    vpc_id=vpc.id,
    ingress=[{"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": [visitors]}],
    tags=tags,
)
deployer = aws.ec2.KeyPair("deployer", public_key=config.require("deployer"))
server = aws.ec2.Instance(
    "web",
    ami=image.id,
    instance_type=size,
    key_name=deployer.key_name,
    vpc_security_group_ids=[firewall.id],
    tags=tags,
)
aws.secretsmanager.SecretVersion(
    "editor",
    secret_id=aws.secretsmanager.Secret("editor", tags=tags).id,
    secret_string=editor_password,
)

pulumi.export("bucket", photos.bucket)
pulumi.export("network", vpc.cidr_block)
pulumi.export("address", server.public_ip)
