"""Audit trails and monitoring: CloudTrail, CloudWatch, Config, GuardDuty; and where data may lie."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from levee.compliance.rule import Finding, Severity, Undecidable
from levee.compliance.rules import controls as c
from levee.compliance.rules.aws.common import customer_key, security_hub
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import Check, at_least, either, equals, every, one_of, only_where, reads
from levee.compliance.rules.relations import referred
from levee.compliance.rules.scope import Scope
from levee.compliance.rules.settings import AUDIT_DAYS, LOG_DAYS, Setting
from levee.plan import Verdict

TRAIL: Final = "aws:cloudtrail/trail:Trail"
LOG_GROUP: Final = "aws:cloudwatch/logGroup:LogGroup"
FLOW_LOG: Final = "aws:ec2/flowLog:FlowLog"


def _kept(days: Setting) -> Check:
    """A log group keeps its records that long; CloudWatch's 0 is for ever."""
    return either(at_least("retentionInDays", days), equals("retentionInDays", 0, default=0))


_MANAGEMENT: Final = every(
    equals("includeManagementEvents", True, default=True), equals("readWriteType", "All", default="All")
)


@reads(
    "eventSelectors[*].includeManagementEvents",
    "eventSelectors[*].readWriteType",
    "advancedEventSelectors[*].fieldSelectors[*].field",
    "advancedEventSelectors[*].fieldSelectors[*].equals",
)
def _manages(scope: Scope) -> Iterator[Finding]:
    """Some selector takes every management event; a trail without selectors does too."""
    simple, advanced = list(scope.read("eventSelectors[*]")), list(scope.read("advancedEventSelectors[*]"))
    verdicts = {_MANAGEMENT.verdict(scope.at(selector)) for selector in simple if not selector.undecidable}
    verdicts |= {_takes_management(scope.at(selector)) for selector in advanced if not selector.undecidable}
    if any(selector.undecidable for selector in (*simple, *advanced)):
        verdicts.add(Verdict.NOT_EVALUATED)
    if Verdict.PASSED in verdicts or not verdicts:
        return
    path = "eventSelectors" if simple else "advancedEventSelectors"
    if Verdict.NOT_EVALUATED in verdicts:
        yield Undecidable(path).finding()
    else:
        yield Finding(f"no item of `{path}` takes all management events", property=path)


def _takes_management(selector: Scope) -> Verdict:
    """Whether an advanced selector's only condition is that the event is one of management."""
    given = list(selector.read("fieldSelectors[*].field"))
    values = list(selector.read("fieldSelectors[*].equals[*]"))
    if any(found.undecidable for found in (*given, *values)):
        return Verdict.NOT_EVALUATED
    whole = [found.value for found in given] == ["eventCategory"] and [v.value for v in values] == ["Management"]
    return Verdict.PASSED if whole else Verdict.FAILED


RULES: Final = (
    rule(
        "aws-cloudtrail-everywhere",
        "Every trail is on, in all regions, with the services that have none",
        TRAIL,
        every(
            equals("enableLogging", True, default=True),
            equals("isMultiRegionTrail", True),
            equals("includeGlobalServiceEvents", True, default=True),
        ),
        severity=Severity.HIGH,
        mend="Set `is_multi_region_trail=True`, and remove `enable_logging=False`.",
        url=security_hub("cloudtrail", 1),
        controls=(*c.AUDIT_LOGS, *c.cis_aws("3.1")),
    ),
    rule(
        "aws-cloudtrail-validated",
        "Every trail's files can be validated",
        TRAIL,
        equals("enableLogFileValidation", True),
        severity=Severity.MEDIUM,
        mend="Set `enable_log_file_validation=True`.",
        url=security_hub("cloudtrail", 4),
        controls=(*c.LOG_INTEGRITY, *c.cis_aws("3.2")),
    ),
    rule(
        "aws-cloudtrail-customer-managed-key",
        "Every trail is encrypted with a customer-managed key",
        TRAIL,
        customer_key("kmsKeyId"),
        severity=Severity.MEDIUM,
        mend="Set `kms_key_id=key.arn`.",
        url=security_hub("cloudtrail", 2),
        controls=(*c.ENCRYPTION_AT_REST, *c.LOG_INTEGRITY, *c.cis_aws("3.5")),
    ),
    rule(
        "aws-cloudtrail-management-events",
        "No trail leaves out what is done to the account",
        TRAIL,
        _manages,
        severity=Severity.MEDIUM,
        mend='Remove `include_management_events=False`, and set `read_write_type="All"`.',
        url="https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html",
        controls=(*c.AUDIT_LOGS, *c.cis_aws("3.1")),
    ),
    rule(
        "aws-cloudwatch-retention",
        "Every log group keeps its records as long as the environment asks",
        LOG_GROUP,
        _kept(LOG_DAYS),
        severity=Severity.MEDIUM,
        mend="Set `retention_in_days` to the environment's `retention.log_days` or more; 0 is for ever.",
        url=security_hub("cloudwatch", 16),
        controls=c.LOG_RETENTION,
    ),
    rule(
        "aws-vpc-flow-logs-kept",
        "Flow logs are kept as long as audit records",
        FLOW_LOG,
        only_where(
            one_of("logDestinationType", "cloud-watch-logs", default="cloud-watch-logs"),
            referred("logDestination", LOG_GROUP, check=_kept(AUDIT_DAYS)),
        ),
        severity=Severity.MEDIUM,
        mend="Set `retention_in_days` of the flow log's log group to the environment's `retention.audit_days`.",
        url="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html",
        controls=c.LOG_RETENTION,
    ),
    rule(
        "aws-cloudwatch-customer-managed-key",
        "Every log group is encrypted with a customer-managed key",
        LOG_GROUP,
        customer_key("kmsKeyId"),
        severity=Severity.LOW,
        mend="Set `kms_key_id=key.arn`.",
        url="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html",
        controls=(*c.ENCRYPTION_AT_REST, *c.KEY_MANAGEMENT),
    ),
    rule(
        "aws-guardduty-on",
        "No threat detector is switched off",
        "aws:guardduty/detector:Detector",
        equals("enable", True, default=True),
        severity=Severity.HIGH,
        mend="Remove `enable=False`.",
        url=security_hub("guardduty", 1),
        controls=c.MONITORING,
    ),
    rule(
        "aws-config-records-everything",
        "AWS Config records every type of resource, global ones too",
        "aws:cfg/recorder:Recorder",
        every(
            equals("recordingGroup.allSupported", True, default=True),
            equals("recordingGroup.includeGlobalResourceTypes", True),
        ),
        severity=Severity.MEDIUM,
        mend='Set `recording_group={"all_supported": True, "include_global_resource_types": True}`.',
        url=security_hub("config", 1),
        controls=(*c.MONITORING, *c.HARDENING, *c.cis_aws("3.3")),
    ),
)
