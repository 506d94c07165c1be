"""Writes ``docs/reference/environments.md`` from the model's descriptions: ``python -m levee.environment.docs``.

With ``--check`` it writes nothing and fails where the page is stale.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from levee.environment.model import Environment

PAGE: Final = Path("docs/reference/environments.md")
COMMAND: Final = "python -m levee.environment.docs"

_HEAD: Final = f"""# Environments

<!-- Made by `{COMMAND}` from levee/environment/; edit that. -->

An environment is a Pulumi stack's configuration file, `environments/Pulumi.<name>.yaml`, and the only place where
environments differ. All of it stands under one key:

```yaml
config:
  levee:environment:
    company: acme
    # ...
```

`pulumi up -s dev` and `levee up dev` read the same file. A key that is not listed here is refused with its line and
the nearest valid key. Dates and account numbers are quoted: Pulumi's own YAML reader would turn them into something
else. Beside `levee:environment` a stack may set `levee:sources`, an object of source datasets by domain
(`{{"sales": ["online_retail"]}}`), which takes the place of the environment's `domains.*.sources` for that stack.
"""


def page() -> str:
    """The whole page."""
    sections = [_HEAD]
    for model, title in _sections(Environment, "The environment"):
        rows = [
            _row(name, field) for name, field in model.model_fields.items() if (model, name) != (Environment, "name")
        ]
        table = "\n".join(["| key | value | default | what it is |", "|---|---|---|---|", *rows])
        sections.append(f"## {title}\n\n{_first_line(model)}\n\n{table}\n")
    return "\n".join(sections)


def main(argv: Sequence[str] | None = None) -> int:
    """Write the page, or with ``--check`` compare it."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Write the reference page of environments.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the page is stale")
    check = parser.parse_args(argv).check
    wanted = page()
    if check and (not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != wanted):
        sys.stderr.write(f"{PAGE} is stale\n  fix {COMMAND}\n")
        return 1
    if not check:
        PAGE.write_text(wanted, encoding="utf-8")
    return 0


def _sections(model: type[BaseModel], title: str) -> Iterator[tuple[type[BaseModel], str]]:
    """Each model with a heading, in the order in which a reader meets it."""
    yield model, title
    for name, field in model.model_fields.items():
        for inner in _models(field.annotation):
            path = f"{title} {name}" if title.startswith("`") else name
            yield from _sections(inner, f"`{path.replace('` ', '.').replace('`', '')}{_below(field.annotation)}`")


def _below(annotation: Any) -> str:
    """What stands between a field and the model in it: a key of one's own, or a place in a list."""
    origin = get_origin(annotation)
    if origin is tuple:
        return "[]"
    return "" if origin in (Union, None) or "Union" in str(origin) else ".<name>"


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def _row(name: str, field: FieldInfo) -> str:
    default = "required" if field.is_required() else _default(field)
    description = (field.description or "").replace("|", "\\|")
    return f"| `{name}` | {_value(field)} | {default} | {description} |"


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined or field.default in ((), None):
        return ""
    text = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
    return f"`{text}`"


def _value(field: FieldInfo) -> str:
    kind = _kind(field.annotation)
    limits = [_limit(item) for item in (*field.metadata, *_inner_metadata(field.annotation))]
    return ", ".join([kind, *(limit for limit in limits if limit)])


def _inner_metadata(annotation: Any) -> list[Any]:
    found: list[Any] = []
    for part in get_args(annotation):
        info = getattr(part, "__metadata__", ())
        for item in info:
            found += item.metadata if isinstance(item, FieldInfo) else [item]
    return found


def _limit(item: Any) -> str:
    match item:
        case Ge(ge=low):
            return f"from {low}"
        case Gt(gt=low):
            return f"above {low}"
        case Le(le=high):
            return f"to {high}"
        case Lt(lt=high):
            return f"below {high}"
        case MinLen(min_length=length) if length > 1:
            return f"at least {length} characters"
    return ""


def _kind(annotation: Any) -> str:
    origin, parts = get_origin(annotation), get_args(annotation)
    if hasattr(annotation, "__metadata__"):
        return _kind(parts[0])
    if origin is Literal:
        return ", ".join(f"`{part}`" for part in parts)
    if origin is tuple:
        return f"list of {_kind(parts[0])}"
    if origin is not None and "Mapping" in str(origin):
        return "mapping" if parts[1] is Any else f"mapping of {_kind(parts[1])}"
    if parts:
        return " or ".join(_kind(part) for part in parts if part is not type(None))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "section"
    names = {str: "text", int: "whole number", float: "number", bool: "`true` or `false`"}
    return names.get(annotation, "date" if getattr(annotation, "__name__", "") == "date" else "value")


def _first_line(model: type[BaseModel]) -> str:
    text = (model.__doc__ or "").strip().split("\n\n", 1)[0]
    return re.sub(r"``(.+?)``", r"`\1`", " ".join(text.split()))


if __name__ == "__main__":
    sys.exit(main())
