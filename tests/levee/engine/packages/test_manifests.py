"""Kubernetes: what comes back, and what YAML, charts and kustomizations are made of."""

import json
import os
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from levee.engine import ProgramError
from levee.engine.standin import manifests
from levee.engine.standin.journal import Journal
from levee.engine.standin.manifests import ManifestError, Manifests
from levee.plan import SECRET

MANIFEST = """
apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {day: 2026-01-01}}
  - {apiVersion: v1, kind: Namespace, metadata: {name: lake}}
---
apiVersion: acme.example/v1
kind: Widget
metadata: {name: wheel, namespace: lake}
spec: {size: 3}
"""

TEXTS = """
import pulumi
import pulumi_kubernetes as k8s

k8s.yaml.ConfigFile("old", file="manifests/all.yaml")
k8s.yaml.v2.ConfigGroup("new", files=["manifests/*.yaml"], yaml=open("more.yaml").read(), resource_prefix="two")
k8s.yaml.v2.ConfigFile("far", file="https://example.com/all.yaml")
k8s.helm.v3.Chart("shop", k8s.helm.v3.ChartOpts(chart="nginx", fetch_opts={"repo": "https://charts.example.com"}))
k8s.helm.v4.Chart("fourth", chart="oci://registry.example.com/nginx")
k8s.helm.v3.Release("released", chart="nginx", repository_opts={"repo": "https://charts.example.com"})
k8s.kustomize.Directory("layer", directory="https://github.com/acme/layer")
"""


RESOURCES = """
provider = k8s.Provider("cluster", namespace="lake")
opts = pulumi.ResourceOptions(provider=provider)
web = k8s.apps.v1.Deployment("web", spec={"replicas": 3, "selector": {"matchLabels": {"a": "b"}}, "template": {
    "metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "one", "image": "nginx"}]}}}, opts=opts)
entry = k8s.core.v1.Service("entry", spec={"type": "LoadBalancer", "ports": [{"port": 80}]}, opts=opts)
hidden = k8s.core.v1.Service("hidden", spec={"clusterIP": "None"}, opts=opts)
claim = k8s.core.v1.PersistentVolumeClaim("claim", spec={
    "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}})
job = k8s.batch.v1.Job("job", metadata={"generateName": "load-"}, spec={"template": {"spec": {
    "restartPolicy": "Never", "containers": [{"name": "one", "image": "busybox"}]}}})
space = k8s.core.v1.Namespace("space")
kept = k8s.core.v1.Secret("kept", string_data={"word": "hunter2"})
pulumi.export("available", web.status.available_replicas)
pulumi.export("namespace", web.metadata.namespace)
pulumi.export("address", entry.status.load_balancer.ingress[0].ip)
pulumi.export("host", entry.status.load_balancer.ingress[0].hostname)
pulumi.export("cluster_ips", [entry.spec.cluster_ip, hidden.spec.cluster_ip])
pulumi.export("claim", claim.status)
pulumi.export("job", job.metadata.name)
pulumi.export("phase", space.status.phase)
pulumi.export("kept", kept.data)
lake = k8s.core.v1.Namespace("named", metadata={"name": "basin"})
settings = k8s.core.v1.ConfigMap("given", metadata={"namespace": lake.metadata.name}, data={"a": "1"})
pulumi.export("settings", [settings.data, settings.metadata.namespace])
"""


@pytest.fixture(scope="module")
def life(shared_project):
    """Preview and up, and what a refresh and another up then find."""
    run = shared_project(TEXTS + RESOURCES)
    (run.root / "manifests").mkdir()
    (run.root / "manifests" / "all.yaml").write_text(MANIFEST)
    (run.root / "more.yaml").write_text(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: word}\nstringData: {word: hunter2}\n"
    )
    return SimpleNamespace(previewed=run("preview"), up=run("up"), refreshed=run("refresh"), again=run("up"))


def test_nothing_is_left_to_do(life):
    assert not life.refreshed.changes
    assert not life.again.changes


def test_a_cluster_gives_manifests_back_with_their_status(life):
    values = life.up.outputs
    assert values["available"] == 3
    assert values["namespace"] == "lake"
    assert values["address"].startswith("203.0.113.")
    assert values["host"].endswith(".example.com")
    given, none = values["cluster_ips"]
    assert given.startswith("10.96.")
    assert none == "None"
    assert values["claim"]["phase"] == "Bound"
    assert values["claim"]["capacity"] == {"storage": "1Gi"}
    assert values["job"].startswith("load-")
    assert len(values["job"]) == len("load-12345")
    assert values["phase"] == "Active"
    assert values["kept"] == SECRET
    assert values["settings"] == [{"a": "1"}, "basin"]


def test_yaml_becomes_resources_and_what_is_not_rendered_is_said(life):
    for plan in (life.previewed, life.up):
        made = {r.name: r for r in plan.resources if r.custom and not r.is_provider}
        assert {"settings", "lake", "lake/wheel"} <= made.keys(), "yaml.ConfigFile"
        assert str(made["settings"].source) == "__main__.py:5", "the SDK writes it: the line of its parent counts"
        children = {"two:default/settings", "two:lake", "two:lake/wheel", "two:default/word"}
        assert children <= made.keys(), "yaml.v2.ConfigGroup"
        assert made["two:default/settings"].inputs["data"] == {"day": "2026-01-01"}
        assert made["two:lake/wheel"].type == "kubernetes:acme.example/v1:Widget"
        assert made["two:default/word"].inputs["stringData"] == SECRET
        unseen = {v.urn.rsplit("::", 1)[-1]: v for v in plan.not_evaluated if v.policy == "children-not-evaluated"}
        assert {"far", "shop", "fourth", "released"} <= unseen.keys()
        assert "not fetched" in unseen["far"].message
        assert "vendor it" in unseen["shop"].message
        assert str(unseen["shop"].source) == "__main__.py:8"
        assert any("github.com/acme/layer" in v.message for v in plan.not_evaluated)


def _chart(folder):
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: shop\nversion: 1.0.0\n")
    (folder / "values.yaml").write_text("size: 1\n")
    (folder / "templates" / "settings.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-settings}\n"
        'data: {size: "{{ .Values.size }}"}\n'
    )


@pytest.mark.skipif(shutil.which("helm") is None, reason="helm is not on PATH")
def test_a_vendored_chart_is_rendered(project):
    run = project(
        """
        import pulumi_kubernetes as k8s
        k8s.helm.v3.Chart("old", k8s.helm.v3.LocalChartOpts(path="charts/shop", namespace="lake", values={"size": 7}))
        k8s.helm.v4.Chart("new", chart="charts/shop", namespace="lake", values={"size": 8})
        """
    )
    _chart(run.root / "charts" / "shop")
    plan = run("up")
    made = {r.name: r for r in plan.resources if r.type == "kubernetes:core/v1:ConfigMap"}
    assert {name: r.inputs["data"]["size"] for name, r in made.items()} == {
        "lake/old-settings": "7",
        "new:lake/new-settings": "8",
    }
    assert not plan.not_evaluated


@pytest.mark.skipif(not (shutil.which("kubectl") or shutil.which("kustomize")), reason="no kustomize on PATH")
def test_a_kustomization_is_built(project):
    run = project(
        """
        import pulumi_kubernetes as k8s
        k8s.kustomize.Directory("old", directory="layer")
        k8s.kustomize.v2.Directory("new", directory="layer")
        """
    )
    (run.root / "layer").mkdir()
    (run.root / "layer" / "kustomization.yaml").write_text("resources: [settings.yaml]\nnamePrefix: acme-\n")
    (run.root / "layer" / "settings.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n")
    plan = run("up")
    names = {r.name for r in plan.resources if r.type == "kubernetes:core/v1:ConfigMap"}
    assert names == {"acme-settings", "new:default/acme-settings"}
    assert not plan.not_evaluated


def test_without_the_tools_it_is_said_that_nobody_has_looked(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    _chart(tmp_path / "shop")
    finder = Manifests(tmp_path, Journal(None))
    assert "helm is on PATH" in finder.of_component("kubernetes:helm.sh/v4:Chart", "c", {"chart": "shop"}).unseen
    built = finder.of_component("kubernetes:kustomize/v2:Directory", "d", {"directory": "shop"})
    assert "kustomize or kubectl is on PATH" in built.unseen


def test_a_charts_files_of_values_are_paths_texts_and_assets(tmp_path, monkeypatch):
    """What stands in for helm prints one object for each file of values that it is given."""
    helm = tmp_path / "bin" / "helm"
    helm.parent.mkdir()
    helm.write_text(
        '#!/bin/sh\nwhile [ $# -gt 0 ]; do if [ "$1" = --values ]; then\n'
        'echo "---"; echo "{apiVersion: v1, kind: ConfigMap, metadata: {name: one}, data: $(cat "$2")}"\n'
        "fi; shift; done\n"
    )
    helm.chmod(0o755)
    monkeypatch.setenv("PATH", str(helm.parent), prepend=os.pathsep)
    _chart(tmp_path / "shop")
    (tmp_path / "one.yaml").write_text("{a: 1}")
    files = ["one.yaml", {"path": "one.yaml"}, {"text": "{b: 2}"}]
    given = {"chart": "shop", "valueYamlFiles": files, "values": {"c": 3}}
    finder = Manifests(tmp_path, Journal(None))
    rendered = finder.of_component("kubernetes:helm.sh/v4:Chart", "c", given)
    assert [each["data"] for each in rendered.objects] == [{"a": 1}, {"a": 1}, {"b": 2}, {"c": 3}]
    with pytest.raises(ManifestError, match="neither a path nor a text"):
        finder.of_component("kubernetes:helm.sh/v4:Chart", "c", {**given, "valueYamlFiles": [7]})


V3 = {
    "path": "shop",
    "release_name": "r",
    "namespace": "lake",
    "kube_version": "1.30",
    "api_versions": ["a/v1", "b/v2"],
}
V4 = {"chart": "shop", "name": "r", "namespace": "lake", "kubeVersion": "1.30", "apiVersions": ["a/v1", "b/v2"]}


@pytest.mark.parametrize("spelled", [V3, V4], ids=["v3", "v4"])
def test_helm_is_asked_for_what_the_program_says(tmp_path, monkeypatch, spelled):
    """What stands in for helm prints its arguments; the object that has no namespace gets the chart's."""
    helm = tmp_path / "bin" / "helm"
    helm.parent.mkdir()
    helm.write_text(
        "#!/bin/sh\necho \"{apiVersion: v1, kind: ConfigMap, metadata: {name: asked}, data: {arguments: '$*'}}\"\n"
    )
    helm.chmod(0o755)
    monkeypatch.setenv("PATH", str(helm.parent), prepend=os.pathsep)
    _chart(tmp_path / "shop")
    finder = Manifests(tmp_path, Journal(None))

    def asked(given):
        if "path" in given:
            (found,) = finder.answer("kubernetes:helm:template", {"jsonOpts": json.dumps(given)})["result"]
        else:
            (found,) = finder.of_component("kubernetes:helm.sh/v4:Chart", "c", given).objects
        assert found["metadata"]["namespace"] == "lake"
        return found["data"]["arguments"]

    told = asked(spelled)
    assert told.startswith(f"template r {tmp_path / 'shop'} --skip-tests --values ")
    assert told.endswith(" --namespace lake --include-crds --kube-version 1.30 --api-versions a/v1 --api-versions b/v2")
    without = "skip_crd_rendering" if spelled is V3 else "skipCrds"
    assert "--include-crds" not in asked({**spelled, without: True})


@pytest.mark.parametrize(
    ("text", "said"),
    [("a: [", "not YAML"), ("just words", "no Kubernetes object"), ("kind: ConfigMap", "no Kubernetes object")],
)
def test_text_that_is_no_manifest_is_an_error(text, said):
    with pytest.raises(ManifestError, match=said):
        manifests.decode(text)


def test_a_manifest_that_is_not_there_is_an_error(tmp_path):
    finder = Manifests(Path(tmp_path), Journal(None))
    (tmp_path / "folder").mkdir()
    for path in ("gone.yaml", "fold*"):
        with pytest.raises(ManifestError, match=re.escape(f"no manifest at {path!r}")):
            finder.of_component("kubernetes:yaml/v2:ConfigFile", "c", {"file": path})
    (tmp_path / "bad.yaml").write_bytes(b"\xff")
    with pytest.raises(ManifestError, match="cannot be read"):
        finder.of_component("kubernetes:yaml/v2:ConfigFile", "c", {"file": "bad.yaml"})


UNSEEN = """
import pulumi
from pulumi_kubernetes.helm.v3 import Chart, ChartOpts
from pulumi_kubernetes.yaml import ConfigGroup

chart = Chart("web", ChartOpts(chart="apache", version="8.3.2", fetch_opts={"repo": "https://charts.example.com"}))
service = chart.get_resource("v1/Service", "web-apache")
pulumi.export("address", service.apply(lambda found: found.status.load_balancer.ingress[0].ip))
pulumi.export("deployed", chart.get_resource("apps/v1/Deployment", "web", "lake").apply(lambda found: found.id))
pulumi.export("custom", chart.get_resource("acme.example/v1/Widget", "wheel").apply(lambda found: found.id))
seen = ConfigGroup("seen", yaml=['{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {day: "1"}}'])
pulumi.export("day", seen.get_resource("v1/ConfigMap", "settings").apply(lambda found: found.data["day"]))
"""


def test_an_object_of_a_chart_that_cannot_be_seen_is_read_and_listed(project):
    run = project(UNSEEN)
    for operation in ("preview", "up"):
        plan = run(operation)
        assert plan.outputs["address"].startswith("203.0.113.")
        assert plan.outputs["deployed"] == "lake/web"
        assert plan.outputs["custom"] == "default/wheel"
        assert plan.outputs["day"] == "1"
        assert {lookup.token for lookup in plan.invented_lookups} == {
            "kubernetes:core/v1:Service",
            "kubernetes:apps/v1:Deployment",
            "kubernetes:acme.example/v1:Widget",
        }
    assert not run("up").changes


def test_a_wrong_name_in_what_can_be_seen_is_the_programs_mistake(project):
    with pytest.raises(ProgramError, match="v1/ConfigMap:setings"):
        project(UNSEEN.replace('"v1/ConfigMap", "settings"', '"v1/ConfigMap", "setings"'))("preview")
