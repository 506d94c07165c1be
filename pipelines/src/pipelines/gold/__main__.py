"""``python -m pipelines.gold list|show|test|export``: a domain's models, as one JSON document on standard output."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipelines.contracts import Contract, Domain, load_domain
from pipelines.errors import PipelineError, UsageError
from pipelines.gold.checks import check_model
from pipelines.gold.dbt import ADAPTERS, project
from pipelines.gold.query import query
from pipelines.gold.testing import cases, run_case
from pipelines.settings import EngineName

Document = dict[str, Any]


def listed(domain: Domain, names: Sequence[str]) -> Document:
    """Every model in the order of building, with what it reads."""
    return {"domain": domain.name, "models": [_told(domain, model) for model in _chosen(domain, names)]}


def shown(domain: Domain, names: Sequence[str]) -> Document:
    """Models with their SQL and the lineage of their columns."""
    models = []
    for model in _chosen(domain, names):
        traced = check_model(domain, model)
        models.append(
            _told(domain, model)
            | {
                "sql": query(model).text,
                "columns": [
                    {
                        "name": column.name,
                        "type": column.type,
                        "description": column.description,
                        "classification": column.classification.value,
                        "from": [asdict(edge) for edge in traced.columns[column.name]],
                    }
                    for column in model.columns
                ],
                "rows": [asdict(edge) for edge in traced.dataset],
            }
        )
    return {"domain": domain.name, "models": models}


def tested(domain: Domain, names: Sequence[str], name: EngineName) -> Document:
    """What the tests beside the models found, on an engine."""
    from pipelines.engine import Engine

    chosen = _chosen(domain, names)
    wanted = [(model, case) for model in chosen for case in cases(domain, model)]
    for model in chosen:
        check_model(domain, model)
    engine = Engine.open(name)
    outcomes = [run_case(engine, domain, model, case) for model, case in wanted]
    return {
        "domain": domain.name,
        "engine": name.value,
        "untested": [model.reference for model in chosen if not cases(domain, model)],
        "tests": [asdict(outcome) | {"passed": outcome.passed} for outcome in outcomes],
    }


def exported(domain: Domain, adapter: str, folder: Path) -> Document:
    """Write the models as a dbt project; names the files."""
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 120
    files = project(domain, adapter)
    try:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w", encoding="utf-8") as out:
                if isinstance(content, str):
                    out.write(content)
                else:
                    yaml.dump(content, out)
    except OSError as error:
        raise UsageError(f"the project cannot be written: {error.strerror}", where=str(folder)) from error
    return {"domain": domain.name, "adapter": adapter, "folder": str(folder), "files": sorted(files)}


def _chosen(domain: Domain, names: Sequence[str]) -> tuple[Contract, ...]:
    """The models of those names, all where none is given, in the order of building.

    Raises:
        UsageError: one is no model of the domain.
    """
    for name in names:
        if domain.contract(name).model is None:
            raise UsageError(f"{name} is a source and no model", where=str(domain.contract(name).path))
    return tuple(model for model in domain.models if not names or model.dataset in names)


def _told(domain: Domain, model: Contract) -> Document:
    assert model.model is not None, "a derived table has a model"
    return {
        "name": model.reference,
        "description": model.description,
        "owner": model.owner,
        "inputs": list(model.model.inputs),
        "optional": list(model.model.optional),
        "materialisation": model.model.materialisation,
        "tests": [case.name for case in cases(domain, model)],
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; a test that fails is in the document, and is no failure of the command."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.gold", description=__doc__, allow_abbrev=False)
    parser.add_argument("verb", choices=("list", "show", "test", "export"))
    parser.add_argument("models", nargs="*", metavar="MODEL", help="names; all of the domain's where absent")
    parser.add_argument("--domain", default="sales", help="the domain")
    parser.add_argument("--domains", type=Path, metavar="FOLDER", help="where domains are; in the wheel by default")
    parser.add_argument("--engine", choices=("sail", "spark"), default="sail", help="test: what runs them")
    parser.add_argument("--dbt", type=Path, metavar="FOLDER", help="export: where the project goes")
    parser.add_argument("--adapter", choices=tuple(ADAPTERS), default="databricks", help="export: whose SQL")
    options = parser.parse_args(argv)
    try:
        domain = load_domain(options.domain, options.domains)
        match options.verb:
            case "list":
                document = listed(domain, options.models)
            case "show":
                document = shown(domain, options.models)
            case "test":
                document = tested(domain, options.models, EngineName(options.engine))
            case _:
                if options.dbt is None:
                    raise UsageError("the export was not told where it goes", fix="pass --dbt FOLDER")
                document = exported(domain, options.adapter, options.dbt)
    except PipelineError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(json.dumps(document, default=str) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
