"""``python -m pipelines.quality``: one task, and its answer (:mod:`pipelines.request`)."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pipelines.quality.view import VERBS
from pipelines.request import answer


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb."""
    return answer("pipelines.quality", VERBS, argv)


if __name__ == "__main__":
    sys.exit(main())
