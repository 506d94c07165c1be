"""Where real rows come from: each source knows how to fetch its data and how to lay it down as deliveries.

Nothing here makes a row up: a delivery holds lines of the source, byte by byte, under the source's own header.
"""

from pipelines.sources.catalogue import SOURCES, DataSource, default_setting, find
from pipelines.sources.landing import Landed, land

__all__ = ["SOURCES", "DataSource", "Landed", "default_setting", "find", "land"]
