"""A first contract of a table, from its data: types, nulls, keys, and what probably tells of persons.

What data shows is written down; what it cannot show (purpose, owner, how long it is kept) is left out, and
`levee contracts lint` names it. No value of a column that may be personal is written anywhere.
"""

from pipelines.infer.contract import Inferred, infer

__all__ = ["Inferred", "infer"]
