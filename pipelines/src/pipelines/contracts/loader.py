"""From a contract file to a :class:`Contract`: the standard first, then the extensions, then what must fit together."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from pipelines.contracts.checks import check_contract
from pipelines.contracts.document import Document, nearest
from pipelines.contracts.extensions import (
    COLUMN_PROPERTIES,
    CONTRACT_PROPERTIES,
    QUALITY_PROPERTIES,
    SUPPORT_PROPERTIES,
    Alerts,
    CircuitBreaker,
    DataSubject,
    Deduplication,
    Extension,
    Extraction,
    History,
    Implementation,
    Ingestion,
    KAnonymity,
    Lateness,
    LayerRetention,
    Maintenance,
    Masking,
    Redelivery,
    Registry,
    Source,
    SqlModel,
    SurrogateKey,
)
from pipelines.contracts.model import Check, Classification, Column, Contract
from pipelines.contracts.odcs import CustomProperty, DataContract, Property, Quality, SlaProperty, Support
from pipelines.errors import ContractError

SUFFIX = ".odcs.yaml"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_TYPE = re.compile(
    r"string|boolean|tinyint|smallint|int|bigint|float|double|date|timestamp|binary|decimal\((\d{1,2}),(\d{1,2})\)"
)
_WORD = re.compile(r"[a-z_][a-z0-9_]*")
_DEFAULT_TYPES = {"string": "string", "boolean": "boolean", "date": "date", "timestamp": "timestamp"}
_DAYS = {"d": 1, "day": 1, "days": 1, "y": 365, "yr": 365, "year": 365, "years": 365}
TYPES_OF: Mapping[str, frozenset[str]] = {
    "string": frozenset({"string"}),
    "boolean": frozenset({"boolean"}),
    "date": frozenset({"date"}),
    "timestamp": frozenset({"timestamp"}),
    "integer": frozenset({"tinyint", "smallint", "int", "bigint", "decimal"}),
    "number": frozenset({"decimal", "double", "float"}),
}
"""Spark SQL types that a logical type of the standard may have."""


def load_contract(path: Path) -> Contract:
    """Read one contract file.

    Raises:
        ContractError: with file and line, and the nearest valid key where one was unknown. Of several errors the first;
            the others are what :func:`contract_errors` gives.
    """
    return _Reader(Document.read(path), path).contract()


def contract_errors(path: Path) -> tuple[ContractError, ...]:
    """Everything that :func:`load_contract` has against a file, in the file's order as far as that can be known.

    A part that cannot be read hides what depends on it alone: other columns, properties and checks are read on.
    """
    try:
        reader = _Reader(Document.read(path), path)
    except ContractError as error:
        return (error,)
    with suppress(ContractError):
        reader.contract()
    return tuple(reader.errors)


class _Reader:
    """Turns one document into a contract; holds the document so that every complaint has its line."""

    def __init__(self, document: Document, path: Path) -> None:
        self.document = document
        self.path = path
        self.errors: list[ContractError] = []
        """What is wrong so far; reading goes on with the next part, and the whole is refused in the end."""

    def contract(self) -> Contract:
        """The contract.

        Raises:
            ContractError: the first of `errors`, which says how many more there are.
        """
        with self._apart():
            contract = self._contract()
            if not self.errors:
                return contract
        first, more = self.errors[0], len(self.errors) - 1
        message = f"{first.message} (and {more} more)" if more else first.message
        raise ContractError(message, where=first.where, fix=first.fix)

    @contextmanager
    def _apart(self) -> Generator[None]:
        """Keep an error of one part, so that the parts beside it are read too."""
        try:
            yield
        except ContractError as error:
            self.errors.append(error)

    def _contract(self) -> Contract:
        standard = self._standard()
        if len(standard.schema_) != 1:
            raise self.document.error(
                f"a contract describes one dataset, this one {len(standard.schema_)}",
                "schema",
                fix="give every table a contract file of its own",
            )
        table = standard.schema_[0]
        dataset = self._name(table.name, "the dataset", "schema", 0, "name")
        if not standard.domain:
            raise self.document.error("the contract names no domain", fix="add `domain: <folder of the contract>`")
        custom = self._custom(standard.custom_properties, CONTRACT_PROPERTIES, "customProperties")
        layer = cast("str", custom.get("layer"))
        if layer is None and "layer" not in custom:
            raise self.document.error(
                "the contract does not say its layer",
                "customProperties",
                fix="add `- {property: layer, value: source}` (or `silver`, `gold`) to customProperties",
            )
        columns = self._columns(table.properties, derived=layer != "source")
        model = cast("SqlModel | None", custom.get("model"))
        query = self._query(model)
        contract = Contract(
            path=self.path,
            standard=standard,
            domain=standard.domain,
            dataset=dataset,
            description=" ".join((table.description or "").split()),
            layer=layer,
            columns=columns,
            checks=tuple(self._checks(table.quality, None, "schema", 0, "quality")),
            ingestion=cast("Ingestion | None", custom.get("ingestion")),
            extraction=cast("Extraction | None", custom.get("extraction")),
            source=cast("Source | None", custom.get("source")),
            redelivery=cast("Redelivery", custom.get("redelivery") or Redelivery()),
            circuit_breaker=cast("CircuitBreaker | None", custom.get("circuitBreaker")),
            deduplication=cast("Deduplication", custom.get("deduplication") or Deduplication()),
            history=cast("History | None", custom.get("history")),
            lateness=cast("Lateness | None", custom.get("lateness")),
            maintenance=cast("Maintenance", custom.get("maintenance") or Maintenance()),
            model=model,
            retention_days=self._retention(standard.sla_properties),
            layer_retention=cast("LayerRetention", custom.get("layerRetention") or LayerRetention()),
            digest=self._digest(query),
            sql_digest=None if query is None else hashlib.sha256(query).hexdigest(),
            sql_words=frozenset(_WORD.findall(query.decode(errors="replace").lower())) if query else frozenset(),
            data_subject=cast("DataSubject | None", custom.get("dataSubject")),
            k_anonymity=cast("KAnonymity | None", custom.get("kAnonymity")),
            alerts=self._alerts(standard.support),
        )
        if not self.errors:  # what is read in part would contradict itself
            check_contract(contract, self.document)
        return contract

    # the standard -----------------------------------------------------------------------------------------------

    def _standard(self) -> DataContract:
        try:
            return DataContract.model_validate(self.document.plain())
        except ValidationError as error:
            *others, last = self.document.complaints(error, DataContract)
            self.errors.extend(others)
            raise last from None

    def _name(self, name: str, what: str, *path: str | int) -> str:
        if not _NAME.fullmatch(name):
            raise self.document.error(
                f"{what} is called {name!r}; a name is lower snake_case of at most 63 characters and starts with a "
                "letter (a leading underscore is kept for Levee's own columns)",
                *path,
            )
        return name

    # extensions -------------------------------------------------------------------------------------------------

    def _custom(
        self,
        properties: Sequence[CustomProperty],
        registry: Registry,
        *path: str | int,
    ) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for index, item in enumerate(properties):
            with self._apart():
                if item.property not in registry:
                    raise self.document.error(
                        f"unknown custom property {item.property!r}",
                        *path,
                        index,
                        "property",
                        fix=nearest(item.property, list(registry)),
                    )
                if item.property in values:
                    raise self.document.error(f"{item.property} is set twice", *path, index, "property")
                values[item.property] = None  # it is there, though its value may be wrong
                values[item.property] = self._extension(registry[item.property], item, *path, index, "value")
        return values

    def _extension(self, extension: Extension, item: CustomProperty, *path: str | int) -> Any:
        try:
            return extension.adapter.validate_python(item.value)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = [part for part in first["loc"] if isinstance(part, str | int)]
            if first["type"] == "extra_forbidden":
                keys = list(cast("dict[str, Any]", extension.adapter.json_schema().get("properties", {})))
                fix = nearest(str(place[-1]), keys)
                raise self.document.error(
                    f"unknown key {place[-1]!r} in {item.property}", *path, *place, fix=fix
                ) from None
            dotted = ".".join(str(part) for part in (item.property, *place))
            raise self.document.error(f"{dotted}: {first['msg']}", *path, *place) from None

    # columns ----------------------------------------------------------------------------------------------------

    def _columns(self, properties: Sequence[Property], *, derived: bool) -> tuple[Column, ...]:
        if not properties:
            raise self.document.error("the dataset has no columns", "schema", 0, fix="add `properties:`")
        columns: list[Column] = []
        seen: set[str] = set()
        for index, item in enumerate(properties):
            path = ("schema", 0, "properties", index)
            with self._apart():
                column = self._column(item, path, derived=derived)
                if column.name in seen:
                    raise self.document.error(f"column {column.name} is there twice", *path, "name")
                seen.add(column.name)
                columns.append(column)
        return tuple(columns)

    def _column(self, item: Property, path: tuple[str | int, ...], *, derived: bool) -> Column:
        name = self._name(item.name, "a column", *path, "name")
        custom = self._custom(item.custom_properties, COLUMN_PROPERTIES, *path, "customProperties")
        classification = self._classification(item, path)
        masking = cast("Masking | None", custom.get("masking"))
        if classification is Classification.PERSONAL and masking is None and not derived:
            raise self.document.error(
                f"column {name} is personal and nothing says how it is masked",
                *path,
                "classification",
                fix="add `customProperties: [{property: masking, value: {method: hash}}]`",
            )
        if item.partitioned:
            raise self.document.error(
                f"column {name} is to partition its table, and tables are clustered instead",
                *path,
                "partitioned",
                fix=f"take `partitioned` away; `maintenance` with `clusterBy: [{name}]` clusters rows",
            )
        sources = item.transform_source_objects
        surrogate = cast("SurrogateKey | None", custom.get("surrogateKey"))
        if not sources and item.transform_logic is None and not derived and surrogate is None:
            sources = (item.name,)
        return Column(
            name=name,
            sources=() if derived else sources,
            type=self._type(item, path),
            logical_type=item.logical_type or "string",
            format=item.logical_type_options.get("format") if item.logical_type in ("date", "timestamp") else None,
            expression=item.transform_logic,
            required=item.required,
            unique=item.unique,
            key_position=_position(item.primary_key, item.primary_key_position),
            classification=classification,
            masking=masking,
            surrogate_key=surrogate,
            options=item.logical_type_options,
            quality=tuple(self._checks(item.quality, name, *path, "quality")),
            description=" ".join((item.description or "").split()),
        )

    def _type(self, item: Property, path: tuple[str | int, ...]) -> str:
        logical = item.logical_type
        if logical is None or logical not in TYPES_OF:
            raise self.document.error(
                f"column {item.name} has no logical type that silver can hold",
                *path,
                "logicalType" if logical else "name",
                fix=f"set logicalType to one of {', '.join(TYPES_OF)}",
            )
        physical = (item.physical_type or _DEFAULT_TYPES.get(logical, "")).lower().replace(" ", "")
        match = _TYPE.fullmatch(physical)
        if match is None or (match[1] and not 1 <= int(match[1]) <= 38) or (match[1] and int(match[2]) > int(match[1])):
            raise self.document.error(
                f"column {item.name} has no Spark SQL type (physicalType {item.physical_type!r})",
                *path,
                "physicalType",
                fix="write e.g. `physicalType: decimal(18,3)` for money, `bigint` for counts",
            )
        if physical.split("(")[0] not in TYPES_OF[logical]:
            raise self.document.error(
                f"column {item.name} is {logical} by logicalType and {physical} by physicalType", *path, "physicalType"
            )
        return physical

    def _classification(self, item: Property, path: tuple[str | int, ...]) -> Classification:
        if item.classification is None:
            raise self.document.error(
                f"column {item.name} is not classified",
                *path,
                fix=f"add `classification:` with one of {', '.join(Classification)}",
            )
        try:
            return Classification(item.classification)
        except ValueError:
            raise self.document.error(
                f"column {item.name} is classified as {item.classification!r}",
                *path,
                "classification",
                fix=nearest(item.classification, list(Classification)),
            ) from None

    # quality ----------------------------------------------------------------------------------------------------

    def _checks(self, checks: Sequence[Quality], column: str | None, *path: str | int) -> list[Check]:
        found = []
        for index, quality in enumerate(checks):
            with self._apart():
                if not quality.id:
                    raise self.document.error(
                        "a quality check has no id; quarantine and run records name it by its id",
                        *path,
                        index,
                        fix="add `id: <snake_case>`",
                    )
                self._name(quality.id.replace("-", "_"), "a quality check", *path, index, "id")
                custom = self._custom(quality.custom_properties, QUALITY_PROPERTIES, *path, index, "customProperties")
                where = self.document.where(*path, index)
                look = self._implementation(quality, *path, index, "implementation")
                found.append(Check(quality.id, quality, column, custom.get("onFailure"), where, look))
        return found

    def _implementation(self, quality: Quality, *path: str | int) -> Implementation | None:
        """What a check of Levee's own looks at; other engines' implementations are theirs."""
        if quality.type != "custom" or quality.engine != "levee":
            return None
        given = CustomProperty(property="implementation", value=quality.implementation)
        return cast("Implementation", self._extension(Extension.of(Implementation), given, *path))

    # support ----------------------------------------------------------------------------------------------------

    def _alerts(self, support: Sequence[Support]) -> dict[str, Alerts]:
        found: dict[str, Alerts] = {}
        for index, entry in enumerate(support):
            path = ("support", index)
            custom = self._custom(entry.custom_properties, SUPPORT_PROPERTIES, *path, "customProperties")
            if (alerts := cast("Alerts | None", custom.get("alerts"))) is None:
                continue
            if entry.channel in found:
                raise self.document.error(
                    f"two channels with alerts are called {entry.channel}; what was told is known by the name",
                    *path,
                    "channel",
                    fix="give each a name of its own",
                )
            found[entry.channel] = alerts
        return found

    # the whole --------------------------------------------------------------------------------------------------

    def _retention(self, promises: Sequence[SlaProperty]) -> int | None:
        for index, promise in enumerate(promises):
            if promise.property != "retention":
                continue
            factor = _DAYS.get(promise.unit or "d")
            if factor is None or not isinstance(promise.value, int) or promise.value < 1:
                raise self.document.error(
                    f"retention {promise.value} {promise.unit or ''} is no number of days or years",
                    "slaProperties",
                    index,
                    fix="write `{property: retention, value: 7, unit: y}`",
                )
            return promise.value * factor
        return None

    def _query(self, model: SqlModel | None) -> bytes | None:
        if model is None:
            return None
        query = self.path.parent / model.sql
        if not query.is_file():
            raise self.document.error(f"there is no SQL file {query}", "customProperties")
        return query.read_bytes()

    def _digest(self, query: bytes | None) -> str:
        content = self.path.read_bytes() if self.path.exists() else b""
        if query is not None:
            content += b"\0" + query
        return hashlib.sha256(content).hexdigest()


def _position(flag: bool, position: int) -> int | None:
    return None if not flag else max(position, 1)
