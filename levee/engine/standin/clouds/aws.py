"""AWS: ids in each service's form, ARNs, endpoints.

Sources: "Actions, resources, and condition keys" of the AWS Service Authorization Reference (ARN formats); the
``pulumi import`` examples in the SDK's own docstrings (id prefixes).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from levee.engine.standin.clouds.common import SKIP, own_name
from levee.engine.standin.name_property import name_property
from levee.engine.standin.subject import Subject
from levee.sdk import Property

PLANNED: Final = frozenset({"region", "tagsAll"})
"""Computed outputs that the real provider already knows in a preview."""

_PREFIXED: Final = re.compile(r"^([a-z]+(?:-[a-z]+)*)-[0-9a-f]{6,17}$")
_GUID: Final = re.compile(r"^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

_ARN_SERVICE: Final = {
    "alb": "elasticloadbalancing",
    "apigatewayv2": "apigateway",
    "appautoscaling": "application-autoscaling",
    "cfg": "config",
    "cognito": "cognito-idp",
    "efs": "elasticfilesystem",
    "elb": "elasticloadbalancing",
    "elasticsearch": "es",
    "lb": "elasticloadbalancing",
    "mq": "mq",
    "msk": "kafka",
    "mwaa": "airflow",
    "opensearch": "es",
    "sfn": "states",
}
_SERVICE_BY_KIND: Final = {
    "cloudwatch:LogGroup": "logs",
    "cloudwatch:LogStream": "logs",
    "cloudwatch:EventRule": "events",
    "cloudwatch:EventBus": "events",
    "kinesis:FirehoseDeliveryStream": "firehose",
}
_GLOBAL: Final = frozenset({"iam", "cloudfront", "organizations", "budgets", "globalaccelerator", "waf", "shield"})
_NO_ACCOUNT: Final = frozenset({"s3", "route53"})


def _tags_all(subject: Subject) -> Any:
    if "tags" not in subject.type.inputs:
        return SKIP
    defaults = subject.connection.config.get("defaultTags") or {}
    return subject.like("tags", {**(defaults.get("tags") or {}), **(subject.given("tags") or {})})


def _suffix(subject: Subject) -> str:
    return "amazonaws.com.cn" if subject.connection.partition == "aws-cn" else "amazonaws.com"


def _kms_id(subject: Subject) -> str:
    return f"mrk-{subject.hex('id', 32)}" if subject.given("multiRegion") else subject.guid("id")


def _key_arn(subject: Subject, key: str) -> str:
    connection = subject.connection
    return (
        key
        if key.startswith("arn:")
        else f"arn:{connection.partition}:kms:{subject.region}:{connection.account}:key/{key}"
    )


def _zone_id(subject: Subject) -> str:
    return f"Z{subject.letters('id', 20)}"


def _lb_kind(subject: Subject) -> str:
    return {"network": "net", "gateway": "gwy"}.get(subject.text("loadBalancerType"), "app")


def _rds_host(subject: Subject, name: str, infix: str = "") -> str:
    return f"{subject.text(name)}.{infix}{subject.hex('rds', 12)}.{subject.region}.rds.{_suffix(subject)}"


def _port(subject: Subject) -> int:
    engine = subject.text("engine")
    return next((p for e, p in (("postgres", 5432), ("oracle", 1521), ("sqlserver", 1433)) if e in engine), 3306)


def _unique_name(subject: Subject) -> str:
    return own_name(subject) if name_property(subject.type) or subject.text("name") else subject.hex("id", 12)


def _kebab(name: str) -> str:
    return _HUMP.sub("-", name).lower()


def _last(id_: str) -> str:
    return id_.rsplit("/", 1)[-1]


def _after(text: str, mark: str) -> str:
    return text.split(mark, 1)[-1]


_Part = Callable[[Subject, str], str]


def _path(subject: Subject) -> str:
    return subject.text("path").lstrip("/")


_RESOURCE: Final[dict[str, _Part]] = {
    "iam:Role": lambda s, i: f"role/{_path(s)}{own_name(s)}",
    "iam:Policy": lambda s, i: f"policy/{_path(s)}{own_name(s)}",
    "iam:User": lambda s, i: f"user/{_path(s)}{own_name(s)}",
    "iam:Group": lambda s, i: f"group/{_path(s)}{own_name(s)}",
    "iam:InstanceProfile": lambda s, i: f"instance-profile/{_path(s)}{own_name(s)}",
    "iam:OpenIdConnectProvider": lambda s, i: "oidc-provider/" + s.text("url").removeprefix("https://"),
    "kms:Key": lambda s, i: f"key/{_kms_id(s)}",
    "kms:Alias": lambda s, i: own_name(s),
    "lambda:Function": lambda s, i: f"function:{own_name(s)}",
    "dynamodb:Table": lambda s, i: f"table/{own_name(s)}",
    "sqs:Queue": lambda s, i: own_name(s),
    "sns:Topic": lambda s, i: own_name(s),
    "ssm:Parameter": lambda s, i: f"parameter/{own_name(s).lstrip('/')}",
    "secretsmanager:Secret": lambda s, i: f"secret:{own_name(s)}-{s.letters('arn', 6)}",
    "cloudwatch:LogGroup": lambda s, i: f"log-group:{own_name(s)}",
    "cloudwatch:MetricAlarm": lambda s, i: f"alarm:{own_name(s)}",
    "cloudwatch:EventRule": lambda s, i: f"rule/{own_name(s)}",
    "cloudwatch:EventBus": lambda s, i: f"event-bus/{own_name(s)}",
    "cloudwatch:Dashboard": lambda s, i: f"dashboard/{s.text('dashboardName')}",
    "ecs:Service": lambda s, i: f"service/{s.text('cluster').rsplit('/', 1)[-1]}/{own_name(s)}",
    "ecs:TaskDefinition": lambda s, i: f"task-definition/{s.text('family')}:1",
    "eks:Cluster": lambda s, i: f"cluster/{own_name(s)}",
    "ecs:Cluster": lambda s, i: f"cluster/{own_name(s)}",
    "ecr:Repository": lambda s, i: f"repository/{own_name(s)}",
    "rds:Instance": lambda s, i: f"db:{s.text('identifier')}",
    "rds:Cluster": lambda s, i: f"cluster:{s.text('clusterIdentifier')}",
    "rds:SubnetGroup": lambda s, i: f"subgrp:{own_name(s)}",
    "lb:LoadBalancer": lambda s, i: f"loadbalancer/{_lb_kind(s)}/{own_name(s)}/{s.hex('arn', 16)}",
    "lb:TargetGroup": lambda s, i: f"targetgroup/{own_name(s)}/{s.hex('arn', 16)}",
    "lb:Listener": lambda s, i: f"listener/{_after(s.text('loadBalancerArn'), 'loadbalancer/')}/{s.hex('arn', 16)}",
    "acm:Certificate": lambda s, i: f"certificate/{s.guid('arn')}",
    "sfn:StateMachine": lambda s, i: f"stateMachine:{own_name(s)}",
    "kinesis:Stream": lambda s, i: f"stream/{own_name(s)}",
    "kinesis:FirehoseDeliveryStream": lambda s, i: f"deliverystream/{own_name(s)}",
    "glue:CatalogDatabase": lambda s, i: f"database/{own_name(s)}",
    "glue:Job": lambda s, i: f"job/{own_name(s)}",
    "glue:Crawler": lambda s, i: f"crawler/{own_name(s)}",
    "athena:Workgroup": lambda s, i: f"workgroup/{own_name(s)}",
    "budgets:Budget": lambda s, i: f"budget/{own_name(s)}",
    "route53:Zone": lambda s, i: f"hostedzone/{_zone_id(s)}",
    "cloudtrail:Trail": lambda s, i: f"trail/{own_name(s)}",
    "backup:Vault": lambda s, i: f"backup-vault:{own_name(s)}",
    "backup:Plan": lambda s, i: f"backup-plan:{s.guid('id')}",
}
_RESOURCE["alb:LoadBalancer"] = _RESOURCE["lb:LoadBalancer"]
_RESOURCE["alb:TargetGroup"] = _RESOURCE["lb:TargetGroup"]
_RESOURCE["alb:Listener"] = _RESOURCE["lb:Listener"]

_ID: Final[dict[str, Callable[[Subject], str]]] = {
    "s3:BucketObject": lambda s: s.text("key"),
    "s3:BucketObjectv2": lambda s: s.text("key"),
    "iam:RolePolicy": lambda s: f"{s.text('role')}:{own_name(s)}",
    "iam:RolePolicyAttachment": lambda s: f"{s.text('role')}-{s.number('id', 26)}",
    "iam:UserPolicyAttachment": lambda s: f"{s.text('user')}-{s.number('id', 26)}",
    "iam:GroupPolicyAttachment": lambda s: f"{s.text('group')}-{s.number('id', 26)}",
    "iam:AccessKey": lambda s: f"AKIA{s.letters('id', 16)}",
    "kms:Key": _kms_id,
    "lambda:Permission": lambda s: s.text("statementId") or f"{s.name}-{s.hex('id', 7)}",
    "lambda:EventSourceMapping": lambda s: s.guid("id"),
    "sqs:Queue": lambda s: f"https://sqs.{s.region}.{_suffix(s)}/{s.connection.account}/{own_name(s)}",
    "secretsmanager:SecretVersion": lambda s: f"{s.text('secretId')}|{s.guid('version')}",
    "ec2:Instance": lambda s: f"i-{s.hex('id', 17)}",
    "ec2:Eip": lambda s: f"eipalloc-{s.hex('id', 17)}",
    "ec2:RouteTableAssociation": lambda s: f"rtbassoc-{s.hex('id', 17)}",
    "ec2:Route": lambda s: f"r-{s.text('routeTableId')}{s.number('id', 10)}",
    "ec2:SecurityGroupRule": lambda s: f"sgrule-{s.number('id', 10)}",
    "ec2:KeyPair": lambda s: s.text("keyName"),
    "rds:Instance": lambda s: f"db-{s.letters('id', 26)}",
    "rds:Cluster": lambda s: s.text("clusterIdentifier"),
    "route53:Zone": _zone_id,
    "route53:Record": lambda s: "_".join((s.text("zoneId"), s.text("name"), s.text("type"))),
    "cloudwatch:Dashboard": lambda s: s.text("dashboardName"),
    "cloudwatch:EventTarget": lambda s: f"{s.text('rule')}-{s.text('targetId') or s.number('id', 26)}",
    "cloudfront:Distribution": lambda s: f"E{s.letters('id', 13)}",
    "budgets:Budget": lambda s: f"{s.connection.account}:{own_name(s)}",
    "apigateway:RestApi": lambda s: s.hex("id", 10),
    "apigatewayv2:Api": lambda s: s.hex("id", 10),
    "backup:Plan": lambda s: s.guid("id"),
    "glue:CatalogDatabase": lambda s: f"{s.connection.account}:{own_name(s)}",
    "ecs:TaskDefinition": lambda s: s.text("family"),
    "eks:NodeGroup": lambda s: f"{s.text('clusterName')}:{s.text('nodeGroupName') or own_name(s)}",
}
_EC2_IDS: Final = (
    ("securitygroup", "sg"),
    ("subnet", "subnet"),
    ("networkacl", "acl"),
    ("networkinterface", "eni"),
    ("internetgateway", "igw"),
    ("natgateway", "nat"),
    ("routetable", "rtb"),
    ("dhcpoptions", "dopt"),
    ("transitgateway", "tgw"),
    ("allocation", "eipalloc"),
    ("association", "rtbassoc"),
    ("snapshot", "snap"),
    ("instance", "i"),
    ("volume", "vol"),
    ("image", "ami"),
    ("vpc", "vpc"),
)


def arn(subject: Subject, id_: str) -> str:
    """The ARN of a resource."""
    service = _SERVICE_BY_KIND.get(subject.kind) or _ARN_SERVICE.get(subject.service, subject.service)
    partition = subject.connection.partition
    if subject.kind.startswith("s3:Bucket"):
        return f"arn:{partition}:s3:::{subject.text('bucket')}"
    region = "" if service in _GLOBAL or service in _NO_ACCOUNT else subject.region
    account = "" if service in _NO_ACCOUNT else subject.connection.account
    part = _RESOURCE.get(subject.kind)
    resource = (
        part(subject, id_) if part else f"{_kebab(subject.type.class_name)}/{_last(id_) or _unique_name(subject)}"
    )
    return f"arn:{partition}:{service}:{region}:{account}:{resource}"


def identify(subject: Subject) -> str:
    """The id in the service's own form."""
    rule = _ID.get(subject.kind)
    if rule is not None:
        return rule(subject)
    if subject.service == "s3" and subject.text("bucket"):
        return subject.text("bucket")
    example = next(iter(subject.type.import_ids), "")
    prefixed = _PREFIXED.match(example)
    if prefixed:
        return f"{prefixed[1]}-{subject.hex('id', 17)}"
    if example.startswith("arn:"):
        return arn(subject, "")
    if _GUID.match(example):
        return subject.guid("id")
    return own_name(subject) if subject.text("name") else f"{subject.name}-{subject.hex('id', 7)}"


def compute(subject: Subject, id_: str, output: Property, path: str) -> Any:
    """A computed output in AWS's form."""
    if path in _TOP:
        return _TOP[path](subject, id_)
    by_kind = _BY_KIND.get(f"{subject.kind}.{path}")
    if by_kind is not None:
        return by_kind(subject, id_)
    return _by_name(subject, output.name, path) if output.type.kind == "string" and output.required else SKIP


def _by_name(subject: Subject, name: str, path: str) -> Any:
    """A string output whose name says what it is."""
    lower, connection = name.lower(), subject.connection
    if lower.endswith("arn") and path not in subject.type.inputs:
        what = f"{_kebab(name[:-3]) or 'resource'}/{subject.hex(path, 12)}"
        return f"arn:{connection.partition}:{subject.service}:{subject.region}:{connection.account}:{what}"
    if lower.endswith("availabilityzone"):
        return f"{subject.region}a"
    prefix = next((prefix for word, prefix in _EC2_IDS if lower.endswith(f"{word}id")), "")
    return f"{prefix}-{subject.hex(path, 17)}" if prefix else SKIP


_TOP: Final[dict[str, Callable[[Subject, str], Any]]] = {
    "arn": arn,
    "region": lambda s, i: s.region,
    "tagsAll": lambda s, i: _tags_all(s),
    "accountId": lambda s, i: s.connection.account,
    "ownerId": lambda s, i: s.connection.account,
    "registryId": lambda s, i: s.connection.account,
    "keyId": lambda s, i: i,
}
_BY_KIND: Final[dict[str, Callable[[Subject, str], Any]]] = {
    "s3:Bucket.bucketRegion": lambda s, i: s.region,
    "s3:Bucket.bucketDomainName": lambda s, i: f"{i}.s3.{_suffix(s)}",
    "s3:Bucket.bucketRegionalDomainName": lambda s, i: f"{i}.s3.{s.region}.{_suffix(s)}",
    "s3:Bucket.hostedZoneId": lambda s, i: "Z3AQBSTGFYJSTF",
    "s3:Bucket.websiteEndpoint": lambda s, i: f"{i}.s3-website-{s.region}.{_suffix(s)}" if s.given("website") else SKIP,
    "iam:Role.uniqueId": lambda s, i: f"AROA{s.letters('unique', 17)}",
    "iam:User.uniqueId": lambda s, i: f"AIDA{s.letters('unique', 17)}",
    "iam:Policy.policyId": lambda s, i: f"ANPA{s.letters('unique', 17)}",
    "iam:Role.createDate": lambda s, i: "2025-01-01T00:00:00Z",
    "lambda:Function.invokeArn": lambda s, i: (
        f"arn:{s.connection.partition}:apigateway:{s.region}:lambda:path/2015-03-31/functions/{arn(s, i)}/invocations"
    ),
    "lambda:Function.qualifiedArn": lambda s, i: f"{arn(s, i)}:$LATEST",
    "lambda:Function.version": lambda s, i: "$LATEST",
    "sqs:Queue.url": lambda s, i: i,
    "kms:Alias.targetKeyArn": lambda s, i: _key_arn(s, s.text("targetKeyId")),
    "ecr:Repository.repositoryUrl": lambda s, i: (
        f"{s.connection.account}.dkr.ecr.{s.region}.{_suffix(s)}/{own_name(s)}"
    ),
    "eks:Cluster.endpoint": lambda s, i: f"https://{s.letters('ep', 32)}.gr7.{s.region}.eks.{_suffix(s)}",
    "rds:Instance.endpoint": lambda s, i: f"{_rds_host(s, 'identifier')}:{s.text('port') or _port(s)}",
    "rds:Instance.address": lambda s, i: _rds_host(s, "identifier"),
    "rds:Instance.port": lambda s, i: _port(s),
    "rds:Instance.resourceId": lambda s, i: i,
    "rds:Cluster.endpoint": lambda s, i: _rds_host(s, "clusterIdentifier", "cluster-"),
    "rds:Cluster.readerEndpoint": lambda s, i: _rds_host(s, "clusterIdentifier", "cluster-ro-"),
    "rds:Cluster.port": lambda s, i: _port(s),
    "lb:LoadBalancer.dnsName": lambda s, i: f"{own_name(s)}-{s.number('dns', 10)}.{s.region}.elb.{_suffix(s)}",
    "lb:LoadBalancer.zoneId": lambda s, i: "Z35SXDOTRQ7X7K",
    "lb:LoadBalancer.arnSuffix": lambda s, i: arn(s, i).split(":loadbalancer/", 1)[-1],
    "route53:Zone.zoneId": lambda s, i: i,
    "route53:Zone.nameServers": lambda s, i: [f"ns-{n}.awsdns-{n % 64:02d}.{t}" for n, t in _NAME_SERVERS],
    "cloudfront:Distribution.domainName": lambda s, i: f"d{s.hex('dns', 13)}.cloudfront.net",
    "cloudfront:Distribution.hostedZoneId": lambda s, i: "Z2FDTNDATAQYW2",
    "apigatewayv2:Api.apiEndpoint": lambda s, i: f"https://{i}.execute-api.{s.region}.{_suffix(s)}",
    "apigateway:RestApi.executionArn": lambda s, i: (
        f"arn:{s.connection.partition}:execute-api:{s.region}:{s.connection.account}:{i}"
    ),
    "ec2:Instance.privateDns": lambda s, i: (
        f"ip-10-0-{s.digest('ip')[0]}-{s.digest('ip')[1]}.{s.region}.compute.internal"
    ),
    "ec2:Instance.instanceState": lambda s, i: "running",
    "ssm:Parameter.version": lambda s, i: 1,
    "ecs:TaskDefinition.revision": lambda s, i: 1,
}
for _entry in [k for k in _BY_KIND if k.startswith("lb:")]:
    _BY_KIND[f"a{_entry}"] = _BY_KIND[_entry]

_NAME_SERVERS: Final = ((117, "com"), (730, "net"), (1235, "org"), (1962, "co.uk"))
