"""Every pack merged into one: what Levee runs by default on each preview and update."""

from levee.compliance.analyzer import serve
from levee.compliance.catalogue import RULES
from levee.cost import spending

serve("levee", RULES, spending)
