"""Evidence for auditors: one JSON object a task run and a quality verdict, written once into the audit store.

The audit store locks what it holds, so nothing here is ever written twice: every object has a name of its own, made of
the run, what it is about, when, and 32 random bits. The tables of records (``runs``, ``quality_results``) are what the
work itself reads; they can be made again from these objects, and these objects show whether somebody changed them.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.errors import PipelineError
from pipelines.settings import Layer, RunSettings


def keep(settings: RunSettings, kind: str, subject: str, content: Mapping[str, Any]) -> str:
    """Write an object ``<audit>/<domain>/<kind>/<run id>/<subject>-<time>-<random>.json`` and return its place.

    Args:
        settings: Roots, domain and run.
        kind: ``runs`` or ``quality``.
        subject: What it is about, a name without slashes.
        content: The facts; what JSON has no form for becomes text.

    Raises:
        PipelineError: it cannot be written.
    """
    name = f"{subject}-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}-{secrets.token_hex(4)}.json"
    place = settings.path(Layer.AUDIT, settings.domain, kind, settings.run_id, name)
    data = json.dumps(content, default=str, sort_keys=True).encode()
    try:
        _write(place, data)
    except OSError as error:
        raise PipelineError(
            f"the evidence cannot be written: {error.strerror or error}",
            where=place,
            fix="give the job the right to create objects in the audit store, then run again",
        ) from error
    return place


def _write(place: str, data: bytes) -> None:
    from pipelines.storage import is_url

    if is_url(place):
        import pyarrow.fs as pa_fs

        system, inner = pa_fs.FileSystem.from_uri(place)
        with system.open_output_stream(inner) as out:
            out.write(data)
        return
    path = Path(place.removeprefix("file://"))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as out:  # never over another one
        out.write(data)
