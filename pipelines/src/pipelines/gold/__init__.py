"""Gold: tables that people read, one SQL file and one contract each, rebuilt whole and checked before they replace."""

from pipelines.gold.render import render

__all__ = ["render"]
