"""What is asked of personal data, as tasks: erase, scan, rotate, reveal, verify; each returns its answer for JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from pipelines.bronze.storage import list_files
from pipelines.contracts import Domain
from pipelines.contracts.catalogue import entries
from pipelines.engine import Engine
from pipelines.errors import UsageError
from pipelines.gold.build import build, model_path
from pipelines.privacy.certificate import KIND, verify
from pipelines.privacy.erase import ErasureRequest, erase
from pipelines.privacy.keys import read_key
from pipelines.privacy.rotation import rotate
from pipelines.privacy.scan import scan
from pipelines.privacy.subjects import datasets_of
from pipelines.privacy.vault import Asked, reveal
from pipelines.request import Request, read_request
from pipelines.runs import recorded
from pipelines.secret_references import PATTERN, SecretReference
from pipelines.settings import Layer, RunSettings
from pipelines.storage import is_url

Answer = dict[str, Any]


class Erase(Request):
    """The request of an erasure."""

    subject_type: str
    value: Annotated[str, Field(pattern=PATTERN)]
    requested_by: Annotated[str, Field(min_length=1)]
    reason: str = "GDPR, article 17"
    also: tuple[str, ...] = ()


class Scan(Request):
    """The request of a scan: folders beside the lake that are searched too."""

    also: tuple[str, ...] = ()


class Reveal(Request):
    """The request to open tokens."""

    dataset: str
    column: str
    tokens: Path
    to: Path
    requested_by: Annotated[str, Field(min_length=1)]
    reason: Annotated[str, Field(min_length=1)]


class Verify(Request):
    """The request to look at a certificate."""

    certificate: Path


def erased(settings: RunSettings, domain: Domain) -> Answer:
    """Erase the subject that the request names; the answer is the certificate."""
    asked = read_request(settings, Erase)
    engine = _open(settings, domain)
    contract = datasets_of(domain, asked.subject_type)[0].contract
    value = SecretReference.parse(asked.value)
    request = ErasureRequest(asked.subject_type, value, asked.requested_by, asked.reason, asked.also)
    with recorded(engine, settings, "erase", contract, domain) as tally:
        certificate = erase(engine, settings, domain, request)
        tally.rows_in = sum(one["rows"] for one in certificate["removed"])
    return certificate


def scanned(settings: RunSettings, domain: Domain) -> Answer:
    """Search the domain's files outside the raw zone for raw personal values.

    Raises:
        QualityError: some are there.
    """
    also = read_request(settings, Scan).also if settings.request is not None else ()
    result = scan(_open(settings, domain), settings, domain, also)
    result.raise_if_found()
    return {
        "columns": result.columns,
        "left_out": result.left_out,
        "values": result.values,
        "too_short": result.short,
        "files": result.found.files,
        "bytes": result.found.bytes,
        "coincidences": result.found.coincidences,
    }


def rotated(settings: RunSettings, domain: Domain) -> Answer:
    """Mask every dataset of the domain anew with the key that is set, then build what is made of them."""
    engine = _open(settings, domain)
    chosen = domain.choose(settings.sources)
    done = [contract.dataset for contract in chosen if rotate(engine, settings, contract)]
    built = []
    for model in domain.buildable(chosen) if done else ():
        if engine.exists(model_path(settings, model)):
            build(engine, settings, domain, model)
            built.append(model.dataset)
    return {"rotated": done, "built": built}


def revealed(settings: RunSettings, domain: Domain) -> Answer:
    """Open tokens of a column: one a line in a file, into another that only its owner may read."""
    asked = read_request(settings, Reveal)
    contract = domain.contract(asked.dataset)
    try:
        tokens = tuple(line for line in asked.tokens.read_text().splitlines() if line)
        handle = os.open(asked.to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise UsageError(
            f"{error.filename}: {error.strerror}",
            where=str(error.filename),
            fix="name a file of tokens, and one for the values that is not there yet",
        ) from None
    with os.fdopen(handle, "w") as out:
        request = Asked(asked.column, tokens, asked.requested_by, asked.reason)
        found = reveal(_open(settings, domain), settings, contract, request)
        out.writelines(f"{token}\t{found[token]}\n" for token in tokens if token in found)
    return {"asked": len(tokens), "revealed": len(found), "to": str(asked.to)}


def verified(settings: RunSettings, _domain: Domain) -> Answer:
    """Check a certificate of erasure.

    Raises:
        UsageError: there is no such file, or it is no certificate; with the command that checks the newest one.
        QualityError: it was changed, signed with another key, or tells of what was left.
    """
    certificate = _certificate(settings, read_request(settings, Verify).certificate)
    verify(certificate, read_key(settings.pseudonym_key))
    return {"erasure_id": certificate["erasure_id"], "signature": "valid", "found": certificate["search"]["found"]}


def _certificate(settings: RunSettings, path: Path) -> Answer:
    try:
        certificate = json.loads(path.read_bytes())
        if isinstance(certificate, dict):
            return certificate
        said = "the file is no certificate: it holds no JSON object"
    except FileNotFoundError:
        said = "there is no such certificate"
    except OSError as error:
        said = f"the certificate cannot be read: {error.strerror}"
    except ValueError:
        said = "the file is no certificate: it is no JSON"
    raise UsageError(said, where=str(path), fix=_another(settings))


def _another(settings: RunSettings) -> str:
    """The command that checks the newest certificate, or makes the first."""
    folder = settings.path(Layer.AUDIT, settings.domain, KIND)
    newest = max(list_files(folder), key=lambda file: file.modified, default=None)
    if newest is None:
        return (
            f"levee erase {settings.domain} --subject TYPE=WHERE --requested-by WHO: it writes one under {folder}, "
            "where there is none yet"
        )
    if is_url(newest.path):
        return f"copy one from {folder} to this machine and name its file; the newest is {newest.path}"
    return f"levee privacy verify {settings.domain} {newest.path}: the newest of those under {folder}"


VERBS: dict[str, Callable[[RunSettings, Domain], Answer]] = {
    "erase": erased,
    "scan": scanned,
    "rotate": rotated,
    "reveal": revealed,
    "verify": verified,
}
"""Every task by its name on the command line."""


def _open(settings: RunSettings, domain: Domain) -> Engine:
    return Engine.open(settings.engine, entries(settings, domain))
