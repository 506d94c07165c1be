"""The tagging pack: ``pulumi preview --policy-pack policy_packs/tagging``."""

from levee.compliance.analyzer import serve
from levee.compliance.catalogue import pack_rules

serve("tagging", pack_rules("tagging"))
