"""Checkov's own checks as rules: the graph is translated, judged by Checkov in its own environment, and mapped back."""

from levee.compliance.checkov.rules import PACK, RULES

__all__ = ["PACK", "RULES"]
