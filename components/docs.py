"""Writes ``docs/reference/components.md`` from the components' own words: ``python -m components.docs``.

With ``--check`` it writes nothing and fails where the page is stale. Descriptions are the ``Attributes:`` sections of
the docstrings; the examples in it are run on the engine by the tests.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import inspect
import re
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

PAGE: Final = Path("docs/reference/components.md")
COMMAND: Final = "python -m components.docs"

CAPABILITIES: Final[Mapping[str, tuple[str, ...]]] = {
    "components.lake": (
        "components.lake.lake:LakeArgs",
        "components.lake.lake:Aws",
        "components.lake.lake:Azure",
        "components.lake.lake:Gcp",
        "components.lake.lifecycle:Dataset",
        "components.lake.lifecycle:Ageing",
        "components.lake.lake:Lake",
    ),
    "components.databricks": (
        "components.databricks.args:DatabricksArgs",
        "components.databricks.args:Size",
        "components.databricks.args:DomainArgs",
        "components.databricks.args:Schedule",
        "components.databricks:Databricks",
    ),
    "components.terraform": (
        "components.terraform:TerraformOutputsArgs",
        "components.terraform:Wanted",
        *(f"components.terraform:{backend}" for backend in ("Local", "S3", "AzureBlob", "Gcs", "Http")),
        "components.terraform:TerraformOutputs",
    ),
    "components.tags": ("components.tags:Tags",),
}
"""Modules, and the classes of each that a program meets."""

_HEAD: Final = f"""# Components

<!-- Made by `{COMMAND}` from the docstrings in components/; edit those. -->

Each capability is a folder of `components/`: a facade that picks the cloud, one module a cloud, typed arguments. Pass
explicit providers in `opts.providers`; a component reads no configuration.
"""

_EXAMPLE: Final = re.compile(r"^Example::\n\n(?P<code>(?:    .*\n|\n)+)", re.MULTILINE)
_ATTRIBUTES: Final = re.compile(r"^Attributes:\n(?P<lines>(?:    .*\n?|\n)+)", re.MULTILINE)
_ATTRIBUTE: Final = re.compile(r"^    (?P<name>\w+): (?P<text>.+?)(?=^    \w+: |\Z)", re.MULTILINE | re.DOTALL)


def example(module: str) -> str | None:
    """The program in a module's docstring; ``None`` where it has none."""
    found = _EXAMPLE.search((inspect.getdoc(importlib.import_module(module)) or "") + "\n")
    return textwrap.dedent(found["code"]).strip() + "\n" if found else None


def attributes(cls: type) -> dict[str, str]:
    """What a class's docstring says of each attribute."""
    found = _ATTRIBUTES.search((inspect.getdoc(cls) or "") + "\n")
    described = _ATTRIBUTE.finditer(found["lines"]) if found else ()
    return {item["name"]: " ".join(item["text"].split()) for item in described}


def page() -> str:
    """The whole page."""
    sections = [_HEAD]
    for module, classes in CAPABILITIES.items():
        text = _EXAMPLE.sub("", (inspect.getdoc(importlib.import_module(module)) or "") + "\n").strip()
        sections.append(f"## `{module}`\n\n{_markdown(text)}\n")
        if code := example(module):
            sections.append(f"```python\n{code}```\n")
        sections += [_section(_load(path)) for path in classes]
    return "\n".join(sections)


def main(argv: Sequence[str] | None = None) -> int:
    """Write the page, or with ``--check`` compare it."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Write the reference page of components.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the page is stale")
    check = parser.parse_args(argv).check
    wanted = page()
    if check and (not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != wanted):
        sys.stderr.write(f"{PAGE} is stale\n  fix {COMMAND}\n")
        return 1
    if not check:
        PAGE.write_text(wanted, encoding="utf-8")
    return 0


def _load(path: str) -> type:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


def _section(cls: type) -> str:
    heading = f"### `{cls.__name__}`\n\n{_markdown((inspect.getdoc(cls) or '').split('Attributes:')[0].strip())}\n"
    described = attributes(cls)
    if not dataclasses.is_dataclass(cls):
        rows = [f"| `{name}` | {_markdown(text)} |" for name, text in described.items()]
        return "\n".join([heading, "| output | what it is |", "|---|---|", *rows, ""])
    rows = [
        f"| `{field.name}` | `{_type(field)}` | {_default(field)} | {_markdown(described[field.name])} |"
        for field in dataclasses.fields(cls)
    ]
    return "\n".join([heading, "| argument | type | default | what it is |", "|---|---|---|---|", *rows, ""])


def _type(field: dataclasses.Field[object]) -> str:
    return str(field.type).replace(" | ", " or ")


def _default(field: dataclasses.Field[object]) -> str:
    if field.default is not dataclasses.MISSING:
        return f"`{field.default!r}`"
    if field.default_factory is dataclasses.MISSING:
        return "required"
    return "empty" if field.default_factory is dict else "its own defaults"


def _markdown(text: str) -> str:
    return re.sub(r"``(.+?)``", r"`\1`", text)


if __name__ == "__main__":
    sys.exit(main())
