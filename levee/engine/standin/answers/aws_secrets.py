"""AWS: parameters, secrets and the keys that close them."""

from __future__ import annotations

import json
import re
from typing import Final

from levee.engine.standin.answers.ask import CREATED, Answer, Answers, Ask, digits
from levee.engine.standin.answers.aws_places import place


def _parameter(ask: Ask) -> Answer:
    name = ask.text("name")
    value = _parameter_value(ask, name)
    return {
        "id": name,
        "name": name,
        "arn": ask.arn("ssm", f"parameter/{name.lstrip('/')}"),
        "type": "String",
        "value": value,
        "insecureValue": value,
        "version": 1,
    }


def _parameter_value(ask: Ask, name: str) -> str:
    image = f"ami-{digits(f'{ask.region}|{name}', 17)}"
    if name.startswith("/aws/service/"):
        if name.endswith("/recommended") and "ecs" in name:
            return json.dumps({"image_id": image, "image_name": "amzn2-ami-ecs-hvm-2.0", "os": "Amazon Linux 2"})
        if name.startswith("/aws/service/global-infrastructure/regions/"):
            return place(name.split("/")[5]).title
        if "ami" in name or name.endswith("image_id") or "bottlerocket" in name or "canonical" in name:
            return image
        return ask.hex(name, 16)
    return image if "ami" in name.lower().split("/")[-1] else ask.hex(name, 16)


_CREDENTIALS: Final = re.compile(r"(?i)cred|database|(^|[-_/:])db([-_/]|$)|rds|aurora|postgres|mysql|redshift")
_ONE_WORD: Final = re.compile(r"(?i)passw|token|key|pwd")


def _secret_text(ask: Ask, id_: str) -> str:
    """A word, or, where the name says that it is a database's credentials, the document that RDS keeps for one.

    Source: AWS Secrets Manager User Guide, "JSON structure of AWS Secrets Manager secrets".
    """
    name = id_.rsplit(":", 1)[-1]
    if not _CREDENTIALS.search(name) or _ONE_WORD.search(name):
        return ask.hex(id_, 32)
    host = f"levee.{ask.hex(id_, 12)}.{ask.region}.rds.amazonaws.com"
    document = {"engine": "postgres", "host": host, "username": "leveeadmin", "password": ask.hex(id_, 32)}
    return json.dumps({**document, "dbname": "leveedb", "port": 5432})


def _secret(ask: Ask) -> Answer:
    arn = ask.text("arn") or ask.arn("secretsmanager", f"secret:{ask.text('name')}-{ask.hex(ask.text('name'), 6)}")
    name = ask.text("name") or re.sub(r"-[A-Za-z0-9]{6}$", "", arn.rsplit(":", 1)[-1])
    return {
        "id": arn,
        "arn": arn,
        "name": name,
        "description": "",
        "kmsKeyId": "",
        "policy": "",
        "createdDate": CREATED,
    }


def _secret_version(ask: Ask) -> Answer:
    id_ = ask.text("secretId")
    arn = id_ if id_.startswith("arn:") else ask.arn("secretsmanager", f"secret:{id_}-{ask.hex(id_, 6)}")
    version, stage = ask.text("versionId", default=ask.guid(id_)), ask.text("versionStage", default="AWSCURRENT")
    return {
        "id": f"{id_}|{ask.text('versionId') or stage}",
        "arn": arn,
        "secretArn": arn,
        "secretString": _secret_text(ask, id_),
        "secretBinary": "",
        "versionId": version,
        "versionStage": stage,
        "versionStages": [stage],
        "createdDate": CREATED,
    }


def _kms_key(ask: Ask) -> Answer:
    asked = ask.text("keyId")
    alias = "alias/" in asked
    id_ = ask.guid(f"{ask.region}|{asked.rsplit(':', 1)[-1]}") if alias else asked.rsplit("/", 1)[-1] or ask.guid("key")
    managed = "alias/aws/" in asked
    return {
        "id": id_,
        "keyId": asked or id_,
        "arn": ask.arn("kms", f"key/{id_}"),
        "awsAccountId": ask.account,
        "enabled": True,
        "keyState": "Enabled",
        "keyManager": "AWS" if managed else "CUSTOMER",
        "keySpec": "SYMMETRIC_DEFAULT",
        "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "keyUsage": "ENCRYPT_DECRYPT",
        "origin": "AWS_KMS",
        "creationDate": CREATED,
        "description": "",
        "multiRegion": False,
        "multiRegionConfigurations": [],
        "xksKeyConfigurations": [],
    }


def _kms_alias(ask: Ask) -> Answer:
    name = ask.text("name", default="alias/aws/ebs")
    id_ = ask.guid(f"{ask.region}|{name}")
    arn = ask.arn("kms", name)
    return {"id": arn, "name": name, "arn": arn, "targetKeyId": id_, "targetKeyArn": ask.arn("kms", f"key/{id_}")}


ANSWERS: Final = Answers(
    invented={
        "aws:ssm/getParameter:getParameter": _parameter,
        "aws:secretsmanager/getSecret:getSecret": _secret,
        "aws:secretsmanager/getSecretVersion:getSecretVersion": _secret_version,
        "aws:secretsmanager/getRandomPassword:getRandomPassword": lambda a: {
            "id": "random",
            "randomPassword": (a.hex("password", 64) * 64)[: int(a.args.get("passwordLength") or 32)],
        },
        "aws:kms/getKey:getKey": _kms_key,
        "aws:kms/getAlias:getAlias": _kms_alias,
    },
)
