"""Checkov as a long-lived process: one JSON request a line on standard input, one answer a line on standard output.

It runs in Checkov's own environment (``make checkov``) and imports nothing of Levee; the other end of the pipe is
``levee.compliance.checkov.worker``. It never reaches for the network: no mapping is fetched, no module downloaded.

Requests, each with an ``id`` that its answer repeats:

* ``{"id", "resources": {"terraform": [...], "arm": [...], "kubernetes": [...]}}`` with resources as
  ``{"key", "type", "name", "config"}``: judge them together, as one configuration;
* ``{"id", "parse": FOLDER}``: read the Terraform below a folder: ``{"resources", "errors"}``;
* ``{"id", "catalogue": true}``: list every check.

Answers are ``{"id", "verdicts": [{"key", "check", "result", "properties"}]}``, with ``result`` one of ``passed``,
``failed``, ``unknown`` and ``raised`` (then with ``error``), or ``{"id", "error"}``.

Configs hold secrets, and answers no value of a config: ids, keys, verdicts, names of properties.

In a config, ``{"$reference": "aws_kms_key.k.arn"}`` is a value of another resource that is not known yet, with
``"value"`` where it is known, and ``{"$unknown": true}`` any other value that is not known yet.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.update(LOG_LEVEL="ERROR", BC_SKIP_MAPPING="TRUE", CHECKOV_CHECK_FAIL_LEVEL="INFO")
_OUT = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)  # whatever Checkov prints goes to standard error

import checkov.arm.runner  # noqa: E402 - the environment above is read at import
import checkov.kubernetes.runner  # noqa: E402
import checkov.terraform.runner  # noqa: E402
import ply.yacc  # noqa: E402
from checkov.arm.registry import arm_resource_registry  # noqa: E402
from checkov.common.checks_infra.registry import get_graph_checks_registry  # noqa: E402
from checkov.common.graph.graph_builder import CustomAttributes  # noqa: E402
from checkov.common.models.enums import CheckResult  # noqa: E402
from checkov.common.util.data_structures_utils import pickle_deepcopy  # noqa: E402
from checkov.kubernetes.checks.resource.registry import registry as kubernetes_registry  # noqa: E402
from checkov.kubernetes.kubernetes_utils import PARENT_RESOURCE_ID_KEY_NAME  # noqa: E402
from checkov.terraform.checks.resource.registry import resource_registry  # noqa: E402
from checkov.terraform.modules.module_objects import TFDefinitionKey  # noqa: E402
from checkov.terraform.plan_parser import RESOURCE_TYPES_JSONIFY  # noqa: E402
from checkov.version import version  # noqa: E402

logging.disable()  # what Checkov logs may hold what it judges: a secret, too

_FILE = "/levee/main"
_REFERENCE, _UNKNOWN = "$reference", "$unknown"
_NOWHERE = "data.levee_unknown.this.value"
"""What stands for a value that comes of no resource; Checkov reads it as a reference."""
_IDENTITIES = ("arn", "id", "name")
_REGISTRIES = {"terraform": resource_registry, "arm": arm_resource_registry, "kubernetes": kubernetes_registry}
_RESULTS = {CheckResult.PASSED: "passed", CheckResult.FAILED: "failed", CheckResult.UNKNOWN: "unknown"}

Verdict = dict[str, Any]


def kept(build: Callable[..., Any]) -> Callable[..., Any]:
    """``ply.yacc.yacc`` for grammars that are classes, each built once.

    Checkov's parser of JSONPath has its tables built for every path that it has not met before, 25 ms each.
    """
    parsers: dict[tuple[type, str | None], Any] = {}

    def yacc(*, module: object, start: str | None = None, **more: Any) -> Any:
        grammar = (type(module), start)
        if grammar not in parsers:
            parsers[grammar] = build(module=module, start=start, **more)
        return parsers[grammar]

    return yacc


ply.yacc.yacc = kept(ply.yacc.yacc)


class Unknown(str):
    """A value that is not known yet, and whether a check asked what it is.

    That it is there may be asked: ``is None``, its type, and of a reference its truth. To compare it, or to look into
    it, is to decide by a value that nobody knows, and such a verdict is "unknown". The identity of another resource of
    the program differs from every text that a check may name, though nobody knows it yet.
    """

    __slots__ = ()
    asked = 0

    @property
    def identity(self) -> bool:
        """Whether it is the identity of another resource of the program."""
        return self.rpartition(".")[2] in _IDENTITIES

    def _ask(self, other: object) -> None:
        Unknown.asked += other is not None and other != "" and not (isinstance(other, str) and self.identity)

    def __eq__(self, other: object) -> bool:
        self._ask(other)
        return str.__eq__(self, other) if isinstance(other, str) else False

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return str.__hash__(self)

    def __bool__(self) -> bool:
        Unknown.asked += str.__eq__(self, _NOWHERE)  # a reference is something; of anything else this may be the value
        return True

    def __contains__(self, other: object) -> bool:
        self._ask(other)
        return isinstance(other, str) and str.__contains__(self, other)


def resolve(value: Any, unknown: Callable[[dict[str, Any]], Any]) -> Any:
    """A config with its references and unknown values replaced by what ``unknown`` makes of them."""
    if isinstance(value, dict):
        if _REFERENCE in value or _UNKNOWN in value:
            return unknown(value)
        return {key: resolve(inner, unknown) for key, inner in value.items()}
    return [resolve(inner, unknown) for inner in value] if isinstance(value, list) else value


def as_value(marker: dict[str, Any]) -> Any:
    """For the checks of one resource: the value where it is known."""
    return marker["value"] if "value" in marker else Unknown(marker.get(_REFERENCE, _NOWHERE))


def as_reference(marker: dict[str, Any]) -> str:
    """For the graph: always the reference, which is an edge."""
    return str(marker.get(_REFERENCE, _NOWHERE))


class Watched(dict[str, Any]):
    """An object of a config that notes when a check reaches for something in it that is not known yet.

    What is unknown may be a whole list or object, of which a check would ask its type only, and then find nothing.
    """

    def _reach(self, key: object) -> None:
        held = dict.get(self, key)  # type: ignore[arg-type]
        only = held[0] if isinstance(held, list) and len(held) == 1 else held
        Unknown.asked += isinstance(only, Unknown) and not only.identity

    def __getitem__(self, key: str) -> Any:
        self._reach(key)
        return dict.__getitem__(self, key)

    def __contains__(self, key: object) -> bool:
        self._reach(key)
        return dict.__contains__(self, key)

    def get(self, key: str, default: Any = None) -> Any:
        """As ``dict.get``."""
        self._reach(key)
        return dict.get(self, key, default)


def watched(value: Any) -> Any:
    """The config with every object in it watched."""
    if isinstance(value, dict):
        return Watched({key: watched(inner) for key, inner in value.items()})
    return [watched(inner) for inner in value] if isinstance(value, list) else value


def unknown_paths(value: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where in a config something is not known yet, by names without indices; identities are left out."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from unknown_paths(inner, (*at, key))
    elif isinstance(value, list):
        for inner in value:
            yield from unknown_paths(inner, at)
    elif isinstance(value, Unknown) and not value.identity:
        yield at


def hidden(paths: set[tuple[str, ...]], key: str, *, itself: bool) -> bool:
    """Whether something unknown hides what a check looks at: an ancestor of it or, where asked, ``itself``."""
    names = tuple(n for n in re.split(r"[/.]", key) if n and n != "*" and not n.strip("[]").isdigit())
    return any(names[: len(path)] == path and (itself or len(path) < len(names)) for path in paths)


def judge(resources: dict[str, list[dict[str, Any]]]) -> list[Verdict]:
    """Every check over the resources, each for itself and in the graph."""
    verdicts: list[Verdict] = []
    for framework, given in resources.items():
        if given:
            for resource in given:
                resource["plain"] = entity(framework, resource, resolve(resource["config"], as_value))
                resource["unknown"] = set(unknown_paths(resource["plain"]))
                verdicts += alone(framework, resource)
            verdicts += connected(framework, given)
    return verdicts


def entity(framework: str, resource: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """The resource as Checkov's parser would hand it to a check."""
    if framework == "terraform" and (key := RESOURCE_TYPES_JSONIFY.get(resource["type"])):
        config = {**config, key: [document(v) for v in config[key]]} if key in config else config
    return {**config, "__start_line__": 1, "__end_line__": 1} if framework == "terraform" else lined(config)


def lined(value: Any) -> Any:
    """With the lines that Checkov's JSON and YAML parsers note in every object, and its graphs rely on."""
    if isinstance(value, dict):
        return {**{key: lined(inner) for key, inner in value.items()}, "__startline__": 1, "__endline__": 1}
    return [lined(inner) for inner in value] if isinstance(value, list) else value


def document(text: Any) -> Any:
    """A JSON text as what it says, as Checkov reads ``jsonencode(...)``; anything else as it is."""
    if not isinstance(text, str) or isinstance(text, Unknown):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def alone(framework: str, resource: dict[str, Any]) -> Iterator[Verdict]:
    """The checks that look at one resource."""
    paths = resource["unknown"]
    for check in _REGISTRIES[framework].get_checks(resource["type"]):
        verdict: Verdict = {"key": resource["key"], "check": check.id}
        config = pickle_deepcopy(resource["plain"])
        inspected = check.get_inspected_key() if hasattr(check, "get_inspected_key") else None
        if paths and inspected is None:
            config = watched(config)
        asked = Unknown.asked
        try:
            found = check.run(_FILE, config, resource["name"], resource["type"], {})
        except Exception as error:  # noqa: BLE001 - whatever a check raises is reported by its name
            yield {**verdict, "result": "unknown"} if paths else {**verdict, **raised(error)}
            continue
        result = found["result"][0] if isinstance(found["result"], tuple) else found["result"]
        unsure = Unknown.asked > asked or (isinstance(inspected, str) and hidden(paths, inspected, itself=False))
        word = "unknown" if unsure else _RESULTS[result]
        if word != "unknown" or unsure or paths:  # of known values, Checkov's "unknown" means: not concerned
            yield {**verdict, "result": word, "properties": found.get("evaluated_keys") or []}


def raised(error: Exception) -> Verdict:
    """What is said of a check that failed itself."""
    return {"result": "raised", "error": told(error)}


def told(error: Exception) -> str:
    """What kind of error it was and where, never its words: they may hold a secret of what was judged."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} in {Path(frames[-1].filename).name}:{frames[-1].lineno}"


def connected(framework: str, resources: list[dict[str, Any]]) -> Iterator[Verdict]:
    """The checks that look at the graph."""
    keys = {f"{r['type']}.{r['name']}": r for r in resources}
    configs = [entity(framework, r, resolve(r["config"], as_reference)) for r in resources]
    runner, definitions = _GRAPHS[framework](resources, configs)
    graph = runner.graph_manager.build_graph_from_definitions(definitions)
    runner.graph_manager.save_graph(graph)
    if framework == "kubernetes":
        keys = {v.id: r for v in graph.vertices for r in resources if r["key"] == v.attributes.get("__levee__")}
    for check in graph_checks(framework):
        try:
            found = check.run(runner.graph_manager.get_reader_endpoint())
        except Exception as error:  # noqa: BLE001 - whatever a check raises is reported by its name
            yield {"key": "", "check": check.id, **raised(error)}
            continue
        for word, vertices in zip(("passed", "failed", "unknown"), found, strict=True):
            for vertex in vertices:
                resource = keys.get(vertex.get(PARENT_RESOURCE_ID_KEY_NAME) or vertex.get(CustomAttributes.ID))
                if resource is not None:
                    unsure = word != "unknown" and asks_unknown(check, resource["unknown"], framework)
                    properties = [str(a) for a in attributes(check)]
                    result = "unknown" if unsure else word
                    yield {"key": resource["key"], "check": check.id, "result": result, "properties": properties}


def attributes(check: Any) -> Iterator[str]:
    """The attributes that a graph check compares with something, wherever in it; mere presence is no comparison."""
    compares = "exists" not in str(getattr(check, "operator", "") or "")
    if getattr(check, "attribute", None) and compares:
        yield check.attribute
    for inner in getattr(check, "sub_checks", None) or ():
        yield from attributes(inner)


def asks_unknown(check: Any, paths: set[tuple[str, ...]], framework: str) -> bool:
    """Whether a graph check decides by something unknown. Of a Terraform reference itself, Checkov says so."""
    return any(hidden(paths, str(a), itself=framework != "terraform") for a in attributes(check))


def graph_checks(framework: str) -> list[Any]:
    """The framework's checks over the graph."""
    registry = get_graph_checks_registry(framework)
    registry.load_checks()
    return list(registry.checks)


def _terraform(resources: list[dict[str, Any]], configs: list[dict[str, Any]]) -> tuple[Any, Any]:
    blocks = [{r["type"]: {r["name"]: c}} for r, c in zip(resources, configs, strict=True)]
    return checkov.terraform.runner.Runner(), {TFDefinitionKey(file_path=f"{_FILE}.tf"): {"resource": blocks}}


def _arm(_resources: list[dict[str, Any]], configs: list[dict[str, Any]]) -> tuple[Any, Any]:
    return checkov.arm.runner.Runner(), {f"{_FILE}.json": {"resources": configs}}


def _kubernetes(resources: list[dict[str, Any]], configs: list[dict[str, Any]]) -> tuple[Any, Any]:
    marked = [{**config, "__levee__": r["key"]} for r, config in zip(resources, configs, strict=True)]
    return checkov.kubernetes.runner.Runner(), {f"{_FILE}.yaml": marked}


_GRAPHS = {"terraform": _terraform, "arm": _arm, "kubernetes": _kubernetes}


def parse(folder: str) -> dict[str, Any]:
    """The resources of a folder of HCL with variables rendered, and the files that cannot be parsed."""
    errors: dict[str, Exception] = {}
    manager = checkov.terraform.runner.Runner().graph_manager
    graph, _ = manager.build_graph_from_source_directory(folder, parsing_errors=errors)
    return {
        "errors": {file: unread(error) for file, error in errors.items()},
        "resources": [found for vertex in graph.vertices if vertex.block_type == "resource" for found in _read(vertex)],
    }


def unread(error: Exception) -> dict[str, Any]:
    """Why a file cannot be parsed: the line, where the parser tells, and its words, with what it expected there."""
    said, *more = str(error).strip().splitlines() or [type(error).__name__]
    expected = ", ".join(line.strip("\t *") for line in more if line.startswith("\t"))
    line = getattr(error, "line", 0)
    return {"line": max(line, 0), "said": f"{said.rstrip('.')}{f', expected {expected}' if expected else ''}"}


def _read(vertex: Any) -> Iterator[dict[str, Any]]:
    for type_, named in vertex.config.items():
        for config in named.values():
            address = config.get(CustomAttributes.TF_RESOURCE_ADDRESS) or vertex.name
            line = config.get("__start_line__", 1)
            yield {"address": address, "type": type_, "file": vertex.path, "line": line, "config": config}


def catalogue() -> dict[str, Any]:
    """Every check of the three frameworks: id to title, category and the types that it judges, by framework."""
    found: dict[str, Any] = {}
    for framework, registry in _REGISTRIES.items():
        for checks in registry.checks.values():
            for check in checks:
                _list(found, framework, check, sorted(c.name for c in check.categories), check.supported_entities)
        for check in graph_checks(framework):
            _list(found, framework, check, [str(check.category)], check.resource_types or ())
    return {"version": version, "checks": dict(sorted(found.items()))}


def _list(found: dict[str, Any], framework: str, check: Any, categories: list[str], types: Any) -> None:
    entry = found.setdefault(check.id, {"title": check.name, "categories": categories, "types": {}})
    entry["types"][framework] = sorted({*entry["types"].get(framework, ()), *types})


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """The answer to one request."""
    if "parse" in request:
        return parse(request["parse"])
    if "catalogue" in request:
        return catalogue()
    return {"verdicts": judge(request["resources"])}


def main() -> None:
    """Answer until standard input ends."""
    for line in sys.stdin:
        request = json.loads(line)
        try:
            said = answer(request)
        except Exception as error:  # noqa: BLE001 - the other end decides what a failed request means
            said = {"error": told(error)}
        _OUT.write(json.dumps({"id": request["id"], **said}) + "\n")
        _OUT.flush()


if __name__ == "__main__":
    main()
