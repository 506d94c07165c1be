"""How a verdict other than "failed" travels through CrossGuard, which knows only diagnostics.

The analyzer protocol has no word for "not evaluated" or "exempt". Both travel as *advisory* diagnostics whose message
begins with a fixed prefix: plain ``pulumi preview`` shows them to a person as they are, and Levee's engine reads them
back with ``read_message``. Documented in ``docs/reference/policies.md``.
"""

from __future__ import annotations

from typing import Final

from levee.plan.model import Verdict

PREFIXES: Final = {Verdict.NOT_EVALUATED: "[not evaluated] ", Verdict.EXEMPT: "[exempt] "}


def write_message(verdict: Verdict, message: str) -> str:
    """The diagnostic's text for a finding with that verdict."""
    return PREFIXES.get(verdict, "") + message


def read_message(text: str) -> tuple[Verdict, str]:
    """Verdict and bare message of a diagnostic's text; ``FAILED`` where it carries no prefix."""
    for verdict, prefix in PREFIXES.items():
        if text.startswith(prefix):
            return verdict, text.removeprefix(prefix)
    return Verdict.FAILED, text
