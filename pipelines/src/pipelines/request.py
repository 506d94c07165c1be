"""What a person asks of a task beside its parameters: a JSON file, checked by a model."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from pipelines.errors import UsageError
from pipelines.settings import RunSettings


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
