"""How the files of tables are cared for, and how long rows stay."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipelines.contracts.extensions.registry import Extension, Registry
from pipelines.contracts.odcs import Model

Days = Annotated[int, Field(ge=1)]


class Maintenance(Model):
    """Care of the table's files."""

    optimize: bool = Field(default=True, description="Compact small files after a run.")
    cluster_by: tuple[str, ...] = Field(
        default=(),
        strict=False,
        description="Columns that rows are clustered by: liquid clustering on Databricks, Z-order elsewhere.",
    )
    vacuum_hours: Annotated[int, Field(ge=168)] | None = Field(
        default=None,
        description=(
            "Hours that the table can be read as it was before; files of older versions go. Delta's floor is 168. By "
            "default by classification: 720 for public and internal, 336 for confidential, 168 for personal and "
            "restricted, which may have 720 at most (a month, as in GDPR art. 12(3))."
        ),
    )


class LayerRetention(Model):
    """Days that each store keeps what this dataset put there; the SLA's `retention` where a layer is not named."""

    landing: Days | None = Field(default=None, description="Days that delivered files stay.")
    bronze: Days | None = Field(default=None, description="Days that bronze rows stay.")
    silver: Days | None = Field(default=None, description="Days that silver rows stay.")
    gold: Days | None = Field(default=None, description="Days that gold rows stay.")
    quarantine: Days | None = Field(default=None, description="Days that rejected rows stay.")
    audit: Days | None = Field(default=None, description="Days that run records stay, and are locked.")


CONTRACT_PROPERTIES: Registry = {
    "maintenance": Extension.of(Maintenance),
    "layerRetention": Extension.of(LayerRetention),
}
