"""The SDKs of one interpreter: packages, their types and functions, read lazily and cached on disk."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar

from levee.sdk import installed, parse, store
from levee.sdk.model import (
    ANY,
    FunctionType,
    Property,
    ResourceType,
    TypeRef,
    properties_from_json,
    properties_to_json,
)
from levee.sdk.package import Package, Place, package_of, read_package
from levee.sdk.source import SourceFile, snake

_FORMAT: Final = hashlib.sha256(
    b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
).hexdigest()[:12]
"""Part of every cache path: what another version of this reader wrote is never read."""
_TOKEN_PARTS: Final = 3
_VERSIONED: Final = re.compile(r"/v\d{8}\w*:")
_FILES: Final = {"inputs": "_inputs.py", "outputs": "outputs.py", "enums": "_enums.py"}
_T = TypeVar("_T", ResourceType, FunctionType)


class Sdk:
    """The provider SDKs in one ``site-packages``, read as text: importing them costs seconds, and they may belong to
    another interpreter.

    Args:
        site_packages: The folder that holds ``pulumi_aws`` and its like.
        cache: Folder for the JSON of parsed types, by package and version; ``None`` keeps them in memory only.
    """

    def __init__(self, site_packages: Path, cache: Path | None = None) -> None:
        self.site_packages = site_packages
        self._cache = cache
        self._files: dict[Path, SourceFile] = {}
        self._resources: dict[str, ResourceType | None] = {}
        self._functions: dict[str, FunctionType | None] = {}
        self._objects: dict[str, Mapping[str, Property]] = {}

    @cached_property
    def packages(self) -> Mapping[str, Package]:
        """Package name to package, every installed SDK, wherever the interpreter imports it from."""
        found = (read_package(import_name, folder) for import_name, folder in sorted(self._homes.items()))
        return {package.name: package for package in found if package}

    @cached_property
    def _homes(self) -> Mapping[str, Path]:
        """Import name of each SDK to its folder."""
        return installed.sdks(self.site_packages)

    def resource(self, token: str) -> ResourceType | None:
        """The resource type of that token, or ``None`` where no installed SDK has it.

        A dated azure-native token (``azure-native:storage/v20230101:StorageAccount``) that the SDK does not carry reads
        as the SDK's default version of the type.
        """
        if token not in self._resources:
            self._resources[token] = self._cached("resource", token, ResourceType.from_json, self._read_resource)
        return self._resources[token]

    def function(self, token: str) -> FunctionType | None:
        """The function of that token (``aws:ec2/getAmi:getAmi``), or ``None`` where no installed SDK has it."""
        if token not in self._functions:
            self._functions[token] = self._cached("function", token, FunctionType.from_json, self._read_function)
        return self._functions[token]

    def token(self, ref: str) -> str:
        """The type token of a resource class; empty where no installed SDK has it.

        Args:
            ref: ``TypeRef.ref`` of a ``resource``.
        """
        module, _, class_name = ref.partition("/resources/")
        package = self._package_of_module(module)
        if package is None:
            return ""
        if module == package.import_name and class_name == "Provider":
            return f"pulumi:providers:{package.name}"
        return package.tokens_by_place.get(Place(module, class_name), "")

    def method(self, token: str) -> FunctionType | None:
        """The method of that token (``eks:index:Cluster/getKubeconfig``), or ``None`` where no installed SDK has it."""
        owner, _, _ = token.rpartition("/")
        type_ = self.resource(owner)
        file = self._defining_file(type_.module.rpartition(".")[0], type_.class_name) if type_ else None
        if type_ is None or file is None:
            return None
        result = parse.method_result(file.slice(type_.class_name) or "", token)
        if result is None:
            return None
        outputs = {p.name: p for p in parse.getters(result, self._resolver(file))}
        return FunctionType(token, type_.package, type_.version, type_.module, {}, outputs)

    def object(self, ref: str) -> Mapping[str, Property]:
        """The properties of a nested object type.

        Args:
            ref: ``TypeRef.ref`` of an ``object``.

        Returns:
            Wire name to property; empty where the reference leads nowhere.
        """
        if ref not in self._objects:
            module, sort, class_name = ref.split("/")
            package = self._package_of_module(module)
            path = self.cache_path(package, "object", ref) if package else None
            data = store.load(path)
            if data is None:
                file = self._file(self._folder(module) / _FILES[sort], f"{module}.{_FILES[sort].removesuffix('.py')}")
                data = {"properties": properties_to_json(self._class_properties(file, class_name))}
                store.save(path, data)
            self._objects[ref] = properties_from_json(data["properties"])
        return self._objects[ref]

    def _cached(
        self,
        sort: str,
        token: str,
        build: Callable[[Mapping[str, Any]], _T],
        read: Callable[[Package, str], _T | None],
    ) -> _T | None:
        package = self.packages.get(package_of(token))
        if package is None:
            return None
        path = self.cache_path(package, sort, token)
        data = store.load(path)
        if data is not None:
            return build(data)
        value = read(package, token)
        if value is not None:
            store.save(path, value.to_json())
        return value

    def cache_path(self, package: Package, sort: str, key: str) -> Path | None:
        """Where what was read of a package is kept; ``None`` where nothing is.

        Args:
            package: Whose it is.
            sort: ``resource``, ``function``, ``object`` or ``schema``.
            key: Which one.
        """
        if self._cache is None:
            return None
        digest = hashlib.sha256(key.encode()).hexdigest()[:24]
        return self._cache / f"{package.name}-{package.version or 'unversioned'}-{_FORMAT}" / f"{sort}-{digest}.json"

    def _read_resource(self, package: Package, token: str) -> ResourceType | None:
        if token == f"pulumi:providers:{package.name}":
            place: Place | None = Place(package.import_name, "Provider")
        else:
            place = package.places.get(token) or package.places.get(_VERSIONED.sub(":", token))
        if place is None:
            return None
        file = self._defining_file(place.module, place.class_name)
        if file is None:
            return None
        text = file.slice(place.class_name) or ""
        arguments = next((a for a in self._argument_classes(place.class_name) if a in file.spans), "")
        outputs = self._class_properties(file, place.class_name)
        inputs = self._class_properties(file, arguments) if arguments else {}
        by_python_name = {p.python_name: p.name for p in (*outputs.values(), *inputs.values())}
        return ResourceType(
            token=token,
            package=package.name,
            version=package.version,
            module=file.module,
            class_name=place.class_name,
            inputs=inputs,
            outputs=outputs,
            secret_outputs=parse.secret_outputs(text),
            aliases=parse.aliases(text),
            replace_on_changes=parse.replace_on_changes(text),
            remote_component=parse.is_remote(text),
            constants={by_python_name.get(k, k): v for k, v in parse.constants(text).items()},
            import_ids=parse.import_ids(text, token),
        )

    @staticmethod
    def _argument_classes(class_name: str) -> tuple[str, ...]:
        return (f"{class_name}Args", f"{class_name}InitArgs")

    def _read_function(self, package: Package, token: str) -> FunctionType | None:
        parts = token.split(":")
        if len(parts) != _TOKEN_PARTS:
            return None
        _, middle, name = parts
        python_name = snake(name)
        module = (
            package.modules.get(middle) or package.modules.get(middle.split("/")[0]) or self._module(package, middle)
        )
        if module is None:
            return None
        file = self._defining_file(module, python_name)
        if file is None:
            return None
        text = file.slice(python_name) or ""
        inputs = {p.name: p for p in parse.arguments(text, self._resolver(file))}
        result = re.search(r"typ=(\w+)\)", text)
        outputs = self._class_properties(file, result[1]) if result else {}
        return FunctionType(token, package.name, package.version, file.module, inputs, outputs)

    def _module(self, package: Package, middle: str) -> str | None:
        """The Python module of a token module that has functions only."""
        head = middle.split("/", maxsplit=1)[0]
        if head in {"index", ""}:
            return package.import_name
        for name in (head.replace(".", "/"), head, snake(head), head.lower(), f"{head}_"):
            if (package.path / name).is_dir():
                return f"{package.import_name}.{name.replace('/', '.')}"
        return None

    def _class_properties(self, file: SourceFile, class_name: str) -> dict[str, Property]:
        text = file.slice(class_name) or ""
        return {p.name: p for p in parse.getters(text, self._resolver(file))}

    def _defining_file(self, module: str, name: str) -> SourceFile | None:
        folder = self._folder(module)
        guesses = [f"{snake(name)}.py", f"{name}.py", f"{snake(name)}_.py", "__init__.py"]
        for path in self._candidates(folder, guesses):
            file = self._file(path, f"{module}.{path.stem}")
            if name in file.spans:
                return file
        return None

    @staticmethod
    def _candidates(folder: Path, guesses: list[str]) -> Iterator[Path]:
        yield from (folder / g for g in guesses if (folder / g).is_file())
        big = set(_FILES.values()) | set(guesses)
        yield from (p for p in sorted(folder.glob("*.py")) if p.name not in big)

    def _resolver(self, file: SourceFile) -> Callable[[str], TypeRef]:
        package = file.module.rpartition(".")[0]

        def resolve(name: str) -> TypeRef:
            head, _, class_name = name.rpartition(".")
            first, _, rest = head.partition(".")
            module, forced = package, ""
            if first == "outputs":
                forced = "outputs"
            elif first:
                target = file.aliases.get(first, "")
                if not target:
                    return ANY
                base, _, last = target.rpartition(".")
                if last in {"_inputs", "_enums", "outputs"}:
                    module, forced = base, last.lstrip("_")
                else:
                    module = target
                for part in filter(None, rest.split(".")):
                    if part == "outputs":
                        forced = "outputs"
                    else:
                        module = f"{module}.{part}"
            return self._reference(module, class_name, forced)

        return resolve

    def _reference(self, module: str, class_name: str, forced: str) -> TypeRef:
        if forced == "outputs" or (not forced and class_name.endswith("Args")) or forced == "inputs":
            return TypeRef("object", ref=f"{module}/{forced or 'inputs'}/{class_name}")
        folder = self._folder(module)
        enums = folder / _FILES["enums"]
        if enums.is_file():
            text = self._file(enums, f"{module}._enums").slice(class_name)
            if text is not None:
                ref = f"{module}/enums/{class_name}"
                return TypeRef("enum", ref=ref, values=parse.enum_values(text))
        outputs = folder / _FILES["outputs"]
        if outputs.is_file() and class_name in self._file(outputs, f"{module}.outputs").spans:
            return TypeRef("object", ref=f"{module}/outputs/{class_name}")
        return TypeRef("resource", ref=f"{module}/resources/{class_name}")

    def _file(self, path: Path, module: str) -> SourceFile:
        file = self._files.get(path)
        if file is None:
            file = SourceFile(path, module)
            if not path.is_file():
                file = SourceFile(path, module, _spans={}, _aliases={})
            self._files[path] = file
        return file

    def _folder(self, module: str) -> Path:
        home = self._home(module)
        return home[1].joinpath(*home[0]) if home else self.site_packages.joinpath(*module.split("."))

    def _home(self, module: str) -> tuple[Sequence[str], Path, str] | None:
        """What of the module's name lies inside its SDK, the SDK's folder and its import name."""
        parts = module.split(".")
        for length in (1, 2):
            name = ".".join(parts[:length])
            if name in self._homes:
                return parts[length:], self._homes[name], name
        return None

    def _package_of_module(self, module: str) -> Package | None:
        home = self._home(module)
        return next((p for p in self.packages.values() if home and p.import_name == home[2]), None)
