"""What faces clients: load balancers, distributions and APIs speak TLS, and record who comes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from levee.compliance.rule import Finding, Severity, Undecidable
from levee.compliance.rules import controls as c
from levee.compliance.rules.aws.common import security_hub
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import (
    Check,
    by_type,
    each,
    either,
    equals,
    every,
    matching,
    one_of,
    only_where,
    present,
    reads,
    where_setting,
)
from levee.compliance.rules.scope import Scope
from levee.compliance.rules.settings import PROTECTED

BALANCER: Final = "aws:lb/loadBalancer:LoadBalancer"
LISTENER: Final = "aws:lb/listener:Listener"
DISTRIBUTION: Final = "aws:cloudfront/distribution:Distribution"

_IS_APPLICATION: Final = equals("loadBalancerType", "application", default="application")
_REDIRECTS: Final = each("defaultActions[*]", every(equals("type", "redirect"), equals("redirect.protocol", "HTTPS")))
_MODERN_TLS: Final = r"(ELBSecurityPolicy-TLS13-1-[23]-.*|ELBSecurityPolicy-(TLS-1-2|FS-1-2)-.*)"
_SECURE_VIEWERS: Final = one_of("viewerProtocolPolicy", "redirect-to-https", "https-only")


@reads("protocol")
def _encrypted(scope: Scope) -> Iterator[Finding]:
    """A listener of HTTP is not; of what one of TCP or UDP passes on unread, nobody here can say."""
    found = scope.one("protocol")
    if found.value == "HTTP":
        yield Finding("`protocol` is HTTP: it must be HTTPS, or redirect to it", property=found.path)
    elif found.value not in ("HTTPS", "TLS"):
        reason = f"`protocol` is {found.value}: what passes through may be encrypted by those at its ends"
        yield Undecidable(found.path, "" if found.undecidable else reason).finding()


def _modern_api(path: str) -> Check:
    return matching(path, r"(TLS_1_[23]|SecurityPolicy_TLS1[23]_.*)", "TLS_1_2 or newer", default="TLS_1_0")


RULES: Final = (
    rule(
        "aws-lb-listener-encrypted",
        "Every listener of a load balancer speaks TLS, or only redirects to it",
        LISTENER,
        either(_encrypted, _REDIRECTS),
        severity=Severity.HIGH,
        mend='Set `protocol="HTTPS"` with `certificate_arn`, and redirect port 80 to it.',
        url=security_hub("elb", 1),
        controls=c.ENCRYPTION_IN_TRANSIT,
    ),
    rule(
        "aws-lb-tls-policy",
        "Every TLS listener asks for TLS 1.2 or newer",
        LISTENER,
        only_where(
            one_of("protocol", "HTTPS", "TLS"),
            matching("sslPolicy", _MODERN_TLS, "a policy of TLS 1.2 on", default="ELBSecurityPolicy-2016-08"),
        ),
        severity=Severity.MEDIUM,
        mend='Set `ssl_policy="ELBSecurityPolicy-TLS13-1-2-2021-06"`.',
        url=security_hub("elb", 17),
        controls=c.ENCRYPTION_IN_TRANSIT,
    ),
    rule(
        "aws-lb-internal",
        "Every load balancer is internal",
        BALANCER,
        equals("internal", True),
        severity=Severity.LOW,
        mend="Set `internal=True`; exempt the ones that are meant to be public, with the reason.",
        url="https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/how-elastic-load-balancing-works.html",
        controls=c.NO_PUBLIC_ACCESS,
    ),
    rule(
        "aws-lb-access-logged",
        "Every load balancer records who accesses it",
        BALANCER,
        equals("accessLogs.enabled", True),
        severity=Severity.MEDIUM,
        mend='Set `access_logs={"bucket": logs.id, "enabled": True}`.',
        url=security_hub("elb", 5),
        controls=c.AUDIT_LOGS,
    ),
    rule(
        "aws-lb-drops-invalid-headers",
        "Every application load balancer drops headers that are invalid",
        BALANCER,
        only_where(_IS_APPLICATION, equals("dropInvalidHeaderFields", True)),
        severity=Severity.LOW,
        mend="Set `drop_invalid_header_fields=True`.",
        url=security_hub("elb", 4),
        controls=c.HARDENING,
    ),
    rule(
        "aws-lb-deletion-protected",
        "Where stores are protected, no load balancer can be deleted in one step",
        BALANCER,
        where_setting(PROTECTED, equals("enableDeletionProtection", True)),
        severity=Severity.LOW,
        mend="Set `enable_deletion_protection=True`.",
        url=security_hub("elb", 6),
        controls=c.AVAILABILITY,
    ),
    rule(
        "aws-cloudfront-https",
        "Every distribution sends its viewers to HTTPS",
        DISTRIBUTION,
        every(each("defaultCacheBehavior", _SECURE_VIEWERS), each("orderedCacheBehaviors[*]", _SECURE_VIEWERS)),
        severity=Severity.HIGH,
        mend='Set `viewer_protocol_policy="redirect-to-https"` in every cache behaviour.',
        url=security_hub("cloudfront", 3),
        controls=c.ENCRYPTION_IN_TRANSIT,
    ),
    rule(
        "aws-cloudfront-tls",
        "Every distribution asks its viewers for TLS 1.2 or newer",
        DISTRIBUTION,
        matching(
            "viewerCertificate.minimumProtocolVersion", r"TLSv1\.[23]_20\d\d", "TLSv1.2_2021 or newer", default="TLSv1"
        ),
        severity=Severity.MEDIUM,
        mend='Set `minimum_protocol_version="TLSv1.2_2021"` in `viewer_certificate`, with a certificate of your own.',
        url="https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/secure-connections-supported-viewer-protocols-ciphers.html",
        controls=c.ENCRYPTION_IN_TRANSIT,
    ),
    rule(
        "aws-cloudfront-logged",
        "Every distribution records who accesses it",
        DISTRIBUTION,
        present("loggingConfig.bucket"),
        severity=Severity.MEDIUM,
        mend='Set `logging_config={"bucket": logs.bucket_domain_name}`.',
        url=security_hub("cloudfront", 5),
        controls=c.AUDIT_LOGS,
    ),
    rule(
        "aws-apigateway-tls",
        "Every domain of an API asks for TLS 1.2 or newer",
        ("aws:apigateway/domainName:DomainName", "aws:apigatewayv2/domainName:DomainName"),
        by_type(
            {
                "aws:apigateway/domainName:DomainName": _modern_api("securityPolicy"),
                "aws:apigatewayv2/domainName:DomainName": _modern_api("domainNameConfiguration.securityPolicy"),
            }
        ),
        severity=Severity.MEDIUM,
        mend='Set `security_policy="TLS_1_2"`.',
        url="https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-custom-domain-tls-version.html",
        controls=c.ENCRYPTION_IN_TRANSIT,
    ),
    rule(
        "aws-apigateway-access-logged",
        "Every stage of an API records who accesses it",
        ("aws:apigateway/stage:Stage", "aws:apigatewayv2/stage:Stage"),
        present("accessLogSettings.destinationArn"),
        severity=Severity.MEDIUM,
        mend='Set `access_log_settings={"destination_arn": group.arn, "format": ...}`.',
        url=security_hub("apigateway", 9),
        controls=c.AUDIT_LOGS,
    ),
)
