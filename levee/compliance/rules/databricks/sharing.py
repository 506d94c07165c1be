"""Delta Sharing: what leaves the account is read from known addresses, for a limited time."""

from __future__ import annotations

from typing import Final

from levee.compliance.rule import Severity
from levee.compliance.rules import controls as c
from levee.compliance.rules.build import rule
from levee.compliance.rules.checks import at_most, equals, not_world_open, only_where, present
from levee.compliance.rules.databricks.identity import TOKEN_SECONDS
from levee.compliance.rules.databricks.specs import DOCS

_RECIPIENT: Final = "databricks:index/recipient:Recipient"
_BY_TOKEN: Final = equals("authenticationType", "TOKEN")

RULES: Final = (
    rule(
        "databricks-recipient-addresses",
        "Every recipient with a token reads from addresses that are named",
        _RECIPIENT,
        only_where(_BY_TOKEN, present("ipAccessList.allowedIpAddresses")),
        severity=Severity.HIGH,
        mend='Set `ip_access_list={"allowed_ip_addresses": ["203.0.113.0/28"]}`.',
        url=f"{DOCS}delta-sharing/access-list",
        controls=(*c.EGRESS, *c.databricks_sat("GOV-18")),
    ),
    rule(
        "databricks-recipient-not-world-open",
        "No recipient reads from anywhere",
        _RECIPIENT,
        not_world_open("ipAccessList.allowedIpAddresses[*]"),
        severity=Severity.CRITICAL,
        mend="Name the recipient's own ranges in `allowed_ip_addresses`.",
        url=f"{DOCS}delta-sharing/access-list",
        controls=(*c.EGRESS, *c.databricks_sat("GOV-18")),
    ),
    rule(
        "databricks-recipient-token-ends",
        "Every recipient's token has an end",
        _RECIPIENT,
        only_where(_BY_TOKEN, present("expirationTime")),
        severity=Severity.HIGH,
        mend="Set `expiration_time` to the milliseconds of a day within the quarter.",
        url=f"{DOCS}delta-sharing/create-recipient-token",
        controls=(*c.AUTHENTICATION, *c.databricks_sat("GOV-19")),
    ),
    rule(
        "databricks-metastore-sharing-tokens-end",
        "Tokens of recipients outside Databricks end within the days that the environment allows",
        "databricks:index/metastore:Metastore",
        only_where(
            equals("deltaSharingScope", "INTERNAL_AND_EXTERNAL"),
            at_most("deltaSharingRecipientTokenLifetimeInSeconds", TOKEN_SECONDS),
        ),
        severity=Severity.HIGH,
        mend="Set `delta_sharing_recipient_token_lifetime_in_seconds=7776000` or less; 0 means for ever.",
        url=f"{DOCS}delta-sharing/create-recipient-token",
        controls=(*c.AUTHENTICATION, *c.databricks_sat("GOV-17")),
    ),
)
