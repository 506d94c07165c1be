"""A Terraform plan as our ``Plan``: the same rules judge a company's Terraform and its Pulumi.

Reads what ``terraform show -json PLANFILE`` writes (Terraform's documentation, "JSON Output Format", format version 1).
A value that the plan marks sensitive is sealed in the ``Plan``; one known only after the apply is unknown there, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from levee import terraform
from levee.errors import UsageError
from levee.plan import STACK_TYPE, TERRAFORM, UNKNOWN, Op, Plan, Resource, Sealed, Source
from levee.terraform.hcl import from_values
from levee.terraform.types import RAW

_SHOW: Final = "write it anew: terraform plan -out plan && terraform show -json plan > plan.json"
_INDEX: Final = re.compile(r"\[(?:\d+|\"(?:[^\"\\]|\\.)*\")\]$")
_PROVIDERS: Final = {"aws": "aws", "google": "gcp", "google-beta": "gcp", "databricks": "databricks"}
_ALL_TAGS: Final = {"tags_all": "tags", "terraform_labels": "labels"}
"""What a provider computes of its default tags and the resource's own, to the argument that it stands for."""

_OPS: Final[Mapping[tuple[str, ...], Op]] = {
    ("no-op",): Op.SAME,
    ("read",): Op.READ,
    ("create",): Op.CREATE,
    ("update",): Op.UPDATE,
    ("delete",): Op.DELETE,
    ("delete", "create"): Op.REPLACE,
    ("create", "delete"): Op.REPLACE,
    ("forget",): Op.DELETE,
}


class _Model(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class _Resource(_Model):
    address: str
    mode: str
    type: str
    name: str
    values: dict[str, Any] = Field(default_factory=dict)
    sensitive_values: Any = None


class _Module(_Model):
    address: str = ""
    resources: list[_Resource] = Field(default_factory=list)
    child_modules: list[_Module] = Field(default_factory=list)


class _Values(_Model):
    root_module: _Module


class _Change(_Model):
    actions: list[str]
    after_unknown: Any = None


class _ResourceChange(_Model):
    address: str
    mode: str
    type: str
    change: _Change


class _Configured(_Model):
    address: str
    type: str
    expressions: dict[str, Any] = Field(default_factory=dict)


class _Call(_Model):
    module: _ConfiguredModule


class _ConfiguredModule(_Model):
    resources: list[_Configured] = Field(default_factory=list)
    module_calls: dict[str, _Call] = Field(default_factory=dict)


class _ConfiguredProvider(_Model):
    name: str
    alias: str = ""
    expressions: dict[str, Any] = Field(default_factory=dict)


class _Configuration(_Model):
    root_module: _ConfiguredModule = Field(default_factory=_ConfiguredModule)
    provider_config: dict[str, _ConfiguredProvider] = Field(default_factory=dict)


class _PlanFile(_Model):
    format_version: str
    planned_values: _Values
    resource_changes: list[_ResourceChange] = Field(default_factory=list)
    configuration: _Configuration = Field(default_factory=_Configuration)


@dataclass(frozen=True, slots=True)
class Block:
    """One Terraform resource, wherever it was read.

    Attributes:
        address: ``module.lake.aws_s3_bucket.raw[0]``.
        type: ``aws_s3_bucket``.
        values: Argument to value, nested blocks as lists of objects; ``UNKNOWN`` and ``Sealed`` stand in place.
        references: Argument to the addresses, without indices, of the resources that its value is taken from.
        op: What the plan does with it.
        source: Where it is written.
    """

    address: str
    type: str
    values: Mapping[str, Any]
    references: Mapping[str, Sequence[str]]
    op: Op = Op.CREATE
    source: Source | None = None


def read(path: Path, stack: str) -> Plan:
    """Read a plan's JSON.

    Args:
        path: The file.
        stack: Whose rules it is judged by: the environment's name, or ``terraform``.

    Raises:
        UsageError: It cannot be read, or is no plan; with the line and what was expected there.
    """
    text = _text(path)
    try:
        found = _PlanFile.model_validate(json.loads(text))
    except json.JSONDecodeError as wrong:
        raise UsageError(f"not JSON: {wrong.msg}", where=f"{path}:{wrong.lineno}", fix=_SHOW) from None
    except ValidationError as wrong:
        first = wrong.errors()[0]
        at = ".".join(map(str, first["loc"])) or "the document"
        line = _line(text, first["loc"])
        message = f"not a Terraform plan in JSON: {at}: {first['msg']}"
        raise UsageError(message, where=f"{path}:{line}", fix=_SHOW) from None
    if not found.format_version.startswith("1."):
        version = found.format_version
        raise UsageError(f"plan format {version!r}, expected 1.x", where=f"{path}:{_line(text, ('format_version',))}")
    return to_plan(path.stem, stack, _blocks(found), _providers(found, stack, path.stem))


def to_plan(project: str, stack: str, blocks: Sequence[Block], providers: Sequence[Resource] = ()) -> Plan:
    """Terraform's resources as a ``Plan``, below a stack of their own.

    Args:
        project: What the resources belong to: the file's or the folder's name.
        stack: As in ``read``.
        blocks: The resources.
        providers: Their providers, by Pulumi's type tokens.
    """
    root = f"urn:pulumi:{stack}::{project}::pulumi:pulumi:Stack::{project}-{stack}"
    urns: dict[str, list[str]] = {}
    for block in blocks:
        urns.setdefault(_INDEX.sub("", block.address), []).append(_urn(stack, project, block))
    by_package = {provider.package: provider.urn for provider in providers}
    resources = [Resource(urn=root, type=STACK_TYPE, name=f"{project}-{stack}", custom=False), *providers]
    resources += [_resource(block, _urn(stack, project, block), root, urns, by_package) for block in blocks]
    return Plan(project, stack, TERRAFORM, offline=True, resources=tuple(resources))


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        if raw[:2] == b"PK":
            raise UsageError("this is Terraform's own plan file, not its JSON", where=str(path), fix=_SHOW)
        return raw.decode()
    except OSError as wrong:
        raise UsageError(f"cannot be read: {wrong.strerror or wrong}", where=str(path), fix=_SHOW) from None
    except UnicodeDecodeError as wrong:
        raise UsageError(f"not UTF-8: {wrong}", where=str(path), fix=_SHOW) from None


def _line(text: str, place: Sequence[int | str]) -> int:
    """The line of a place in a JSON document: of the last step of it that is there."""
    node = YAML(typ="rt", pure=True).load(text)
    line = 1
    for step in place:
        if isinstance(node, CommentedMap) and step in node:
            line = node.lc.key(step)[0] + 1
        elif isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
            line = node.lc.item(step)[0] + 1
        else:
            return line
        node = node[step]
    return line


def _urn(stack: str, project: str, block: Block) -> str:
    return f"urn:pulumi:{stack}::{project}::{_token(block.type)}::{block.address}"


def _token(type_: str) -> str:
    known = terraform.of_terraform(type_)
    return known.token if known else f"{RAW}{type_}"


def _resource(
    block: Block, urn: str, root: str, urns: Mapping[str, Sequence[str]], providers: Mapping[str, str]
) -> Resource:
    known = terraform.of_terraform(block.type)
    attributes = known.attributes if known else {}
    values = _with_all_tags({name: value for name, value in block.values.items() if value is not None})
    dependencies = {
        _pulumi_name(name, attributes, raw=known is None): tuple(urn for a in sources for urn in urns.get(a, ()))
        for name, sources in block.references.items()
    }
    provider = providers.get(_token(block.type).partition(":")[0], "")
    return Resource(
        urn=urn,
        type=_token(block.type),
        name=block.address,
        op=block.op,
        inputs=from_values(values, attributes) if known else values,
        parent=root,
        provider=f"{provider}::unknown" if provider else "",
        dependencies=tuple(dict.fromkeys(urn for found in dependencies.values() for urn in found)),
        property_dependencies={name: found for name, found in dependencies.items() if found},
        source=block.source,
    )


def _pulumi_name(name: str, attributes: Mapping[str, terraform.Attribute], *, raw: bool) -> str:
    return name if raw else next(iter(from_values({name: ""}, attributes)), name)


def _with_all_tags(values: Mapping[str, Any]) -> dict[str, Any]:
    """With the provider's default tags among the resource's own, as Terraform computes them."""
    kept = {name: value for name, value in values.items() if name not in _ALL_TAGS}
    for computed, argument in _ALL_TAGS.items():
        if isinstance(values.get(computed), dict) and values[computed]:
            kept[argument] = values[computed]
    return kept


def _blocks(found: _PlanFile) -> list[Block]:
    changes = {change.address: change for change in found.resource_changes}
    configured = dict(_configured(found.configuration.root_module))
    blocks = []
    for resource, module in _resources(found.planned_values.root_module):
        if resource.mode != "managed":
            continue
        change = changes.get(resource.address)
        written = configured.get(_without_indices(resource.address))
        expressions = written.expressions if written else {}
        unknown = change.change.after_unknown if change else None
        values = _merged(resource.values, unknown, resource.sensitive_values, set(expressions))
        references = {
            name: tuple(dict.fromkeys(f"{module}{a}" for a in _references(e))) for name, e in expressions.items()
        }
        op = _OPS.get(tuple(change.change.actions), Op.UPDATE) if change else Op.SAME
        blocks.append(Block(resource.address, resource.type, values, references, op))
    planned = {block.address for block in blocks}
    gone = (c for c in found.resource_changes if c.mode == "managed" and c.address not in planned)
    return [*blocks, *(Block(c.address, c.type, {}, {}, Op.DELETE) for c in gone)]


def _resources(module: _Module) -> Iterator[tuple[_Resource, str]]:
    """Every resource with the prefix of its module's addresses."""
    prefix = f"{module.address}." if module.address else ""
    for resource in module.resources:
        yield resource, prefix
    for child in module.child_modules:
        yield from _resources(child)


def _configured(module: _ConfiguredModule, prefix: str = "") -> Iterator[tuple[str, _Configured]]:
    """Every resource's configuration by its address without indices."""
    for resource in module.resources:
        yield f"{prefix}{resource.address}", resource
    for name, call in module.module_calls.items():
        yield from _configured(call.module, f"{prefix}module.{name}.")


def _without_indices(address: str) -> str:
    return re.sub(r"\[(?:\d+|\"(?:[^\"\\]|\\.)*\")\]", "", address)


def _merged(values: Mapping[str, Any], unknown: Any, sensitive: Any, written: set[str]) -> dict[str, Any]:
    """A resource's values with what is secret or unknown marked; of what only the provider computes, nothing."""
    unknown = unknown if isinstance(unknown, dict) else {}
    given = {name: value for name, value in unknown.items() if name in written}
    return {name: value for name, value in _marked(dict(values), given, sensitive).items() if value is not None}


def _marked(value: Any, unknown: Any, sensitive: Any) -> Any:
    if sensitive is True:
        return None if value is None else Sealed(value)
    if unknown is True:
        return UNKNOWN
    if isinstance(value, dict):
        unknown = unknown if isinstance(unknown, dict) else {}
        sensitive = sensitive if isinstance(sensitive, dict) else {}
        names = dict.fromkeys((*value, *(name for name, inner in unknown.items() if _any_true(inner))))
        return {name: _marked(value.get(name), unknown.get(name), sensitive.get(name)) for name in names}
    if isinstance(value, list) or (value is None and isinstance(unknown, list) and _any_true(unknown)):
        items = value or []
        unknowns = unknown if isinstance(unknown, list) else []
        secrets = sensitive if isinstance(sensitive, list) else []
        length = max(len(items), len(unknowns))
        return [_marked(_at(items, i), _at(unknowns, i), _at(secrets, i)) for i in range(length)]
    return value


def _at(items: Sequence[Any], index: int) -> Any:
    return items[index] if index < len(items) else None


def _any_true(marks: Any) -> bool:
    if isinstance(marks, dict):
        return any(map(_any_true, marks.values()))
    return any(map(_any_true, marks)) if isinstance(marks, list) else marks is True


def _references(expression: Any) -> Iterator[str]:
    """The addresses, without attributes, of the resources that an expression takes values from."""
    if isinstance(expression, list):
        for inner in expression:
            yield from _references(inner)
    elif isinstance(expression, dict):
        for name, inner in expression.items():
            if name == "references" and isinstance(inner, list):
                yield from (address for given in inner if (address := address_of(given)))
            else:
                yield from _references(inner)


def address_of(reference: str) -> str:
    """``aws_kms_key.k`` of ``aws_kms_key.k[0].arn``; empty where it is no resource's."""
    steps = _without_indices(reference).split(".")
    if steps[0] in ("var", "local", "each", "count", "path", "self", "data", "module", "terraform") or len(steps) < 2:
        return ""
    return ".".join(steps[:2])


def _providers(found: _PlanFile, stack: str, project: str) -> list[Resource]:
    """The providers without alias, with what the configuration says of them in so many words."""
    providers = []
    for given in found.configuration.provider_config.values():
        package = _PROVIDERS.get(given.name)
        if package and not given.alias:
            token = f"pulumi:providers:{package}"
            inputs = from_values(_constants(given.expressions), {})
            urn = f"urn:pulumi:{stack}::{project}::{token}::default"
            providers.append(Resource(urn=urn, type=token, name="default", inputs=inputs))
    return providers


def _constants(expressions: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name, expression in expressions.items():
        if isinstance(expression, dict) and "constant_value" in expression:
            found[name] = expression["constant_value"]
    return found
