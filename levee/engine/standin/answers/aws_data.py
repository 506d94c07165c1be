"""AWS: databases, buckets, queues and topics.

Source: Amazon RDS release notes (engine versions).
"""

from __future__ import annotations

from typing import Final

from levee.engine.standin.answers.ask import Answer, Answers, Ask, digits
from levee.engine.standin.answers.aws_places import hosted_s3, suffix, zones

_ENGINES: Final = {
    "postgres": ("17.6", "16.10", "15.14"),
    "aurora-postgresql": ("17.5", "16.9", "15.13"),
    "mysql": ("8.4.6", "8.0.43"),
    "aurora-mysql": ("8.0.mysql_aurora.3.10.0", "5.7.mysql_aurora.2.12.5"),
    "mariadb": ("11.8.3", "10.11.14"),
    "sqlserver-ex": ("16.00.4205.1.v1",),
    "oracle-se2": ("19.0.0.0.ru-2025-07.rur-2025-07.r1",),
}


def _family(engine: str, version: str) -> str:
    """The parameter group family of an engine's version: its major version, of MySQL's two numbers."""
    parts = 2 if "mysql" in engine or "mariadb" in engine else 1
    return f"{engine}{'.'.join(version.split('.')[:parts])}"


def _engine(ask: Ask) -> Answer:
    engine = ask.text("engine", default="postgres")
    known = _ENGINES.get(engine, ("1.0",))
    preferred = [str(v) for v in ask.args.get("preferredVersions") or ()]
    asked = ask.text("version") or next(iter(preferred), "")
    version = next((v for v in known if v.startswith(asked)), asked) if asked else known[0]
    return {
        "id": version,
        "version": version,
        "versionActual": version,
        "engine": engine,
        "parameterGroupFamily": _family(engine, version),
        "engineDescription": engine,
        "versionDescription": f"{engine} {version}",
        "status": "available",
        "defaultCharacterSet": "",
        "exportableLogTypes": ["postgresql", "upgrade"] if "postgres" in engine else ["audit", "error", "general"],
        "validUpgradeTargets": [v for v in known if v > version],
        "supportsReadReplica": True,
    }


def _orderable(ask: Ask) -> Answer:
    engine = ask.text("engine", default="postgres")
    preferred = [str(v) for v in ask.args.get("preferredInstanceClasses") or ()]
    return {
        "id": ask.text("instanceClass") or next(iter(preferred), "db.t3.medium"),
        "instanceClass": ask.text("instanceClass") or next(iter(preferred), "db.t3.medium"),
        "engineVersion": ask.text("engineVersion") or _ENGINES.get(engine, ("1.0",))[0],
        "licenseModel": "postgresql-license" if "postgres" in engine else "general-public-license",
        "storageType": ask.text("storageType", default="gp3"),
        "availabilityZones": zones(ask.region),
        "multiAzCapable": True,
        "minStorageSize": 20,
        "maxStorageSize": 65536,
    }


def _bucket(ask: Ask) -> Answer:
    name = ask.text("bucket")
    return {
        "id": name,
        "bucket": name,
        "arn": ask.arn("s3", name, region=False, account=False),
        "bucketDomainName": f"{name}.s3.{suffix(ask)}",
        "bucketRegionalDomainName": f"{name}.s3.{ask.region}.{suffix(ask)}",
        "bucketRegion": ask.region,
        "hostedZoneId": hosted_s3(ask.region),
        "websiteDomain": "",
        "websiteEndpoint": "",
    }


def _topic(ask: Ask) -> Answer:
    arn = ask.arn("sns", ask.text("name"))
    return {"id": arn, "arn": arn, "name": ask.text("name")}


def _queue(ask: Ask) -> Answer:
    name = ask.text("name")
    url = f"https://sqs.{ask.region}.{suffix(ask)}/{ask.account}/{name}"
    return {"id": url, "url": url, "name": name, "arn": ask.arn("sqs", name)}


ANSWERS: Final = Answers(
    invented={
        "aws:rds/getEngineVersion:getEngineVersion": _engine,
        "aws:rds/getOrderableDbInstance:getOrderableDbInstance": _orderable,
        "aws:s3/getBucket:getBucket": _bucket,
        "aws:s3/getCanonicalUserId:getCanonicalUserId": lambda a: {"id": digits(a.account, 64), "displayName": "levee"},
        "aws:sns/getTopic:getTopic": _topic,
        "aws:sqs/getQueue:getQueue": _queue,
    },
)
