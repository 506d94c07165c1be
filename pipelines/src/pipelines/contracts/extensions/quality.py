"""What the failure of a check does."""

from __future__ import annotations

from typing import Literal

from pydantic import TypeAdapter

from pipelines.contracts.extensions.registry import Extension, Registry

OnFailure = Literal["warn", "quarantine", "failBatch"]


QUALITY_PROPERTIES: Registry = {
    "onFailure": Extension(
        TypeAdapter(OnFailure),
        "What a broken rule does: `warn` counts it, `quarantine` sends the row there, `failBatch` stops the batch. "
        "By default, severity `error` is `quarantine` for a rule on rows and `failBatch` for one on the table; any "
        "other is `warn`.",
    ),
}
