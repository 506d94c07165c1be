"""Where Google explains what the rules ask for, and the types that grant access."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from levee.compliance.rule import Finding
from levee.compliance.rules.checks import Check, by_type, document, not_matching, reads
from levee.compliance.rules.relations import unless_output
from levee.compliance.rules.scope import Scope

DOCS: Final = "https://cloud.google.com/"

_GRANTS: Final = (
    "artifactregistry/repositoryIam",
    "bigquery/datasetIam",
    "bigquery/iam",
    "cloudfunctions/functionIam",
    "cloudfunctionsv2/functionIam",
    "cloudrun/iam",
    "cloudrunv2/jobIam",
    "cloudrunv2/serviceIam",
    "dataproc/clusterIAM",
    "folder/iAM",
    "healthcare/datasetIam",
    "healthcare/fhirStoreIam",
    "kms/cryptoKeyIAM",
    "kms/keyRingIAM",
    "organizations/iAM",
    "projects/iAM",
    "pubsub/subscriptionIAM",
    "pubsub/topicIAM",
    "secretmanager/secretIam",
    "serviceaccount/iAM",
    "spanner/databaseIAM",
    "spanner/instanceIAM",
    "storage/bucketIAM",
)


def _token(stem: str, kind: str) -> str:
    """``storage/bucketIAM`` and ``Member`` as ``gcp:storage/bucketIAMMember:BucketIAMMember``."""
    name = stem.partition("/")[2]
    return f"gcp:{stem}{kind}:{name[0].upper()}{name[1:]}{kind}"


MEMBERS: Final = tuple(_token(stem, "Member") for stem in _GRANTS)
BINDINGS: Final = tuple(_token(stem, "Binding") for stem in _GRANTS)
POLICIES: Final = tuple(_token(stem, "Policy") for stem in _GRANTS)
GRANTS: Final = (*MEMBERS, *BINDINGS, *POLICIES)
"""Who is granted what: to one member, to the members of a role, or to all, as a JSON document."""

HIERARCHY: Final = tuple(
    _token(f"{level}/iAM", kind) for level in ("projects", "folder", "organizations") for kind in ("Member", "Binding")
)
"""Grants on a project, a folder or the organisation: over everything in it."""


def no_member(pattern: str, refused: str) -> Check:
    """No grant of ``GRANTS`` is to a member that matches the pattern."""
    one, several = (unless_output(path, not_matching(path, pattern, refused)) for path in ("member", "members[*]"))
    return by_type(
        dict.fromkeys(MEMBERS, one)
        | dict.fromkeys(BINDINGS, several)
        | dict.fromkeys(POLICIES, _no_member_of_policy(pattern, refused))
    )


def _no_member_of_policy(pattern: str, refused: str) -> Check:
    compiled = re.compile(pattern)

    @reads("policyData")
    def run(scope: Scope) -> Iterator[Finding]:
        found = scope.one("policyData")
        policy = document(found.value, found.path)
        bindings = policy.get("bindings") if isinstance(policy, dict) else None
        members = {str(member) for binding in bindings or () for member in binding.get("members") or ()}
        for member in sorted(filter(compiled.fullmatch, members)):
            yield Finding(f"`{found.path}` grants to {member}: it must not be {refused}", property=found.path)

    return run
