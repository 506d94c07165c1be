"""The evidence as one file that an auditor verifies without us: a zip with a manifest, signed with Ed25519.

``manifest.json`` has the SHA-256 of every other file; ``signature`` is the Ed25519 signature (RFC 8032) over the
manifest's bytes, and ``public.pem`` the key that checks it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from levee.errors import GateError, UsageError
from levee.files import write_whole

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "signature"
PUBLIC_KEY: Final = "public.pem"
_VERSION: Final = 1
_LARGEST: Final = 256 * 1024 * 1024
_NO_DATE: Final = (1980, 1, 1, 0, 0, 0)


class EvidenceError(GateError):
    """A bundle is not what was signed, or not signed by whom it should be."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A bundle that is what was signed.

    Attributes:
        about: What the manifest says beyond the files.
        files: Name to SHA-256.
        fingerprint: SHA-256 of the raw public key.
    """

    about: Mapping[str, Any]
    files: Mapping[str, str]
    fingerprint: str


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The private key in a PEM file; made, readable by its owner only, where there is no such file.

    Raises:
        UsageError: The file is no unencrypted Ed25519 private key.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = Ed25519PrivateKey.generate()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return made
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as wrong:
        raise _no_key(path, "private") from wrong
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_key(path, "private")
    return key


def public_key(path: Path) -> Ed25519PublicKey:
    """The public key in a PEM file.

    Raises:
        UsageError: The file is no Ed25519 public key.
    """
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as wrong:
        raise _no_key(path, "public") from wrong
    if not isinstance(key, Ed25519PublicKey):
        raise _no_key(path, "public")
    return key


def fingerprint(key: Ed25519PublicKey) -> str:
    """SHA-256 of the raw key, which is what people compare."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()


def write(path: Path, files: Mapping[str, bytes], about: Mapping[str, Any], key: Ed25519PrivateKey) -> None:
    """Write the bundle, whole or not at all; the same input gives the same bytes.

    Args:
        path: The file to write.
        files: Name to content.
        about: What the manifest says beyond them.
        key: Signs the manifest.
    """
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    manifest = json.dumps({"version": _VERSION, **about, "files": digests}, indent=2).encode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    whole = {MANIFEST: manifest, SIGNATURE: key.sign(manifest).hex().encode(), PUBLIC_KEY: public, **files}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in whole.items():
            bundle.writestr(zipfile.ZipInfo(name, _NO_DATE), content, zipfile.ZIP_DEFLATED)
    write_whole(path, made.getvalue())


def verify(path: Path, signer: Ed25519PublicKey | None = None) -> Verified:
    """Check that a bundle holds what was signed, all of it and nothing else.

    Args:
        path: The bundle.
        signer: Who must have signed it; without one only its own key is known.

    Raises:
        UsageError: The file is no bundle.
        EvidenceError: A file was changed, added or removed, or the signature is another's.
    """
    content = _read(path)
    try:
        own = load_pem_public_key(content[PUBLIC_KEY])
        signature = bytes.fromhex(content[SIGNATURE].decode())
        manifest = json.loads(content[MANIFEST])
        digests = dict(manifest["files"])
    except (KeyError, ValueError, TypeError, UnsupportedAlgorithm) as wrong:
        raise _no_bundle(path, str(wrong)) from wrong
    if not isinstance(own, Ed25519PublicKey):
        raise _no_bundle(path, f"{PUBLIC_KEY} is no Ed25519 key")
    if signer is not None and fingerprint(signer) != fingerprint(own):
        raise EvidenceError(f"signed by the key {fingerprint(own)}, not by the one given", where=str(path))
    try:
        own.verify(signature, content[MANIFEST])
    except InvalidSignature:
        raise EvidenceError("the signature is not that of the manifest", where=str(path)) from None
    found = {n: hashlib.sha256(c).hexdigest() for n, c in content.items() if n not in (MANIFEST, SIGNATURE, PUBLIC_KEY)}
    if wrong := sorted(name for name in {*found, *digests} if found.get(name) != digests.get(name)):
        raise EvidenceError(f"changed, added or removed since it was signed: {', '.join(wrong)}", where=str(path))
    return Verified({k: v for k, v in manifest.items() if k not in ("version", "files")}, digests, fingerprint(own))


def _read(path: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as bundle:
            entries = bundle.infolist()
            if len({entry.filename for entry in entries}) != len(entries):
                raise _no_bundle(path, "a name occurs twice")
            if sum(entry.file_size for entry in entries) > _LARGEST:
                raise _no_bundle(path, f"more than {_LARGEST:,} bytes")
            return {entry.filename: bundle.read(entry) for entry in entries}
    except OSError as wrong:
        raise _no_bundle(path, wrong.strerror or str(wrong)) from wrong
    except zipfile.BadZipFile as wrong:
        raise _no_bundle(path, str(wrong)) from wrong


def _no_bundle(path: Path, why: str) -> UsageError:
    return UsageError(f"not a bundle of evidence: {why}", where=str(path), fix="write it anew: levee evidence ENV")


def _no_key(path: Path, sort: str) -> UsageError:
    made = "openssl genpkey -algorithm ed25519 -out key.pem; openssl pkey -in key.pem -pubout -out public.pem"
    return UsageError(f"not an Ed25519 {sort} key in PEM", where=str(path), fix=made)
