from __future__ import annotations

import base64
import importlib
import json
import re
from collections.abc import Callable
from ipaddress import IPv4Network
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
import pytest
from pulumi.runtime import rpc

from levee.engine.standin.answers import EXACT, MODULES, TABLE, Ask
from levee.engine.standin.check import Checker
from levee.engine.standin.cloud import SimulatedCloud
from levee.engine.standin.clouds.policy_document import render
from levee.engine.standin.connection import connect
from levee.engine.standin.journal import Journal
from levee.engine.standin.lookups import Lookups
from levee.engine.standin.outputs import Outputs
from levee.engine.standin.own_answers import load
from levee.engine.standin.terraform_state import READS
from levee.engine.standin.values import UNKNOWN, Secret
from levee.errors import UsageError
from levee.sdk import Sdk

if TYPE_CHECKING:
    from conftest import Served


def invented(served: Served) -> list[dict[str, Any]]:
    return [x for x in map(json.loads, served.log.read_text().splitlines()) if x["kind"] == "invented_lookup"]


MORE_SDKS = next(Path(__file__).parents[4].glob("tools/sdks/.venv/lib/python*/site-packages"), Path("absent"))
"""SDKs that nothing of Levee imports."""
REGION, ACCOUNT = "eu-west-1", "123456789012"


def straight(sdk: Sdk, **more: Any) -> Lookups:
    return Lookups(Outputs(sdk), Journal(None), **more)


def ask_functions(sdk: Sdk, every: int = 1) -> int:
    """Ask every n-th function without arguments; each answer has every required output, of its type."""
    asked = 0
    for name, package in sdk.packages.items():
        lookups, connection = straight(sdk), connect(name, "", {}, Journal(None))
        for token in sorted(set(package.function_tokens) - set(READS))[::every]:
            function = sdk.function(token)
            if function is None:
                assert token in UNREAD, token
                continue
            answer = lookups.answer(function, {}, connection)
            wrong = [f for f in Checker(sdk).check(answer, function.outputs) if f.path.count(".") < DEPTH]
            assert not wrong, f"{token}: {wrong[0]}"
            asked += 1
    return asked


def test_functions_of_every_installed_sdk_answer_in_their_types(sdk: Sdk) -> None:
    assert ask_functions(sdk, every=40) > 90


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_function_of_every_installed_sdk_answers_in_its_types(sdk: Sdk) -> None:
    assert ask_functions(sdk) > 4000


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(not MORE_SDKS.is_dir(), reason="`make sdks` installs tools/sdks")
def test_functions_of_many_more_sdks_answer_in_their_types() -> None:
    assert ask_functions(Sdk(MORE_SDKS), every=5) > 1500


UNREAD = {"kubernetes:helm:template", "kubernetes:kustomize:directory", "kubernetes:yaml:decode"} | {
    f"azure-native:{name}"
    for name in (
        "automanage:getConfigurationProfileHCIAssignment",
        "automanage:getConfigurationProfileHCRPAssignment",
        "guestconfiguration:getGuestConfigurationHCRPAssignment",
    )
}
"""Functions of the Kubernetes SDK that no class describes, and names that the reader spells otherwise."""
DEPTH = 6
"""Types that hold themselves are filled in to this depth."""


def test_the_table_holds_the_commonest_and_says_more_than_types(sdk: Sdk) -> None:
    here = [token for token in TABLE if token.split(":")[0] in sdk.packages]
    assert len(here) >= 140
    for token in here:
        function = sdk.function(token)
        assert function is not None, token
        package = token.split(":")[0]
        known = TABLE[token](Ask(connect(package, "", {}, Journal(None)), dict.fromkeys(function.inputs)))
        assert known.keys() & function.outputs.keys(), token


def test_no_function_is_answered_by_two_modules() -> None:
    assert len(TABLE) == sum(len(m.ANSWERS.exact) + len(m.ANSWERS.invented) for m in MODULES)
    assert EXACT.items() <= TABLE.items()


@pytest.mark.filterwarnings("ignore::DeprecationWarning:pulumi_")  # of resources, met on import
def test_the_sdks_own_result_classes_take_every_answer_of_the_table(sdk: Sdk) -> None:
    for token in TABLE:
        function = sdk.function(token)
        if function is None:
            continue
        answer = straight(sdk).answer(function, {}, connect(function.package, "", {}, Journal(None)))
        module = importlib.import_module(function.module)
        name = token.rsplit(":", 1)[-1]
        (result,) = [c for n, c in vars(module).items() if n.lower() == f"{name}result".lower()]
        spelled = {output.name: output.python_name for output in function.outputs.values()}
        made = rpc.translate_output_properties(answer, lambda key, names=spelled: names.get(key, key), typ=result)
        for output in function.outputs.values():
            if output.required:
                assert pulumi.get(made, output.python_name) is not None, f"{token}.{output.name}"


def test_answers_agree_with_each_other(served: Served) -> None:
    aws = served.connect("aws", region=REGION)
    vpc = aws.invoke("aws:ec2/getVpc:getVpc", default=True)[0]
    ids = aws.invoke("aws:ec2/getSubnets:getSubnets", filters=[{"name": "vpc-id", "values": [vpc["id"]]}])[0]["ids"]
    zones = aws.invoke("aws:index/getAvailabilityZones:getAvailabilityZones")[0]
    subnets = [aws.invoke("aws:ec2/getSubnet:getSubnet", id=id_)[0] for id_ in ids]
    assert [s["availabilityZone"] for s in subnets] == zones["names"]
    assert [s["availabilityZoneId"] for s in subnets] == zones["zoneIds"]
    assert {s["vpcId"] for s in subnets} == {vpc["id"]}
    blocks = [IPv4Network(s["cidrBlock"]) for s in subnets]
    assert all(b.subnet_of(IPv4Network(vpc["cidrBlock"])) for b in blocks)
    assert not any(a.overlaps(b) for a, b in combinations(blocks, 2))
    group = aws.invoke("aws:ec2/getSecurityGroup:getSecurityGroup", name="default", vpcId=vpc["id"])[0]
    assert aws.invoke("aws:ec2/getSecurityGroup:getSecurityGroup", id=group["id"])[0]["vpcId"] == vpc["id"]
    alias = aws.invoke("aws:kms/getAlias:getAlias", name="alias/app")[0]
    assert aws.invoke("aws:kms/getKey:getKey", keyId="alias/app")[0]["arn"] == alias["targetKeyArn"]
    other = served.connect("aws", region="us-east-1")
    assert other.invoke("aws:ec2/getVpc:getVpc", default=True)[0]["id"] != vpc["id"]
    assert other.invoke("aws:index/getAvailabilityZones:getAvailabilityZones")[0]["names"][0] == "us-east-1a"


def test_answers_follow_their_arguments(served: Served) -> None:
    aws = served.connect("aws", region=REGION)
    ask = aws.invoke
    zones = "aws:index/getAvailabilityZones:getAvailabilityZones"
    assert ask(zones, excludeNames=["eu-west-1b"])[0]["names"] == ["eu-west-1a", "eu-west-1c"]
    assert ask("aws:lb/getHostedZoneId:getHostedZoneId", region="us-east-1")[0]["id"] == "Z35SXDOTRQ7X7K"
    nlb = ask("aws:lb/getHostedZoneId:getHostedZoneId", region="us-east-1", loadBalancerType="network")[0]
    assert nlb["id"] == "Z26RNL4JYFTOTI"
    cache = ask("aws:cloudfront/getCachePolicy:getCachePolicy", name="Managed-CachingOptimized")[0]
    assert cache["id"] == "658327ea-f89d-4fab-a63d-7e88639e58f6"
    engine = ask("aws:rds/getEngineVersion:getEngineVersion", engine="mysql", version="8.0")[0]
    assert (engine["versionActual"], engine["parameterGroupFamily"]) == ("8.0.43", "mysql8.0")
    role = ask("aws:iam/getRole:getRole", name="deployer")[0]
    assert role["arn"] == f"arn:aws:iam::{ACCOUNT}:role/deployer"
    ubuntu = ask("aws:ec2/getAmi:getAmi", owners=["099720109477"], mostRecent=True)[0]
    assert (ubuntu["ownerId"], ubuntu["imageOwnerAlias"]) == ("099720109477", "canonical")
    azure = served.connect("azure-native", location="westeurope")
    creds, _ = azure.invoke(
        "azure-native:containerservice:listManagedClusterUserCredentials", resourceGroupName="rg", resourceName="aks"
    )
    config = json.loads(base64.b64decode(creds["kubeconfigs"][0]["value"]))
    assert config["current-context"] == "aks"
    assert config["clusters"][0]["cluster"]["server"].endswith(".hcp.westeurope.azmk8s.io:443")
    gcp = served.connect("gcp", project="acme", region="europe-west4")
    image = gcp.invoke("gcp:compute/getImage:getImage", family="debian-12", project="debian-cloud")[0]
    assert image["selfLink"].endswith("/debian-cloud/global/images/debian-12-bookworm-v20250113")
    account = gcp.invoke("gcp:serviceaccount/getAccount:getAccount", accountId="ci")[0]
    assert account["email"] == "ci@acme.iam.gserviceaccount.com"
    policy = gcp.invoke(
        "gcp:organizations/getIAMPolicy:getIAMPolicy",
        bindings=[{"role": "roles/viewer", "members": ["user:b@x.org", "user:a@x.org"]}],
    )[0]
    wanted = {"bindings": [{"members": ["user:a@x.org", "user:b@x.org"], "role": "roles/viewer"}]}
    assert json.loads(policy["policyData"]) == wanted
    assert policy["policyData"] == json.dumps(wanted, separators=(",", ":"))


def test_a_lookup_finds_what_the_stack_made_and_what_was_put_there(served: Served) -> None:
    aws = served.connect("aws", region=REGION)
    vpc, made = aws.create("aws:ec2/vpc:Vpc", "net", {"cidrBlock": "10.4.0.0/16", "tags": {"Name": "net"}})
    subnet, _ = aws.create("aws:ec2/subnet:Subnet", "a", {"vpcId": vpc, "cidrBlock": "10.4.1.0/24"})
    by_id = aws.invoke("aws:ec2/getVpc:getVpc", id=vpc)[0]
    by_tag = aws.invoke("aws:ec2/getVpc:getVpc", filters=[{"name": "tag:Name", "values": ["net"]}])[0]
    assert (by_id["arn"], by_id["cidrBlock"]) == (made["arn"], "10.4.0.0/16")
    assert by_tag["id"] == vpc
    of_vpc = aws.invoke("aws:ec2/getSubnets:getSubnets", filters=[{"name": "vpc-id", "values": [vpc]}])[0]
    assert of_vpc["ids"] == [subnet]
    assert aws.invoke("aws:ec2/getSubnet:getSubnet", id=subnet)[0]["vpcId"] == vpc
    assert aws.invoke("aws:ec2/getVpc:getVpc", default=True)[0]["id"] != vpc
    aws.create("aws:iam/role:Role", "r", {"name": "deployer", "path": "/ci/", "assumeRolePolicy": "{}"})
    assert aws.invoke("aws:iam/getRole:getRole", name="deployer")[0]["path"] == "/ci/"
    elsewhere = served.connect("aws", region="us-east-1")
    assert elsewhere.invoke("aws:ec2/getVpc:getVpc", id=vpc)[0]["cidrBlock"] != "10.4.0.0/16"
    with SimulatedCloud(served.cloud) as cloud:
        cloud.add(
            "gcp:compute/network:Network", "projects/acme/global/networks/core", {"name": "core", "description": "ours"}
        )
        cloud.add(
            "aws:secretsmanager/secretVersion:SecretVersion",
            "s|v",
            {"secretId": "s", "secretString": Secret("hunter2")},
        )
    gcp = served.connect("gcp", project="acme")
    assert gcp.invoke("gcp:compute/getNetwork:getNetwork", name="core")[0]["description"] == "ours"
    azure = served.connect("azure-native")
    group = {"resourceGroupName": "rg", "location": "westus"}
    azure.create("azure-native:resources:ResourceGroup", "rg", group)
    assert azure.invoke("azure-native:resources:getResourceGroup", resourceGroupName="rg")[0]["location"] == "westus"
    secret = aws.invoke("aws:secretsmanager/getSecretVersion:getSecretVersion", secretId="s")[0]
    assert secret["secretString"] != "hunter2", "the cloud's file holds no secret to give back"
    origins = {(x["token"].rsplit(":", 1)[-1], x["origin"]) for x in invented(served)}
    assert {("getVpc", "cloud"), ("getVpc", "table"), ("getNetwork", "cloud")} <= origins
    assert all("invented beside it: " in x["reason"] for x in invented(served) if x["origin"] == "cloud")


def test_realistic_answers(served: Served) -> None:
    aws = served.connect("aws", region="eu-west-1")
    zones, _ = aws.invoke("aws:index/getAvailabilityZones:getAvailabilityZones")
    assert zones["names"] == ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    assert zones["zoneIds"][0] == "euw1-az1"
    ami, _ = aws.invoke(
        "aws:ec2/getAmi:getAmi", mostRecent=True, filters=[{"name": "name", "values": ["al2023-*-arm64"]}]
    )
    assert ami["id"].startswith("ami-")
    assert ami["architecture"] == "arm64"
    assert ami["blockDeviceMappings"], "typed from the SDK beyond the table"
    databricks = served.connect("databricks", host="https://adb-1.2.azuredatabricks.net")
    assert (
        databricks.invoke("databricks:index/getSparkVersion:getSparkVersion", longTermSupport=True)[0]["id"]
        == "17.3.x-scala2.13"
    )
    assert databricks.invoke("databricks:index/getNodeType:getNodeType", minCores=8)[0]["id"] == "Standard_D8ads_v5"
    gcp = served.connect("gcp", project="acme")
    assert gcp.invoke("gcp:organizations/getProject:getProject")[0]["projectId"] == "acme"
    azure = served.connect("azure-native", subscriptionId="sub-1")
    assert azure.invoke("azure-native:authorization:getClientConfig")[0]["subscriptionId"] == "sub-1"
    where = {"resourceGroupName": "rg", "publicIpAddressName": "ip"}
    assert azure.invoke("azure-native:network:getPublicIPAddress", **where)[0]["ipAddress"].startswith("203.0.113.")


def test_a_databases_credentials_are_a_document_and_a_password_is_a_word(served: Served) -> None:
    aws = served.connect("aws", region="eu-west-1")
    token = "aws:secretsmanager/getSecretVersion:getSecretVersion"
    document = json.loads(aws.invoke(token, secretId="prod/db-credentials")[0]["secretString"])
    assert {"username", "password", "host", "port", "dbname", "engine"} <= document.keys()
    assert re.fullmatch(r"[0-9a-f]{32}", aws.invoke(token, secretId="prod/db-password")[0]["secretString"])


def test_every_invented_answer_is_listed_without_secrets(served: Served) -> None:
    aws = served.connect("aws", region="eu-west-1")
    aws.invoke("aws:ec2/getSecurityGroup:getSecurityGroup", name="web", vpcId=Secret("vpc-hidden"))
    (line,) = invented(served)
    assert line["token"] == "aws:ec2/getSecurityGroup:getSecurityGroup"
    assert line["args"] == {"name": "web", "vpcId": "[secret]"}
    named, _ = aws.invoke("aws:secretsmanager/getSecret:getSecret", name=Secret("hidden-name"))
    assert isinstance(named["arn"], Secret), "what follows from a secret is one"
    log = served.log.read_text()
    assert "vpc-hidden" not in log
    assert "hidden-name" not in log


def test_what_follows_from_arguments_and_configuration_is_not_invented(served: Served) -> None:
    aws = served.connect("aws", region="eu-west-1")
    assert aws.invoke("aws:index/getRegion:getRegion")[0]["region"] == "eu-west-1"
    document, _ = aws.invoke("aws:iam/getPolicyDocument:getPolicyDocument", statements=[{"actions": ["s3:*"]}])
    assert json.loads(document["json"])["Statement"] == [{"Effect": "Allow", "Action": "s3:*"}]
    assert invented(served) == []


def test_any_other_lookup_has_the_right_types_and_stays_the_same(served: Served, sdk: Sdk) -> None:
    aws = served.connect("aws", region="eu-west-1")
    token = "aws:msk/getCluster:getCluster"
    function = sdk.function(token)
    assert function is not None
    result, failures = aws.invoke(token, clusterName="events")
    assert failures == []
    assert result.keys() >= {name for name, output in function.outputs.items() if output.required}
    assert result["clusterName"] == "events"
    assert aws.invoke(token, clusterName="events")[0] == result
    assert aws.invoke(token, clusterName="others")[0] != result


def test_unknown_arguments_give_unknown_answers(served: Served) -> None:
    aws = served.connect("aws", region="eu-west-1")
    result, _ = aws.invoke("aws:ec2/getAmi:getAmi", nameRegex=UNKNOWN)
    assert result["id"] is UNKNOWN
    assert invented(served) == []


def test_the_projects_own_answers_come_first_and_are_not_invented(serve: Callable[..., Served], tmp_path: Path) -> None:
    file = tmp_path / "lookups.yaml"
    file.write_text(
        """
lookups:
  - function: aws:ec2/getVpc:getVpc
    args: {tags: {Name: core}}
    result: {id: vpc-core, cidrBlock: 10.8.0.0/16}
"""
    )
    served = serve(lookups=file)
    aws = served.connect("aws", region="eu-west-1")
    result, _ = aws.invoke("aws:ec2/getVpc:getVpc", tags={"Name": "core"})
    assert (result["id"], result["cidrBlock"]) == ("vpc-core", "10.8.0.0/16")
    assert invented(served) == []
    other, _ = aws.invoke("aws:ec2/getVpc:getVpc", default=True)
    assert other["id"] != "vpc-core"
    assert len(invented(served)) == 1


def test_the_projects_own_answers_know_arguments_and_gets(serve: Callable[..., Served], tmp_path: Path) -> None:
    file = tmp_path / "lookups.yaml"
    file.write_text(
        """
- function: aws:ec2/getAmi:getAmi
  args: {filters: [{name: name, values: [ours-*]}]}
  result: {id: ami-0ours}
- resource: aws:ec2/vpc:Vpc
  id: vpc-0core*
  result: {cidrBlock: 10.8.0.0/16}
"""
    )
    served = serve(lookups=file)
    aws = served.connect("aws", region=REGION)
    filters = [{"name": "state", "values": ["available"]}, {"name": "name", "values": ["ours-*"]}]
    assert aws.invoke("aws:ec2/getAmi:getAmi", filters=filters)[0]["id"] == "ami-0ours"
    assert aws.invoke("aws:ec2/getAmi:getAmi", filters=filters[:1])[0]["id"] != "ami-0ours"
    _, _, got = aws.read("aws:ec2/vpc:Vpc", "core", "vpc-0core1", {}, {})
    assert got["cidrBlock"] == "10.8.0.0/16"
    assert got["arn"].endswith(":vpc/vpc-0core1"), "what the answer leaves out is computed, and listed"
    assert [x["origin"] for x in invented(served)] == ["table", "own"]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("lookups: 3", 0, "no list of lookups"),
        ("lookups:\n - {result: {}}", 2, "needs a `function` or a `resource`"),
        ("- {function: a, reslt: {}}", 1, "no key 'reslt'; did you mean 'result'"),
        ("- function: a\n  result: {}\n- {function: a, result: 3}", 3, "`result` of a lookup is a map"),
        ("- {function: a}", 1, "`result` of a lookup is a map"),
        ("- {function: 'aws:ec2/getVpz:getVpz', result: {}}", 1, "has no function 'aws:ec2/getVpz:getVpz'"),
        (
            "- {function: 'aws:ec2/getVpc:getVpc', result: {cidrBlok: x}}",
            1,
            "no output 'cidrBlok'; did you mean 'cidrBlock'",
        ),
        ("- {function: 'aws:ec2/getVpc:getVpc', args: {nam: x}, result: {}}", 1, "no argument 'nam'"),
        ("- {function: 'aws:ec2/getVpc:getVpc', result: {default: maybe}}", 1, "does not fit its type (boolean)"),
        ("- {resource: 'aws:ec2/vpz:Vpz', result: {}}", 1, "has no resource type"),
        ("- a\n- {", 2, "not YAML"),
    ],
)
def test_a_bad_lookups_file_is_refused_with_its_line(sdk: Sdk, tmp_path: Path, text: str, line: int, what: str) -> None:
    file = tmp_path / "lookups.yaml"
    file.write_text(text)
    with pytest.raises(UsageError) as refused:
        load(file, sdk)
    assert what in str(refused.value)
    assert refused.value.where == (f"{file}:{line}" if line else str(file))
    assert refused.value.fix


def test_policy_documents_are_rendered() -> None:
    base = json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": "Old", "Effect": "Deny", "Action": "s3:*"}]})
    result = render(
        {
            "sourcePolicyDocuments": [base],
            "overridePolicyDocuments": [
                json.dumps({"Statement": {"Sid": "Old", "Effect": "Allow", "Action": "s3:Get*"}})
            ],
            "statements": [
                {
                    "sid": "TlsOnly",
                    "effect": "Deny",
                    "actions": ["s3:PutObject", "s3:GetObject"],
                    "resources": ["arn:aws:s3:::lake/*"],
                    "principals": [{"type": "*", "identifiers": ["*"]}],
                    "conditions": [{"test": "Bool", "variable": "aws:SecureTransport", "values": ["false"]}],
                },
                {"actions": ["kms:*"], "principals": [{"type": "AWS", "identifiers": ["arn:b", "arn:a"]}]},
            ],
        }
    )
    document = json.loads(result["json"])
    assert document["Version"] == "2012-10-17"
    assert document["Statement"] == [
        {"Sid": "Old", "Effect": "Allow", "Action": "s3:Get*"},
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Action": ["s3:PutObject", "s3:GetObject"],
            "Resource": "arn:aws:s3:::lake/*",
            "Principal": "*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {"Effect": "Allow", "Action": "kms:*", "Principal": {"AWS": ["arn:b", "arn:a"]}},
    ]
    assert json.loads(result["minifiedJson"]) == document
    assert result["id"].isdigit()
