"""What the jobs of a workspace do in a store of the lake, and so what they may do there; no more."""

from __future__ import annotations

import enum
from collections.abc import Iterable

from pipelines.contracts import Domain, Layer


class Use(enum.Enum):
    """What is done with the objects of a store."""

    READ = enum.auto()
    """They are read."""
    APPEND = enum.auto()
    """New ones are written and read, none is written again or deleted."""
    WRITE = enum.auto()
    """They are written, read and deleted."""


def use_of(layer: Layer, domains: Iterable[Domain]) -> Use:
    """Return what the jobs of `domains` do in the store of a layer.

    Landing belongs to those who deliver, unless a contract extracts: then its job stages files there and names them,
    which deletes the former name.
    """
    if layer is Layer.AUDIT:
        return Use.APPEND
    extracting = any(source.extraction for domain in domains for source in domain.sources)
    return Use.READ if layer is Layer.LANDING and not extracting else Use.WRITE
