"""Our models against the standard's published JSON schema, and our contracts against the standard itself."""

import json
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft201909Validator
from pydantic import BaseModel

from pipelines.contracts import load_domain, odcs
from pipelines.contracts.document import Document

SCHEMA: dict[str, Any] = json.loads(files("open_data_contract_standard").joinpath("schema.json").read_text())
CONTRACTS = load_domain("sales").contracts


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.dataset)
def test_a_shipped_contract_is_valid_by_the_standard(contract: Any) -> None:
    document = Document.read(contract.path).plain()
    Draft201909Validator.check_schema(SCHEMA)
    assert [error.message for error in Draft201909Validator(SCHEMA).iter_errors(document)] == []


def test_the_standard_says_no_to_what_it_should() -> None:
    document = {**Document.read(CONTRACTS[0].path).plain(), "colour": "red"}
    assert list(Draft201909Validator(SCHEMA).iter_errors(document))


def keys(definition: dict[str, Any]) -> set[str]:
    """Properties of a definition, those of what it refers to included."""
    found = set(definition.get("properties", {}))
    for part in (*definition.get("allOf", ()), *definition.get("oneOf", ()), *definition.get("anyOf", ())):
        found |= keys(part)
    if "then" in definition:
        found |= keys(definition["then"])
    if "$ref" in definition:
        node: Any = SCHEMA
        for part in definition["$ref"].removeprefix("#/").split("/"):
            node = node[part]
        found |= keys(node)
    return found


@pytest.mark.parametrize(
    ("model", "definition"),
    [
        (odcs.DataContract, SCHEMA),
        (odcs.SchemaObject, SCHEMA["$defs"]["SchemaObject"]),
        (odcs.Property, SCHEMA["$defs"]["SchemaBaseProperty"]),
        (odcs.Quality, SCHEMA["$defs"]["DataQuality"]),
        (odcs.Server, SCHEMA["$defs"]["Server"]),
        (odcs.Team, SCHEMA["$defs"]["Team"]),
        (odcs.TeamMember, SCHEMA["$defs"]["TeamMember"]),
        (odcs.Role, SCHEMA["$defs"]["Role"]),
        (odcs.Pricing, SCHEMA["$defs"]["Pricing"]),
        (odcs.Support, SCHEMA["$defs"]["SupportItem"]),
        (odcs.SlaProperty, SCHEMA["$defs"]["ServiceLevelAgreementProperty"]),
        (odcs.CustomProperty, SCHEMA["$defs"]["CustomProperty"]),
        (odcs.Description, SCHEMA["properties"]["description"]),
        (odcs.Relationship, SCHEMA["$defs"]["RelationshipBase"]),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_a_model_has_the_standards_keys(model: type[BaseModel], definition: dict[str, Any]) -> None:
    ours = {field.alias or name for name, field in model.model_fields.items()}
    assert ours == keys(definition)


def test_the_enumerations_are_the_standards() -> None:
    defined = SCHEMA["$defs"]
    types = odcs.BaseProperty.model_json_schema(by_alias=True)["$defs"]
    metric = odcs.Quality.model_json_schema()["properties"]["metric"]
    assert metric["anyOf"][0]["enum"] == defined["DataQualityLibrary"]["properties"]["metric"]["enum"]
    dimension = odcs.Quality.model_json_schema()["properties"]["dimension"]
    assert dimension["anyOf"][0]["enum"] == defined["DataQuality"]["properties"]["dimension"]["enum"]
    logical = odcs.SchemaObject.model_json_schema()["$defs"]["Property"]["properties"]["logicalType"]
    assert logical["anyOf"][0]["enum"] == defined["SchemaBaseProperty"]["properties"]["logicalType"]["enum"]
    assert types
