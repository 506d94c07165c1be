"""The Checkov pack: ``pulumi preview --policy-pack policy_packs/checkov``."""

from levee.compliance.analyzer import serve
from levee.compliance.catalogue import pack_rules

serve("checkov", pack_rules("checkov"))
