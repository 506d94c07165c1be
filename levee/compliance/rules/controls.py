"""The paragraphs of standards that the rules serve, by theme; rules share a theme, so that a reference is right once.

Sources: 45 CFR Part 164 Subpart C (HIPAA Security Rule); PCI DSS v4.0.1 (June 2024); AICPA Trust Services Criteria 2017
(points of focus revised 2022); ISO/IEC 27001:2022 Annex A; Regulation (EU) 2016/679 (GDPR); 21 CFR Part 11; and the CIS
Benchmarks at the versions named below, by the number of the recommendation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from levee.compliance.rule import Control

Controls = tuple[Control, ...]


def hipaa(*references: str) -> Controls:
    """Paragraphs of 45 CFR Part 164, such as ``164.312(a)(2)(iv)``."""
    return tuple(Control("HIPAA Security Rule", "45 CFR 164", reference) for reference in references)


def pci(*references: str) -> Controls:
    """Requirements of PCI DSS 4.0.1, such as ``1.4.4``."""
    return tuple(Control("PCI DSS", "4.0.1", reference) for reference in references)


def soc2(*references: str) -> Controls:
    """Trust Services Criteria, such as ``CC6.1``."""
    return tuple(Control("SOC 2", "TSC 2017", reference) for reference in references)


def iso(*references: str) -> Controls:
    """Controls of ISO/IEC 27001:2022 Annex A, such as ``A.8.24``."""
    return tuple(Control("ISO/IEC 27001", "2022", reference) for reference in references)


def gdpr(*references: str) -> Controls:
    """Articles of the GDPR, such as ``Art. 32(1)(a)``."""
    return tuple(Control("GDPR", "2016/679", reference) for reference in references)


def part11(*references: str) -> Controls:
    """Sections of 21 CFR Part 11, such as ``11.10(e)``."""
    return tuple(Control("21 CFR Part 11", "1997", reference) for reference in references)


Numbers = Mapping[str, tuple[int, int]]
"""Section of a benchmark to the first and the last of its recommendations."""

_CIS_AWS: Final[Numbers] = {
    "1": (1, 22),
    "2.1": (1, 4),
    "2.2": (1, 1),
    "2.3": (1, 3),
    "2.4": (1, 1),
    "3": (1, 9),
    "4": (1, 16),
    "5": (1, 6),
}
_CIS_AZURE: Final[Numbers] = {
    "2": (3, 26),
    "2.1": (1, 4),
    "2.2": (1, 8),
    "3.1": (10, 16),
    "3.2": (1, 1),
    "3.3": (1, 8),
    "4": (1, 17),
    "5.1": (1, 7),
    "5.2": (1, 8),
    "5.3": (1, 4),
    "5.4": (1, 3),
    "6": (4, 5),
    "6.1": (1, 6),
    "6.2": (1, 10),
    "6.3": (1, 1),
    "7": (1, 7),
    "8": (1, 11),
    "9": (1, 12),
    "10": (1, 1),
}
_CIS_GCP: Final[Numbers] = {
    "1": (1, 17),
    "2": (1, 16),
    "3": (1, 10),
    "4": (1, 12),
    "5": (1, 2),
    "6": (4, 7),
    "6.1": (1, 3),
    "6.2": (1, 8),
    "6.3": (1, 7),
    "7": (1, 4),
    "8": (1, 1),
}
_CIS_KUBERNETES: Final[Numbers] = {
    "5.1": (1, 13),
    "5.2": (1, 13),
    "5.3": (1, 2),
    "5.4": (1, 2),
    "5.5": (1, 1),
    "5.7": (1, 4),
}
"""Section 5, "Policies": the others are about machines of a control plane, which no resource here describes."""


def _published(standard: str, version: str, numbers: Numbers, references: Iterable[str]) -> Controls:
    """Recommendations by number.

    Raises:
        ValueError: The benchmark has no such recommendation.
    """
    for reference in references:
        section, _, number = reference.rpartition(".")
        first, last = numbers.get(section, (0, -1))
        if not number.isdigit() or not first <= int(number) <= last:
            raise ValueError(f"{standard} {version} has no recommendation {reference}")
    return tuple(Control(standard, version, reference) for reference in references)


def cis_aws(*references: str) -> Controls:
    """Recommendations of the CIS AWS Foundations Benchmark 3.0.0."""
    return _published("CIS AWS Foundations", "3.0.0", _CIS_AWS, references)


def cis_kubernetes(*references: str) -> Controls:
    """Recommendations of the CIS Kubernetes Benchmark 1.8.0."""
    return _published("CIS Kubernetes", "1.8.0", _CIS_KUBERNETES, references)


def cis_azure(*references: str) -> Controls:
    """Recommendations of the CIS Microsoft Azure Foundations Benchmark 3.0.0."""
    return _published("CIS Azure Foundations", "3.0.0", _CIS_AZURE, references)


def cis_gcp(*references: str) -> Controls:
    """Recommendations of the CIS Google Cloud Platform Foundation Benchmark 3.0.0."""
    return _published("CIS GCP Foundation", "3.0.0", _CIS_GCP, references)


def databricks_sat(*references: str) -> Controls:
    """Checks of Databricks' own Security Analysis Tool 0.8.0, which reads a workspace that runs."""
    return tuple(Control("Databricks SAT", "0.8.0", reference) for reference in references)


ENCRYPTION_AT_REST: Final = (
    *hipaa("164.312(a)(2)(iv)"),
    *pci("3.5.1"),
    *soc2("CC6.1"),
    *iso("A.8.24"),
    *gdpr("Art. 32(1)(a)"),
)
KEY_MANAGEMENT: Final = (*hipaa("164.312(a)(2)(iv)"), *pci("3.6.1"), *soc2("CC6.1"), *iso("A.8.24"))
KEY_ROTATION: Final = (*KEY_MANAGEMENT, *pci("3.7.4"))
ENCRYPTION_IN_TRANSIT: Final = (
    *hipaa("164.312(e)(1)", "164.312(e)(2)(ii)"),
    *pci("4.2.1"),
    *soc2("CC6.7"),
    *iso("A.8.24"),
    *gdpr("Art. 32(1)(a)"),
    *part11("11.30"),
)
NO_PUBLIC_ACCESS: Final = (
    *hipaa("164.312(a)(1)"),
    *pci("1.4.2", "1.4.4"),
    *soc2("CC6.1", "CC6.6"),
    *iso("A.8.3", "A.8.20"),
    *gdpr("Art. 25(2)", "Art. 32(1)(b)"),
)
PRIVATE_NETWORK: Final = (
    *hipaa("164.312(e)(1)"),
    *pci("1.3.1", "1.4.1"),
    *soc2("CC6.6"),
    *iso("A.8.20", "A.8.22"),
)
EGRESS: Final = (*pci("1.3.2"), *soc2("CC6.6", "CC6.7"), *iso("A.8.20", "A.8.12"))
LEAST_PRIVILEGE: Final = (
    *hipaa("164.312(a)(1)", "164.308(a)(4)(i)"),
    *pci("7.2.1", "7.2.5"),
    *soc2("CC6.3"),
    *iso("A.5.15", "A.8.2"),
    *part11("11.10(d)"),
)
AUTHENTICATION: Final = (
    *hipaa("164.312(d)"),
    *pci("8.3.1"),
    *soc2("CC6.1"),
    *iso("A.5.17", "A.8.5"),
    *part11("11.10(d)"),
)
SECRETS: Final = (*hipaa("164.312(d)"), *pci("8.3.2", "8.6.2"), *soc2("CC6.1"), *iso("A.5.17"))
AUDIT_LOGS: Final = (
    *hipaa("164.312(b)"),
    *pci("10.2.1"),
    *soc2("CC7.2"),
    *iso("A.8.15"),
    *part11("11.10(e)"),
)
LOG_RETENTION: Final = (
    *hipaa("164.316(b)(2)(i)"),
    *pci("10.5.1"),
    *soc2("CC7.2"),
    *iso("A.5.33", "A.8.15"),
    *part11("11.10(c)", "11.10(e)"),
)
LOG_INTEGRITY: Final = (
    *hipaa("164.312(c)(1)"),
    *pci("10.3.2", "10.3.4"),
    *soc2("CC7.2"),
    *iso("A.5.33", "A.8.15"),
    *part11("11.10(e)"),
)
MONITORING: Final = (*hipaa("164.308(a)(1)(ii)(D)"), *pci("11.5.1"), *soc2("CC7.2"), *iso("A.8.16"))
BACKUP: Final = (
    *hipaa("164.308(a)(7)(ii)(A)"),
    *soc2("A1.2"),
    *iso("A.8.13"),
    *gdpr("Art. 32(1)(c)"),
    *part11("11.10(c)"),
)
VERSIONING: Final = (
    *hipaa("164.312(c)(1)"),
    *soc2("A1.2"),
    *iso("A.8.13"),
    *gdpr("Art. 32(1)(b)"),
    *part11("11.10(c)"),
)
DELETION_PROTECTION: Final = (
    *hipaa("164.308(a)(7)(ii)(A)"),
    *soc2("A1.2"),
    *iso("A.5.33"),
    *gdpr("Art. 32(1)(b)"),
    *part11("11.10(c)"),
)
AVAILABILITY: Final = (
    *hipaa("164.308(a)(7)(ii)(B)"),
    *soc2("A1.2"),
    *iso("A.8.14"),
    *gdpr("Art. 32(1)(b)"),
)
RESIDENCY: Final = (*iso("A.5.23", "A.5.34"), *gdpr("Art. 44"))
HARDENING: Final = (*pci("2.2.1", "2.2.6"), *soc2("CC6.8", "CC7.1"), *iso("A.8.9"))
CAPACITY: Final = iso("A.8.6")
PATCHING: Final = (*pci("6.3.3"), *soc2("CC7.1"), *iso("A.8.8"))
