"""The Open Data Contract Standard v3.1, as pydantic models.

Source: the Bitol project's ODCS v3.1.0 JSON schema (published in the package ``open-data-contract-standard`` 3.1.2;
``tests/pipelines/contracts/test_standard.py`` holds these models against it, field by field). Names are the
standard's, in Python's spelling; :attr:`Model.model_config` maps them. Everything is frozen and unknown keys are
refused: what the standard does not name belongs into ``customProperties`` (:mod:`pipelines.contracts.extensions`).
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Scalar = str | int | float | bool | None
Operand = str | int | float | bool | list[Any] | None


class Model(BaseModel):
    """Frozen, camelCase outside and snake_case inside, unknown keys refused, no silent conversion of types."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        validate_by_name=False,
        validate_by_alias=True,
    )


class CustomProperty(Model):
    """A key the standard does not have."""

    id: str | None = None
    property: str
    value: Any
    description: str | None = None


class AuthoritativeDefinition(Model):
    """A link to where something is defined for good."""

    id: str | None = None
    url: str
    type: str
    description: str | None = None


class Described(Model):
    """What most elements of the standard carry."""

    id: str | None = None
    tags: tuple[str, ...] = Field(default=(), strict=False)
    authoritative_definitions: tuple[AuthoritativeDefinition, ...] = Field(default=(), strict=False)
    custom_properties: tuple[CustomProperty, ...] = Field(default=(), strict=False)


class Quality(Described):
    """One data quality check; which of its keys apply depends on ``type`` (standard, section Data Quality)."""

    name: str | None = None
    description: str | None = None
    type: Literal["text", "library", "sql", "custom"] = "library"
    dimension: (
        Literal["accuracy", "completeness", "conformity", "consistency", "coverage", "timeliness", "uniqueness"] | None
    ) = None
    severity: str | None = None
    business_impact: str | None = None
    method: str | None = None
    unit: str | None = None
    scheduler: str | None = None
    schedule: str | None = None
    metric: Literal["nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount"] | None = None
    rule: str | None = None
    arguments: dict[str, Any] = Field(default_factory=dict)
    query: str | None = None
    engine: str | None = None
    implementation: str | dict[str, Any] | None = None
    must_be: Operand = None
    must_not_be: Operand = None
    must_be_greater_than: int | float | None = None
    must_be_greater_or_equal_to: int | float | None = None
    must_be_less_than: int | float | None = None
    must_be_less_or_equal_to: int | float | None = None
    must_be_between: tuple[int | float, int | float] | None = Field(default=None, strict=False)
    must_not_be_between: tuple[int | float, int | float] | None = Field(default=None, strict=False)


class Relationship(Model):
    """A foreign key."""

    type: Literal["foreignKey"] = "foreignKey"
    from_: str | list[str] | None = Field(default=None, alias="from")
    to: str | list[str] | None = None
    custom_properties: tuple[CustomProperty, ...] = Field(default=(), strict=False)


class Element(Described):
    """What an object and a property of a schema share."""

    physical_type: str | None = None
    physical_name: str | None = None
    description: str | None = None
    business_name: str | None = None
    relationships: tuple[Relationship, ...] = Field(default=(), strict=False)
    quality: tuple[Quality, ...] = Field(default=(), strict=False)


class BaseProperty(Element):
    """A column, or the item of an array."""

    primary_key: bool = False
    primary_key_position: int = -1
    logical_type: (
        Literal["string", "date", "timestamp", "time", "number", "integer", "object", "array", "boolean"] | None
    ) = None
    logical_type_options: dict[str, Any] = Field(default_factory=dict)
    required: bool = False
    unique: bool = False
    partitioned: bool = False
    partition_key_position: int = -1
    classification: str | None = None
    encrypted_name: str | None = None
    transform_source_objects: tuple[str, ...] = Field(default=(), strict=False)
    transform_logic: str | None = None
    transform_description: str | None = None
    examples: tuple[Any, ...] = Field(default=(), strict=False)
    critical_data_element: bool = False


class ItemProperty(BaseProperty):
    """The item of an array."""

    name: str | None = None
    properties: tuple[Property, ...] = Field(default=(), strict=False)
    items: ItemProperty | None = None


class Property(BaseProperty):
    """A column."""

    name: str
    properties: tuple[Property, ...] = Field(default=(), strict=False)
    items: ItemProperty | None = None


class SchemaObject(Element):
    """A table, view, topic or file."""

    name: str
    logical_type: Literal["object"] = "object"
    data_granularity_description: str | None = None
    properties: tuple[Property, ...] = Field(default=(), strict=False)


class Role(Model):
    """A role that gives access to the dataset."""

    id: str | None = None
    role: str
    description: str | None = None
    access: str | None = None
    first_level_approvers: str | None = None
    second_level_approvers: str | None = None
    custom_properties: tuple[CustomProperty, ...] = Field(default=(), strict=False)


class Server(Model):
    """Where the dataset lives; which keys apply depends on ``type``."""

    id: str | None = None
    server: str
    type: str
    description: str | None = None
    environment: str | None = None
    roles: tuple[Role, ...] = Field(default=(), strict=False)
    custom_properties: tuple[CustomProperty, ...] = Field(default=(), strict=False)
    account: str | None = None
    catalog: str | None = None
    database: str | None = None
    dataset: str | None = None
    delimiter: str | None = None
    endpoint_url: str | None = None
    format: str | None = None
    host: str | None = None
    location: str | None = None
    path: str | None = None
    port: int | None = None
    project: str | None = None
    region: str | None = None
    region_name: str | None = None
    schema_: str | None = Field(default=None, alias="schema")
    service_name: str | None = None
    staging_dir: str | None = None
    stream: str | None = None
    warehouse: str | None = None


class TeamMember(Described):
    """One person of the team."""

    username: str
    name: str | None = None
    description: str | None = None
    role: str | None = None
    date_in: str | None = None
    date_out: str | None = None
    replaced_by_username: str | None = None


class Team(Described):
    """Who owns the dataset."""

    name: str | None = None
    description: str | None = None
    members: tuple[TeamMember, ...] = Field(default=(), strict=False)


class Support(Model):
    """Where to ask."""

    id: str | None = None
    channel: str
    url: str | None = None
    description: str | None = None
    tool: str | None = None
    scope: str | None = None
    invitation_url: str | None = None
    custom_properties: tuple[CustomProperty, ...] = Field(default=(), strict=False)


class Pricing(Model):
    """What the data costs who reads it."""

    id: str | None = None
    price_amount: int | float | None = None
    price_currency: str | None = None
    price_unit: str | None = None


class SlaProperty(Model):
    """One promise: frequency, latency, retention, availability, ..."""

    id: str | None = None
    property: str
    value: Scalar
    value_ext: Scalar = None
    unit: str | None = None
    element: str | None = None
    driver: str | None = None
    description: str | None = None
    scheduler: str | None = None
    schedule: str | None = None


class Description(Model):
    """What the dataset is, and is not, for."""

    usage: str | None = None
    purpose: str | None = None
    limitations: str | None = None
    authoritative_definitions: tuple[AuthoritativeDefinition, ...] = Field(default=(), strict=False)
    custom_properties: tuple[CustomProperty, ...] = Field(default=(), strict=False)


class DataContract(Model):
    """A whole contract file."""

    api_version: Literal["v3.1.0"]
    kind: Literal["DataContract"]
    id: str
    version: str
    status: str
    name: str | None = None
    tenant: str | None = None
    domain: str | None = None
    data_product: str | None = None
    contract_created_ts: str | None = None
    tags: tuple[str, ...] = Field(default=(), strict=False)
    description: Description | None = None
    servers: tuple[Server, ...] = Field(default=(), strict=False)
    schema_: tuple[SchemaObject, ...] = Field(alias="schema", strict=False)
    support: tuple[Support, ...] = Field(default=(), strict=False)
    price: Pricing | None = None
    team: Team | None = None
    roles: tuple[Role, ...] = Field(default=(), strict=False)
    sla_default_element: str | None = None
    sla_properties: tuple[SlaProperty, ...] = Field(default=(), strict=False)
    authoritative_definitions: tuple[AuthoritativeDefinition, ...] = Field(default=(), strict=False)
    custom_properties: tuple[CustomProperty, ...] = Field(default=(), strict=False)


ItemProperty.model_rebuild()
Property.model_rebuild()
