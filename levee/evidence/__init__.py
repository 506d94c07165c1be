"""What an auditor is given: every requirement of a framework, what the rules say of it, signed."""

from levee.evidence.assessment import Assessment, Status, assess
from levee.evidence.bundle import EvidenceError, Verified, fingerprint, public_key, signing_key, verify, write
from levee.evidence.contents import files, summary
from levee.evidence.framework import Framework
from levee.evidence.oscal import to_oscal
from levee.evidence.page import render

__all__ = [
    "Assessment",
    "EvidenceError",
    "Framework",
    "Status",
    "Verified",
    "assess",
    "files",
    "fingerprint",
    "public_key",
    "render",
    "signing_key",
    "summary",
    "to_oscal",
    "verify",
    "write",
]
