"""Packages whose resources do something on a machine: commands, image builds, pulls. Offline nothing of it is done.

What the work would have given back is empty (a command's output) or has the form alone (an image's digest), and each
resource is listed, so that nobody takes it for done.
"""

from __future__ import annotations

from typing import Any, Final

from levee.engine.standin.clouds.common import SKIP
from levee.engine.standin.subject import Subject
from levee.sdk import Property

_COMMAND: Final = "not run offline: stdout and stderr are empty"
_COPY: Final = "not copied offline"
_BUILD: Final = "not built and not pushed offline: the digest is of no image"
_PULL: Final = "not pulled offline: the digest is of no image"
_CONTAINER: Final = "not started offline"

_WHY: Final = {
    "command:local:Command": _COMMAND,
    "command:remote:Command": _COMMAND,
    "command:remote:CopyFile": _COPY,
    "command:remote:CopyToRemote": _COPY,
    "docker:index/image:Image": _BUILD,
    "docker:index/registryImage:RegistryImage": _BUILD,
    "docker:index/remoteImage:RemoteImage": _PULL,
    "docker:index/container:Container": _CONTAINER,
    "docker:index/service:Service": _CONTAINER,
    "docker-build:index:Image": _BUILD,
    "docker-build:index:Index": _BUILD,
}


def reason(token: str) -> str | None:
    """What is not done of that type offline; ``None`` where nothing is left undone."""
    return _WHY.get(token)


def command(_subject: Subject, _id: str, _output: Property, path: str) -> Any:
    """A command's outputs."""
    return "" if path in {"stdout", "stderr"} else SKIP


def image(subject: Subject, _id: str, _output: Property, path: str) -> Any:
    """An image's outputs: names with a digest, as a registry would give them."""
    rule = _DIGESTS.get(path)
    if rule is not None:
        # Other inputs make another image; what lies in the folder that it is built from is not looked at.
        digest = subject.hex(f"digest {sorted(subject.inputs.items(), key=lambda item: item[0])!r}", 64)
        return rule.format(digest=digest, name=_image_name(subject))
    if path == "registryServer":
        return _setting(subject, "registry", "server") or "docker.io"
    if path in {"context", "dockerfile"}:
        return _setting(subject, "build", path) or {"context": ".", "dockerfile": "Dockerfile"}[path]
    return subject.text("imageName") or SKIP if path == "baseImageName" else SKIP


_DIGESTS: Final = {
    "digest": "sha256:{digest}",
    "imageId": "sha256:{digest}",
    "sha256Digest": "sha256:{digest}",
    "contextHash": "{digest}",
    "ref": "{name}@sha256:{digest}",
    "repoDigest": "{name}@sha256:{digest}",
}


def _image_name(subject: Subject) -> str:
    tags = subject.given("tags")
    first = tags[0] if isinstance(tags, list) and tags and isinstance(tags[0], str) else ""
    return str(first) or subject.text("tag", "imageName", "name") or subject.name


def _setting(subject: Subject, name: str, key: str) -> str:
    """A text inside an input that is an object; empty where there is none."""
    given = subject.given(name)
    value = given.get(key) if isinstance(given, dict) else None
    return value if isinstance(value, str) else ""
