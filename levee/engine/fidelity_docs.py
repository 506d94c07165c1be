"""``docs/reference/fidelity.md``, counted from SDKs and checks: ``python -m levee.engine.fidelity_docs PATH``."""

from __future__ import annotations

import re
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from levee.engine.fidelity import ONLY_THE_PROVIDER, ONLY_THIS_PROVIDER
from levee.engine.standin import coverage, provider
from levee.engine.standin.answers import EXACT, TABLE
from levee.engine.standin.replacement import ReplacementFacts
from levee.sdk import Package, Sdk

PACKAGES: Final = ("aws", "azure-native", "gcp", "kubernetes", "databricks")
_CALL: Final = re.compile(r"runtime\.invoke(?:_output|_async)?\(\s*'([^']+)'")
_INTRO: Final = """# How far to believe an offline run

`levee fidelity [STACK]` says it of a program: it previews it, and lists for each provider and type in use what was
checked of the inputs that the program gives, what was invented (computed outputs; lookups with the caller's line;
placeholders for configuration and references), and what only the real provider can say. `--json FILE` writes the same;
it is in every plan too (`fidelity` in [plan.schema.json](plan.schema.json)) and in the HTML report, and a preview sums
it up in its last line.

`levee preview [STACK] --compare-online` tells where it is wrong: it previews for real as well, where the stack's own
backend, the plugins and a credential are at hand, both from the same state, and prints what differs: resources that
only one knows, other steps (update against replacement), other inputs and outputs, failures that only one has. It exits
with 1 where the steps differ, 0 where they are the same, 2 where there is nothing to compare with. `--json FILE` writes
`{"version": 1, "differs", "resources", "steps", "values", "failed_offline", "failed_online"}`. The real state's secrets
are held in memory, and closed with a key of its own in a workspace that goes with the run.

The counts below are made from the SDKs that Levee's own environment locks (`make docs`); a program's preview counts
with the program's SDKs.
"""


@dataclass(frozen=True, slots=True)
class Count:
    """What is known of one package.

    Attributes:
        package: Its name.
        version: Its SDK's version.
        types: How many resource types there are.
        inputs: How many top-level inputs they have.
        reach: By check: of the inputs that it concerns, how many it decides, and how many.
        functions: How many lookups there are.
        answered: How many of them have an answer in the table.
        exact: How many follow from arguments and configuration alone.
    """

    package: str
    version: str
    types: int
    inputs: int
    reach: dict[str, tuple[int, int]]
    functions: int
    answered: int
    exact: int


def count(sdk: Sdk, package: Package) -> Count:
    """Count one package."""
    context = coverage.Context(ReplacementFacts())
    types = [type_ for token in package.tokens if (type_ := sdk.resource(token)) is not None]
    reach = dict.fromkeys((check.name for check in coverage.checks()), (0, 0))
    for type_ in types:
        for name, found in coverage.of(type_, context).items():
            decided, concerned = reach[name]
            reach[name] = (decided + found.decided, concerned + len(found.concerned))
    functions = {token for file in package.path.rglob("*.py") for token in _CALL.findall(file.read_text("utf-8"))}
    return Count(
        package=package.name,
        version=package.version,
        types=len(types),
        inputs=sum(len(type_.inputs) for type_ in types),
        reach=reach,
        functions=len(functions),
        answered=len(functions & TABLE.keys()),
        exact=len(functions & EXACT.keys()),
    )


def row(counted: Count) -> str:
    """A package's line of the table."""
    cells = [
        f"`{counted.package}` {counted.version}",
        f"{counted.types:,}",
        f"{counted.inputs:,}",
        *(f"{decided:,} of {concerned:,}" for decided, concerned in counted.reach.values()),
        f"{counted.answered:,} of {counted.functions:,} ({counted.exact:,} exact)",
    ]
    return f"| {' | '.join(cells)} |"


def prose() -> str:
    """The page without its counts."""
    names = [check.name for check in coverage.checks()]
    lines = [
        _INTRO,
        "## What is checked",
        *(f"- **{check.name}**: {check.what}" for check in coverage.checks()),
        "",
        f"| package | types | inputs | {' | '.join(names)} | lookups in the table |",
        f"|{'---|' * (len(names) + 4)}",
    ]
    return "\n".join(lines)


def principle() -> str:
    """What differs whatever is counted."""
    return "\n".join(
        (
            "## What is invented",
            "- Computed outputs: unknown in a preview, as with the real provider; in an update values in the cloud's",
            "  own form, the same for the same resource.",
            "- Lookups: the project's own answer (`lookups.yaml`), what the simulated cloud holds, the table, else a",
            "  value of the right type. Every one that no cloud gave is listed with the line that asked.",
            "- Placeholders: configuration under `--fill-config`, secrets that only a cloud's key opens, stack",
            "  references.",
            "",
            "## What only the real provider can say",
            *(f"- {said}" for said in ONLY_THE_PROVIDER),
            *(f"- `{package}`: {said}" for package, said in sorted(ONLY_THIS_PROVIDER.items())),
            "- whether a change replaces a resource, where no fact says so: the step is marked",
            "- what a remote component or a chart makes whose program is not there to be run: listed as not evaluated",
            "",
            "## What differs in principle",
            "- A stand-in is fast, alone and always there: nothing is throttled, late or half made unless a",
            "  [fault rule](faults.md) says so.",
            "- It checks what SDKs and schemas write down. A provider's own code (custom diffs, computed defaults,",
            "  cross-field validation) does not run.",
            "- Its cloud holds what the stack made and what was put there by hand, nothing that others made.",
            "- It takes every credential, and needs none.",
            "",
        )
    )


def page(sdk: Sdk, packages: Sequence[str] = PACKAGES) -> str:
    """The whole page."""
    rows = [row(count(sdk, sdk.packages[name])) for name in packages]
    return "\n".join([prose(), *rows, "", principle()])


def main(path: Path) -> None:
    """Write the page anew."""
    assert provider.Provider  # its import registers every check
    path.write_text(page(Sdk(Path(sysconfig.get_paths()["purelib"]))), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
