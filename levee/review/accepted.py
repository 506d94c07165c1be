"""Findings that the repository accepts by fingerprint: ``accepted-findings.yaml`` beside ``Pulumi.yaml``.

An exemption of an environment speaks of a rule and a pattern of resources; an acceptance is of one finding, just as it
was said, in every environment::

    - fingerprint: f123456789abcdef0123456789abcdef
      reason: the vendor's agent needs the port until its next release
      owner: data-platform@acme.example
      expires: "2027-03-31"
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from levee.environment.base import Email
from levee.errors import UsageError

FILE: Final = "accepted-findings.yaml"


class Acceptance(BaseModel):
    """One accepted finding."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fingerprint: Annotated[str, Field(pattern=r"^f[0-9a-f]{31}$")] = Field(description="As the review prints it.")
    reason: str = Field(min_length=10, description="Why, for the auditor.")
    owner: Email = Field(description="Who answers for it, an address.")
    expires: date = Field(description="Last day on which it holds (UTC), quoted.")

    def expired(self, today: date) -> bool:
        """Whether its last day has passed."""
        return today > self.expires


def idle(accepted: Mapping[str, Acceptance], found: Iterable[str]) -> tuple[str, ...]:
    """What a reader must know of acceptances of what no rule says any more; nothing where each is needed.

    Args:
        accepted: What the repository accepts, by fingerprint.
        found: The fingerprints of all findings, of every environment.
    """
    gone = sorted(accepted.keys() - set(found))
    return (f"{FILE} accepts what no rule says any more: {', '.join(gone)}",) if gone else ()


_ENTRIES: Final = TypeAdapter(list[Acceptance])


def read(path: Path) -> Mapping[str, Acceptance]:
    """What a file accepts, by fingerprint; nothing where there is no file.

    Raises:
        UsageError: It is not such a file; with file and line.
    """
    if not path.is_file():
        return {}
    try:
        document = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except MarkedYAMLError as wrong:
        line = f":{wrong.problem_mark.line + 1}" if wrong.problem_mark else ""
        raise UsageError(f"not YAML: {wrong.problem}", where=f"{path}{line}", fix="mend the line") from wrong
    except (OSError, UnicodeDecodeError) as wrong:
        raise UsageError(f"cannot be read: {wrong}", where=str(path), fix="make it readable, as UTF-8 text") from wrong
    try:
        entries = _ENTRIES.validate_python(document or [])
    except ValidationError as wrong:
        first = wrong.errors()[0]
        at = first["loc"][0] if first["loc"] else None
        line = document.lc.item(at)[0] + 1 if isinstance(at, int) else 1
        raise UsageError(
            f"not a list of accepted findings: {'.'.join(map(str, first['loc']))}: {first['msg']}",
            where=f"{path}:{line}",
            fix="give fingerprint, reason, owner and expires",
        ) from wrong
    return {entry.fingerprint: entry for entry in entries}
