"""Where Google explains what the rules ask for, and the types that grant access."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

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

_LEVELS: Final = ("projects", "folder", "organizations")
_HIERARCHY_ROLES: Final = tuple(_token(f"{level}/iAM", kind) for level in _LEVELS for kind in ("Member", "Binding"))
_HIERARCHY_POLICIES: Final = tuple(_token(f"{level}/iAM", "Policy") for level in _LEVELS)
HIERARCHY: Final = (*_HIERARCHY_ROLES, *_HIERARCHY_POLICIES)
"""Grants on a project, a folder or the organisation: over everything in it."""


def no_member(pattern: str, refused: str) -> Check:
    """No grant of ``GRANTS`` is to a member that matches the pattern."""
    one, several = (unless_output(path, not_matching(path, pattern, refused)) for path in ("member", "members[*]"))
    return by_type(
        dict.fromkeys(MEMBERS, one)
        | dict.fromkeys(BINDINGS, several)
        | dict.fromkeys(POLICIES, _no_binding(lambda binding: binding.get("members") or (), pattern, refused))
    )


def no_role(pattern: str, refused: str) -> Check:
    """No grant of ``HIERARCHY`` is of a role that matches the pattern."""
    return by_type(
        dict.fromkeys(_HIERARCHY_ROLES, not_matching("role", pattern, refused))
        | dict.fromkeys(_HIERARCHY_POLICIES, _no_binding(lambda binding: [binding.get("role")], pattern, refused))
    )


def _no_binding(of: Callable[[Mapping[str, Any]], Iterable[Any]], pattern: str, refused: str) -> Check:
    """No binding of a policy's document has anything that matches the pattern among what ``of`` takes from it."""
    compiled = re.compile(pattern)

    @reads("policyData")
    def run(scope: Scope) -> Iterator[Finding]:
        found = scope.one("policyData")
        policy = document(found.value, found.path)
        bindings = policy.get("bindings") if isinstance(policy, Mapping) else None
        given = {str(one) for binding in bindings or () if isinstance(binding, Mapping) for one in of(binding)}
        for one in sorted(filter(compiled.fullmatch, given)):
            yield Finding(f"`{found.path}` grants {one}: it must not be {refused}", property=found.path)

    return run
