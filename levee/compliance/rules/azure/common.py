"""Where Azure explains what the rules ask for, and what they have in common."""

from __future__ import annotations

from typing import Final

from levee.compliance.rules.checks import Check, either, equals, every, one_of, present
from levee.compliance.rules.relations import attached

LEARN: Final = "https://learn.microsoft.com/azure/"
DIAGNOSTICS: Final = "azure-native:monitor:DiagnosticSetting"
TLS: Final = ("1.2", "1.3")
"""Versions of TLS that may be asked for, as most services spell them."""


def logged(what: str) -> Check:
    """Some diagnostic setting collects the resource's logs.

    Args:
        what: Categories to name, in words, for the message.
    """
    return attached(
        DIAGNOSTICS,
        by="resourceUri",
        check=every(present("logs"), equals("logs[*].enabled", True)),
        wanted=f"a monitor.DiagnosticSetting with its logs ({what})",
    )


def closed(path: str = "publicNetworkAccess") -> Check:
    """The resource has no public endpoint."""
    return one_of(path, "Disabled", "SecuredByPerimeter")


def closed_or_denied(access: str, default_action: str) -> Check:
    """The resource has no public endpoint, or one that lets in only whom its rules name."""
    return either(closed(access), equals(default_action, "Deny"))
