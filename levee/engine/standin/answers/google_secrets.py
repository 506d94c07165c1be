"""Google Cloud: secrets and the keys that close them."""

from __future__ import annotations

import base64
from typing import Final

from levee.engine.standin.answers.ask import CREATED, Answer, Answers, Ask
from levee.engine.standin.connection import GCP_PROJECT_NUMBER


def _secret(ask: Ask) -> Answer:
    id_ = ask.text("secretId").rsplit("/", 1)[-1]
    name = f"projects/{ask.project}/secrets/{id_}"
    return {"id": name, "name": name, "secretId": id_, "createTime": CREATED, "labels": {}, "annotations": {}}


def _secret_version(ask: Ask) -> Answer:
    secret, version = ask.text("secret").rsplit("/", 1)[-1], ask.text("version", default="1")
    name = f"projects/{GCP_PROJECT_NUMBER}/secrets/{secret}/versions/{version}"
    data = ask.hex(secret, 32)
    if ask.args.get("isSecretDataBase64"):
        data = base64.b64encode(data.encode()).decode()
    return {
        "id": name,
        "name": name,
        "version": version,
        "secretData": data,
        "createTime": CREATED,
        "destroyTime": "",
        "enabled": True,
    }


def _ring(ask: Ask) -> Answer:
    return {"id": f"projects/{ask.project}/locations/{ask.text('location')}/keyRings/{ask.text('name')}"}


def _crypto_key(ask: Ask) -> Answer:
    id_ = f"{ask.text('keyRing')}/cryptoKeys/{ask.text('name')}"
    return {
        "id": id_,
        "purpose": "ENCRYPT_DECRYPT",
        "rotationPeriod": "7776000s",
        "destroyScheduledDuration": "2592000s",
        "primaries": [{"name": f"{id_}/cryptoKeyVersions/1", "state": "ENABLED"}],
        "versionTemplates": [{"algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION", "protectionLevel": "SOFTWARE"}],
        "labels": {},
    }


ANSWERS: Final = Answers(
    invented={
        "gcp:secretmanager/getSecret:getSecret": _secret,
        "gcp:secretmanager/getSecretVersion:getSecretVersion": _secret_version,
        "gcp:secretmanager/getSecretVersionAccess:getSecretVersionAccess": _secret_version,
        "gcp:kms/getKMSKeyRing:getKMSKeyRing": _ring,
        "gcp:kms/getKMSCryptoKey:getKMSCryptoKey": _crypto_key,
    },
)
