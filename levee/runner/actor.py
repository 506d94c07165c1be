"""Who is at work on this machine."""

from __future__ import annotations

import getpass
import os
from typing import Final

from levee.errors import UsageError

VARIABLE: Final = "LEVEE_ACTOR"
"""What the wheel records as whoever ran, decided, waived or restored (``pipelines.engine.Engine.actor``)."""


def actor() -> str:
    """The person or robot that every record of this machine's work names: ``LEVEE_ACTOR``, else the machine's user.

    Raises:
        UsageError: The machine has no name for its user, as in a container without one.
    """
    if told := os.environ.get(VARIABLE, "").strip():
        return told
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise UsageError("nobody knows who runs this: the user has no name", fix=f"set {VARIABLE}=NAME") from error
