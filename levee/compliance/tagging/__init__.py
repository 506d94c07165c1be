"""The rules of the ``tagging`` pack, and what they are made of."""

from levee.compliance.tagging.dialect import DIALECTS, Dialect, canonical_key, label_value
from levee.compliance.tagging.place import Place, Places, UnknownType, derive
from levee.compliance.tagging.read import Tags, tags_of
from levee.compliance.tagging.rules import REQUIRED, RULES

__all__ = [
    "DIALECTS",
    "REQUIRED",
    "RULES",
    "Dialect",
    "Place",
    "Places",
    "Tags",
    "UnknownType",
    "canonical_key",
    "derive",
    "label_value",
    "tags_of",
]
