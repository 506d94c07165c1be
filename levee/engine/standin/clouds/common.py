"""Computed values by the property's name and type, for what no cloud's own rule covers."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any, Final

from levee.engine.standin.name_property import name_property
from levee.engine.standin.subject import Subject
from levee.sdk import Property


class Skip:
    """The type of :data:`SKIP`."""

    __slots__ = ()


SKIP: Final = Skip()
"""A cloud has no rule for this output."""


class Neutral:
    """The type of :data:`NEUTRAL`."""

    __slots__ = ()


NEUTRAL: Final = Neutral()
"""An output stands for something that has not happened: it is there, with nothing set in it."""

CREATED: Final = "2025-01-01T00:00:00Z"
"""Every invented moment: an equal run gives an equal state."""
EXPIRES: Final = "2035-01-01T00:00:00Z"
"""Every invented end."""

_DEFAULT: Final = re.compile(
    r"[Dd]efault(?:s)?(?:\s+value)?(?:\s+(?:is|to|of))?(?:\s+to)?:?\s+(?:[`\"']+([\w.:/-]+)[`\"']+|([A-Z][A-Z_]+)\b)"
)

_FILLED: Final = re.compile(
    r"(?i)(?:^name|^displayname|region|location|zone|cidr\w*|ip(?:v[46])?(?:address)?|macaddress|dnsname|domainname|fqdn"
    r"|hostname|endpoint|fingerprint|etag|version|tenantid|accountid|owner|"
    r"(?:vpc|subnet|network|project|instance|cluster|workspace|metastore)id)$"
)
"""Inputs that a cloud fills in when the program leaves them out. Any other must not look as if it were set."""

_BASE64: Final = re.compile(r"(?i)\bbase-?64[- ]?(?:encoded|text|string)|\bencoded (?:in|as) base-?64|in base-?64")
"""What a docstring says of a text that programs decode."""

_GENERIC: Final = frozenset({"name", "type", "id", "status", "state", "description", "version", "value", "key", "kind"})
"""Names that say nothing of what an equal name elsewhere in the resource means."""

Rule = Callable[[Subject, str, str], Any]


def identify(subject: Subject) -> str:
    """The resource's own name with eight digits, as most APIs that have no form of their own."""
    return f"{subject.text('name') or subject.name}-{subject.hex('id', 8)}"


PLANNED: Final = frozenset[str]()
"""Computed outputs that the real provider already knows in a preview."""


def compute(_subject: Subject, _id: str, _output: Property, _path: str) -> Any:
    """No rule of its own."""
    return SKIP


def own_name(subject: Subject) -> str:
    """The name in the cloud: the input that carries it, else the logical name."""
    name = name_property(subject.type)
    return (subject.text(name) if name else "") or subject.text("name") or subject.name


def scalar(subject: Subject, id_: str, output: Property, path: str) -> Any:
    """A scalar for an output; ``path`` tells equal names in different places apart."""
    kind = output.type.kind
    if kind == "enum":
        return output.type.values[0] if output.type.values else "default"
    if kind in {"boolean", "integer", "number"}:
        return default_of(output) if default_of(output) is not None else _ZERO[kind](output.name)
    if kind == "string":
        return _string(subject, id_, output, path)
    return SKIP


_ZERO: Final[dict[str, Callable[[str], Any]]] = {
    "boolean": lambda name: name.lower() in {"enabled", "active", "ready"},
    "integer": lambda name: 1 if "version" in name.lower() or "generation" in name.lower() else 0,
    "number": lambda name: 0,
}


def default_of(output: Property) -> Any:
    """The scalar that the docstring says is the default; ``None`` where it says none."""
    found = _DEFAULT.search(output.doc)
    if found is None:
        return None
    text, kind = (found[1] or found[2]).rstrip("."), output.type.kind
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.lower())
    if kind in {"integer", "number"}:
        try:
            number = float(text)
        except ValueError:
            return None
        return int(number) if number.is_integer() else number
    return text


_STRINGS: Final[tuple[tuple[re.Pattern[str], Rule], ...]] = tuple(
    (re.compile(pattern), rule)
    for pattern, rule in (
        (r"(?i)^(etag|fingerprint|checksum|labelFingerprint|sha\d*|hash)$", lambda s, i, p: s.hex(p, 32)),
        (r"(?i)sha256|digest", lambda s, i, p: s.hex(p, 64)),
        (r"(?i)md5", lambda s, i, p: s.hex(p, 32)),
        (
            r"(?i:time|timestamp|date|createdon|lastmodified|created|updated)$|[a-z](?:At|On)$",
            lambda s, i, p: CREATED,
        ),
        (r"(?i)(after|before|expiry|expiration|expires)$", lambda s, i, p: EXPIRES),
        (r"(?i)recordtype$", lambda s, i, p: "CNAME"),
        (r"(?i)record(name|value|data)$", lambda s, i, p: f"_{s.hex(p, 32)}.{_host(s)}."),
        (r"(?i)tenantid$", lambda s, i, p: s.connection.tenant),
        (
            r"(?i)(principalid|objectid|clientid|applicationid|uuid|guid|uniqueid|uid|immutableid)$",
            lambda s, i, p: s.guid(p),
        ),
        (r"(?i)e-?mail$", lambda s, i, p: f"{own_name(s)}@example.com"),
        (r"(?i)ipv6", lambda s, i, p: f"2001:db8:{s.hex(p, 4)}::1"),
        (r"(?i)cidr|(address|ip)_?prefix(es)?$|iprange$", lambda s, i, p: f"10.{s.digest(p)[0]}.0.0/16"),
        (r"(?i)ip(v4)?(address)?$", lambda s, i, p: f"10.{s.digest(p)[0]}.{s.digest(p)[1]}.{1 + s.digest(p)[2] % 254}"),
        (r"(?i)macaddress", lambda s, i, p: ":".join(f"{b:02x}" for b in b"\x02" + s.digest(p)[:5])),
        (r"(?i)(url|uri|endpoint|link|href|issuer)$", lambda s, i, p: f"https://{_host(s)}/{own_name(s)}"),
        (r"(?i)(dnsname|domainname|fqdn|hostname|domain|host|servername)$", lambda s, i, p: _host(s)),
        (r"(?i)(state|status|provisioningstate|phase)$", lambda s, i, p: "ACTIVE"),
        (r"(?i)(version|generation)$", lambda s, i, p: "1"),
        (r"(?i)(password|secret|token|accesskey|privatekey|connectionstring)$", lambda s, i, p: s.hex(p, 40)),
        (r"(?i)region$", lambda s, i, p: s.region),
        (r"(?i)^location$", lambda s, i, p: s.region),
        (r"(?i)accountid$", lambda s, i, p: s.connection.account or s.number(p, 12)),
        (r"(?i)ids?$", lambda s, i, p: s.hex(p, 20)),
        (r"(?i)^(name|displayname)$", lambda s, i, p: own_name(s)),
        (r"(?i)name$", lambda s, i, p: f"{own_name(s)}-{s.hex(p, 7)}"),
    )
)


def _host(subject: Subject) -> str:
    label = re.sub(r"[^a-z0-9-]+", "-", own_name(subject).lower()).strip("-") or "host"
    return f"{label}.{subject.hex('host', 8)}.{subject.connection.package}.example.com"


def _string(subject: Subject, id_: str, output: Property, path: str) -> str:
    default = default_of(output)
    if default is not None:
        return str(default)
    left_out = path in subject.type.inputs
    if not left_out and _BASE64.search(output.doc):
        return base64.b64encode(_plain_string(subject, id_, output, path).encode()).decode()
    return _plain_string(subject, id_, output, path, left_out=left_out)


def _plain_string(subject: Subject, id_: str, output: Property, path: str, *, left_out: bool = False) -> str:
    if left_out and not _FILLED.search(output.name):
        return ""
    if "." in path and output.name not in _GENERIC and (given := subject.text(output.name)):
        return given
    for pattern, rule in _STRINGS:
        if pattern.search(output.name):
            return str(rule(subject, id_, path))
    return "" if left_out else f"{output.name}-{subject.hex(path, 8)}"
