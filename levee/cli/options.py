"""The arguments and options that several commands share, each described once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from levee.cli.proposals import datasets, domains, environments

Target = Annotated[
    str | None,
    typer.Argument(
        metavar="ENV",
        help="The environment or stack; the only one there is, else dev, where absent.",
        autocompletion=environments,
    ),
]
Env = Annotated[str, typer.Argument(metavar="ENV", help="The environment that is up.", autocompletion=environments)]
EnvOption = Annotated[
    str,
    typer.Option("--env", "-e", metavar="ENV", help="The environment that is up.", autocompletion=environments),
]
Online = Annotated[
    bool,
    typer.Option(
        "--online/--offline",
        help="Use the real providers and your own Pulumi backend, or stand-in providers and a simulated cloud.",
    ),
]
Folder = Annotated[Path, typer.Option("--cwd", metavar="DIR", help="The Pulumi project's folder, or one below it.")]
StackName = Annotated[
    str | None, typer.Option("--stack", metavar="NAME", help="The stack, where it is not called ENV.")
]
Config = Annotated[
    list[str] | None,
    typer.Option("--config", "-c", metavar="K=V", help="A configuration value for this run; repeatable."),
]
FillConfig = Annotated[
    bool,
    typer.Option("--fill-config", help="Invent typed values for configuration that nobody has set, and list them."),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        min=0,
        help="End a run whose program and engine do nothing for so long; 0: never. Offline 300, online never.",
    ),
]
Faults = Annotated[
    Path | None, typer.Option("--faults", metavar="FILE", help="Faults to inject (docs/reference/faults.md).")
]
References = Annotated[
    Path | None,
    typer.Option("--references", metavar="FILE", help="Other stacks' outputs, {stack: {output: value}} in YAML."),
]
JsonFile = Annotated[
    Path | None,
    typer.Option(
        "--json", metavar="FILE", help="Write the result as JSON; `-` or nothing: to standard output, and only that."
    ),
]
Domain = Annotated[str, typer.Argument(metavar="DOMAIN", help="The domain, such as sales.", autocompletion=domains)]
Dataset = Annotated[
    str, typer.Argument(metavar="DATASET", help="The dataset, as DOMAIN.NAME or NAME.", autocompletion=datasets)
]


class DataEngine(StrEnum):
    """What runs the job here."""

    SAIL = "sail"
    SPARK = "spark"


Engine = Annotated[
    DataEngine | None, typer.Option("--engine", help="The embedded engine; LEVEE_ENGINE, else sail, where absent.")
]
ConfirmCost = Annotated[
    bool,
    typer.Option(
        "--confirm-cost", help="Let it run though it may exceed the month's budget; your name is recorded with it."
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; needed where nobody can be asked.")]
