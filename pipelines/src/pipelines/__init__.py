"""Levee's wheel: contracts and the medallion jobs derived from them. Knows nothing of Pulumi."""
