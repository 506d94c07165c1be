"""Typed placeholders for configuration that nobody has set: from a key's name and what is done with it to a value.

``levee --fill-config`` uses them. A value depends on the key and its uses alone, so that a preview and the update after
it agree. None is a real credential, none names a real host: documentation ranges only (RFC 2606, RFC 5737, RFC 7042).

Loaded by path into the *program's own* interpreter, so it may import nothing but the standard library.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import uuid
from typing import NamedTuple

CLOUD_REGIONS = {"aws": "us-east-1", "gcp": "us-central1", "azure": "westeurope"}
"""The stand-in's own choice of region, by cloud (``standin/connection.py``; a test holds the two together)."""

PROVIDER_CONFIG = {
    "aws:region": ("region", CLOUD_REGIONS["aws"], ("AWS_REGION", "AWS_DEFAULT_REGION")),
    "aws-native:region": ("region", CLOUD_REGIONS["aws"], ("AWS_REGION", "AWS_DEFAULT_REGION")),
    "gcp:project": ("GCP project", "levee-offline", ("GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT")),
    "gcp:region": ("region", CLOUD_REGIONS["gcp"], ("GOOGLE_REGION", "GCLOUD_REGION")),
    "gcp:zone": ("zone", f"{CLOUD_REGIONS['gcp']}-a", ("GOOGLE_ZONE", "GCLOUD_ZONE")),
    "google-native:project": ("GCP project", "levee-offline", ("GOOGLE_PROJECT",)),
    "google-native:region": ("region", CLOUD_REGIONS["gcp"], ("GOOGLE_REGION",)),
    "azure-native:location": ("location", CLOUD_REGIONS["azure"], ("ARM_LOCATION",)),
    "azure:location": ("location", CLOUD_REGIONS["azure"], ("ARM_LOCATION",)),
}
"""What a provider takes from the stack's configuration: kind, placeholder, environment variables that go before it."""


class Placeholder(NamedTuple):
    """One invented value.

    Attributes:
        kind: What it is, in a person's words, such as ``CIDR block``.
        value: A JSON value.
        why: What gave it away, such as ``named vpc_cidr`` or ``used as public_key``.
        secret: Whether its kind alone makes it one that is not shown.
    """

    kind: str
    value: object
    why: str
    secret: bool = False

    @property
    def text(self) -> str:
        """The value as configuration holds it: text, or JSON."""
        return self.value if isinstance(self.value, str) else json.dumps(self.value)


class Uses(NamedTuple):
    """What a program does with a value, as far as its source tells.

    Attributes:
        names: Parameters, variables and keys that it goes to.
        choices: The values that the program compares it with or looks up by it.
        number: It is turned into a number.
        parsed_as: ``json``, ``base64``, ``path``, ``file`` or empty.
        separator: What it is split at, or empty.
        refused: The values for which the program raises.
        shape: ``object``, ``list``, ``objects`` (a list of them), or empty where nothing is read of it.
    """

    names: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    number: bool = False
    parsed_as: str = ""
    separator: str = ""
    refused: tuple[str, ...] = ()
    shape: str = ""


def words(name: str) -> str:
    """``sshPublicKey`` and ``ssh-public_key`` as ``ssh_public_key``."""
    split = re.sub(r"([a-z0-9])([A-Z])|([A-Z]+)([A-Z][a-z])", r"\1\3_\2\4", name)
    return re.sub(r"[^a-z0-9]+", "_", split.lower()).strip("_")


def digest(key: str, size: int) -> bytes:
    """So many bytes that depend on the key alone."""
    return hashlib.shake_256(f"levee placeholder {key}".encode()).digest(size)


def _slug(key: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", words(key.rsplit(":", 1)[-1]).replace("_", "-"))[:24].strip("-") or "value"


def ssh_public_key(key: str) -> str:
    """A well-formed 2048-bit RSA key (RFC 4253, section 6.6) whose private half nobody has."""

    def field(data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + data

    modulus = bytearray(digest(key, 256))
    modulus[0] |= 0x80
    modulus[-1] |= 1
    blob = field(b"ssh-rsa") + field(b"\x01\x00\x01") + field(b"\x00" + bytes(modulus))
    return f"ssh-rsa {base64.b64encode(blob).decode()} levee-placeholder"


def _pem(label: str, key: str) -> str:
    body = base64.encodebytes(digest(key, 270)).decode()
    lines = [body.replace("\n", "")[start : start + 64] for start in range(0, 360, 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def password(key: str) -> str:
    """20 characters of four classes, which every cloud's rule takes; the same for the same key."""
    return "Lv3-" + base64.b32encode(digest(key, 10)).decode().lower()[:12] + "-Xz7"


def _hex(key: str, size: int) -> str:
    return digest(key, size).hex()[:size]


_ARNS = (
    ("cert", "arn:aws:acm:us-east-1:123456789012:certificate/"),
    ("kms|key", "arn:aws:kms:us-east-1:123456789012:key/"),
    ("topic|sns", "arn:aws:sns:us-east-1:123456789012:"),
    ("queue|sqs", "arn:aws:sqs:us-east-1:123456789012:"),
    ("bucket|s3", "arn:aws:s3:::"),
    ("policy", "arn:aws:iam::123456789012:policy/"),
    ("user|principal", "arn:aws:iam::123456789012:user/"),
    ("secret", "arn:aws:secretsmanager:us-east-1:123456789012:secret:"),
    ("lambda|function", "arn:aws:lambda:us-east-1:123456789012:function:"),
    ("cluster", "arn:aws:eks:us-east-1:123456789012:cluster/"),
    ("", "arn:aws:iam::123456789012:role/"),
)


def _arn(name: str, key: str) -> str:
    prefix = next(prefix for pattern, prefix in _ARNS if re.search(pattern, name))
    uuid_like = prefix.endswith(("certificate/", "key/"))
    return prefix + (str(uuid.uuid5(uuid.NAMESPACE_URL, key)) if uuid_like else f"levee-{_slug(key)}")


def _region(cloud: str) -> str:
    return CLOUD_REGIONS.get(cloud, CLOUD_REGIONS["aws"])


def _zone(cloud: str) -> str:
    return "1" if cloud == "azure" else _region(cloud) + ("-a" if cloud == "gcp" else "a")


def _machine(name: str, cloud: str) -> str:
    if "class" in name or re.search(r"(^|_)(db|rds|database)_instance", name):
        return "db.t3.medium"
    return {"gcp": "e2-medium", "azure": "Standard_B2s"}.get(cloud, "t3.medium")


def _number(name: str) -> int:
    for pattern, value in (
        (r"port", 8080),
        (r"retention|days|ttl|expir|age", 30),
        (r"memory|mem", 512),
        (r"cpu", 256),
        (r"gb|gib|disk|storage|volume|size", 20),
        (r"timeout|seconds|interval|duration", 60),
        (r"percent|threshold|budget|amount|limit", 80),
        (r"max", 3),
        (r"min", 1),
        (r"asn", 65000),
    ):
        if re.search(rf"(^|_)({pattern})", name):
            return value
    return 2


# Pattern over a name's words, kind, and the value or what makes it of (name, key, cloud). The first match counts.
_RULES = (
    (
        (
            r"(?!.*(user|domain|host|bucket|db|database|project|dns|zone|image|org|organi[sz]ation|stack|admin)_name$)"
            r"\w+_name$"
        ),
        "name",
        lambda n, k, c: f"levee-{_slug(k)}",
    ),
    (
        r"(ssh|public|pub|authorized)_(rsa_)?keys?|sshkeys?|pubkey|publickey|ssh_rsa|key_data|public_key_openssh",
        "SSH public key",
        lambda n, k, c: ssh_public_key(k),
    ),
    (r"private_key|privatekey|key_pem", "private key (shape only)", lambda n, k, c: _pem("RSA PRIVATE KEY", k)),
    (r"arns?", "ARN", lambda n, k, c: _arn(n, k)),
    (
        r"(cert|certificate)(_(body|chain|pem|data))?|ca_cert|ca_bundle",
        "PEM certificate (shape only)",
        lambda n, k, c: _pem("CERTIFICATE", k),
    ),
    (
        (
            r"(allowed|source|trusted|whitelist|allow|my|client|ingress|admin|office|home)_(\w+_)?"
            r"(cidrs?|ips?|ranges?|prefix|address)(_blocks?)?"
        ),
        "CIDR block",
        "203.0.113.0/24",
    ),
    (
        r"subnet\w*_(cidrs?|ranges?|prefix(es)?|blocks?|address_prefix)|cidr_subnet",
        "CIDR block",
        lambda n, k, c: f"10.0.{digest(k, 1)[0]}.0/24",
    ),
    (
        r"cidrs?|cidr_?blocks?|ip_ranges?|ip_cidr_range|address_(space|prefix)(es)?|address_range",
        "CIDR block",
        "10.0.0.0/16",
    ),
    (r"(\w+_)?amis?(_ids?)?|image_id", "AMI id", lambda n, k, c: "ami-" + _hex("ami", 17)),
    (r"(vpc|subnet|eni|igw|nat|vol|snap|rtb|eipalloc|tgw)_ids?", "AWS resource id", lambda n, k, c: _aws_id(n, k)),
    (r"(security_group|sg)_ids?", "AWS resource id", lambda n, k, c: "sg-" + _hex(k, 17)),
    (r"(hosted_)?zone_ids?", "hosted zone id", lambda n, k, c: "Z" + _hex(k, 13).upper()),
    (r"(aws_)?account(_ids?)?|aws_account_number", "AWS account id", "123456789012"),
    (r"billing_account(_id)?", "GCP billing account", "012345-6789AB-CDEF01"),
    (
        r"(subscription|tenant|client|object|directory|principal|app|application)_ids?|uuid|guid",
        "GUID",
        lambda n, k, c: str(uuid.uuid5(uuid.NAMESPACE_URL, k)),
    ),
    (
        r"instance_(type|class|size)s?|node_(type|size)s?|machine_types?|vm_sizes?|instance_tier|db_class|flavou?r",
        "machine type",
        lambda n, k, c: _machine(n, c),
    ),
    (r"e_?mails?|email_address", "e-mail address", "someone@example.com"),
    (r"(git|repo|repository)_ur[il]|repo(sitory)?", "repository URL", "https://example.com/acme/app.git"),
    (r"ur[il]s?|endpoint|webhook|callback|issuer", "URL", lambda n, k, c: f"https://example.com/{_slug(k)}"),
    (
        r"(api|access|secret|account|storage|master|encryption|license)_?keys?|pat",
        "key",
        lambda n, k, c: password(k),
    ),
    (
        r"\w*passwords?|passwd|pwd|passphrase|pass|\w*secrets?|\w*tokens?|credentials?",
        "password",
        lambda n, k, c: password(k),
    ),
    (r"domains?(_name)?|host_?names?|fqdn|dns_names?|dns_zone|zone_name|hosts?|site", "domain", "example.com"),
    (r"(public_|private_|static_)?(ip|ipv4|ip_address|address)(es)?|ips", "IP address", "203.0.113.10"),
    (r"availability_zones?|azs?|zones?", "zone", lambda n, k, c: _zone(c)),
    (r"locations?", "location", lambda n, k, c: _region(c if c == "gcp" else "azure")),
    (r"regions?", "region", lambda n, k, c: _region(c)),
    (r"environments?|env|stages?|deployment_env", "environment", "dev"),
    (
        r"user_?names?|users?|login|admin_?(user|name|username|login)|administrator_login",
        "user name",
        "leveeadmin",
    ),
    (
        r"(infra|network|cluster|base)_?(ref|reference)|stack_(ref|reference|name)|(\w+_)?stack",
        "stack reference",
        lambda n, k, c: f"organization/{_slug(k)}/dev",
    ),
    (
        r"(cron|schedule)(_expression)?",
        "schedule",
        lambda n, k, c: "rate(1 day)" if c == "aws" else "0 3 * * *",
    ),
    (r"(kubernetes|k8s|cluster|eks|aks|gke)_version", "Kubernetes version", "1.33"),
    (r"versions?", "version", "1.0.0"),
    (r"(docker_|container_)?image(_name|_uri|_url)?", "container image", "nginx:1.27"),
    (r"(image_)?tag", "image tag", "latest"),
    (r"(db|database)_?(name)?", "database name", "leveedb"),
    (r"path|dir|directory|folder", "folder", "."),
    (r"date|start_time|end_time|timestamp|not_(before|after)", "date", "2030-01-01T00:00:00Z"),
    (r"phone(_number)?", "telephone number", "+12025550100"),
    (r"projects?(_id|_name)?", "project", "levee-offline"),
    (r"(\w*_)?bucket(_name)?", "bucket name", lambda n, k, c: f"levee-{_slug(k)}-{_hex(k, 6)}"),
    (r"organi[sz]ations?|org(_name)?", "organisation", "acme"),
    (
        r"(is|has|use|with|enable|enabled|disable|create|deploy|allow|debug|protect)(_\w+)?|\w+_enabled",
        "boolean",
        "true",
    ),
    (
        (
            r"port|count|replicas?|number|num|desired|min|max|minimum|maximum|capacity|days|hours|minutes|seconds|timeout|"
            r"retention|ttl|memory|mem|cpu|gb|gib|mb|limit|threshold|iops|throughput|percent|percentage|asn|budget|amount|"
            r"size|scale|weight|priority|concurrency|workers|shards"
        ),
        "number",
        lambda n, k, c: str(_number(n)),
    ),
)
_KINDS = tuple((re.compile(rf"(^|_)({pattern})($|_)"), kind, value) for pattern, kind, value in _RULES)
_SECRET_KINDS = frozenset({"password", "key", "private key (shape only)"})
_ROOMY = frozenset({"name", "bucket name"})
"""Kinds whose place also takes a value of a narrower kind: a bucket that is called like a domain."""
_AWS_IDS = {"vpc", "subnet", "eni", "igw", "nat", "vol", "snap", "rtb", "eipalloc", "tgw"}


def _aws_id(name: str, key: str) -> str:
    kind = next(word for word in name.split("_") if word in _AWS_IDS)
    return f"{kind}-{_hex(key, 17)}"


def _by_name(name: str, key: str, cloud: str) -> tuple[str, str] | None:
    """Kind and value, where the name says what is meant."""
    parts = words(name)
    for pattern, kind, value in _KINDS:
        if pattern.search(parts):
            return kind, (value if isinstance(value, str) else value(parts, key, cloud))
    return None


def choose(key: str, asked: str = "string", uses: Uses | None = None, cloud: str = "") -> Placeholder:
    """The placeholder of one key.

    Args:
        key: The full key, ``namespace:name``.
        asked: What the program asked for: ``string``, ``int``, ``float``, ``bool`` or ``object``.
        uses: What it does with it.
        cloud: ``aws``, ``gcp`` or ``azure``, where the program uses one of them more than the others.
    """
    uses = uses or Uses()
    if key in PROVIDER_CONFIG:
        kind, value, _ = PROVIDER_CONFIG[key]
        return Placeholder(kind, value, "the provider's own configuration")
    name = key.rsplit(":", 1)[-1]
    if asked in {"int", "float"} or uses.number:
        value = _number(words(name))
        why = f"asked for as {asked}" if asked != "string" else "turned into a number"
        return Placeholder("number", value if asked != "float" else float(value), why)
    if asked == "bool":
        return Placeholder(
            "boolean", not re.search(r"(^|_)(protect|deletion_protection)", words(name)), "asked for as bool"
        )
    if asked == "object" or uses.parsed_as == "json":
        return _object(key, name, cloud)
    if uses.choices:
        return Placeholder(
            "one of the program's choices", uses.choices[0], f"compared with {', '.join(uses.choices[:4])}"
        )
    if uses.parsed_as in {"path", "file"}:
        return Placeholder("path", ".", "opened as a path")
    found = _named(key, (*uses.names, name), name, cloud) or Placeholder(
        "text", f"levee-{_slug(key)}", "nothing says more"
    )
    if found.text in uses.refused:
        other = "false" if found.kind == "boolean" else f"levee-{_slug(key)}"
        found = found._replace(value=other, why=f"refused are {', '.join(uses.refused)}")
    if uses.separator and isinstance(found.value, str):
        several = uses.separator.join(str(value) for value in _several(found, key))
        return found._replace(value=several, kind=f"list of {found.kind}")
    if uses.parsed_as == "base64" and isinstance(found.value, str):
        return found._replace(value=base64.b64encode(found.value.encode()).decode(), kind=f"{found.kind}, base64")
    return found


def _named(key: str, hints: tuple[str, ...], name: str, cloud: str) -> Placeholder | None:
    """By the first hint that says something; one that takes any short text only where no other hint says more."""
    found = [(hint, *said) for hint in hints if (said := _by_name(hint, key, cloud))]
    if not found:
        return None
    hint, kind, value = next((one for one in found if one[1] not in _ROOMY), found[0])
    why = f"named {name}" if hint == name else f"used as {hint}"
    return Placeholder(kind, value, why, kind in _SECRET_KINDS)


def _several(one: Placeholder, key: str) -> list[object]:
    """Two values of a kind, where two differ."""
    if one.kind == "CIDR block":
        return ["10.0.1.0/24", "10.0.2.0/24"]
    if one.kind == "zone" and str(one.value).endswith("a"):
        return [one.value, str(one.value)[:-1] + "b"]
    if one.kind == "AWS resource id":
        prefix = str(one.value).split("-", 1)[0]
        return [one.value, f"{prefix}-{_hex(key + '2', 17)}"]
    return [one.value]


def several(key: str, cloud: str = "") -> Placeholder:
    """A list for a key that the program goes through: of what its name says, else of a text."""
    name = re.split(r"[:.]", key)[-1]
    one = _named(key, (name,), name, cloud) or Placeholder("text", f"levee-{_slug(key)}", "nothing says more")
    return one._replace(kind=f"list of {one.kind}", value=_several(one, key))


def _object(key: str, name: str, cloud: str) -> Placeholder:
    parts = words(name)
    if re.search(r"(^|_)(tags|labels|annotations|settings|options|config|data|metadata)$", parts):
        return Placeholder("object", {}, f"named {name}")
    if parts.endswith("s") and not parts.endswith("ss"):
        one = _named(key, (name,), name, cloud)
        return Placeholder(f"list of {one.kind}" if one else "list", _several(one, key) if one else [], f"named {name}")
    return Placeholder("object", {}, "asked for as an object")
