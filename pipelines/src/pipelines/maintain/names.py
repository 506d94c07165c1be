"""What people call a table: ``silver.online_retail``, within a domain."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.contracts.document import nearest
from pipelines.errors import UsageError
from pipelines.settings import Layer


@dataclass(frozen=True, slots=True)
class TableName:
    """A table of a domain.

    Attributes:
        layer: Its layer.
        dataset: Its dataset, or table of records under checkpoints.
    """

    layer: Layer
    dataset: str

    @classmethod
    def parse(cls, text: str) -> TableName:
        """Read ``LAYER.DATASET``.

        Raises:
            UsageError: it is none, or the layer holds no tables.
        """
        layers = [layer.value for layer in Layer if layer.holds_tables]
        layer, dot, dataset = text.partition(".")
        if not dot or not dataset:
            raise UsageError(f"{text!r} is no table", fix="write LAYER.DATASET, e.g. silver.online_retail")
        if layer not in layers:
            raise UsageError(f"{layer!r} is no layer with tables", where=text, fix=nearest(layer, layers))
        return cls(Layer(layer), dataset)

    def __str__(self) -> str:
        """``LAYER.DATASET``."""
        return f"{self.layer.value}.{self.dataset}"
