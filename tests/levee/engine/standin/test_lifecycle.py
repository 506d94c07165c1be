"""Over a real channel, as the engine speaks: what is created comes back, changes are found, secrets stay secret."""

from __future__ import annotations

import base64
import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from levee.engine.standin import wire
from levee.engine.standin.cloud import SimulatedCloud
from levee.engine.standin.sealing import CHANGED
from levee.engine.standin.values import UNKNOWN, Secret, Values, has_unknown
from levee.sdk import ResourceType, Sdk

if TYPE_CHECKING:
    from conftest import Client, Served

BUCKET = "aws:s3/bucket:Bucket"
PASSWORD = "random:index/randomPassword:RandomPassword"
NONE, SOME = provider_pb2.DiffResponse.DIFF_NONE, provider_pb2.DiffResponse.DIFF_SOME


def lines(served: Served, kind: str) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, served.log.read_text().splitlines()) if line["kind"] == kind]


def test_a_bucket_lives_and_dies(served: Served) -> None:
    aws = served.connect("aws", region="eu-west-1", defaultTags=json.dumps({"tags": {"by": "levee"}}))
    inputs, failures = aws.check(BUCKET, "raw", {"tags": {"a": "1"}})
    assert failures == {}
    id_, outputs = aws.create(BUCKET, "raw", inputs)
    assert id_ == inputs["bucket"] == outputs["bucket"]
    assert outputs["arn"] == f"arn:aws:s3:::{id_}"
    assert outputs["region"] == "eu-west-1"
    assert outputs["tagsAll"] == {"by": "levee", "a": "1"}
    assert outputs["bucketRegionalDomainName"] == f"{id_}.s3.eu-west-1.amazonaws.com"
    assert not has_unknown(outputs)

    again, _ = aws.check(BUCKET, "raw", {"tags": {"a": "1"}}, olds=inputs)
    assert again == inputs
    assert aws.diff(BUCKET, "raw", inputs, again).changes == NONE
    assert aws.read(BUCKET, "raw", id_, inputs, outputs) == (id_, inputs, outputs)

    changed = {**inputs, "tags": {"a": "2"}}
    diff = aws.diff(BUCKET, "raw", inputs, changed)
    assert (diff.changes, list(diff.replaces), list(diff.detailedDiff)) == (SOME, [], ["tags.a"])
    updated = aws.update(BUCKET, "raw", id_, old=inputs, new=changed, state=outputs)
    assert updated == {**outputs, "tags": {"a": "2"}, "tagsAll": {"by": "levee", "a": "2"}}

    aws.delete(BUCKET, "raw", id_)
    assert aws.read(BUCKET, "raw", id_, changed, updated)[0] == ""
    aws.delete(BUCKET, "raw", id_)


def test_a_preview_knows_what_the_real_provider_knows_and_writes_nothing(served: Served) -> None:
    aws = served.connect("aws", region="eu-west-1")
    inputs, _ = aws.check(BUCKET, "raw", {"tags": {"a": "1"}, "website": {"indexDocument": UNKNOWN}})
    id_, outputs = aws.create(BUCKET, "raw", inputs, preview=True)
    assert id_ == ""
    assert outputs["arn"] is UNKNOWN
    assert outputs["tagsAll"] == {"a": "1"}
    assert outputs["region"] == "eu-west-1"
    assert outputs["website"] == {"indexDocument": UNKNOWN}
    assert list(SimulatedCloud(served.cloud).resources()) == []


def test_region_and_account_belong_to_the_connection(served: Served) -> None:
    key = "aws:kms/key:Key"
    ireland = served.connect("aws", region="eu-west-1", allowedAccountIds=json.dumps(["111122223333"]))
    role = json.dumps([{"roleArn": "arn:aws:iam::444455556666:role/deploy"}])
    ohio = served.connect("aws", region="us-east-2", assumeRoles=role)
    arns = [client.create(key, name, {})[1]["arn"] for client, name in ((ireland, "a"), (ohio, "b"))]
    assert re.fullmatch(r"arn:aws:kms:eu-west-1:111122223333:key/[0-9a-f-]{36}", arns[0])
    assert re.fullmatch(r"arn:aws:kms:us-east-2:444455556666:key/[0-9a-f-]{36}", arns[1])
    assert ohio.invoke("aws:index/getCallerIdentity:getCallerIdentity")[0]["accountId"] == "444455556666"
    own = ireland.create(key, "c", {"region": "eu-central-1"})[1]
    assert own["region"] == "eu-central-1"
    assert ":eu-central-1:" in own["arn"]


def test_a_region_nobody_gave_is_listed(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    served.connect("aws")
    (line,) = lines(served, "invented_config")
    assert (line["name"], line["value"]) == ("aws:region", "us-east-1")


def test_names_that_stay_are_deleted_first_and_others_get_new_ones(served: Served) -> None:
    aws = served.connect("aws", region="eu-west-1")
    table = "aws:dynamodb/table:Table"
    inputs, _ = aws.check(table, "t", {"hashKey": "id"})
    aws.create(table, "t", inputs)
    fresh, _ = aws.check(table, "t", {"hashKey": "other"})
    assert fresh["name"] != inputs["name"]
    diff = aws.diff(
        BUCKET, "b", {"bucket": "a", "bucketNamespace": "global"}, {"bucket": "b", "bucketNamespace": "global"}
    )
    assert list(diff.replaces) == ["bucket"]
    assert not diff.deleteBeforeReplace
    account = "azure-native:storage:StorageAccount"
    azure = served.connect("azure-native")
    old = {"accountName": "mine", "location": "westeurope"}
    assert azure.diff(account, "sa", old, {**old, "location": "northeurope"}).deleteBeforeReplace


def test_an_update_whose_fate_no_fact_tells_is_logged(served: Served) -> None:
    databricks = served.connect("databricks")
    job = "databricks:index/job:Job"
    assert databricks.diff(job, "j", {"maxConcurrentRuns": 1}, {"maxConcurrentRuns": 2}).changes == SOME
    (line,) = lines(served, "replacement_unknown")
    assert line["properties"] == ["maxConcurrentRuns"]


def test_secrets_never_reach_the_disk_and_come_back_from_the_state(served: Served) -> None:
    aws = served.connect("aws", region="eu-west-1")
    parameter = "aws:ssm/parameter:Parameter"
    secret = "correct-horse-battery-staple"
    inputs, _ = aws.check(parameter, "p", {"type": "SecureString", "value": Secret(secret)})
    id_, outputs = aws.create(parameter, "p", inputs)
    assert outputs["value"] == Secret(secret)
    assert aws.read(parameter, "p", id_, inputs, outputs) == (id_, inputs, outputs)
    for file in served.cloud.parent.iterdir():
        assert secret.encode() not in file.read_bytes(), file.name

    SimulatedCloud(served.cloud).change(id_, {"value": "somebody-elses"})
    _, got, _ = aws.read(parameter, "p", id_, inputs, outputs)
    assert got["value"] == Secret(CHANGED)
    assert aws.diff(parameter, "p", got, inputs).changes == SOME, "the next up puts it back"


def test_what_follows_from_a_secret_is_one(served: Served) -> None:
    aws = served.connect("aws", region="eu-west-1")
    inputs, failures = aws.check(
        BUCKET, "b", {"tags": Secret({"who": "nobody-may-know"}), "bucket": Secret("hidden-name")}
    )
    assert failures == {}
    id_, outputs = aws.create(BUCKET, "b", inputs)
    assert "hidden" not in id_ + outputs["arn"]
    assert outputs["tagsAll"] == Secret({"who": "nobody-may-know"})
    preview = aws.create(BUCKET, "c", inputs, preview=True)[1]
    assert preview["tagsAll"] == Secret({"who": "nobody-may-know"})
    for file in served.cloud.parent.iterdir():
        assert b"nobody-may-know" not in file.read_bytes(), file.name


def test_a_generated_password_is_secret_and_survives_refresh(served: Served) -> None:
    client = served.connect("random")
    inputs = {"length": 24, "minUpper": 3, "special": False}
    id_, outputs = client.create(PASSWORD, "pw", inputs)
    password = outputs["result"].value
    assert len(password) == 24
    assert password.isalnum()
    assert sum(c.isupper() for c in password) >= 3
    assert client.create(PASSWORD, "pw2", inputs)[1]["result"] != outputs["result"]
    assert client.read(PASSWORD, "pw", id_, inputs, outputs)[2] == outputs
    assert list(client.diff(PASSWORD, "pw", inputs, {**inputs, "length": 25}).replaces) == ["length"]


def test_equal_ids_of_two_resources_stay_apart(served: Served) -> None:
    client = served.connect("random")
    integer, inputs = "random:index/randomInteger:RandomInteger", {"min": 7, "max": 7, "keepers": {"of": "one"}}
    id_, one = client.create(integer, "one", inputs)
    other = {**inputs, "keepers": {"of": "two"}}
    assert client.create(integer, "two", other)[0] == id_ == "7"
    client.delete(integer, "two", id_)
    assert client.read(integer, "one", id_, inputs, one) == (id_, inputs, one)


def test_an_import_reads_what_is_there_and_nothing_else(served: Served) -> None:
    aws = served.connect("aws", region="eu-west-1")
    cloud = SimulatedCloud(served.cloud)
    inputs = {"bucket": "legacy", "tags": {"a": "1"}, "policy": Secret("{}")}
    cloud.add(BUCKET, "legacy", inputs, {"arn": "arn:aws:s3:::legacy"})
    id_, got, outputs = aws.read(BUCKET, "mine", "legacy")
    assert (id_, got["tags"], outputs["arn"]) == ("legacy", {"a": "1"}, "arn:aws:s3:::legacy")
    assert got["policy"] == Secret(CHANGED)
    (line,) = lines(served, "unreadable_secret")
    assert line["properties"] == ["policy"]
    assert aws.read(BUCKET, "mine", "never-heard-of")[0] == ""


def test_a_programs_get_is_invented_once_and_listed(served: Served) -> None:
    aws = served.connect("aws", region="eu-west-1")
    vpc = "aws:ec2/vpc:Vpc"
    id_, _, outputs = aws.read(vpc, "shared", "vpc-0a1b2c3d", inputs={}, state={})
    assert id_ == "vpc-0a1b2c3d"
    assert outputs["arn"] == "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-0a1b2c3d"
    assert aws.read(vpc, "shared", "vpc-0a1b2c3d", inputs={}, state={})[2] == outputs
    assert aws.read(vpc, "shared", "vpc-0a1b2c3d", inputs={}, state=outputs)[2] == outputs, "a refresh finds it"
    (line,) = lines(served, "invented_lookup")
    assert line["args"] == {"id": "vpc-0a1b2c3d"}


def test_what_somebody_else_removed(served: Served) -> None:
    aws = served.connect("aws", region="eu-west-1")
    inputs, _ = aws.check(BUCKET, "raw", {})
    id_, outputs = aws.create(BUCKET, "raw", inputs)
    SimulatedCloud(served.cloud).remove(id_)
    assert aws.read(BUCKET, "raw", id_, inputs, outputs)[0] == ""
    with pytest.raises(grpc.RpcError, match="no longer exists"):
        aws.update(BUCKET, "raw", id_, old=inputs, new=inputs, state=outputs)


def test_a_taken_name_is_refused_and_a_killed_create_is_taken_up(served: Served) -> None:
    aws = served.connect("aws", region="eu-west-1")
    aws.create(BUCKET, "one", {"bucket": "taken"})
    with pytest.raises(grpc.RpcError, match="AlreadyExists"):
        aws.create(BUCKET, "two", {"bucket": "taken"})
    assert aws.create(BUCKET, "one", {"bucket": "taken"})[0] == "taken", "the engine died before it heard of it"


def test_unknown_types_and_functions_are_refused_by_name(served: Served) -> None:
    aws = served.connect("aws", region="eu-west-1")
    _, failures = aws.check("aws:s3/bucket:Buckett", "b", {})
    assert "aws 7.51.1 has no resource type 'aws:s3/bucket:Buckett'; near are 'aws:s3/bucket:Bucket'" in failures[""]
    _, failures = aws.invoke("aws:ec2/getAmmi:getAmmi")
    assert "has no function" in failures[0]
    _, failures = aws.invoke("aws:ec2/getAmi:getAmi", mostRecent=True, ownerss=["amazon"])
    assert failures == ["aws:ec2/getAmi:getAmi has no argument 'ownerss'; near are 'owners'"]
    with pytest.raises(grpc.RpcError, match="no resource type"):
        aws.create("aws:s3/bucket:Buckett", "b", {})


def test_a_schema_is_that_of_the_installed_sdk(served: Served, sdk: Sdk) -> None:
    random_ = served.connect("random")
    schema = json.loads(random_.stub.GetSchema(provider_pb2.GetSchemaRequest()).schema)
    assert (schema["name"], schema["version"]) == ("random", sdk.packages["random"].version)
    assert schema["resources"][PASSWORD]["requiredInputs"] == ["length"]
    with pytest.raises(grpc.RpcError, match="no SDK of 'randomer' is installed"):
        random_.stub.GetSchema(provider_pb2.GetSchemaRequest(subpackage_name="randomer"))


def test_components_and_methods_that_no_sdk_has_are_refused_by_name(served: Served) -> None:
    aws = served.connect("aws", region="eu-west-1")
    with pytest.raises(grpc.RpcError, match="no installed SDK has the component 'awsx:ec2:Vpc'"):
        aws.stub.Construct(provider_pb2.ConstructRequest(type="awsx:ec2:Vpc"))
    with pytest.raises(grpc.RpcError, match="no installed SDK has the method 'eks:index:Cluster/getKubeconfig'"):
        aws.stub.Call(provider_pb2.CallRequest(tok="eks:index:Cluster/getKubeconfig"))


def test_azure_ids_and_nested_outputs(served: Served) -> None:
    azure = served.connect("azure-native", subscriptionId="sub-1", tenantId="tenant-1", location="westeurope")
    account = "azure-native:storage:StorageAccount"
    inputs = {
        "accountName": "lake",
        "resourceGroupName": "rg",
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS"},
        "identity": {"type": "SystemAssigned"},
    }
    id_, outputs = azure.create(account, "lake", inputs)
    assert id_ == "/subscriptions/sub-1/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/lake"
    assert outputs["primaryEndpoints"]["dfs"] == "https://lake.dfs.core.windows.net/"
    assert outputs["identity"]["tenantId"] == "tenant-1"
    assert re.fullmatch(r"[0-9a-f-]{36}", outputs["identity"]["principalId"])
    assert "accountName" not in outputs
    assert outputs["name"] == "lake"
    container = {"accountName": "lake", "resourceGroupName": "rg", "containerName": "raw"}
    id_, _ = azure.create("azure-native:storage:BlobContainer", "raw", container)
    assert id_.endswith("/storageAccounts/lake/blobServices/default/containers/raw")
    _, vault = azure.create(
        "azure-native:keyvault:Vault", "v", {"vaultName": "v", "resourceGroupName": "rg", "properties": {}}
    )
    assert vault["properties"]["vaultUri"] == "https://v.vault.azure.net/"
    given = {"vaultName": "v", "resourceGroupName": "rg", "properties": {}}
    _, vault = azure.create("azure-native:keyvault:Vault", "v", given, preview=True)
    assert vault["properties"]["vaultUri"] is UNKNOWN, "the SDK calls it optional; the cloud always gives it"


def test_what_a_program_leaves_out_does_not_look_as_if_it_were_set(served: Served) -> None:
    aws = served.connect("aws", region="eu-west-1")
    _, bucket = aws.create(BUCKET, "b", {"bucket": "plain"})
    assert bucket["logging"] == {}
    assert bucket["replicationConfiguration"] == {}
    assert bucket["policy"] == ""
    assert bucket["lifecycleRules"] == []
    _, snapshot = aws.create("aws:ebs/volume:Volume", "v", {"availabilityZone": "eu-west-1a"})
    assert snapshot["kmsKeyId"] == ""
    _, instance = aws.create("aws:ec2/instance:Instance", "i", {})
    assert instance["availabilityZone"] == "eu-west-1a", "a cloud fills this in"
    assert re.fullmatch(r"10(\.\d+){3}", instance["privateIp"])
    azure = served.connect("azure-native")
    given = {"accountName": "a", "resourceGroupName": "rg", "containerName": "c"}
    _, container = azure.create("azure-native:storage:BlobContainer", "c", given)
    assert container["immutabilityPolicy"] == {}


def test_gcp_ids_links_and_labels(served: Served) -> None:
    gcp = served.connect("gcp", project="acme", region="europe-west4")
    id_, network = gcp.create("gcp:compute/network:Network", "n", {"name": "core"})
    assert id_ == "projects/acme/global/networks/core"
    assert network["selfLink"] == "https://www.googleapis.com/compute/v1/projects/acme/global/networks/core"
    id_, bucket = gcp.create("gcp:storage/bucket:Bucket", "b", {"name": "lake", "location": "EU", "labels": {"a": "1"}})
    assert (id_, bucket["url"]) == ("lake", "gs://lake")
    assert bucket["effectiveLabels"] == Secret({"a": "1", "goog-pulumi-provisioned": "true"})
    _, account = gcp.create("gcp:serviceaccount/account:Account", "sa", {"accountId": "loader"})
    assert account["email"] == "loader@acme.iam.gserviceaccount.com"
    id_, _ = gcp.create(
        "gcp:kms/cryptoKey:CryptoKey", "k", {"keyRing": "projects/acme/locations/eu/keyRings/r", "name": "k"}
    )
    assert id_ == "projects/acme/locations/eu/keyRings/r/cryptoKeys/k"


def test_databricks_ids(served: Served) -> None:
    databricks = served.connect("databricks", host="https://acme.cloud.databricks.com/")
    id_, job = databricks.create("databricks:index/job:Job", "j", {"name": "sales"})
    assert id_.isdigit()
    assert job["url"] == f"https://acme.cloud.databricks.com/#job/{id_}"
    id_, _ = databricks.create("databricks:index/schema:Schema", "s", {"catalogName": "main", "name": "gold"})
    assert id_ == "main.gold"
    id_, _ = databricks.create(
        "databricks:index/grants:Grants",
        "g",
        {"catalog": "main", "grants": [{"principal": "a", "privileges": ["USE"]}]},
    )
    assert id_ == "catalog/main"
    id_, secret = databricks.create(
        "databricks:index/secret:Secret", "s", {"scope": "sc", "key": "k", "stringValue": Secret("v")}
    )
    assert id_ == "sc|||k"
    assert secret["configReference"] == "{{secrets/sc/k}}"
    id_, _ = databricks.create("databricks:index/instancePool:InstancePool", "p", {"instancePoolName": "p"})
    assert re.fullmatch(r"0101-000000-\w{6}-pool-\w{8}", id_)


def test_kubernetes_returns_the_manifest_with_its_status(served: Served) -> None:
    kubernetes = served.connect("kubernetes")
    deployment = "kubernetes:apps/v1:Deployment"
    labels = {"app": "airflow"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "airflow"}]}}
    spec = {"replicas": 3, "selector": {"matchLabels": labels}, "template": template}
    inputs, failures = kubernetes.check(deployment, "web", {"spec": spec, "metadata": {"namespace": "data"}})
    assert failures == {}
    assert (inputs["apiVersion"], inputs["kind"]) == ("apps/v1", "Deployment")
    _, preview = kubernetes.create(deployment, "web", inputs, preview=True)
    assert preview["metadata"]["name"] == inputs["metadata"]["name"]
    id_, outputs = kubernetes.create(deployment, "web", inputs)
    assert id_ == f"data/{inputs['metadata']['name']}"
    assert outputs["status"]["availableReplicas"] == 3
    assert outputs["metadata"]["uid"]
    assert outputs["spec"]["template"]["spec"]["containers"][0]["image"] == "airflow"
    assert kubernetes.read(deployment, "web", id_, inputs, outputs)[2] == outputs
    namespace, _ = kubernetes.create("kubernetes:core/v1:Namespace", "ns", {"metadata": {"name": "data"}})
    assert namespace == "data"


def test_a_patch_is_about_the_object_that_it_names_and_needs_nothing_else_of_it(served: Served) -> None:
    kubernetes = served.connect("kubernetes")
    patch, named = "kubernetes:apps/v1:DeploymentPatch", {"metadata": {"name": "coredns", "namespace": "kube-system"}}
    inputs, failures = kubernetes.check(patch, "p", {**named, "spec": {"replicas": 3}})
    assert failures == {}, "no selector, no template"
    id_, outputs = kubernetes.create(patch, "p", inputs)
    assert (id_, outputs["kind"]) == ("kube-system/coredns", "Deployment")
    assert outputs["status"]["availableReplicas"] == 3
    selecting = {**inputs, "spec": {"replicas": 3, "selector": {"matchLabels": {"a": "b"}}}}
    assert kubernetes.diff(patch, "p", inputs, selecting).replaces == []
    assert kubernetes.diff("kubernetes:apps/v1:Deployment", "d", inputs, selecting).replaces == ["spec"]
    renamed = {**inputs, "metadata": {"name": "dns", "namespace": "kube-system"}}
    assert kubernetes.diff(patch, "p", inputs, renamed).replaces == ["metadata"]
    id_, outputs = kubernetes.create("kubernetes:core/v1:NamespacePatch", "n", {"metadata": {"name": "lake"}})
    assert (id_, outputs["status"]["phase"]) == ("lake", "Active")
    assert "namespace" not in outputs["metadata"], "the kind is cluster-scoped"
    whole = {**named, "spec": {"replicas": 3}}
    assert "spec" in kubernetes.check("kubernetes:apps/v1:Deployment", "d", whole)[1], "a Deployment needs its selector"


def test_custom_resources_come_back_whole_and_misspelt_kinds_do_not(served: Served) -> None:
    kubernetes = served.connect("kubernetes")
    certificate = "kubernetes:cert-manager.io/v1:Certificate"
    given = {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": "web"}, "spec": {"a": 1}}
    inputs, failures = kubernetes.check(certificate, "web", {**given, "extra": [1]})
    assert failures == {}
    id_, outputs = kubernetes.create(certificate, "web", inputs)
    assert (id_, outputs["spec"], outputs["extra"]) == ("default/web", {"a": 1}, [1])
    assert kubernetes.read(certificate, "web", id_, inputs, outputs) == (id_, inputs, outputs)
    _, failures = kubernetes.check("kubernetes:networking.k8s.io/v1:Ingres", "web", {})
    assert "near are" in failures[""]


def test_what_was_checked_is_told_type_by_type(served: Served) -> None:
    aws = served.connect("aws", region="eu-west-1")
    for name in ("a", "b"):
        aws.check(BUCKET, name, {"acl": "almost-public"})
    (line,) = lines(served, "fidelity")
    assert (line["type"], line["sdk"]) == (BUCKET, "aws 7.51.1")
    assert "required inputs" in line["checks"]
    (line,) = lines(served, "open_enum")
    assert line["property"] == "acl=almost-public"


def test_assets_survive(served: Served, sdk: Sdk) -> None:
    aws = served.connect("aws", region="eu-west-1")
    archive = {"4dabf18193072939515e22adb298388d": "0def7320c3a5731c473e5ecbe6d01bc7", "hash": "h", "path": "./app"}
    inputs, failures = aws.check(
        "aws:lambda/function:Function", "f", {"role": "arn:aws:iam::1:role/r", "code": archive}
    )
    assert failures == {}
    _, outputs = aws.create("aws:lambda/function:Function", "f", inputs)
    assert outputs["code"] == archive


@pytest.mark.parametrize("package", ["aws", "azure-native", "gcp", "databricks", "kubernetes", "random"])
def test_any_type_lives_and_dies(served: Served, sdk: Sdk, minimal: Callable[..., Any], package: str) -> None:
    """Thirty types of each package, chosen anew only when the SDK changes."""
    client = served.connect(package)
    tokens = sdk.packages[package].tokens
    for token in random.Random(7).sample(tokens, min(30, len(tokens))):
        type_ = sdk.resource(token)
        assert type_ is not None
        lives_and_dies(client, type_, minimal(type_.inputs))


def lives_and_dies(client: Client, type_: ResourceType, given: Values) -> None:
    token = type_.token
    inputs, failures = client.check(token, "one", given)
    assert failures == {}, token
    _, previewed = client.create(token, "one", inputs, preview=True)
    id_, outputs = client.create(token, "one", inputs)
    required = {name for name, output in type_.outputs.items() if output.required}
    if type_.package == "kubernetes":  # a manifest comes back as it was given
        required &= inputs.keys() | {"metadata", "status"}
    assert required <= outputs.keys(), token
    assert previewed.keys() <= outputs.keys(), token
    assert not has_unknown(outputs), token
    assert client.read(token, "one", id_, inputs, outputs) == (id_, inputs, outputs), token
    assert client.diff(token, "one", inputs, inputs).changes == NONE, token
    assert client.update(token, "one", id_, old=inputs, new=inputs, state=outputs) == outputs, token
    client.delete(token, "one", id_)
    assert client.read(token, "one", id_, inputs, outputs)[0] == "", token


def test_an_old_engine_that_names_the_resource_by_urn_only(served: Served) -> None:
    aws = served.connect("aws", region="eu-west-1")
    answer = aws.stub.Check(
        provider_pb2.CheckRequest(urn=f"urn:pulumi:dev::test::my:Component${BUCKET}::raw", news=wire.encode({}))
    )
    assert wire.decode(answer.inputs)["bucket"].startswith("raw-")


def test_a_defect_is_named_as_one(serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    served = serve()
    aws = served.connect("aws", region="eu-west-1")

    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(served.standin.provider, "diff", broken)
    with pytest.raises(grpc.RpcError, match=r"Diff: ZeroDivisionError: oops; the stand-in met a defect"):
        aws.diff(BUCKET, "b", {}, {})
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_parameterised_packages_and_plugin_info(served: Served) -> None:
    from google.protobuf.empty_pb2 import Empty

    aws = served.connect("aws", region="eu-west-1")
    assert aws.stub.GetPluginInfo(Empty()).version == "7.51.1"
    value = provider_pb2.ParameterizeRequest.ParametersValue(name="acme", version="1.0.0")
    answer = aws.stub.Parameterize(provider_pb2.ParameterizeRequest(value=value))
    assert (answer.name, answer.version) == ("acme", "1.0.0")


def test_files_of_the_cloud_stay_beside_it(served: Served) -> None:
    names = {p.name for p in Path(served.cloud).parent.iterdir()}
    assert {"cloud.sqlite", "cloud.sqlite.key", "log.jsonl"} <= names


def test_a_gke_cluster_has_the_certificate_that_programs_make_a_kubeconfig_of(served: Served) -> None:
    gcp = served.connect("gcp", project="acme", region="europe-west1")
    for given in ({}, {"masterAuth": {"clientCertificateConfig": {"issueClientCertificate": False}}}):
        _, outputs = gcp.create(
            "gcp:container/cluster:Cluster", f"c{len(given)}", {"location": "europe-west1", **given}
        )
        certificate = base64.b64decode(outputs["masterAuth"]["clusterCaCertificate"]).decode()
        assert certificate.startswith("-----BEGIN CERTIFICATE-----")
