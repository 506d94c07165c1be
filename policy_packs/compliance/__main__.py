"""The compliance pack: ``pulumi preview --policy-pack policy_packs/compliance``."""

from levee.compliance.analyzer import serve
from levee.compliance.catalogue import pack_rules

serve("compliance", pack_rules("compliance"))
