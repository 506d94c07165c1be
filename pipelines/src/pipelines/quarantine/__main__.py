"""``python -m pipelines.quarantine``: one task, and its answer (:mod:`pipelines.request`)."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pipelines.quarantine.tasks import VERBS
from pipelines.request import answer


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb."""
    return answer("pipelines.quarantine", VERBS, argv)


if __name__ == "__main__":
    sys.exit(main())
