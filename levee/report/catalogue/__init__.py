"""The static site of data contracts: a page a table, an index by domain, no network and no server."""

from levee.report.catalogue.model import Commit, DomainCatalogue, parse
from levee.report.catalogue.site import write

__all__ = ["Commit", "DomainCatalogue", "parse", "write"]
