"""Our severity and benchmark table: Checkov publishes both through a service only, and this one never calls it.

A check that is not listed is high. Benchmarks are given by number where the recommendation asks what the check asks:
CIS AWS Foundations 3.0.0, CIS Google Cloud Platform Foundation 3.0.0, CIS Kubernetes 1.8.0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from levee.compliance.rule import Control, Severity
from levee.compliance.rules.controls import cis_aws, cis_gcp, cis_kubernetes


def _severities() -> Mapping[str, Severity]:
    levels = json.loads(Path(__file__).with_name("severities.json").read_text(encoding="utf-8"))
    return {check: Severity(level) for level, checks in levels.items() for check in checks}


SEVERITIES: Final = _severities()
"""``severities.json``: critical is what is open to the internet or to everybody, full administration, or a secret in
the open; medium is what makes it harder to see what happened or to recover from it; low is housekeeping."""

CONTROLS: Final[Mapping[str, Sequence[Control]]] = {
    "CKV_AWS_10": cis_aws("1.8"),
    "CKV_AWS_13": cis_aws("1.9"),
    "CKV_AWS_40": cis_aws("1.15"),
    "CKV_AWS_62": cis_aws("1.16"),
    "CKV_AWS_53": cis_aws("2.1.4"),
    "CKV_AWS_54": cis_aws("2.1.4"),
    "CKV_AWS_55": cis_aws("2.1.4"),
    "CKV_AWS_56": cis_aws("2.1.4"),
    "CKV2_AWS_6": cis_aws("2.1.4"),
    "CKV_AWS_106": cis_aws("2.2.1"),
    "CKV_AWS_16": cis_aws("2.3.1"),
    "CKV_AWS_226": cis_aws("2.3.2"),
    "CKV_AWS_17": cis_aws("2.3.3"),
    "CKV_AWS_42": cis_aws("2.4.1"),
    "CKV_AWS_67": cis_aws("3.1"),
    "CKV_AWS_36": cis_aws("3.2"),
    "CKV_AWS_121": cis_aws("3.3"),
    "CKV_AWS_35": cis_aws("3.5"),
    "CKV_AWS_7": cis_aws("3.6"),
    "CKV2_AWS_11": cis_aws("3.7"),
    "CKV_AWS_24": cis_aws("5.2"),
    "CKV_AWS_25": cis_aws("5.2"),
    "CKV2_AWS_12": cis_aws("5.4"),
    "CKV_AWS_79": cis_aws("5.6"),
    "CKV_GCP_43": cis_gcp("1.10"),
    "CKV_GCP_27": cis_gcp("3.1"),
    "CKV_GCP_2": cis_gcp("3.6"),
    "CKV_GCP_3": cis_gcp("3.7"),
    "CKV_GCP_26": cis_gcp("3.8"),
    "CKV_GCP_32": cis_gcp("4.3"),
    "CKV_GCP_34": cis_gcp("4.4"),
    "CKV_GCP_35": cis_gcp("4.5"),
    "CKV_GCP_36": cis_gcp("4.6"),
    "CKV_GCP_37": cis_gcp("4.7"),
    "CKV_GCP_39": cis_gcp("4.8"),
    "CKV_GCP_40": cis_gcp("4.9"),
    "CKV_GCP_28": cis_gcp("5.1"),
    "CKV_GCP_29": cis_gcp("5.2"),
    "CKV_GCP_6": cis_gcp("6.4"),
    "CKV_GCP_11": cis_gcp("6.5"),
    "CKV_GCP_60": cis_gcp("6.6"),
    "CKV_GCP_15": cis_gcp("7.1"),
    "CKV_K8S_49": cis_kubernetes("5.1.3"),
    "CKV_K8S_38": cis_kubernetes("5.1.6"),
    "CKV_K8S_16": cis_kubernetes("5.2.2"),
    "CKV_K8S_17": cis_kubernetes("5.2.3"),
    "CKV_K8S_18": cis_kubernetes("5.2.4"),
    "CKV_K8S_19": cis_kubernetes("5.2.5"),
    "CKV_K8S_20": cis_kubernetes("5.2.6"),
    "CKV_K8S_23": cis_kubernetes("5.2.7"),
    "CKV_K8S_28": cis_kubernetes("5.2.8"),
    "CKV_K8S_25": cis_kubernetes("5.2.9"),
    "CKV_K8S_35": cis_kubernetes("5.4.1"),
    "CKV_K8S_31": cis_kubernetes("5.7.2"),
    "CKV_K8S_30": cis_kubernetes("5.7.3"),
    "CKV_K8S_21": cis_kubernetes("5.7.4"),
}


def severity(check: str) -> Severity:
    """How bad it is when a check fails."""
    return SEVERITIES.get(check, Severity.HIGH)
