"""The documents that decide who may do what, read as the clouds read them."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from components.databricks import aws as access
from components.databricks import policy
from components.databricks.use import Use, use_of
from components.lake import aws_policies
from pipelines.contracts import Layer, load_domain

ACCOUNT, REGION = "222222222222", "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/unity"
BUCKETS = {layer.value: f"acme-{layer.value}" for layer in Layer}


def allowed(document: dict[str, Any], action: str, resource: str) -> bool:
    """Whether some statement allows it, conditions left aside."""
    return any(
        statement["Effect"] == "Allow"
        and any(fnmatchcase(action, pattern) for pattern in _list(statement["Action"]))
        and any(fnmatchcase(resource, pattern) for pattern in _list(statement["Resource"]))
        for statement in document["Statement"]
    )


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def statement(document: Any, sid: str) -> dict[str, Any]:
    (found,) = [item for item in document["Statement"] if item["Sid"] == sid]
    return found


def test_whoever_administers_the_key_cannot_read_with_it() -> None:
    administer = statement(aws_policies.key(ACCOUNT, REGION), "Administer")
    for use in ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom"):
        assert not any(fnmatchcase(use, pattern) for pattern in administer["Action"])
    assert "kms:*" not in administer["Action"]


def test_the_key_is_used_through_s3_of_the_account_only() -> None:
    use = statement(aws_policies.key(ACCOUNT, REGION), "UseThroughS3")
    assert use["Condition"]["StringEquals"] == {
        "kms:ViaService": "s3.eu-west-1.amazonaws.com",
        "kms:CallerAccount": ACCOUNT,
    }


@pytest.mark.parametrize("sid", ["DenyInsecureTransport", "DenyOldTls", "DenyOtherAccounts"])
def test_a_store_refuses_for_the_bucket_and_for_every_object(sid: str) -> None:
    denied = statement(aws_policies.store("acme-gold", ACCOUNT), sid)
    assert (denied["Effect"], denied["Principal"], denied["Action"]) == ("Deny", "*", ["s3:*"])
    assert denied["Resource"] == ["arn:aws:s3:::acme-gold", "arn:aws:s3:::acme-gold/*"]


def test_no_bucket_policy_allows_a_person_anything() -> None:
    for document in (
        aws_policies.store("acme-gold", ACCOUNT),
        aws_policies.logs("acme-logs", ACCOUNT, list(BUCKETS.values())),
    ):
        allows = [item for item in document["Statement"] if item["Effect"] == "Allow"]
        assert all(item["Principal"] == {"Service": "logging.s3.amazonaws.com"} for item in allows)
        json.dumps(document)


def test_only_our_buckets_may_log_here() -> None:
    delivery = statement(aws_policies.logs("acme-logs", ACCOUNT, ["acme-gold"]), "LogDelivery")
    assert delivery["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
    assert delivery["Condition"]["ArnLike"] == {"aws:SourceArn": ["arn:aws:s3:::acme-gold"]}


@pytest.mark.parametrize(
    ("layer", "actions"),
    [
        (Layer.LANDING, {"s3:GetObject"}),
        (Layer.AUDIT, {"s3:GetObject", "s3:PutObject"}),
        (Layer.GOLD, {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"}),
    ],
)
def test_unity_catalog_may_do_no_more_than_the_layer_needs(layer: Layer, actions: set[str]) -> None:
    document = access.permissions(ROLE, "arn:aws:kms:key", BUCKETS, lambda layer: use_of(layer, [load_domain("sales")]))
    tried = {"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:PutBucketPolicy", "s3:DeleteObjectVersion"}
    assert {action for action in tried if allowed(document, action, f"arn:aws:s3:::acme-{layer.value}/x")} == actions
    assert not allowed(document, "s3:GetObject", "arn:aws:s3:::other/x")


def test_the_role_trusts_unity_catalog_with_the_external_id_and_itself() -> None:
    document = access.trust(ROLE, "secret-id")
    assert [item["Condition"]["StringEquals"] for item in document["Statement"]] == [
        {"sts:ExternalId": "secret-id"}
    ] * 2
    assert statement(document, "Itself")["Condition"]["ArnEquals"] == {"aws:PrincipalArn": ROLE}


def test_the_cluster_policy_leaves_no_way_round() -> None:
    document = policy.definition(
        spark_version="16.4.x-scala2.12",
        max_workers=4,
        tags={"owner": "data", "data-classification": "internal"},
        environment={"LEVEE_PSEUDONYM_KEY": "{{secrets/a/b}}"},
        identities=("aws_attributes.instance_profile_arn",),
    )
    assert document["data_security_mode"] == {"type": "fixed", "value": "SINGLE_USER"}
    assert document["cluster_type"] == {"type": "fixed", "value": "job"}
    assert document["autoscale.max_workers"]["maxValue"] == 4
    assert document["custom_tags.owner"] == {"type": "fixed", "value": "data"}
    assert document["custom_tags.data-classification"]["type"] == "allowlist", "each job has its own class"
    for path in ("init_scripts.*.s3.destination", "docker_image.url", "aws_attributes.instance_profile_arn"):
        assert document[path] == {"type": "forbidden"}
    assert document["spark_env_vars.LEVEE_PSEUDONYM_KEY"]["value"].startswith("{{secrets/")


EXTRACTED = """\
apiVersion: v3.1.0
kind: DataContract
id: customers
version: 1.0.0
status: active
domain: crm
servers:
  - {server: crm, type: postgresql, host: localhost, port: 5432, database: crm, schema: public}
schema:
  - name: customers
    properties:
      - {name: id, logicalType: integer, physicalType: bigint, required: true, classification: internal}
customProperties:
  - {property: layer, value: source}
  - {property: ingestion, value: {format: jsonl}}
  - {property: redelivery, value: {policy: replace}}
  - {property: extraction, value: {server: crm, jdbc: {table: customers, user: env:NAME, password: env:SECRET}}}
"""


@pytest.mark.parametrize(
    ("layer", "use"), [(Layer.LANDING, Use.WRITE), (Layer.AUDIT, Use.APPEND), (Layer.GOLD, Use.WRITE)]
)
def test_landing_is_written_only_where_a_contract_extracts(tmp_path: Path, layer: Layer, use: Use) -> None:
    folder = tmp_path / "crm"
    folder.mkdir()
    (folder / "customers.odcs.yaml").write_text(EXTRACTED)

    assert use_of(layer, [load_domain("sales"), load_domain("crm", tmp_path)]) is use
    assert use_of(Layer.LANDING, [load_domain("sales")]) is Use.READ
