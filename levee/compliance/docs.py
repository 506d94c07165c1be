"""Writes ``docs/reference/policies.md`` from the rules themselves: ``python -m levee.compliance.docs``.

With ``--check`` it writes nothing and fails where the page is stale.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from levee.compliance.catalogue import EVERYWHERE, PACKS
from levee.compliance.rule import Rule
from levee.compliance.tagging.dialect import DIALECTS

PAGE: Final = Path("docs/reference/policies.md")
COMMAND: Final = "python -m levee.compliance.docs"

_HEAD: Final = f"""# Policies

<!-- Made by `{COMMAND}` from levee/compliance/; edit that. -->

A rule is a pure function over a resource of the graph (`levee.compliance`); a policy pack is a shell around rules. The
merged pack, `policy_packs/`, runs in one process on every `levee preview` and `levee up`. Each pack below is also a
CrossGuard pack of its own for plain Pulumi:

```
pulumi preview --policy-pack policy_packs/tagging
```

Mandatory rules block a resource before it is created. Levels and parameters come, the later winning, from the rule's
defaults, from the environment (`policies` in `environments/Pulumi.<name>.yaml`, which the pack reads from the stack's
configuration), and from `--policy-pack-config`. An environment names a rule, or a pack for all of its rules:

```yaml
policies:
  tagging: {{level: mandatory}}
  tagging-values: {{level: advisory, parameters: {{cost_centre_pattern: "CC-[0-9]{{4}}"}}}}
```

## Verdicts

| verdict | when | how CrossGuard carries it |
|---|---|---|
| passed | the rule applies and is kept | no diagnostic; the rule is in the engine's policy summary |
| failed | it is broken | a diagnostic with the rule's level |
| not evaluated | a value it must read is known only after the update or is a secret, or the SDK does not know the \
type | an advisory diagnostic that begins with `[not evaluated] ` |
| exempt | it is broken, and an exemption that has not ended covers it | an advisory diagnostic that begins with \
`[exempt] ` |
| not applicable | the rule has nothing to say about the type | `not_applicable` of the protocol |

Not evaluated is never passed: `levee` counts it in `summary.not_evaluated` and lists it in `not_evaluated[]` of the
plan's JSON. A rule that raises fails the gate under its own name, whatever its level.
"""

_EXEMPTIONS: Final = """An environment lists what it accepts, with a reason, an owner and a last day:

```yaml
exemptions:
  - policy: tagging-required
    urn_glob: "*::legacy-*"
    reason: The vendor's stack tags nothing until its next release
    owner: platform@example.com
    expires: "2027-03-31"
```

`policy` is a rule or a pack; `urn_glob` is a shell pattern over the whole URN. After its last day (UTC) an exemption
excuses nothing and is itself a violation, said of the stack before anything is created. One that matches no resource,
or excuses nothing, is reported at the end. These two rules belong to every pack, and nothing exempts from them.
"""

_TAGGING: Final = """Keys are compared in one spelling: `CostCentre`, `cost_centre` and `cost-center` are `cost-centre`.
A DNS prefix as Kubernetes writes it is left off. Which types can carry tags, and where, is read from the installed
provider SDKs: a type counts when its inputs hold the property below as a map of strings, or as a list of objects with
key and value. Of a provider that is not in the table, `tags` and `labels` count, in any alphabet.
Tags that the provider adds to everything (`default tags`) count as the resource's own.
"""

_COMPLIANCE: Final = """What may exist of each type, and which paragraph of which standard asks for it. A rule that is
judged resource by resource blocks before the resource is created; one that is judged in the finished graph follows
references (a bucket and its policy, a volume and its key), and blocks at the end of the preview, before anything is.

Critical rules are mandatory by default, all others advise. An environment fills in the limits: `audit_days`,
`log_days`, `protected` and `regions` come from its `retention`, `protection` and `clouds`; `policies` overrides each
for one rule.
"""


def page() -> str:
    """The whole page."""
    sections = [_HEAD, f"## Exemptions\n\n{_EXEMPTIONS}", *(_rule(rule) for rule in EVERYWHERE)]
    intro = {"tagging": f"{_TAGGING}\n{_dialects()}\n", "compliance": _COMPLIANCE}
    for name, rules in PACKS.items():
        sections.append(f"## {name.capitalize()}\n\n{intro.get(name, '')}".rstrip() + "\n")
        sections.extend(_rule(rule) for rule in rules)
    return "\n".join(sections)


def main(argv: Sequence[str] | None = None) -> int:
    """Write the page, or with ``--check`` compare it."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Write the reference page of policies.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where the page is stale")
    if not parser.parse_args(argv).check:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page():
        return 0
    sys.stderr.write(f"{PAGE} is stale; run: {COMMAND}\n")
    return 1


def _rule(rule: Rule) -> str:
    lines = [
        f"### `{rule.id}`\n",
        f"{rule.title}.\n",
        f"- Level {rule.level.value}, severity {rule.severity.value}, judged {_scope(rule)}.",
        f"- {rule.remediation}{_source(rule)}",
    ]
    if rule.types:
        lines.append(f"- Judges {_code_list(rule.types)}.")
    if rule.controls:
        lines.append(f"- Serves {', '.join(str(control) for control in rule.controls)}.")
    if rule.parameters:
        lines += ["", "| parameter | default | what it is |", "|---|---|---|"]
        lines += [f"| `{n}` | {_code(p.default)} | {p.description} |" for n, p in rule.parameters.items()]
    return "\n".join(lines) + "\n"


def _scope(rule: Rule) -> str:
    if rule.check:
        return "resource by resource"
    return "resource by resource in the finished graph" if rule.check_graph else "over the whole stack"


def _source(rule: Rule) -> str:
    return f" [Documentation]({rule.url})." if rule.url.startswith("https://") else ""


def _dialects() -> str:
    rows = [
        f"| {d.package} | {_code_list(d.properties)} | {_code_list(d.nested)} "
        f"| {'.'.join(filter(None, (d.provider_property, d.provider_key))) or 'none'} | {d.limit:,} | {d.key_rule} "
        f"| {d.value_rule} |"
        for d in DIALECTS.values()
    ]
    head = "| provider | property | or inside an object | from the provider | most | keys | values |"
    return "\n".join([head, "|---|---|---|---|---|---|---|", *rows])


def _code_list(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _code(value: object) -> str:
    return f"`{json.dumps(value)}`" if value not in ("", []) else "none"


if __name__ == "__main__":
    sys.exit(main())
