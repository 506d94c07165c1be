"""CloudFormation's schemas in the ``cfn-lint`` wheel, by the provider's own type and property names.

Pulumi's aws types and CloudFormation's are two spellings of the same APIs. A type is matched by service and class, a
property by its letters; what does not match has no schema, and nothing is said of it.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from levee.errors import EngineError
from levee.sdk import ResourceType

_TYPES: Final = {
    "alb/loadBalancer:LoadBalancer": "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "amp/ruleGroupNamespace:RuleGroupNamespace": "AWS::APS::RuleGroupsNamespace",
    "apigateway/integration:Integration": "",
    "apigateway/method:Method": "AWS::ApiGateway::Method",
    "appautoscaling/policy:Policy": "AWS::ApplicationAutoScaling::ScalingPolicy",
    "appautoscaling/target:Target": "AWS::ApplicationAutoScaling::ScalableTarget",
    "appsync/function:Function": "AWS::AppSync::FunctionConfiguration",
    "athena/database:Database": "",
    "autoscaling/group:Group": "AWS::AutoScaling::AutoScalingGroup",
    "autoscaling/policy:Policy": "AWS::AutoScaling::ScalingPolicy",
    "autoscaling/schedule:Schedule": "AWS::AutoScaling::ScheduledAction",
    "backup/plan:Plan": "AWS::Backup::BackupPlan",
    "backup/selection:Selection": "AWS::Backup::BackupSelection",
    "backup/vault:Vault": "AWS::Backup::BackupVault",
    "bedrock/inferenceProfile:InferenceProfile": "AWS::Bedrock::ApplicationInferenceProfile",
    "budgets/budgetAction:BudgetAction": "AWS::Budgets::BudgetsAction",
    "cfg/aggregateAuthorization:AggregateAuthorization": "AWS::Config::AggregationAuthorization",
    "cfg/recorder:Recorder": "AWS::Config::ConfigurationRecorder",
    "cfg/rule:Rule": "AWS::Config::ConfigRule",
    "cloudwatch/eventConnection:EventConnection": "AWS::Events::Connection",
    "cloudwatch/eventPermission:EventPermission": "AWS::Events::EventBusPolicy",
    "cloudwatch/logAnomalyDetector:LogAnomalyDetector": "AWS::Logs::LogAnomalyDetector",
    "cloudwatch/metricAlarm:MetricAlarm": "AWS::CloudWatch::Alarm",
    "codedeploy/application:Application": "AWS::CodeDeploy::Application",
    "cognito/identityProvider:IdentityProvider": "AWS::Cognito::UserPoolIdentityProvider",
    "cognito/user:User": "AWS::Cognito::UserPoolUser",
    "cognito/userGroup:UserGroup": "AWS::Cognito::UserPoolGroup",
    "datasync/efsLocation:EfsLocation": "AWS::DataSync::LocationEFS",
    "datasync/nfsLocation:NfsLocation": "AWS::DataSync::LocationNFS",
    "datasync/s3Location:S3Location": "AWS::DataSync::LocationS3",
    "directconnect/gateway:Gateway": "AWS::DirectConnect::DirectConnectGateway",
    "directconnect/linkAggregationGroup:LinkAggregationGroup": "AWS::DirectConnect::Lag",
    "directoryservice/directory:Directory": "AWS::DirectoryService::MicrosoftAD",
    "docdb/clusterInstance:ClusterInstance": "AWS::DocDB::DBInstance",
    "dynamodb/globalTable:GlobalTable": "AWS::DynamoDB::GlobalTable",
    "ebs/snapshot:Snapshot": "",
    "ec2/dedicatedHost:DedicatedHost": "AWS::EC2::Host",
    "ec2/defaultVpc:DefaultVpc": "AWS::EC2::VPC",
    "ec2/internetGatewayAttachment:InternetGatewayAttachment": "AWS::EC2::VPCGatewayAttachment",
    "ec2/launchConfiguration:LaunchConfiguration": "AWS::AutoScaling::LaunchConfiguration",
    "ec2/mainRouteTableAssociation:MainRouteTableAssociation": "",
    "ec2/managedPrefixList:ManagedPrefixList": "AWS::EC2::PrefixList",
    "ec2/networkAclAssociation:NetworkAclAssociation": "AWS::EC2::SubnetNetworkAclAssociation",
    "ec2/networkAclRule:NetworkAclRule": "AWS::EC2::NetworkAclEntry",
    "ec2/peeringConnectionOptions:PeeringConnectionOptions": "",
    "ec2/routeTableAssociation:RouteTableAssociation": "AWS::EC2::SubnetRouteTableAssociation",
    "ec2/securityGroupRule:SecurityGroupRule": "AWS::EC2::SecurityGroupIngress",
    "ec2/spotFleetRequest:SpotFleetRequest": "AWS::EC2::SpotFleet",
    "ec2/spotInstanceRequest:SpotInstanceRequest": "AWS::EC2::Instance",
    "ec2/vpcDhcpOptions:VpcDhcpOptions": "AWS::EC2::DHCPOptions",
    "ec2/vpcDhcpOptionsAssociation:VpcDhcpOptionsAssociation": "AWS::EC2::VPCDHCPOptionsAssociation",
    "ec2/vpcIpam:VpcIpam": "AWS::EC2::IPAM",
    "ec2/vpcIpamPoolCidrAllocation:VpcIpamPoolCidrAllocation": "AWS::EC2::IPAMAllocation",
    "ec2/vpcIpv4CidrBlockAssociation:VpcIpv4CidrBlockAssociation": "AWS::EC2::VPCCidrBlock",
    "ec2/vpcIpv6CidrBlockAssociation:VpcIpv6CidrBlockAssociation": "AWS::EC2::VPCCidrBlock",
    "ec2/vpnGatewayAttachment:VpnGatewayAttachment": "AWS::EC2::VPCGatewayAttachment",
    "elasticache/cluster:Cluster": "AWS::ElastiCache::CacheCluster",
    "elb/loadBalancer:LoadBalancer": "AWS::ElasticLoadBalancing::LoadBalancer",
    "fsx/lustreFileSystem:LustreFileSystem": "AWS::FSx::FileSystem",
    "fsx/ontapFileSystem:OntapFileSystem": "AWS::FSx::FileSystem",
    "fsx/openZfsFileSystem:OpenZfsFileSystem": "AWS::FSx::FileSystem",
    "fsx/windowsFileSystem:WindowsFileSystem": "AWS::FSx::FileSystem",
    "glue/catalogDatabase:CatalogDatabase": "AWS::Glue::Database",
    "glue/catalogTable:CatalogTable": "AWS::Glue::Table",
    "iam/openIdConnectProvider:OpenIdConnectProvider": "AWS::IAM::OIDCProvider",
    "iam/policy:Policy": "AWS::IAM::ManagedPolicy",
    "iam/virtualMfaDevice:VirtualMfaDevice": "AWS::IAM::VirtualMFADevice",
    "kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": "AWS::KinesisFirehose::DeliveryStream",
    "lakeformation/lfTag:LfTag": "AWS::LakeFormation::Tag",
    "neptune/clusterInstance:ClusterInstance": "AWS::Neptune::DBInstance",
    "networkmanager/connection:Connection": "",
    "opensearch/vpcEndpoint:VpcEndpoint": "",
    "organizations/policy:Policy": "AWS::Organizations::Policy",
    "rds/clusterInstance:ClusterInstance": "AWS::RDS::DBInstance",
    "rds/clusterParameterGroup:ClusterParameterGroup": "AWS::RDS::DBClusterParameterGroup",
    "redshift/parameterGroup:ParameterGroup": "AWS::Redshift::ClusterParameterGroup",
    "redshift/subnetGroup:SubnetGroup": "AWS::Redshift::ClusterSubnetGroup",
    "route53/record:Record": "AWS::Route53::RecordSet",
    "route53/zone:Zone": "AWS::Route53::HostedZone",
    "s3/bucketObject:BucketObject": "",
    "s3control/accessPointPolicy:AccessPointPolicy": "",
    "sagemaker/endpointConfiguration:EndpointConfiguration": "AWS::SageMaker::EndpointConfig",
    "ses/template:Template": "AWS::SES::Template",
    "ssm/patchGroup:PatchGroup": "",
    "transfer/sshKey:SshKey": "",
    "vpc/securityGroupEgressRule:SecurityGroupEgressRule": "AWS::EC2::SecurityGroupEgress",
    "vpc/securityGroupIngressRule:SecurityGroupIngressRule": "AWS::EC2::SecurityGroupIngress",
    "vpclattice/listenerRule:ListenerRule": "AWS::VpcLattice::Rule",
    "wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": "AWS::WAFv2::LoggingConfiguration",
}
"""Types whose class differs beyond spelling; empty where an equal name means another thing."""
_SERVICES: Final[Mapping[str, tuple[str, ...]]] = {
    "acm": ("CertificateManager",),
    "alb": ("ElasticLoadBalancingV2",),
    "amp": ("APS",),
    "appautoscaling": ("ApplicationAutoScaling",),
    "appconfig": ("AppConfig", "AppIntegrations"),
    "bcmdata": ("BCMDataExports",),
    "bedrock": ("Bedrock", "BedrockAgentCore"),
    "bedrockfoundation": ("Bedrock",),
    "bedrockmodel": ("Bedrock",),
    "cfg": ("Config",),
    "chimesdkmediapipelines": ("Chime",),
    "cloudhsmv2": ("CloudHSM",),
    "cloudwatch": ("CloudWatch", "Logs", "Events"),
    "codestarconnections": ("CodeStarConnections", "CodeConnections"),
    "costexplorer": ("CE",),
    "ebs": ("EC2",),
    "ec2": ("EC2", "AutoScaling"),
    "ec2clientvpn": ("EC2",),
    "ec2transitgateway": ("EC2",),
    "ecrpublic": ("ECR",),
    "elasticsearch": ("Elasticsearch",),
    "elb": ("ElasticLoadBalancing",),
    "inspector2": ("InspectorV2",),
    "keyspaces": ("Cassandra",),
    "kinesis": ("Kinesis", "KinesisFirehose"),
    "lb": ("ElasticLoadBalancingV2",),
    "macie2": ("Macie",),
    "mailmanager": ("SES",),
    "mq": ("AmazonMQ",),
    "mskconnect": ("KafkaConnect",),
    "opensearch": ("OpenSearchService", "OpenSearchServerless"),
    "opensearchingest": ("OSIS",),
    "resourceexplorer": ("ResourceExplorer2",),
    "route53": ("Route53", "Route53Resolver", "Route53Profiles"),
    "s3": ("S3", "S3Express"),
    "s3control": ("S3", "S3Outposts"),
    "schemas": ("EventSchemas",),
    "serverlessrepository": ("ServerlessRepo",),
    "servicecatalog": ("ServiceCatalog", "ServiceCatalogAppRegistry"),
    "sesv2": ("SES",),
    "sfn": ("StepFunctions",),
    "ssoadmin": ("SSO",),
    "timestreaminfluxdb": ("Timestream",),
    "timestreamquery": ("Timestream",),
    "timestreamwrite": ("Timestream",),
    "verifiedaccess": ("EC2",),
    "vpc": ("EC2",),
    "xray": ("XRay",),
}
_PREFIXES: Final[Mapping[str, tuple[str, ...]]] = {
    "appconfig": ("Hosted",),
    "cloudfront": ("CloudFront",),
    "cognito": ("UserPool",),
    "docdb": ("DB",),
    "ec2": ("Vpc", "EC2", "Ec2"),
    "ec2clientvpn": ("ClientVpn",),
    "ec2transitgateway": ("TransitGateway",),
    "ecrpublic": ("Public",),
    "emr": ("Cluster",),
    "elasticache": ("Cache",),
    "iot": ("Thing", "Topic"),
    "mailmanager": ("MailManager",),
    "neptune": ("DB",),
    "rds": ("DB",),
    "redshift": ("Cluster",),
    "timestreaminfluxdb": ("InfluxDB",),
    "verifiedaccess": ("VerifiedAccess", "VerifiedAccessTrust"),
}
"""What CloudFormation writes before the class of a module."""
_ALWAYS_PREFIXED: Final = frozenset({"ec2clientvpn", "ec2transitgateway", "verifiedaccess", "ecrpublic"})
"""Modules whose bare class is another thing of the service."""
_DROPPED: Final = (
    ("bedrock", "Agent"),
    ("bedrock", "Agentcore"),
    ("cloudwatch", "Event"),
    ("cloudwatch", "Log"),
    ("ec2", "Default"),
    ("ec2", "Vpc"),
    ("glue", "Catalog"),
    ("kinesis", "Firehose"),
    ("opensearch", "Serverless"),
    ("route53", "Profiles"),
    ("route53", "Resolver"),
)
"""What CloudFormation leaves out of the class of a module."""


_MAX_REFERENCES: Final = 5
_BODIES: Final = frozenset({"policy", "document", "content", "template", "definition", "description"})
"""Words that name what a resource holds, though its own name has them too."""


@dataclass(frozen=True)
class CloudFormationType:
    """One CloudFormation schema.

    Attributes:
        name: ``AWS::S3::Bucket``.
        schema: The resource provider schema.
    """

    name: str
    schema: Mapping[str, Any]

    @cached_property
    def create_only(self) -> frozenset[str]:
        """Paths whose change replaces the resource (``createOnlyProperties``): ``Name``, ``Budget/BudgetName``."""
        pointers: Sequence[str] = self.schema.get("createOnlyProperties", ())
        return frozenset(p.removeprefix("/properties/") for p in pointers)

    def replaces(self, path: str) -> bool:
        """Whether a change of a property, by its path here, replaces the resource."""
        outer = path.split("/", maxsplit=1)[0]
        return path in self.create_only or outer in self.create_only

    @cached_property
    def _by_letters(self) -> Mapping[str, str]:
        """Letters to path: properties, and those inside an object that only wraps them (``DistributionConfig``)."""
        top = self.schema.get("properties", {})
        found: dict[str, str] = {}
        for outer in top:
            for inner in self.property(outer).get("properties", {}):
                found.setdefault(letters(inner), f"{outer}/{inner}")
        return {**found, **{letters(name): name for name in top}}

    def spelled(self, type_: ResourceType, name: str) -> str:
        """CloudFormation's name of the type's property; empty where it has none."""
        wanted = letters(name)
        stems = {letters(self.name.rsplit("::", 1)[-1]), letters(type_.class_name)}
        guesses = [wanted, *(f"{stem}{wanted}" for stem in stems), f"{wanted}s", wanted.removesuffix("s")]
        guesses += [f"{wanted}document", f"db{wanted}", wanted.removeprefix("db")]
        if type_.inputs[name].type.kind == "string" and any(wanted in stem for stem in stems) and wanted not in _BODIES:
            guesses.append(f"{wanted}name")
        if wanted in {"name", "identifier"}:
            guesses += [f"{self._own_stem}name", f"{self._own_stem}identifier"]
        return next((self._by_letters[g] for g in guesses if g in self._by_letters), "")

    @cached_property
    def _own_stem(self) -> str:
        primary = next(iter(self.schema.get("primaryIdentifier", ())), "").rsplit("/", 1)[-1]
        return letters(primary).removesuffix("name").removesuffix("identifier").removesuffix("id")

    def property(self, path: str) -> Mapping[str, Any]:
        """The schema of a property by its path here, references followed; empty where there is none."""
        found: Mapping[str, Any] = self.schema
        for name in path.split("/"):
            found = self._followed(found.get("properties", {}).get(name, {}))
        return found

    def _followed(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        for _ in range(_MAX_REFERENCES):
            if "$ref" not in schema:
                break
            schema = self.schema.get("definitions", {}).get(str(schema["$ref"]).rsplit("/", 1)[-1], {})
        return schema


@functools.cache
def find(token: str) -> CloudFormationType | None:
    """The CloudFormation type of an aws type token, or ``None``."""
    name = _name(token.removeprefix("aws:"))
    digest = _digests().get(name)
    if digest is None:
        return None
    return CloudFormationType(name, json.loads((_folder() / "resources" / f"{digest}.json").read_bytes()))


def _name(middle: str) -> str:
    known = _TYPES.get(middle)
    if known is not None:
        return known
    module, class_name = middle.split("/", maxsplit=1)[0], middle.rsplit(":", 1)[-1]
    for service in _SERVICES.get(module, (module,)):
        for guess in _classes(module, class_name):
            name = _index().get(f"{letters(service)}::{letters(guess)}")
            if name is not None:
                return name
    return ""


def _classes(module: str, class_name: str) -> Iterator[str]:
    """The class as CloudFormation may write it, the likeliest first."""
    bare = re.sub(r"[Vv]\d$", "", class_name)
    for prefix in _PREFIXES.get(module, ()) if module in _ALWAYS_PREFIXED else ():
        yield prefix + bare
    if module in _ALWAYS_PREFIXED:
        return
    yield class_name
    yield bare
    for prefix in _PREFIXES.get(module, ()):
        yield prefix + bare
    for in_module, dropped in _DROPPED:
        if in_module == module and bare.startswith(dropped):
            yield bare.removeprefix(dropped)
    yield bare.removesuffix("Configuration")
    yield f"{module}{bare}"
    yield f"{bare}Definition"


@functools.cache
def _folder() -> Path:
    spec = find_spec("cfnlint")
    if spec is None or spec.origin is None:
        raise EngineError(
            "the CloudFormation schemas are not there: cfn-lint is not installed", fix="install Levee anew"
        )
    return Path(spec.origin).parent / "data" / "schemas"


@functools.cache
def _digests() -> Mapping[str, str]:
    return json.loads((_folder() / "providers" / "us-east-1.json").read_bytes())


@functools.cache
def _index() -> Mapping[str, str]:
    index = {}
    for name in _digests():
        _, service, resource = (*name.split("::"), "", "")[:3]
        index[f"{letters(service)}::{letters(resource)}"] = name
    return index


def letters(name: str) -> str:
    """A name without case, dots and hyphens."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
