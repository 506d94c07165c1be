"""Kubernetes manifests out of text, charts and kustomizations: what the provider itself turns into resources.

``yaml.ConfigFile``, ``helm.v3.Chart`` and ``kustomize.Directory`` ask the provider with an invoke and register what
comes back; ``yaml.v2``, ``helm.v4`` and ``kustomize.v2`` leave the registering to the provider. Text is decoded here, a
chart that lies in the project is rendered by ``helm``, a kustomization by ``kustomize`` or ``kubectl``, if on PATH.
What cannot be rendered offline is never an empty answer that looks like success: it is listed as not evaluated.

Source: ``pulumi/pulumi-kubernetes``, ``provider/pkg/provider/{yaml,helm,kustomize}``.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from levee.engine.standin.clouds.kubernetes import is_cluster_scoped
from levee.engine.standin.journal import Journal
from levee.engine.standin.values import Secret, Values, plain
from levee.errors import LeveeError

INVOKES: Final = frozenset({"kubernetes:yaml:decode", "kubernetes:helm:template", "kubernetes:kustomize:directory"})
COMPONENTS: Final = frozenset(
    {
        "kubernetes:yaml/v2:ConfigFile",
        "kubernetes:yaml/v2:ConfigGroup",
        "kubernetes:helm.sh/v4:Chart",
        "kubernetes:kustomize/v2:Directory",
    }
)
_SECONDS: Final = 120
_REMOTE: Final = ("http://", "https://", "oci://", "git::", "git@", "github.com/")


class ManifestError(LeveeError):
    """Text is no YAML, or a chart or a kustomization that is there cannot be rendered."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The objects that were found, or why nobody has looked.

    Attributes:
        objects: Kubernetes objects, lists opened.
        unseen: Why the objects are not known; empty where they are.
    """

    objects: Sequence[Values] = ()
    unseen: str = ""


@dataclass(frozen=True)
class Manifests:
    """Finds the objects.

    Attributes:
        program: The folder that the program's relative paths start from.
        journal: Where what could not be rendered is listed.
    """

    program: Path
    journal: Journal

    def answer(self, token: str, args: Values) -> Values:
        """The answer to one of :data:`INVOKES`; secrets in ``args`` are opened.

        Raises:
            ManifestError: See there.
        """
        given = plain(args)
        if token == "kubernetes:yaml:decode":
            return {"result": decode(str(given.get("text") or ""), str(given.get("defaultNamespace") or ""))}
        if token == "kubernetes:kustomize:directory":
            directory = str(given.get("directory") or "")
            found, owner = self._kustomized(directory), f"kubernetes:kustomize:Directory::{directory}"
        else:
            wanted = json.loads(given.get("jsonOpts") or "{}")
            found = self._chart(_of_v3(wanted))
            owner = f"kubernetes:helm.sh/v3:Chart::{wanted.get('release_name') or wanted.get('chart') or ''}"
        if found.unseen:
            kind = owner.partition("::")[0]
            self.journal.write("not_evaluated", once=owner, urn=owner, type=kind, reason=found.unseen)
        return {"result": list(found.objects)}

    def of_component(self, token: str, name: str, inputs: Values) -> Rendered:
        """The objects of one of :data:`COMPONENTS`; ``inputs`` are known.

        Raises:
            ManifestError: See there.
        """
        given = plain(inputs)
        if token == "kubernetes:helm.sh/v4:Chart":
            remote = bool((given.get("repositoryOpts") or {}).get("repo"))
            return self._chart({**given, "release": given.get("name") or name, "remote": remote})
        if token == "kubernetes:kustomize/v2:Directory":
            return self._kustomized(str(given.get("directory") or ""), str(given.get("namespace") or ""))
        found = [self._file(path) for path in [*(given.get("files") or []), given.get("file")] if path]
        objects = [*decode(str(given.get("yaml") or "")), *_opened(given.get("objs") or [])]
        objects += [each for one in found for each in one.objects]
        return Rendered(objects, "; ".join(one.unseen for one in found if one.unseen))

    def _file(self, path: str) -> Rendered:
        if path.startswith(_REMOTE):
            return Rendered(unseen=f"{path} is not fetched offline")
        place = Path(path)
        base, pattern = (
            (Path(place.anchor), str(place.relative_to(place.anchor))) if place.anchor else (self.program, path)
        )
        found = sorted(file for file in base.glob(pattern.removeprefix("./")) if file.is_file())
        if not found:
            raise ManifestError(f"no manifest at {path!r}", where=str(self.program), fix="name a file that is there")
        return Rendered([each for file in found for each in decode(_text(file))])

    def _chart(self, wanted: Mapping[str, Any]) -> Rendered:
        chart = str(wanted.get("chart") or "")
        place = self.program / chart
        is_local = (place / "Chart.yaml").is_file() or (place.is_file() and place.suffix in {".tgz", ".gz"})
        if not is_local or wanted.get("remote"):
            return Rendered(unseen=f"the chart {chart!r} is not in this project: vendor it, and name its folder")
        helm = shutil.which("helm")
        if helm is None:
            return Rendered(unseen=f"the chart {chart!r} is rendered only where helm is on PATH")
        with tempfile.TemporaryDirectory() as scratch:
            values = Path(scratch) / "values.json"
            values.write_text(json.dumps(wanted.get("values") or {}, default=str), encoding="utf-8")
            command = [helm, "template", str(wanted.get("release") or "release"), str(place), "--skip-tests"]
            files = self._value_files(wanted.get("valueYamlFiles") or [], Path(scratch))
            command += [part for file in (*files, values) for part in ("--values", str(file))]
            command += ["--namespace", str(wanted["namespace"])] if wanted.get("namespace") else []
            command += [] if wanted.get("skipCrds") else ["--include-crds"]
            command += ["--kube-version", str(wanted["kubeVersion"])] if wanted.get("kubeVersion") else []
            command += [part for version in wanted.get("apiVersions") or [] for part in ("--api-versions", version)]
            places = {f"HELM_{kind}_HOME": scratch for kind in ("CACHE", "CONFIG", "DATA")}
            text = self._run(command, f"the chart {chart!r}", places)
        return Rendered(decode(text, str(wanted.get("namespace") or "")))

    def _value_files(self, given: Sequence[Any], scratch: Path) -> Iterator[Path]:
        """A chart's files of values: each a path, or an asset that has a path or a text."""
        for number, one in enumerate(given):
            asset = {"path": one} if isinstance(one, str) else one if isinstance(one, dict) else {}
            if asset.get("text") is not None:
                written = scratch / f"values-{number}.yaml"
                written.write_text(str(asset["text"]), encoding="utf-8")
                yield written
            elif asset.get("path"):
                yield self.program / str(asset["path"])
            else:
                raise ManifestError(
                    f"a chart's file of values is neither a path nor a text: {str(one)[:80]!r}",
                    fix="give a path, a FileAsset or a StringAsset",
                )

    def _kustomized(self, directory: str, namespace: str = "") -> Rendered:
        place = self.program / directory
        if directory.startswith(_REMOTE) or not place.is_dir():
            return Rendered(unseen=f"the kustomization {directory!r} is not in this project")
        for tool, verb in (("kustomize", "build"), ("kubectl", "kustomize")):
            found = shutil.which(tool)
            if found is not None:
                text = self._run([found, verb, str(place)], f"the kustomization {directory!r}", {})
                return Rendered(decode(text, namespace))
        return Rendered(unseen=f"the kustomization {directory!r} is built only where kustomize or kubectl is on PATH")

    def _run(self, command: Sequence[str], what: str, more: Mapping[str, str]) -> str:
        alone = f"try it alone: {shlex.join(command[:4])}"
        try:
            done = subprocess.run(
                command,
                cwd=self.program,
                env={**os.environ, **more},
                capture_output=True,
                text=True,
                check=True,
                timeout=_SECONDS,
            )
        except subprocess.TimeoutExpired as late:
            raise ManifestError(
                f"{what} was not rendered in {_SECONDS} s", where=str(self.program), fix=alone
            ) from late
        except subprocess.CalledProcessError as failed:
            said = failed.stderr.strip() or f"exit code {failed.returncode}"
            raise ManifestError(f"{what} cannot be rendered: {said}", where=str(self.program), fix=alone) from failed
        return done.stdout


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        raise ManifestError(f"a manifest cannot be read: {wrong}", where=str(file), fix="write it as UTF-8") from wrong


def decode(text: str, namespace: str = "") -> list[Values]:
    """The objects in YAML or JSON text, lists opened; those that belong to a namespace and name none get this one.

    Raises:
        ManifestError: It is no YAML, or holds what is no Kubernetes object.
    """
    from ruamel.yaml import YAML, YAMLError  # 70 ms that a run without manifests does not pay

    try:
        documents = list(YAML(typ="safe", pure=True).load_all(text))
    except YAMLError as wrong:
        raise ManifestError(f"a manifest is not YAML: {wrong}", fix="mend the line") from wrong
    objects = list(_opened(_json(document) for document in documents if document))
    for found in objects:
        if namespace and not is_cluster_scoped(str(found.get("kind"))):
            metadata = found.setdefault("metadata", {})
            metadata.setdefault("namespace", namespace)
    return objects


def token_of(manifest: Mapping[str, Any]) -> str:
    """``kubernetes:apps/v1:Deployment``; the group of the core API is ``core``."""
    version = str(manifest["apiVersion"])
    return f"kubernetes:{version if '/' in version else f'core/{version}'}:{manifest['kind']}"


def name_of(manifest: Mapping[str, Any], prefix: str) -> str:
    """The logical name that the provider gives a child: ``<prefix>:<namespace>/<name>``."""
    metadata = manifest.get("metadata") or {}
    name = str(metadata.get("name") or metadata.get("generateName") or manifest["kind"].lower())
    scope = "" if is_cluster_scoped(str(manifest["kind"])) else f"{metadata.get('namespace') or 'default'}/"
    return f"{prefix}:{scope}{name}"


def with_secrets(manifest: Values) -> Values:
    """The manifest with what a Secret holds marked as such."""
    if manifest.get("kind") != "Secret":
        return manifest
    return {key: Secret(value) if key in {"data", "stringData"} else value for key, value in manifest.items()}


def _opened(documents: Any) -> Iterator[Values]:
    for document in documents:
        if not isinstance(document, dict) or not document.get("kind") or not document.get("apiVersion"):
            raise ManifestError(
                f"a document is no Kubernetes object: {str(document)[:80]!r}", fix="give it apiVersion and kind"
            )
        if str(document["kind"]).endswith("List") and isinstance(document.get("items"), list):
            yield from _opened(document["items"])
        else:
            yield document


def _json(value: Any) -> Any:
    """YAML's own scalars as JSON has them."""
    if isinstance(value, dict):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_json(item) for item in value]
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def _of_v3(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """``helm.v3.Chart``'s options as ``helm.v4.Chart`` spells them."""
    fetch = wanted.get("fetch_opts") or {}
    return {
        "chart": wanted.get("path") or wanted.get("chart"),
        "remote": bool(wanted.get("repo") or (isinstance(fetch, dict) and fetch.get("repo"))),
        "release": wanted.get("release_name"),
        "namespace": wanted.get("namespace"),
        "values": wanted.get("values"),
        "skipCrds": wanted.get("skip_crd_rendering"),
        "kubeVersion": wanted.get("kube_version"),
        "apiVersions": wanted.get("api_versions"),
    }
