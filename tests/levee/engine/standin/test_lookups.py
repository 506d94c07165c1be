from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from levee.engine.standin.clouds.lookup_tables import EXACT, TABLE
from levee.engine.standin.clouds.policy_document import render
from levee.engine.standin.connection import Connection
from levee.engine.standin.lookups import load
from levee.engine.standin.values import UNKNOWN, Secret
from levee.errors import UsageError
from levee.sdk import Sdk

if TYPE_CHECKING:
    from conftest import Served


def invented(served: Served) -> list[dict[str, Any]]:
    return [x for x in map(json.loads, served.log.read_text().splitlines()) if x["kind"] == "invented_lookup"]


def test_every_entry_of_the_table_is_a_function_and_answers_in_its_types(sdk: Sdk) -> None:
    for token, rule in TABLE.items():
        function = sdk.function(token)
        assert function is not None, token
        result = rule(Connection(token.split(":")[0], region="eu-west-1", account="123456789012"), {})
        assert result.keys() <= function.outputs.keys() | {"id", "name", "email", "emailAddress"}, token
        for name, value in result.items():
            kind = function.outputs[name].type.kind if name in function.outputs else "string"
            expected = {"string": str, "array": list, "object": dict, "map": dict, "boolean": bool}.get(
                kind, (int, float, str, list, dict)
            )
            assert isinstance(value, expected), f"{token}.{name}"  # type: ignore[arg-type]


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
    assert set(TABLE) >= EXACT


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


@pytest.mark.parametrize(
    "text", ["lookups: 3", "lookups:\n - {result: {}}", "lookups:\n - {function: a, reslt: {}}", "{"]
)
def test_a_bad_lookups_file_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "lookups.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match="look"):
        load(file)


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
