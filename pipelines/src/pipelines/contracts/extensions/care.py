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
    z_order_by: tuple[str, ...] = Field(
        default=(), strict=False, description="Columns that rows are clustered by (OPTIMIZE ... ZORDER BY)."
    )
    vacuum_hours: Annotated[int, Field(ge=168)] = Field(
        default=168, description="Files no longer in the table go after so many hours; Delta's floor is 168."
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
