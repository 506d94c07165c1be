"""Google Cloud: ids from the templates of the provider's own documentation, self links, labels.

Source: the ``pulumi import`` templates in the SDK's docstrings (``projects/{{project}}/global/networks/{{name}}``).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any, Final

from levee.engine.standin.clouds.common import CREATED, SKIP, own_name
from levee.engine.standin.connection import GCP_PROJECT_NUMBER
from levee.engine.standin.subject import NotYetError, Subject
from levee.sdk import Property

PLANNED: Final = frozenset({"project", "effectiveLabels", "pulumiLabels"})
"""Computed outputs that the real provider already knows in a preview."""

_FIELD: Final = re.compile(r"\{\{%?([\w.]+)\}\}")
_ATTRIBUTION: Final = {"goog-pulumi-provisioned": "true"}
_GRANT: Final = frozenset({"role", "member", "members", "condition", "policyData"})
_IAM: Final = re.compile(r"I[Aa][Mm](Member|Binding|Policy)$")


def _fill(template: str, subject: Subject) -> str:
    """The template with the resource's values, or the empty string where one is missing."""
    if "{{" not in template:
        return ""
    missing = False

    def value(found: re.Match[str]) -> str:
        nonlocal missing
        field = found[1]
        camel = re.sub(r"_(\w)", lambda m: m[1].upper(), field)
        if camel == "project":
            return _project(subject)
        text = subject.text(camel)
        if not text and camel in {"region", "location"}:
            text = subject.region
        if not text and camel == "zone":
            text = f"{subject.region}-a"
        if not text and camel == "name":
            text = own_name(subject)
        missing = missing or not text
        return text

    filled = _FIELD.sub(value, template)
    return "" if missing else filled


def _project(subject: Subject) -> str:
    return subject.text("project") or subject.connection.project


def _email(subject: Subject) -> str:
    return f"{subject.text('accountId')}@{_project(subject)}.iam.gserviceaccount.com"


def _labels(subject: Subject, attribution: dict[str, str]) -> Any:
    if "labels" not in subject.type.inputs:
        return SKIP
    defaults = subject.connection.config.get("defaultLabels") or {}
    try:
        return subject.like("labels", {**attribution, **defaults, **(subject.given("labels") or {})})
    except TypeError as error:
        raise NotYetError("labels") from error


def _self_link(subject: Subject, id_: str) -> str:
    if subject.kind == "storage:Bucket":
        return f"https://www.googleapis.com/storage/v1/b/{id_}"
    if subject.service == "bigquery":
        return f"https://bigquery.googleapis.com/bigquery/v2/{id_}"
    api = "compute" if subject.service == "compute" else subject.service
    return f"https://www.googleapis.com/{api}/v1/{id_}"


def _credentials(subject: Subject, id_: str) -> str:
    """A service account's key file in base64; its private key opens nothing."""
    document = {
        "type": "service_account",
        "project_id": _project(subject),
        "private_key_id": id_.rsplit("/", 1)[-1],
        "private_key": f"-----BEGIN PRIVATE KEY-----\n{subject.hex('key', 64)}\n-----END PRIVATE KEY-----\n",
        "client_email": subject.text("serviceAccountId").rsplit("/", 1)[-1],
        "client_id": subject.number("client", 21),
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    return base64.b64encode(json.dumps(document).encode()).decode()


def _certificate(subject: Subject) -> str:
    """A certificate of a cluster's own authority in base64; it certifies nothing."""
    pem = f"-----BEGIN CERTIFICATE-----\n{subject.hex('ca', 64)}\n-----END CERTIFICATE-----\n"
    return base64.b64encode(pem.encode()).decode()


_ID: Final[dict[str, Callable[[Subject], str]]] = {
    "storage:Bucket": own_name,
    "storage:BucketObject": lambda s: f"{s.text('bucket')}-{own_name(s)}",
    "serviceaccount:Account": lambda s: f"projects/{_project(s)}/serviceAccounts/{_email(s)}",
    "serviceaccount:Key": lambda s: f"{s.text('serviceAccountId')}/keys/{s.hex('id', 40)}",
    "kms:CryptoKey": lambda s: f"{s.text('keyRing')}/cryptoKeys/{own_name(s)}",
    "projects:Service": lambda s: f"{_project(s)}/{s.text('service')}",
    "organizations:Project": lambda s: f"projects/{s.text('projectId')}",
    "logging:ProjectSink": lambda s: f"projects/{_project(s)}/sinks/{own_name(s)}",
    "container:Cluster": lambda s: (
        f"projects/{_project(s)}/locations/{s.text('location') or s.region}/clusters/{own_name(s)}"
    ),
    "container:NodePool": lambda s: (
        f"projects/{_project(s)}/locations/{s.text('location') or s.region}"
        f"/clusters/{s.text('cluster').rsplit('/', 1)[-1]}/nodePools/{own_name(s)}"
    ),
    "dns:ManagedZone": lambda s: f"projects/{_project(s)}/managedZones/{own_name(s)}",
}


def identify(subject: Subject) -> str:
    """The id in the provider's form."""
    rule = _ID.get(subject.kind)
    if rule is not None:
        return rule(subject)
    iam = _IAM.search(subject.type.class_name)
    if iam:
        target = [subject.text(name) for name in subject.type.inputs if name not in _GRANT]
        return "/".join(filter(None, [*target, subject.text("role"), subject.text("member")]))
    for template in subject.type.import_ids:
        filled = _fill(template, subject)
        if filled:
            return filled
    return f"projects/{_project(subject)}/{own_name(subject)}" if subject.text("name") else subject.number("id", 19)


def compute(subject: Subject, id_: str, output: Property, path: str) -> Any:
    """A computed output in Google Cloud's form."""
    rule = _BY_KIND.get(f"{subject.kind}.{path}") or _TOP.get(path)
    if rule is not None:
        return rule(subject, id_)
    if not output.required:
        return SKIP
    if path == "name" and "name" not in subject.type.inputs:
        return id_
    if output.name.lower().endswith(("time", "timestamp", "timecreated")):
        return CREATED
    return SKIP


_TOP: Final[dict[str, Callable[[Subject, str], Any]]] = {
    "project": lambda s, i: _project(s),
    "region": lambda s, i: s.region if "region" in s.type.inputs else SKIP,
    "zone": lambda s, i: f"{s.region}-a" if "zone" in s.type.inputs else SKIP,
    "location": lambda s, i: s.region,
    "selfLink": _self_link,
    "effectiveLabels": lambda s, i: _labels(s, _ATTRIBUTION),
    "pulumiLabels": lambda s, i: _labels(s, _ATTRIBUTION),
    "projectNumber": lambda s, i: GCP_PROJECT_NUMBER,
    "numericId": lambda s, i: s.number("numeric", 19),
    "uniqueId": lambda s, i: s.number("unique", 21),
}
_BY_KIND: Final[dict[str, Callable[[Subject, str], Any]]] = {
    "storage:Bucket.url": lambda s, i: f"gs://{i}",
    "storage:Bucket.storageClass": lambda s, i: "STANDARD",
    "storage:BucketObject.mediaLink": lambda s, i: (
        f"https://storage.googleapis.com/download/storage/v1/b/{s.text('bucket')}/o/{own_name(s)}?alt=media"
    ),
    "serviceaccount:Account.email": lambda s, i: _email(s),
    "serviceaccount:Account.member": lambda s, i: f"serviceAccount:{_email(s)}",
    "serviceaccount:Account.name": lambda s, i: i,
    "serviceaccount:Key.privateKey": _credentials,
    "organizations:Project.number": lambda s, i: s.number("number", 12),
    "projects:Service.service": lambda s, i: s.text("service"),
    "logging:ProjectSink.writerIdentity": lambda s, i: (
        f"serviceAccount:service-{GCP_PROJECT_NUMBER}@gcp-sa-logging.iam.gserviceaccount.com"
    ),
    "container:Cluster.endpoint": lambda s, i: (
        f"34.{s.digest('ep')[0]}.{s.digest('ep')[1]}.{1 + s.digest('ep')[2] % 254}"
    ),
    # Not among what every output of the type holds: the SDK has each field of it among the inputs too.
    "container:Cluster.masterAuth": lambda s, i: {
        "clientCertificate": "",
        "clientCertificateConfig": {"issueClientCertificate": False},
        "clientKey": "",
        "clusterCaCertificate": _certificate(s),
    },
    "container:Cluster.masterAuth.clusterCaCertificate": lambda s, i: _certificate(s),
    "sql:DatabaseInstance.connectionName": lambda s, i: f"{_project(s)}:{s.region}:{own_name(s)}",
    "sql:DatabaseInstance.serviceAccountEmailAddress": lambda s, i: (
        f"p{GCP_PROJECT_NUMBER}-{s.hex('sa', 6)}@gcp-sa-cloud-sql.iam.gserviceaccount.com"
    ),
    "dns:ManagedZone.nameServers": lambda s, i: [f"ns-cloud-a{n}.googledomains.com." for n in range(1, 5)],
    "cloudrunv2:Service.uri": lambda s, i: f"https://{own_name(s)}-{s.hex('uri', 10)}-uc.a.run.app",
}
