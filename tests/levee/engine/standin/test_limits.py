from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from levee.engine.standin.limits import cidr, docs, references, taken_everywhere
from levee.engine.standin.limits.names import NameRule, rule_of, table
from levee.engine.standin.name_property import name_property
from levee.engine.standin.naming import Creation, automatic_name
from levee.engine.standin.values import UNKNOWN, Secret
from levee.sdk import ResourceType, Sdk

if TYPE_CHECKING:
    from conftest import Client, Served

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "naming.md"
ROWS = [pytest.param(rule, id=f"{rule.type}#{rule.property}") for rule in table()]
LOGICAL = ("my-resource", "MyThing", "lake_raw.v1", "x" * 100, "a")
UNNAMEABLE = {"azure-native:dns:Zone", "azure-native:privatedns:PrivateZone"}
"""A zone's name has a period, which no automatic name has: the real provider's are refused, too."""


def type_of(sdk: Sdk, token: str) -> ResourceType:
    found = sdk.resource(token)
    assert found is not None, token
    return found


@pytest.mark.parametrize("rule", ROWS)
def test_every_row_takes_one_name_and_refuses_others(rule: NameRule) -> None:
    good = (rule.grammar.good + "a" * rule.least)[: max(len(rule.grammar.good), rule.least)]
    if len(good) > rule.most:
        good = "a" * rule.most
    assert rule.broken_by(good) == ""
    assert rule.grammar.bad
    for bad in rule.grammar.bad:
        assert rule.broken_by(bad), bad
    assert "characters" in rule.broken_by("a" * (rule.most + 1))
    assert rule.broken_by("")
    assert rule.source


def test_every_row_is_of_a_type_that_exists_and_has_its_property(sdk: Sdk) -> None:
    for rule in table():
        if rule.type.split(":")[0] not in sdk.packages or "*" in rule.type:
            continue
        type_ = type_of(sdk, rule.type)
        known = rule_of(type_)
        assert known is not None
        assert known.property.split(".")[0] in type_.inputs, rule.type


def test_rows_cover_many_types() -> None:
    assert len({rule.type for rule in table() if "*" not in rule.type}) >= 150


@pytest.mark.slow
def test_rules_cover_many_types_of_every_cloud(sdk: Sdk) -> None:
    counts = {
        name: sum(rule_of(type_of(sdk, token)) is not None for token in package.tokens)
        for name, package in sdk.packages.items()
        if name in {"aws", "azure-native", "gcp", "kubernetes", "databricks"}
    }
    assert counts["aws"] >= 340
    assert counts["azure-native"] >= 145
    assert counts["gcp"] >= 100
    assert counts["kubernetes"] >= 500
    assert counts["databricks"] >= 15


@pytest.mark.parametrize("every", [23, pytest.param(1, marks=pytest.mark.slow)])
def test_automatic_names_keep_every_rule(sdk: Sdk, every: int) -> None:
    ruled = {rule.type for rule in table()}
    for package in sdk.packages.values():
        for token in dict.fromkeys((*package.tokens[::every], *(t for t in package.tokens if t in ruled))):
            type_ = sdk.resource(token)
            rule = rule_of(type_) if type_ is not None and name_property(type_) else None
            if type_ is None or rule is None or token in UNNAMEABLE:
                continue
            for logical in LOGICAL:
                name = automatic_name(type_, Creation(logical, "urn", 0))
                assert rule.broken_by(name) == "", f"{token}: {name}"


REFUSED = [
    ("aws:s3/bucket:Bucket", {"bucket": "My_Bucket"}, "bucket", "lowercase letters, digits", "S3 User Guide"),
    (
        "aws:lb/targetGroup:TargetGroup",
        {"name": "x" * 33},
        "name",
        "33 characters; allowed are 1 to 32",
        "Elastic Load",
    ),
    ("aws:ecr/repository:Repository", {"name": "My Repo"}, "name", "pattern", "AWS::ECR::Repository, RepositoryName"),
    ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/8"}, "cidrBlock", "/16 to /28", "VPC CIDR blocks"),
    ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.1.0/16"}, "cidrBlock", "write '10.0.0.0/16'", "VPC CIDR blocks"),
    (
        "aws:ec2/securityGroup:SecurityGroup",
        {"ingress": [{"protocol": "tcp", "fromPort": 1, "toPort": 1, "cidrBlocks": ["0.0.0.0/0", "10.0.0.0"]}]},
        "ingress[0].cidrBlocks[1]",
        "no range of addresses",
        "Security group rules",
    ),
    (
        "aws:ec2/subnet:Subnet",
        {"vpcId": "subnet-0123456789abcdef0"},
        "vpcId",
        "the id of a subnet, where that of a VPC is asked for",
        "resource ids and ARNs",
    ),
    (
        "aws:lambda/function:Function",
        {"role": "arn:aws:s3:::lake"},
        "role",
        "an IAM role's ARN is asked for",
        "resource ids and ARNs",
    ),
    (
        "aws:ecs/taskDefinition:TaskDefinition",
        {"executionRoleArn": "arn:aws:iam::123456789012:user/ci"},
        "executionRoleArn",
        "an IAM role's ARN",
        "resource ids and ARNs",
    ),
    (
        "azure-native:storage:StorageAccount",
        {"accountName": "my-account"},
        "accountName",
        "lowercase letters and digits",
        "Naming rules and restrictions for Azure resources",
    ),
    (
        "azure-native:network:VirtualNetwork",
        {
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [{"name": "a", "addressPrefix": "10.0.1.0/24"}, {"name": "b", "addressPrefix": "10.0.1.128/25"}],
        },
        "subnets[1].addressPrefix",
        "overlaps '10.0.1.0/24' of 'subnets[0].addressPrefix'",
        "Virtual Network FAQ",
    ),
    (
        "azure-native:network:VirtualNetwork",
        {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [{"addressPrefix": "10.1.1.0/24"}]},
        "subnets[0].addressPrefix",
        "does not lie in the network's 10.0.0.0/16",
        "Virtual Network FAQ",
    ),
    (
        "azure-native:containerservice:ManagedCluster",
        {"networkProfile": {"serviceCidr": "10.0.0.0/16", "dnsServiceIP": "10.1.0.10"}},
        "networkProfile.dnsServiceIP",
        "must lie in serviceCidr",
        "AKS",
    ),
    (
        "azure-native:network:NetworkInterface",
        {
            "ipConfigurations": [
                {"subnet": {"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v"}}
            ]
        },
        "ipConfigurations[0].subnet.id",
        "the id of one of virtualNetworks, where one of subnets is asked for",
        "resource ids",
    ),
    (
        "gcp:compute/network:Network",
        {"name": "My_Net"},
        "name",
        "RFC 1035",
        "Google Cloud",
    ),
    (
        "gcp:compute/subnetwork:Subnetwork",
        {
            "ipCidrRange": "10.0.0.0/20",
            "network": "projects/p/global/networks/n",
            "secondaryIpRanges": [{"rangeName": "pods", "ipCidrRange": "10.0.8.0/24"}],
        },
        "secondaryIpRanges[0].ipCidrRange",
        "overlaps '10.0.0.0/20'",
        "Google Cloud",
    ),
    (
        "gcp:compute/subnetwork:Subnetwork",
        {"ipCidrRange": "10.0.0.0/20", "network": "projects/p/regions/r/subnetworks/s"},
        "network",
        "one of subnetworks, where one of networks is asked for",
        "resource names",
    ),
    (
        "kubernetes:core/v1:ConfigMap",
        {"metadata": {"name": "My_Config"}},
        "metadata.name",
        "RFC 1123 subdomain",
        "Kubernetes",
    ),
    ("databricks:index/catalog:Catalog", {"name": "raw.sales"}, "name", "no period, space", "Unity Catalog"),
]


@pytest.mark.parametrize(
    ("token", "inputs", "path", "rule", "source"), REFUSED, ids=[f"{r[0]}.{r[2]}" for r in REFUSED]
)
def test_what_a_cloud_refuses_is_refused_with_its_rule(
    served: Served, token: str, inputs: dict[str, Any], path: str, rule: str, source: str
) -> None:
    client = served.connect(token.split(":", maxsplit=1)[0])
    _, failures = client.check(token, "it", inputs)
    assert path in failures, failures
    told = failures[path]
    assert f"'{path}' of {token} is " in told
    assert rule in told
    assert source in told


def test_what_is_unknown_or_secret_is_not_judged(served: Served) -> None:
    aws = served.connect("aws", region="eu-west-1")
    for value in (UNKNOWN, Secret("NOT A BUCKET")):
        _, failures = aws.check("aws:s3/bucket:Bucket", "it", {"bucket": value})
        assert failures == {}
    _, failures = aws.check("aws:ec2/subnet:Subnet", "it", {"vpcId": UNKNOWN, "cidrBlock": UNKNOWN})
    assert failures == {}


def _network(served: Served) -> tuple[Client, str]:
    aws = served.connect("aws", region="eu-west-1")
    vpc, _ = aws.create("aws:ec2/vpc:Vpc", "net", {"cidrBlock": "10.4.0.0/16"})
    aws.create("aws:ec2/subnet:Subnet", "a", {"vpcId": vpc, "cidrBlock": "10.4.0.0/24"})
    return aws, vpc


def test_a_subnet_lies_in_its_network_and_beside_the_others(served: Served) -> None:
    aws, vpc = _network(served)
    outside = {"vpcId": vpc, "cidrBlock": "10.5.0.0/24"}
    across = {"vpcId": vpc, "cidrBlock": "10.4.0.128/25"}
    assert "does not lie in 10.4.0.0/16" in aws.check("aws:ec2/subnet:Subnet", "b", outside)[1]["cidrBlock"]
    assert "overlaps '10.4.0.0/24' of 'a'" in aws.check("aws:ec2/subnet:Subnet", "b", across)[1]["cidrBlock"]
    assert aws.check("aws:ec2/subnet:Subnet", "b", {"vpcId": vpc, "cidrBlock": "10.4.1.0/24"})[1] == {}
    assert aws.check("aws:ec2/subnet:Subnet", "renamed", across, olds=across)[1] == {}, "it exists already"
    with pytest.raises(grpc.RpcError, match=r"Conflict: .*overlaps"):
        aws.create("aws:ec2/subnet:Subnet", "b", across)
    aws.read("aws:ec2/vpc:Vpc", "got", "vpc-0fedcba9876543210", {}, {})
    invented = {"vpcId": "vpc-0fedcba9876543210", "cidrBlock": "192.168.0.0/24"}
    assert aws.check("aws:ec2/subnet:Subnet", "c", invented)[1] == {}, "invented ranges say nothing"
    elsewhere = {"vpcId": "vpc-0123456789abcdef0", "cidrBlock": "10.4.0.0/24"}
    assert aws.check("aws:ec2/subnet:Subnet", "c", elsewhere)[1] == {}, "a network that nobody knows is not judged"


def test_subnets_of_azure_and_google_lie_beside_the_others(served: Served) -> None:
    azure = served.connect("azure-native")
    group = {"resourceGroupName": "rg", "virtualNetworkName": "vnet"}
    azure.create(
        "azure-native:network:VirtualNetwork", "v", {**group, "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
    )
    azure.create("azure-native:network:Subnet", "a", {**group, "subnetName": "a", "addressPrefix": "10.0.0.0/24"})
    subnet = "azure-native:network:Subnet"
    assert "does not lie in" in azure.check(subnet, "b", {**group, "addressPrefix": "10.1.0.0/24"})[1]["addressPrefix"]
    assert "overlaps" in azure.check(subnet, "b", {**group, "addressPrefix": "10.0.0.0/25"})[1]["addressPrefix"]
    gcp = served.connect("gcp", project="acme")
    made = {"network": "projects/acme/global/networks/core", "ipCidrRange": "10.0.0.0/20", "region": "europe-west1"}
    gcp.create("gcp:compute/subnetwork:Subnetwork", "a", {**made, "name": "a"})
    other = {**made, "name": "b", "region": "us-east1"}
    assert "overlaps" in gcp.check("gcp:compute/subnetwork:Subnetwork", "b", other)[1]["ipCidrRange"]


def test_a_name_that_is_taken_once_for_all_is_refused_in_another_account(served: Served, sdk: Sdk) -> None:
    one = served.connect("aws", region="eu-west-1", allowedAccountIds=["111111111111"])
    two = served.connect("aws", region="us-east-1", allowedAccountIds=["222222222222"])
    one.create("aws:s3/bucket:Bucket", "a", {"bucket": "lake-raw"})
    with pytest.raises(grpc.RpcError, match="taken once for all accounts"):
        two.create("aws:s3/bucket:Bucket", "b", {"bucket": "lake-raw"})
    one.create("aws:iam/role:Role", "a", {"name": "deployer", "assumeRolePolicy": "{}"})
    two.create("aws:iam/role:Role", "b", {"name": "deployer", "assumeRolePolicy": "{}"})
    assert taken_everywhere(type_of(sdk, "azure-native:storage:StorageAccount"))
    assert not taken_everywhere(type_of(sdk, "azure-native:network:VirtualNetwork"))


@pytest.mark.parametrize("rule", cidr.CIDR_RULES, ids=[f"{r.type}.{r.path}" for r in cidr.CIDR_RULES])
def test_every_range_rule_takes_one_and_refuses_one(sdk: Sdk, rule: cidr.CidrRule) -> None:
    type_ = sdk.resource(rule.type) or sdk.resource(_spelled_out(rule.type))
    if type_ is None:
        assert rule.type.split(":")[0] not in sdk.packages, rule.type
        return
    assert [p for p, _ in cidr.wrong(type_, _placed(rule.path, rule.good))] == []
    assert [p for p, _ in cidr.wrong(type_, _placed(rule.path, rule.bad))] == [rule.path.replace("*", "0")]


def _spelled_out(glob: str) -> str:
    head, _, _ = glob.rpartition(":")
    file = head.rsplit("/", 1)[-1]
    return f"{head}:{file[:1].upper()}{file[1:]}"


def _placed(path: str, value: str) -> dict[str, Any]:
    name, _, rest = path.partition(".")
    inner: Any = _placed(rest, value) if rest else value
    return {name.removesuffix("[*]"): [inner] if name.endswith("[*]") else inner}


def test_the_page_of_the_rules_is_fresh() -> None:
    assert docs.page() == PAGE.read_text(encoding="utf-8"), "run `make docs`"


KNOWN_BAD = 10
"""Examples in the SDKs' documentation that no cloud would take (``name="stack name"``)."""


@pytest.mark.slow
def test_documented_examples_are_not_refused(sdk: Sdk) -> None:
    """Programs that the providers' own documentation shows keep the rules, but for a handful of slips."""
    seen, refused = 0, []
    for package in ("aws", "azure-native", "databricks", "gcp", "kubernetes"):
        for token in sdk.packages[package].tokens:
            type_ = type_of(sdk, token)
            rule = rule_of(type_)
            for inputs in _examples(sdk, type_):
                seen += 1
                name = inputs.get(rule.property) if rule is not None else None
                if rule is not None and isinstance(name, str) and rule.broken_by(name):
                    refused.append((token, name))
                refused += [(token, p) for p, _ in (*cidr.wrong(type_, inputs), *references.wrong(type_, inputs))]
    assert seen > 4000
    assert len(set(refused)) <= KNOWN_BAD, refused


def _examples(sdk: Sdk, type_: ResourceType) -> Iterator[Mapping[str, Any]]:
    """The literal arguments of every call of a type's class in its docstring."""
    folder = sdk.site_packages.joinpath(*type_.module.split("."))
    text = folder.with_suffix(".py").read_text(encoding="utf-8")
    spelled = {p.python_name: name for name, p in type_.inputs.items()}
    for block in dict.fromkeys(re.findall(r"```python\n(.*?)```", text, re.DOTALL)):
        try:
            tree = ast.parse(textwrap.dedent(block))
        except SyntaxError:
            continue
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == type_.class_name:
                known = {spelled[k.arg]: _literal(k.value) for k in call.keywords if k.arg in spelled}
                yield {k: v for k, v in known.items() if v is not None}


def _literal(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List):
        return [_literal(item) for item in node.elts]
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return {
            _camel(k.value): _literal(v) for k, v in pairs if isinstance(k, ast.Constant) and isinstance(k.value, str)
        }
    return None


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)
