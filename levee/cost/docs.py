"""Writes ``docs/reference/cost.md`` from the catalogue itself: ``python -m levee.cost.docs``.

With ``--check`` it writes nothing and fails where the page is stale.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from levee.cost.catalogue import BASE_REGIONS, CLOUDS, Catalogue, shipped
from levee.cost.expression import FUNCTIONS

PAGE: Final = Path("docs/reference/cost.md")
COMMAND: Final = "python -m levee.cost.docs"
_TITLES: Final[Mapping[str, str]] = {
    "aws": "AWS",
    "azure": "Azure (azure-native)",
    "gcp": "Google Cloud",
    "databricks": "Databricks",
}

_BASES: Final = ", ".join(BASE_REGIONS.values())
_FUNCTIONS: Final = ", ".join(f"`{name}`" for name in FUNCTIONS)

_HEAD: Final = f"""# Cost

<!-- Made by `{COMMAND}` from levee/cost/data; edit that, or levee/cost/docs.py. -->

`levee cost ENV` previews offline and says what a month costs, line by line, the dearest first; `--json` writes the
whole report. The library's function is `levee.cost.price(plan, catalogue, usage) -> CostReport`. A month has 730
hours, money is US dollars in decimal, list price, without tax, discount or free allowance.

## What a line rests on

| basis | when | amount |
|---|---|---|
| configured | the program's inputs decide | yes |
| usage | somebody said how much is used | yes |
| assumed | nobody did, and the environment's default is taken | yes |
| usage missing | nobody did, and there is no default | none, never zero; the unit price is shown |
| unknown | an input is known only after the update, or stands in another stack | none |
| unpriced | the catalogue has no list price of that size | none; nothing is invented |

Types that the catalogue does not know are listed by name; types known to be free are counted. `low`, `expected` and
`high` differ where something scales (the bounds of a group, a pool or a cluster; halfway between them is expected
where no desired size is given) or where usage is a range. An auto-shutdown or working hours are `schedule` or `hours`
in the usage.

A price is of the region itself where the catalogue has it; else the base region's ({_BASES}) times the region's
multiplier, and the line says that it is estimated. A multiplier is the median over the prices that both regions have
in common. Databricks is priced as DBU, by workload and cloud, and the machines beneath: DBU at the Premium list price
of US regions, DBU an hour by machine from a published table, or `dbu_per_node_hour` from the usage.

## Usage

YAML, `--usage FILE`; the same two sections are `usage` in the environment's file, over which the file wins:

```yaml
types:
  aws:s3/bucket:Bucket: {{storage_gb: 500}}
names:
  "*-gold": {{storage_gb: {{low: 100, expected: 400, high: 2000}}}}
  "build-*": {{schedule: "Mon-Fri 08:00-18:00"}}
```

`names` are shell patterns over resources' names; the last that matches wins over `types`. Amounts are a month's,
storage is the month's mean. Every type also takes `hours` (of 730) and `schedule`. An unknown key is refused with its
file, line and the nearest one; a type or pattern that no resource takes up is reported.

## Budgets

The environment's `budgets` limit the total, capabilities (the module of the outermost component's type: `lake` of
`levee:lake:AwsLake`), cost centres (the `cost-centre` tag), and with `max_increase_usd` what one change may add to
what stands. The pack `budgets` (also in the merged pack) compares expected amounts: over the limit it blocks
(`budget-exceeded`, `budget-increase`), over `warn_at` it warns (`budget-nearly-spent`). A violation names the five
lines that cost most and what would bring it under. Within the limit but with something unpriced or unknown, the
verdict is "not evaluated". What stands is the stack's state, of the simulated cloud or with `--online` of your own
backend, and in a review the base; under plain `pulumi`, `budget-increase` is not evaluated.

## Where prices come from

`levee prices refresh` fetches what the vendors publish (AWS bulk price list, Azure retail prices) and rewrites those
lines.
"""

_RULES: Final = f"""## How a type is priced

`levee/cost/data/<cloud>.toml` has an entry a type: `lines`, each with `name`, `price` (the key of a price,
expressions in braces), `quantity` and perhaps `when` (an expression) and `each` (a list of inputs: one line for each
`item`); perhaps `nodes` (at the least, as expected, at the most), `related` (another resource that an input came
from) and `regional = false`. Expressions are paths into the inputs, literals, arithmetic, comparisons, `and`, `or`,
`not`, `a if b else c`, and {_FUNCTIONS}; nothing else can be written. `levee/cost/data/<cloud>.csv` has the prices,
one tier a line: key, first unit of the tier, unit, US dollars, label, the component as public lists name it, and the
source.
"""


def page(catalogue: Catalogue) -> str:
    """The whole page."""
    parts = [_HEAD, *_sources(catalogue), _RULES, *_coverage(catalogue), *_defaults(catalogue)]
    return "\n".join(parts)


def main(argv: Sequence[str] | None = None) -> int:
    """Write the page, or with ``--check`` compare it."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Write the reference page of costs.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where the page is stale")
    written = page(shipped())
    if not parser.parse_args(argv).check:
        PAGE.write_text(written, encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == written:
        return 0
    sys.stderr.write(f"{PAGE} is stale; run: {COMMAND}\n")
    return 1


def _sources(catalogue: Catalogue) -> Iterator[str]:
    yield "| source | read | prices | what it is |\n|---|---|---:|---|"
    counts: dict[str, int] = {}
    for cloud in _TITLES:
        for price in catalogue.prices(cloud).values():
            plain = price.source.partition("@")[0]
            counts[plain] = counts.get(plain, 0) + len(price.tiers)
    for id_, source in catalogue.sources.items():
        yield f"| `{id_}` | {source.as_of} | {counts.get(id_, 0):,} | {source.title} |"
    yield f"\nDBU ratings: {len(catalogue.ratings):,}. Region multipliers: {len(catalogue.multipliers):,}.\n"


def _coverage(catalogue: Catalogue) -> Iterator[str]:
    yield "## Coverage\n"
    yield "| cloud | types | lines | prices |\n|---|---:|---:|---:|"
    for cloud, title in _TITLES.items():
        rules = catalogue.rules(cloud)
        lines = sum(len(rule.lines) for rule in rules.values())
        yield f"| {title} | {len(rules):,} | {lines:,} | {len(catalogue.prices(cloud)):,} |"
    yield f"| all | {len(catalogue.types):,} | | |\n"
    for package, cloud in CLOUDS.items():
        yield f"### {_TITLES[cloud]}\n"
        yield "| type | components | usage |\n|---|---|---|"
        for token, rule in sorted(catalogue.rules(cloud).items()):
            names = list(dict.fromkeys(line.name.partition("{")[0].rstrip(" (,") or "by size" for line in rule.lines))
            usage = ", ".join(f"`{key}`" for key in rule.usage)
            yield f"| `{token.removeprefix(package + ':')}` | {'; '.join(names)} | {usage} |"
        yield ""


def _defaults(catalogue: Catalogue) -> Iterator[str]:
    yield "## What is assumed of usage\n"
    yield "| environment | type | usage |\n|---|---|---|"
    for environment, types in catalogue.defaults.items():
        for token, usage in types.items():
            said = "; ".join(f"`{key}` {_amount(value)}" for key, value in usage.items())
            yield f"| {environment} | `{token}` | {said} |"
    yield ""


def _amount(value: object) -> str:
    if isinstance(value, Mapping):
        return f"{value['expected']:,} ({value['low']:,} to {value['high']:,})"
    return f"{value:,}"


if __name__ == "__main__":
    sys.exit(main())
