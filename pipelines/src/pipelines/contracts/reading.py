"""One contract file while it is read: its lines, what is wrong with it so far, and the parts that occur anywhere."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from pipelines.contracts.document import Document, nearest
from pipelines.contracts.extensions import QUALITY_PROPERTIES, Extension, Implementation, Registry
from pipelines.contracts.model import Check
from pipelines.contracts.odcs import CustomProperty, Quality
from pipelines.errors import ContractError

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


class Reading:
    """One file and what is wrong with it: every complaint has its line, and an error of one part hides no other.

    Attributes:
        document: The file's tree.
        path: The file.
        errors: What is wrong so far; reading goes on with the next part, and the whole is refused in the end.
    """

    def __init__(self, document: Document, path: Path) -> None:
        self.document = document
        self.path = path
        self.errors: list[ContractError] = []

    @contextmanager
    def apart(self) -> Generator[None]:
        """Keep an error of one part, so that the parts beside it are read too."""
        try:
            yield
        except ContractError as error:
            self.errors.append(error)

    def name(self, name: str, what: str, *path: str | int) -> str:
        """Return `name`, as an identifier that every engine takes without quotes.

        Args:
            name: What the file says.
            what: What it is the name of, such as ``a column``.
            path: Where it stands.

        Raises:
            ContractError: it is none.
        """
        if not _NAME.fullmatch(name):
            raise self.document.error(
                f"{what} is called {name!r}; a name is lower snake_case of at most 63 characters and starts with a "
                "letter (a leading underscore is kept for Levee's own columns)",
                *path,
            )
        return name

    def custom(self, properties: Sequence[CustomProperty], registry: Registry, *path: str | int) -> dict[str, Any]:
        """Return the validated value of each custom property by its name; ``None`` where it was wrong, which is kept.

        Args:
            properties: As the standard has them.
            registry: Those that may stand there.
            path: Where they stand.
        """
        values: dict[str, Any] = {}
        for index, item in enumerate(properties):
            with self.apart():
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

    def checks(self, checks: Sequence[Quality], column: str | None, *path: str | int) -> list[Check]:
        """Return the quality checks that can be read; what is wrong with others is kept.

        Args:
            checks: As the standard has them.
            column: Whose they are; ``None`` for the table's.
            path: Where they stand.
        """
        found = []
        for index, quality in enumerate(checks):
            with self.apart():
                if not quality.id:
                    raise self.document.error(
                        "a quality check has no id; quarantine and run records name it by its id",
                        *path,
                        index,
                        fix="add `id: <snake_case>`",
                    )
                self.name(quality.id.replace("-", "_"), "a quality check", *path, index, "id")
                custom = self.custom(quality.custom_properties, QUALITY_PROPERTIES, *path, index, "customProperties")
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
