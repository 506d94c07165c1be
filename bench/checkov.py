"""Checkov on N resources: through the pack's worker, and by the Checkov command on the same as a Terraform plan.

Both read the same resources (those of ``bench/policies.py`` that Terraform has, with their references) and must come
to the same verdict of every check on every resource, or this fails. The worker is started anew each time: how long it
takes to be ready is shown beside what it then takes to judge. A pack starts it while the program runs.

Run by ``make bench``, or alone: ``.venv/bin/python bench/checkov.py [SIZE ...]`` (needs ``make checkov``).
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeAlias

from bench.policies import resources
from levee.compliance.checkov.configuration import translate
from levee.compliance.checkov.judge import judge
from levee.compliance.checkov.worker import installed, shared
from levee.plan import Resource
from levee.terraform.hcl import values_of

SIZES: Final = (100, 1000, 3000)
RUNS: Final = 3

Verdicts: TypeAlias = frozenset[tuple[str, str, str]]
"""Check, address of the resource, ``passed`` or ``failed``."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What one run took, seconds: until it was ready, then until it had judged, and of processor time in all."""

    ready: float
    judged: float
    processor: float


def main(sizes: Sequence[int]) -> None:
    """Print a line a size."""
    columns = ("resources", "verdicts", "worker, ready s", "judged s", "ms a resource", "processor s")
    print(f"| {' | '.join(columns)} | command, s | processor s | times the worker |")
    print(f"|{'---:|' * 9}")
    each: dict[int, float] = {}
    for size in sizes:
        stack = _stack(size)
        ours, theirs, verdicts = _measured(stack)
        each[size] = 1000 * ours.judged / size
        told = ", ".join(f"{count:,} {word}" for word, count in sorted(Counter(v for *_, v in verdicts).items()))
        print(
            f"| {size:,} | {told} | {ours.ready:.2f} | {ours.judged:.2f} | {each[size]:.2f} | {ours.processor:.2f} "
            f"| {theirs.judged:.2f} | {theirs.processor:.2f} | {theirs.judged / (ours.ready + ours.judged):.1f} |",
            flush=True,
        )
    first, *more = each
    for size in more:
        print(f"growth from {first:,} to {size:,}: {each[size] / each[first]:.2f} times the ms a resource")


def _stack(size: int) -> Sequence[Resource]:
    """So many resources of types that Terraform has by the same name."""
    return list(islice((r for r in resources(2 * size) if not r.type.startswith("kubernetes:")), size))


def _measured(stack: Sequence[Resource]) -> tuple[Taken, Taken, Verdicts]:
    """Medians of runs in turns, and the verdicts, which are those of both."""
    ours: list[Taken] = []
    theirs: list[Taken] = []
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / "plan.json"
        plan.write_text(json.dumps(terraform_plan(stack)))
        for _ in range(RUNS):
            taken, by_worker = _timed(lambda: _judged(stack))
            ours.append(taken)
            taken, by_command = _timed(lambda: _commanded(plan))
            theirs.append(taken)
            if by_worker != by_command:
                raise SystemExit(f"they differ: {sorted(by_worker ^ by_command)[:10]}")
    return _median(ours), _median(theirs), by_worker


def _timed(run: Callable[[], tuple[float, Verdicts]]) -> tuple[Taken, Verdicts]:
    before, begun = _processor(), time.perf_counter()
    ready, verdicts = run()
    seconds = time.perf_counter() - begun
    return Taken(ready, seconds - ready, _processor() - before), verdicts


def _judged(stack: Sequence[Resource]) -> tuple[float, Verdicts]:
    """By a worker of its own: seconds until it was ready, and the verdicts."""
    names = {given["key"]: f"{given['type']}.{given['name']}" for given in translate(stack).resources["terraform"]}
    begun = time.perf_counter()
    shared().ask({"resources": {}})
    ready = time.perf_counter() - begun
    found = judge(stack)
    shared().close()
    return ready, frozenset((check, names[urn], said.verdict.value) for (check, urn), said in found.by.items())


def _commanded(plan: Path) -> tuple[float, Verdicts]:
    """By the command; it says nothing of when it is ready."""
    python = installed()
    command = [str(python), str(python.with_name("checkov")), "--file", str(plan), "--framework", "terraform_plan"]
    environment = {"LOG_LEVEL": "ERROR", "BC_SKIP_MAPPING": "TRUE", "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [*command, "--output", "json", "--compact"], capture_output=True, text=True, check=False, env=environment
    )
    results = json.loads(done.stdout)["results"]
    assert not results["parsing_errors"]
    records = [(word, record) for word in ("passed", "failed") for record in results[f"{word}_checks"]]
    return 0.0, frozenset((record["check_id"], record["resource"], word) for word, record in records)


def _processor() -> float:
    """Processor seconds of this process and of all that it waited for."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


def _median(taken: Sequence[Taken]) -> Taken:
    return Taken(
        statistics.median(t.ready for t in taken),
        statistics.median(t.judged for t in taken),
        statistics.median(t.processor for t in taken),
    )


def terraform_plan(stack: Sequence[Resource]) -> Mapping[str, Any]:
    """The same resources as ``terraform show -json`` would write the plan that makes them (format version 1.2)."""
    planned, changes, configured = [], [], []
    for given in translate(stack).resources["terraform"]:
        values, references = values_of(given["config"]), {}
        for name, value in list(values.items()):
            if isinstance(value, dict) and "$reference" in value:
                references[name] = values.pop(name)["$reference"]
        head = {
            "address": f"{given['type']}.{given['name']}",
            "mode": "managed",
            "type": given["type"],
            "name": given["name"],
        }
        unknown = dict.fromkeys(references, True)
        planned.append({**head, "values": values})
        change = {"actions": ["create"], "before": None, "after": values, "after_unknown": unknown}
        changes.append({**head, "change": change})
        expressions = {name: {"references": [to, to.rpartition(".")[0]]} for name, to in references.items()}
        configured.append({**head, "expressions": expressions})
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.0",
        "planned_values": {"root_module": {"resources": planned}},
        "resource_changes": changes,
        "configuration": {"root_module": {"resources": configured}},
    }


if __name__ == "__main__":
    main(tuple(int(size) for size in sys.argv[1:]) or SIZES)
