"""What the simulated cloud already holds, as a lookup would find it: by id, name, tags or filters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from levee.engine.standin.cloud import Record, SimulatedCloud
from levee.engine.standin.connection import Connection
from levee.engine.standin.sealing import is_sealed
from levee.engine.standin.values import same
from levee.sdk import FunctionType, Sdk

_GET: Final = re.compile(r"^(?:get|list)(?:KMS)?")
_DATED: Final = re.compile(r"/v\d{8}\w*:")
_IGNORED: Final = frozenset(
    {"region", "expand", "mostRecent", "providerConfig", "state", "withDecryption", "project", "location", "statuses"}
)
"""Arguments that say how to ask, not what for; the place is compared with the resource's scope."""
_FILTERS: Final = {
    "vpc-id": "vpcId",
    "group-name": "name",
    "group-id": "id",
    "subnet-id": "id",
    "cidr": "cidrBlock",
    "cidr-block": "cidrBlock",
    "availability-zone": "availabilityZone",
    "availabilityZone": "availabilityZone",
    "instance-type": "instanceType",
    "instance-id": "id",
    "image-id": "ami",
}
"""EC2's filter names, and the property of the resource that each is about."""
_CLASSES: Final = {
    "gcp:serviceaccount/getAccount:getAccount": "gcp:serviceaccount/account:Account",
    "aws:ec2/getElasticIp:getElasticIp": "aws:ec2/eip:Eip",
    "aws:iam/getPolicy:getPolicy": "aws:iam/policy:Policy",
    "databricks:index/getSqlWarehouse:getSqlWarehouse": "databricks:index/sqlEndpoint:SqlEndpoint",
    "gcp:sql/getDatabaseInstance:getDatabaseInstance": "gcp:sql/databaseInstance:DatabaseInstance",
    "gcp:organizations/getProject:getProject": "gcp:organizations/project:Project",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A live resource: its id and what can be read of it (what is secret cannot)."""

    id: str
    values: Mapping[str, Any]


def resource_token(sdk: Sdk, function: str) -> str:
    """The resource type that a function looks up (``aws:ec2/vpc:Vpc`` for ``getVpc``), or empty."""
    known = _CLASSES.get(function)
    if known is not None:
        return known
    package, middle, name = function.split(":")
    kind = _GET.sub("", name)
    if not kind or not name.startswith("get"):
        return ""
    if "/get" in middle:
        middle = f"{middle.split('/')[0]}/{kind[0].lower()}{kind[1:]}"
        if "KMS" in name:
            middle = middle.replace("kMS", "")
    token = f"{package}:{middle}:{kind}"
    return token if sdk.resource(token) is not None else ""


@dataclass(frozen=True)
class Existing:
    """Finds resources.

    Attributes:
        cloud: Where they are; ``None`` where there is no cloud, in a test of the tables alone.
    """

    cloud: SimulatedCloud | None = None

    def of(self, token: str, connection: Connection) -> list[Found]:
        """Every live resource of that type in the connection's account and region."""
        return list(self._of(token, connection)) if self.cloud is not None else []

    def find(self, token: str, function: FunctionType, args: Mapping[str, Any], connection: Connection) -> Found | None:
        """The first resource that has everything the arguments ask for; ``None`` where they ask for nothing in
        particular, or nothing fits.
        """
        wanted = {k: v for k, v in args.items() if v is not None and k not in _IGNORED}
        if not wanted or not token or self.cloud is None:
            return None
        place = {k: args[k] for k in ("project", "location") if args.get(k)}
        for one in self._of(token, connection, args.get("region")):
            fits = all(_fits(one, key, value) for key, value in wanted.items())
            if fits and all(str(one.values.get(k, v)).lower() == str(v).lower() for k, v in place.items()):
                return one
        return None

    @staticmethod
    def fits(one: Found, wanted: Mapping[str, Any]) -> bool:
        """Whether a resource has everything that is asked for: properties, ``tags`` among others, and ``filters``."""
        return all(_fits(one, key, value) for key, value in wanted.items())

    def _of(self, token: str, connection: Connection, region: Any = None) -> Iterator[Found]:
        if self.cloud is None:
            return
        tokens = dict.fromkeys((token, _DATED.sub(":", token)))
        for record in (r for t in tokens for r in self.cloud.of_type(t)):
            if _near(record, connection, region):
                yield Found(
                    record.id, {k: v for k, v in record.outputs.items() if not _holds_sealed(v)} | _given(record)
                )


def _given(record: Record) -> dict[str, Any]:
    """Inputs that are no outputs: Azure's ``resourceGroupName`` and ``accountName``."""
    return {k: v for k, v in record.inputs.items() if k not in record.outputs and not _holds_sealed(v)}


def _near(record: Record, connection: Connection, region: Any) -> bool:
    account, _, lies_in = record.scope.rpartition("/")
    if record.scope and account != connection.account:
        return False
    lies_in = str(record.outputs.get("region") or lies_in)
    wanted = str(region or connection.region)
    regional = connection.package in {"aws", "aws-native"}
    return not regional or not lies_in or not wanted or lies_in == wanted


def _fits(one: Found, key: str, value: Any) -> bool:
    if key == "tags" and isinstance(value, Mapping):
        tags = one.values.get("tagsAll") or one.values.get("tags") or {}
        return all(same(tags.get(k), v) for k, v in value.items())
    if key == "filters":
        return all(_passes(one, f) for f in value if isinstance(f, Mapping))
    lower = key.lower()
    if key in one.values and (same(one.values[key], value) or not lower.endswith(("id", "arn"))):
        return same(one.values[key], value)
    if not isinstance(value, str):
        return False
    ids = {one.id, *(one.values.get(k) for k in ("arn", "selfLink", "email", "uniqueId"))}
    if lower.endswith(("id", "arn")) and value in ids:
        return True
    if lower.endswith(("name", "identifier", "cluster", "function", "id")) or key in {"id", "bucket"}:
        return value in {one.values.get("name"), one.id.rsplit("/", 1)[-1], one.values.get("identifier")}
    return False


def _passes(one: Found, wanted: Mapping[str, Any]) -> bool:
    name, values = str(wanted.get("name", "")), [str(v) for v in wanted.get("values") or []]
    if name.startswith("tag:"):
        tags = one.values.get("tagsAll") or one.values.get("tags") or {}
        return str(tags.get(name[4:])) in values
    property_ = _FILTERS.get(name)
    if property_ is None:
        return False
    return (one.id if property_ == "id" else str(one.values.get(property_))) in values


def _holds_sealed(value: Any) -> bool:
    if is_sealed(value):
        return True
    if isinstance(value, dict):
        return any(_holds_sealed(v) for v in value.values())
    if isinstance(value, list):
        return any(_holds_sealed(v) for v in value)
    return False
