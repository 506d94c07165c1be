"""Quality: a contract's checks, compiled once for silver's split and for the Great Expectations suite.

Importing this package imports neither Spark nor Great Expectations; :mod:`pipelines.quality.suite` does.
"""

from pipelines.quality.rules import Rule, rules, source_column

__all__ = ["Rule", "rules", "source_column"]
