"""Who may use the tables of a dataset: Unity Catalog's grants, as a plan has them.

A privilege on a catalogue or schema holds for all that lies in it (Databricks documentation, "Unity Catalog privileges
and securable objects", inheritance). Names are the plan's: one that is not known before the update is taken from the
resource that it refers to, and is ``None`` where that does not know it either.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from levee.compliance.graph import Graph
from levee.plan import SECRET, UNKNOWN, Op, Plan, Resource
from levee.review.model import Grant, Securables

Path = tuple[str | None, ...]
"""Catalogue, schema, table, as far as it reaches."""

_SCHEMA: Final = "databricks:index/schema:Schema"
_NAMED_BY: Final[Mapping[str, Sequence[str]]] = {
    "databricks:index/catalog:Catalog": ("name",),
    _SCHEMA: ("catalogName", "name"),
    "databricks:index/sqlTable:SqlTable": ("catalogName", "schemaName", "name"),
}
"""Type of a securable to the inputs that make its full name."""

_DEPTH: Final = {"catalog": 1, "schema": 2, "table": 3}
"""Property of a grant that names a securable, to how many names that has."""

_ALL: Final = "databricks:index/grants:Grants"
_ONE: Final = "databricks:index/grant:Grant"
_LABELS: Final = ("displayName", "userName")


def read(environment: str, base: Plan | None, head: Plan) -> Securables:
    """The schemas of an environment, and every grant on a catalogue, schema or table, before and after.

    Args:
        environment: Its name.
        base: The base's plan, if there is one; a grant that only it has ends with the change.
        head: The head's.
    """
    after = tuple(_grants(environment, head))
    before = tuple(_grants(environment, base)) if base else ()
    ends = tuple(replace(grant, ends=True) for grant in before if grant not in after)
    schemas = dict.fromkeys(path for plan in (base, head) if plan for path in _schemas(plan))
    return Securables(tuple(schemas), tuple(dict.fromkeys((*after, *ends))))


def touched(securables: Iterable[Securables], tables: Mapping[str, Collection[str]]) -> tuple[Grant, ...]:
    """The grants that reach some of the tables.

    Args:
        securables: What each environment has.
        tables: Schema name to the tables in it.
    """
    return tuple(grant for found in securables for grant in _reaching(found, tables))


def _reaching(found: Securables, tables: Mapping[str, Collection[str]]) -> Iterator[Grant]:
    paths = (*found.schemas, *(grant.on for grant in found.grants if len(grant.on) > 1))
    catalogs = {path[0] for path in paths if path[1] in tables}
    for grant in found.grants:
        match grant.on:
            case (catalog,):
                fits = [_fits(catalog, catalogs)]
            case (_, schema):
                fits = [_fits(schema, tables)]
            case (_, schema, table):
                within = {name for known, names in tables.items() if schema in (known, None) for name in names}
                fits = [_fits(schema, tables), _fits(table, within)]
            case _:
                continue
        if False not in fits:
            yield replace(grant, certain=None not in fits)


def _fits(name: str | None, names: Collection[str | None]) -> bool | None:
    """Whether a name is one of them; ``None`` where nobody can say before the update."""
    if name in names and name is not None:
        return True
    return None if names and (name is None or None in names) else False


def _schemas(plan: Plan) -> Iterator[Path]:
    graph = Graph(plan.resources)
    for schema in plan.of_type(_SCHEMA):
        yield _path(graph, schema)


def _grants(environment: str, plan: Plan) -> Iterator[Grant]:
    graph = Graph(plan.resources)
    for resource in (*plan.of_type(_ALL), *plan.of_type(_ONE)):
        on = _securable(graph, resource)
        if on and resource.op is not Op.DELETE:
            for principal, privileges in _holders(graph, resource):
                yield Grant(environment, on, principal, privileges)


def _securable(graph: Graph, grants: Resource) -> Path:
    """Full name of what the grants are on; empty where that is no catalogue, schema or table."""
    for name, depth in _DEPTH.items():
        if name in grants.inputs:
            for referred in graph.references(grants, name):
                if len(_NAMED_BY.get(referred.type, ())) == depth:
                    return _path(graph, referred)
            names = (_known(grants.inputs[name]) or "").split(".")
            return tuple(names) if len(names) == depth and all(names) else (None,) * depth
    return ()


def _path(graph: Graph, securable: Resource) -> Path:
    return tuple(_name(graph, securable, by) for by in _NAMED_BY[securable.type])


def _name(graph: Graph, securable: Resource, by: str) -> str | None:
    """One name of a securable: as its input has it, or as the catalogue or schema has it that the input refers to."""
    if known := _known(securable.inputs.get(by)):
        return known.rpartition(".")[2]
    above = [referred for referred in graph.references(securable, by) if referred.type in _NAMED_BY]
    return _path(graph, above[0])[-1] if len(above) == 1 else None


def _holders(graph: Graph, grants: Resource) -> Iterator[tuple[str | None, tuple[str, ...] | None]]:
    """Principals with their privileges, ``None`` for what is not known; ``(None, None)`` where nothing is."""
    every = [grants.inputs] if grants.type == _ONE else grants.inputs.get("grants")
    if not isinstance(every, Sequence) or isinstance(every, str):
        yield None, None
        return
    given = [grant if isinstance(grant, Mapping) else {} for grant in every]
    unknown = [grant for grant in given if not _known(grant.get("principal"))]
    referred = graph.references(grants, "principal" if grants.type == _ONE else "grants")
    # Of several nobody can say which is which: the engine knows references by property, not by place in a list.
    label = _label(referred[0]) if len(unknown) == len(referred) == 1 else None
    for grant in given:
        yield _known(grant.get("principal")) or label, _privileges(grant.get("privileges"))


def _label(principal: Resource) -> str | None:
    return next((known for name in _LABELS if (known := _known(principal.inputs.get(name)))), None)


def _privileges(value: Any) -> tuple[str, ...] | None:
    if not isinstance(value, Sequence) or isinstance(value, str) or not all(map(_known, value)):
        return None
    return tuple(sorted(value))


def _known(value: Any) -> str | None:
    return value if isinstance(value, str) and value not in ("", UNKNOWN, SECRET) else None
