"""What a person asks of a task beside its parameters: a JSON file, checked by a model; and its answer, in another.

``python -m pipelines.PACKAGE --verb VERB --domain NAME ... [--request FILE] --json ANSWER`` (:func:`answer`).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from pipelines.errors import PipelineError, UsageError
from pipelines.settings import RunSettings

if TYPE_CHECKING:
    from pipelines.contracts.domain import Domain

Verb = Callable[[RunSettings, "Domain"], dict[str, Any]]
"""A task that answers for JSON."""


class Request(BaseModel):
    """The root of what can be asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")


M = TypeVar("M", bound=Request)


def read_request(settings: RunSettings, model: type[M]) -> M:
    """Read what the person asks.

    Raises:
        UsageError: there is no request, or it is not one of that kind; nothing of it is repeated.
    """
    if settings.request is None:
        raise UsageError("the task was not told what is asked of it", fix="pass --request FILE, or use `levee`")
    try:
        return model.model_validate_json(settings.request.read_bytes())
    except (OSError, ValidationError) as error:
        wrong = error.errors()[0]["loc"] if isinstance(error, ValidationError) else error.strerror
        raise UsageError(
            f"the request cannot be read: {wrong}",
            where=str(settings.request),
            fix=f"write JSON with {', '.join(model.model_fields)}",
        ) from None


def answer(package: str, verbs: Mapping[str, Verb], argv: Sequence[str] | None = None) -> int:
    """Run one verb and write its answer; an error is told on standard error, with its exit code.

    Args:
        package: What is run: ``pipelines.privacy``.
        verbs: The tasks, by name.
        argv: Arguments; the process's own where they are not given.
    """
    from pipelines.contracts import load_domain

    parser = argparse.ArgumentParser(prog=f"python -m {package}", description=__doc__, allow_abbrev=False)
    # An option: argparse takes an unknown parameter with blanks in it, such as `--budget={...}`, for a positional.
    parser.add_argument("--verb", choices=verbs, required=True, help="what is done")
    parser.add_argument("--json", type=Path, required=True, metavar="FILE", help="where the answer goes")
    options, parameters = parser.parse_known_args(argv)
    try:
        settings = RunSettings.parse(parameters, task=options.verb)
        told = verbs[options.verb](settings, load_domain(settings.domain))
    except PipelineError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    options.json.write_text(json.dumps(told, default=str))
    return 0
