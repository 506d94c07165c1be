"""``docs/reference/naming.md``, written from the rules: ``python -m levee.engine.standin.limits.docs PATH``."""

from __future__ import annotations

import sys
import tomllib
from itertools import groupby
from pathlib import Path
from typing import Final

from levee.engine.standin.limits.cidr import CIDR_RULES
from levee.engine.standin.limits.names import DATA, NameRule, table

_INTRO: Final = """# Names, address ranges, references

What an offline run checks of a resource's inputs beyond their types. An error names the resource, the property, its
value, the rule and its source. This page is written from the rules (`make docs`).

- A value that is not known in a preview is not judged, and neither is a secret.
- An automatic name is spelled and shortened to fit; where a logical name is too long or has other characters, a real
  provider may refuse it instead.
- Names of AWS types that are not below are judged by length and pattern of their CloudFormation schema (in the
  `cfn-lint` wheel), names of Google types by their docstring where it says RFC 1035. A type without a rule is not
  judged.
- A name that is taken once for all accounts is refused where the stack's simulated cloud holds it; what the rest of the
  world holds, only the real provider knows.
"""
_REFERENCES: Final = """## References
An id of one kind where another is asked for is refused by its form: AWS ids (`subnet-0a1b...` for a `vpcId`) and ARNs
(a bucket's where a role's is asked for), Azure resource ids by their last type, Google resource names by their
collection. What is asked for is known by the property's name, for AWS also by the format in the CloudFormation schema.

## Subnets
A subnet that is about to be made, or whose range changes, must lie in its network and beside the network's other
subnets, where the simulated cloud holds them (AWS, Azure, Google Cloud). Subnets that a virtual network of Azure
declares inside itself are judged in the first preview already, and so are a Google subnetwork's secondary ranges and
the service, pod and DNS addresses of a Kubernetes cluster in Azure.
"""


def page() -> str:
    """The page as Markdown."""
    sources = tomllib.loads(DATA.read_text(encoding="utf-8"))["sources"]
    by_source = sorted(table(), key=lambda r: (list(sources.values()).index(r.source), r.type))
    parts = [_INTRO, "## Names"]
    for source, rules in groupby(by_source, key=lambda r: r.source):
        parts += ["", f"### {source}", "| type | length | characters | |", "|---|---|---|---|", *map(_row, rules)]
    parts += ["", "## Address ranges", "| type | property | prefix | source |", "|---|---|---|---|"]
    for rule in CIDR_RULES:
        size = f"/{rule.widest} to /{rule.narrowest}" if rule.widest != rule.narrowest else f"/{rule.widest}"
        parts.append(f"| `{rule.type}` | `{rule.path}` | {size}{', exact' if rule.exact else ''} | {rule.source} |")
    return "\n".join([*parts, "", _REFERENCES])


def _row(rule: NameRule) -> str:
    of = f" `{rule.property}`" if rule.property else ""
    words = rule.grammar.words.replace("|", "\\|").replace("<", "\\<").replace("*", "\\*")
    unique = "taken once for all accounts" if rule.everywhere else ""
    return f"| `{rule.type}`{of} | {rule.least} to {rule.most} | {words} | {unique} |"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
