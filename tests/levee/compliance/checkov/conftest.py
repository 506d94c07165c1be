"""Graphs written by hand, and Checkov where it is installed."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from levee.compliance.checkov import worker
from levee.plan import UNKNOWN, Resource

HERE = Path(__file__).parent
REFERENCE = re.compile(r"\$\{(?P<type>.+)::(?P<name>.+)\.\w+\}")


def urn(token, name):
    return f"urn:pulumi:dev::probe::{token}::{name}"


def resource(token, name, inputs):
    """A resource as a preview has it; ``${type::name.attribute}`` is an output that is not known yet."""
    sources = {}
    made = {key: without_references(value, sources.setdefault(key, [])) for key, value in inputs.items()}
    return Resource(
        urn=urn(token, name),
        type=token,
        name=name,
        inputs=made,
        property_dependencies={key: tuple(dict.fromkeys(urns)) for key, urns in sources.items() if urns},
    )


def without_references(value, sources):
    if isinstance(value, dict):
        return {key: without_references(inner, sources) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_references(inner, sources) for inner in value]
    found = REFERENCE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return value
    sources.append(urn(found["type"], found["name"]))
    return UNKNOWN


def written(name):
    """The resources of a file of ``parity``."""
    entries = YAML(typ="safe").load(HERE / "parity" / name)
    return [resource(entry["type"], entry["name"], entry["inputs"]) for entry in entries]


STACK = Resource(
    urn=urn("pulumi:pulumi:Stack", "probe-dev"), type="pulumi:pulumi:Stack", name="probe-dev", custom=False
)


@pytest.fixture(scope="session")
def checkov():
    """Checkov's interpreter, or a skip that says how to get it."""
    python = worker.home() / "bin" / "python"
    if not python.exists():
        pytest.skip("Checkov is not installed: make checkov")
    return python
