"""The budgets pack: ``pulumi preview --policy-pack policy_packs/budgets``."""

from levee.compliance.analyzer import serve
from levee.compliance.catalogue import pack_rules
from levee.cost import spending

serve("budgets", pack_rules("budgets"), spending)
