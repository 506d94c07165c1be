"""The ``tls`` provider makes real keys and real certificates; nothing here depends on a seed.

Source of the rules: ``hashicorp/terraform-provider-tls``, ``internal/provider`` (``common_key.go``, ``common_cert.go``,
``resource_*.go``) and its documentation of defaults: RSA of 2,048 bits, P224, certificates without renewal.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import ipaddress
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from levee.engine.standin.values import Values
from levee.errors import LeveeError

_Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
_CURVES: Final[Mapping[str, type[ec.EllipticCurve]]] = {
    "P224": ec.SECP224R1,
    "P256": ec.SECP256R1,
    "P384": ec.SECP384R1,
    "P521": ec.SECP521R1,
}
_ALGORITHMS: Final = ("RSA", "ECDSA", "ED25519")
_SUBJECT: Final = {
    "commonName": NameOID.COMMON_NAME,
    "country": NameOID.COUNTRY_NAME,
    "emailAddress": NameOID.EMAIL_ADDRESS,
    "locality": NameOID.LOCALITY_NAME,
    "organization": NameOID.ORGANIZATION_NAME,
    "organizationalUnit": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "postalCode": NameOID.POSTAL_CODE,
    "province": NameOID.STATE_OR_PROVINCE_NAME,
    "serialNumber": NameOID.SERIAL_NUMBER,
}
_KEY_USES: Final = {
    "digital_signature": "digital_signature",
    "content_commitment": "content_commitment",
    "key_encipherment": "key_encipherment",
    "data_encipherment": "data_encipherment",
    "key_agreement": "key_agreement",
    "cert_signing": "key_cert_sign",
    "crl_signing": "crl_sign",
    "encipher_only": "encipher_only",
    "decipher_only": "decipher_only",
}
_EXTENDED_USES: Final = {
    "any_extended": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "server_auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client_auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code_signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "email_protection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "ocsp_signing": ExtendedKeyUsageOID.OCSP_SIGNING,
}


class TlsError(LeveeError):
    """A key or a certificate cannot be made of these inputs."""


def draw(type_name: str, inputs: Values) -> tuple[str, Values]:
    """The id and the outputs of one new ``tls`` resource.

    Args:
        type_name: The class (``PrivateKey``).
        inputs: Its inputs, known and without secret wrappers.

    Raises:
        TlsError: An input is no key, no request, no certificate, or names an unknown algorithm.
    """
    return _MAKERS[type_name](inputs)


def _private_key(inputs: Values) -> tuple[str, Values]:
    algorithm = str(inputs.get("algorithm") or "").upper()
    curve, bits = str(inputs.get("ecdsaCurve") or "P224"), int(inputs.get("rsaBits") or 2048)
    if algorithm == "RSA":
        key: _Key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    elif algorithm == "ECDSA" and curve in _CURVES:
        key = ec.generate_private_key(_CURVES[curve]())
    elif algorithm == "ED25519":
        key = ed25519.Ed25519PrivateKey.generate()
    else:
        wanted = f"ecdsaCurve: {' or '.join(_CURVES)}" if algorithm == "ECDSA" else f"one of {', '.join(_ALGORITHMS)}"
        raise TlsError(f"no key of algorithm {inputs.get('algorithm')!r}, curve {curve!r}", fix=wanted)
    outputs = {"algorithm": algorithm, "ecdsaCurve": curve, "rsaBits": bits, **_key_outputs(key)}
    return hashlib.sha1(_der(key), usedforsecurity=False).hexdigest(), outputs


def _key_outputs(key: _Key) -> Values:
    is_edwards = isinstance(key, ed25519.Ed25519PrivateKey)
    pkcs8 = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    plain = PrivateFormat.PKCS8 if is_edwards else PrivateFormat.TraditionalOpenSSL
    has_ssh = not (isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP224R1))
    ssh = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode() if has_ssh else ""
    blob = base64.b64decode(ssh.split()[1]) if ssh else b""
    md5 = hashlib.md5(blob, usedforsecurity=False).hexdigest()
    sha256 = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode() if has_ssh else ""
    return {
        "privateKeyPem": key.private_bytes(Encoding.PEM, plain, NoEncryption()).decode(),
        "privateKeyPemPkcs8": pkcs8,
        "privateKeyOpenssh": private,
        "publicKeyPem": key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        "publicKeyOpenssh": f"{ssh}\n" if ssh else "",
        "publicKeyFingerprintMd5": ":".join(md5[i : i + 2] for i in range(0, 32, 2)) if ssh else "",
        "publicKeyFingerprintSha256": f"SHA256:{sha256}" if ssh else "",
    }


def _request(inputs: Values) -> tuple[str, Values]:
    key = _key(inputs, "privateKeyPem", "privateKeyPemWo")
    builder = x509.CertificateSigningRequestBuilder().subject_name(_name(inputs.get("subject")))
    names = _alternative_names(inputs)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    request = builder.sign(key, _hash(key))
    pem = request.public_bytes(Encoding.PEM)
    outputs = {"certRequestPem": pem.decode(), "keyAlgorithm": _algorithm(key)}
    return hashlib.sha1(pem, usedforsecurity=False).hexdigest(), outputs


def _self_signed(inputs: Values) -> tuple[str, Values]:
    key = _key(inputs, "privateKeyPem", "privateKeyPemWo")
    name = _name(inputs.get("subject"))
    id_, outputs = _certificate(
        inputs, key, subject=name, issuer=name, public=key.public_key(), names=_alternative_names(inputs)
    )
    return id_, {**outputs, "keyAlgorithm": _algorithm(key)}


def _locally_signed(inputs: Values) -> tuple[str, Values]:
    key = _key(inputs, "caPrivateKeyPem", "caPrivateKeyPemWo")
    request = _loaded("certRequestPem", inputs, x509.load_pem_x509_csr)
    issuer = _loaded("caCertPem", inputs, x509.load_pem_x509_certificate)
    if issuer.public_key() != key.public_key():
        raise TlsError("caPrivateKeyPem is not the key of caCertPem", fix="give the key that the CA was made with")
    asked = [e.value for e in request.extensions if isinstance(e.value, x509.SubjectAlternativeName)]
    id_, outputs = _certificate(
        inputs,
        key,
        subject=request.subject,
        issuer=issuer.subject,
        public=request.public_key(),
        names=list(asked[0]) if asked else [],
    )
    return id_, {**outputs, "caKeyAlgorithm": _algorithm(key)}


def _certificate(
    inputs: Values,
    key: _Key,
    *,
    subject: x509.Name,
    issuer: x509.Name,
    public: Any,
    names: Sequence[x509.GeneralName],
) -> tuple[str, Values]:
    start = dt.datetime.now(dt.UTC).replace(microsecond=0)
    end = start + dt.timedelta(hours=float(inputs.get("validityPeriodHours") or 0))
    number = x509.random_serial_number()
    is_ca, depth = bool(inputs.get("isCaCertificate")), inputs.get("maxPathLength")
    limit = int(depth) if is_ca and depth is not None and int(depth) >= 0 else None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(number)
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=limit), critical=True)
    )
    uses = set(inputs.get("allowedUses") or [])
    if uses & _KEY_USES.keys():
        flags = {flag: use in uses for use, flag in _KEY_USES.items()}
        flags["encipher_only"] &= flags["key_agreement"]
        flags["decipher_only"] &= flags["key_agreement"]
        builder = builder.add_extension(x509.KeyUsage(**flags), critical=True)
    extended = [oid for use, oid in _EXTENDED_USES.items() if use in uses]
    if extended:
        builder = builder.add_extension(x509.ExtendedKeyUsage(extended), critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if is_ca or inputs.get("setSubjectKeyId"):
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    if issuer != subject or inputs.get("setAuthorityKeyId"):
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
        builder = builder.add_extension(identifier, critical=False)
    pem = builder.sign(key, _hash(key)).public_bytes(Encoding.PEM).decode()
    early = int(inputs.get("earlyRenewalHours") or 0)
    outputs = {
        "certPem": pem,
        "validityStartTime": start.isoformat(),
        "validityEndTime": end.isoformat(),
        "earlyRenewalHours": early,
        "readyForRenewal": dt.timedelta(hours=early) >= end - start,
        "isCaCertificate": is_ca,
        "maxPathLength": -1 if depth is None else int(depth),
        "setSubjectKeyId": bool(inputs.get("setSubjectKeyId")),
        "setAuthorityKeyId": bool(inputs.get("setAuthorityKeyId")),
    }
    return str(number), outputs


_MAKERS: Final[Mapping[str, Callable[[Values], tuple[str, Values]]]] = {
    "PrivateKey": _private_key,
    "CertRequest": _request,
    "SelfSignedCert": _self_signed,
    "LocallySignedCert": _locally_signed,
}


def _key(inputs: Values, *names: str) -> _Key:
    given = next((str(inputs[name]) for name in names if inputs.get(name)), "")
    try:
        key = serialization.load_pem_private_key(given.encode(), None)
    except (ValueError, TypeError) as wrong:
        raise TlsError(f"{names[0]} is no private key in PEM", fix="give tls.PrivateKey's private_key_pem") from wrong
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        raise TlsError(f"{names[0]} is a key that tls does not sign with", fix=f"one of {', '.join(_ALGORITHMS)}")
    return key


def _loaded(name: str, inputs: Values, load: Callable[[bytes], Any]) -> Any:
    try:
        return load(str(inputs.get(name) or "").encode())
    except ValueError as wrong:
        raise TlsError(f"{name} is no such document in PEM", fix="give what the tls resource put out") from wrong


def _hash(key: _Key) -> hashes.SHA256 | None:
    return None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()


def _algorithm(key: _Key) -> str:
    if isinstance(key, rsa.RSAPrivateKey):
        return "RSA"
    return "ECDSA" if isinstance(key, ec.EllipticCurvePrivateKey) else "ED25519"


def _der(key: _Key) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _name(subject: Mapping[str, Any] | None) -> x509.Name:
    given = subject or {}
    parts = [x509.NameAttribute(oid, str(given[name])) for name, oid in _SUBJECT.items() if given.get(name)]
    streets = given.get("streetAddresses") or []
    return x509.Name([*parts, *(x509.NameAttribute(NameOID.STREET_ADDRESS, str(street)) for street in streets)])


def _alternative_names(inputs: Values) -> list[x509.GeneralName]:
    return [
        *(x509.DNSName(str(name)) for name in inputs.get("dnsNames") or []),
        *(x509.IPAddress(ipaddress.ip_address(str(address))) for address in inputs.get("ipAddresses") or []),
        *(x509.UniformResourceIdentifier(str(uri)) for uri in inputs.get("uris") or []),
    ]
