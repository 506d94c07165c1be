"""What a task of a deployed job imports is there: in the runtime, in the wheel's dependencies, among its libraries."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest

import pipelines
from pipelines.contracts import PACKAGE, job_spec, load_domain
from pipelines.contracts.jobs import CLUSTER_EXTRA, GATES, TEXT_EXTRA, cluster_libraries
from pipelines.jobs import TASKS

ROOT = Path(pipelines.__file__).parent
RUNTIME = {"pyspark", "pyarrow", "pandas", "numpy"}
"""Of what Databricks Runtime lists as installed Python libraries, what the wheel uses."""
LOCAL, ADOPTION, PURGING = (f"pipelines.engine.{name}" for name in ("local", "adoption", "purging"))
SAIL, TREES = "pipelines.engine.sail_client", "pipelines.engine.expressions"
LAPTOP = {LOCAL, ADOPTION, PURGING, SAIL, TREES}
"""What only the engines of a laptop use; it is imported in branches that no cluster takes."""
OTHER_ENGINES = {
    "deltalake": {LOCAL, ADOPTION, PURGING},
    "google": {TREES},
    "grpc": {SAIL},
    "pysail": {"pipelines.engine.sessions"},
}
"""Packages of the engines of a laptop, with the only modules that import them."""


def modules() -> dict[str, Path]:
    found = {}
    for path in ROOT.rglob("*.py"):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(module: str) -> Iterator[str]:
    """Full names that a module imports anywhere, functions included; imports for type checkers are none."""
    nodes: list[ast.AST] = [ast.parse(MODULES[module].read_text())]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            nodes.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        nodes.extend(ast.iter_child_nodes(node))


def reached(start: str) -> set[str]:
    """The wheel's modules that a module leads to."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        module = waiting.pop()
        if module in MODULES and module not in seen:
            seen.add(module)
            waiting.extend(imports(module))
            waiting.append(module.rpartition(".")[0])
    return seen


def canonical(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower())


def missing(libraries: tuple[str, ...]) -> dict[str, set[str]]:
    """Third-party packages that some task imports and that a cluster would not have, with where."""
    own = {canonical(line) for line in requires(PACKAGE) or () if "extra ==" not in line}
    there = own | {canonical(line) for line in libraries}
    distributions = packages_distributions()
    found: dict[str, set[str]] = {}
    for module in reached("pipelines.jobs"):
        for name in imports(module):
            top = name.split(".", 1)[0]
            if top in sys.stdlib_module_names or top in RUNTIME or top == "pipelines":
                continue
            if module in OTHER_ENGINES.get(top, set()):
                continue
            if not {canonical(item) for item in distributions.get(top, [top])} & there:
                found.setdefault(top, set()).add(module)
    return found


def test_every_import_of_every_task_is_there_on_a_cluster() -> None:
    assert {point.__module__ for point in TASKS.values()} == {"pipelines.jobs"}
    assert {"pipelines.quality.suite", "pipelines.silver.refine", "pipelines.bronze.ingest"} <= reached(
        "pipelines.jobs"
    )
    assert missing(cluster_libraries((CLUSTER_EXTRA, TEXT_EXTRA))) == {}
    assert missing(cluster_libraries()).keys() == {"presidio_analyzer", "spacy", "tldextract"}


def test_what_only_a_laptop_has_is_not_imported_with_a_module() -> None:
    for module in reached("pipelines.jobs") - LAPTOP:
        for node in ast.parse(MODULES[module].read_text()).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                named = {alias.name for alias in node.names} | {getattr(node, "module", None)}
                full = {f"{getattr(node, 'module', None)}.{alias.name}" for alias in node.names}
                assert not (named | full) & {*LAPTOP, *OTHER_ENGINES}, module


def test_without_its_libraries_quality_and_telemetry_would_not_start() -> None:
    lacking = missing(())
    assert lacking["great_expectations"] == {"pipelines.quality.suite", "pipelines.quality.resolver"}
    assert {"openlineage", "opentelemetry"} <= lacking.keys()


def test_libraries_are_pinned_and_are_the_ones_that_a_laptop_has() -> None:
    from importlib.metadata import version

    for requirement in cluster_libraries():
        assert requirement.split("==")[1] == version(canonical(requirement))


@pytest.mark.parametrize("entry", sorted(GATES))
def test_a_gate_that_says_no_is_not_asked_again(entry: str) -> None:
    tasks = job_spec(load_domain("sales"), max_retries=3).tasks
    assert {task.max_retries for task in tasks if task.entry_point == entry} == {0}
    models = {f"silver_{model.dataset}" for model in load_domain("sales").contracts if model.layer == "silver"}
    others = [task for task in tasks if task.entry_point not in GATES and task.key not in models]
    assert {task.max_retries for task in others} == {3}
