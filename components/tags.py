"""What every resource says of itself, in each cloud's spelling.

The keys are those that the ``tagging`` pack asks for (``levee.compliance.tagging``); a test keeps both equal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from pipelines.contracts import Classification

OWNER: Final = "owner"
COST_CENTRE: Final = "cost-centre"
ENVIRONMENT: Final = "environment"
CLASSIFICATION: Final = "data-classification"
MANAGED_BY: Final = "managed-by"
EXPIRES_ON: Final = "expires-on"

_CLASS_OF: Final[Mapping[str, str]] = {"personal": "restricted"}
"""Contracts tell personal data from the rest; tags know four classes, and personal data is guarded as the highest."""

CLASSES: Final = tuple(dict.fromkeys(_CLASS_OF.get(item.value, item.value) for item in Classification))
"""The classes that tags know, the least protected first; a test keeps the environments and the packs to the same."""

_NOT_LABEL: Final = re.compile(r"[^a-z0-9_-]")


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of one resource.

    Attributes:
        owner: Team that answers for it.
        cost_centre: Cost centre that pays for it.
        environment: Name of the environment.
        classification: Class of the data it holds: public, internal, confidential, personal or restricted.
        expires_on: ISO date after which it may be removed; ``None`` for what stays.
    """

    owner: str
    cost_centre: str
    environment: str
    classification: str
    expires_on: str | None = None

    def classified(self, classification: str) -> Tags:
        """The same tags for data of another class."""
        return replace(self, classification=classification)

    @property
    def canonical(self) -> Mapping[str, str]:
        """Keys and values before any cloud's spelling."""
        tags = {
            OWNER: self.owner,
            COST_CENTRE: self.cost_centre,
            ENVIRONMENT: self.environment,
            CLASSIFICATION: _CLASS_OF.get(self.classification, self.classification),
            MANAGED_BY: "pulumi",
        }
        return {**tags, EXPIRES_ON: self.expires_on} if self.expires_on else tags

    def aws(self) -> dict[str, str]:
        """AWS tags: letters, digits, spaces and ``+ - = . _ : / @``."""
        return dict(self.canonical)

    def azure(self) -> dict[str, str]:
        """Azure tags: keys without a bracket, percent, ampersand, question mark or slash."""
        return dict(self.canonical)

    def gcp(self) -> dict[str, str]:
        """Google Cloud labels: lower-case letters, digits, ``_`` and ``-``, at most 63 of them."""
        return {key: label(value) for key, value in self.canonical.items()}

    def databricks(self) -> dict[str, str]:
        """Databricks tags. They become tags of the machines, so the narrowest cloud's spelling is used: Google's."""
        return self.gcp()


def label(text: str) -> str:
    """A text as a Google Cloud label value: lower case, other characters as ``_``, at most 63."""
    return _NOT_LABEL.sub("_", text.lower())[:63]
