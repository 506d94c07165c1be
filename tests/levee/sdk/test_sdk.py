"""Against the SDKs that the project itself pins: a new layout of theirs must fail here, not in a preview."""

from __future__ import annotations

import importlib
import json
import sysconfig
import threading
import typing
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from levee.sdk import ResourceType, Sdk, TypeRef, package_of, store
from levee.sdk.parse import says_replacement

SITE_PACKAGES = Path(sysconfig.get_paths()["purelib"])


@pytest.fixture(scope="module")
def sdk() -> Sdk:
    return Sdk(SITE_PACKAGES)


def resource(sdk: Sdk, token: str) -> ResourceType:
    found = sdk.resource(token)
    assert found is not None, token
    return found


def test_finds_the_packages(sdk: Sdk) -> None:
    assert {"aws", "azure-native", "databricks", "gcp", "kubernetes", "random"} <= set(sdk.packages)
    assert sdk.packages["azure-native"].import_name == "pulumi_azure_native"
    assert sdk.packages["aws"].version == "7.51.1"
    assert len(sdk.packages["aws"].tokens) > 1000


def test_bucket(sdk: Sdk) -> None:
    bucket = resource(sdk, "aws:s3/bucket:Bucket")
    assert bucket.inputs["forceDestroy"].python_name == "force_destroy"
    assert bucket.inputs["tags"].type == TypeRef("map", item=TypeRef("string"))
    assert not bucket.inputs["bucket"].required
    assert bucket.outputs["arn"].required
    assert "arn" not in bucket.inputs
    assert "aws:s3/bucketV2:BucketV2" in bucket.aliases
    assert bucket.import_ids == ("bucket-name",)
    assert not bucket.remote_component


def test_enums_open_and_closed(sdk: Sdk) -> None:
    account = resource(sdk, "azure-native:storage:StorageAccount")
    assert [p.name for p in account.inputs.values() if p.required] == ["kind", "resourceGroupName", "sku"]
    assert account.inputs["accessTier"].type.values == ("Hot", "Cool", "Premium", "Cold")
    assert not account.inputs["accessTier"].type.open
    assert account.inputs["kind"].type.open
    sku = sdk.object(account.inputs["sku"].type.ref)
    assert sku["name"].required
    assert "Standard_LRS" in sku["name"].type.values


def test_output_objects(sdk: Sdk) -> None:
    account = resource(sdk, "azure-native:storage:StorageAccount")
    endpoints = sdk.object(account.outputs["primaryEndpoints"].type.ref)
    assert endpoints["blob"].type.kind == "string"
    job = resource(sdk, "databricks:index/job:Job")
    item = job.inputs["tasks"].type.item
    assert item is not None
    assert sdk.object(item.ref)["taskKey"].required


def test_kubernetes_constants_and_modules(sdk: Sdk) -> None:
    config = resource(sdk, "kubernetes:core/v1:ConfigMap")
    assert config.constants == {"apiVersion": "v1", "kind": "ConfigMap"}
    metadata = sdk.object(config.inputs["metadata"].type.ref)
    assert metadata["labels"].type.kind == "map"


def test_secret_outputs_and_facts(sdk: Sdk) -> None:
    password = resource(sdk, "random:index/randomPassword:RandomPassword")
    assert set(password.secret_outputs) == {"result", "bcryptHash"}
    assert password.inputs["length"].required
    account = resource(sdk, "azure-native:storage:StorageAccount")
    assert account.inputs["location"].forces_replacement


def test_provider_type(sdk: Sdk) -> None:
    assert package_of("pulumi:providers:aws") == "aws"
    assert "region" in resource(sdk, "pulumi:providers:aws").inputs


def test_dated_azure_tokens_read_as_the_default_version(sdk: Sdk) -> None:
    assert resource(sdk, "azure-native:storage/v20230101:StorageAccount").class_name == "StorageAccount"


def test_functions(sdk: Sdk) -> None:
    ami = sdk.function("aws:ec2/getAmi:getAmi")
    assert ami is not None
    assert ami.inputs["mostRecent"].type.kind == "boolean"
    assert not ami.inputs["mostRecent"].required
    assert ami.outputs["blockDeviceMappings"].type.kind == "array"
    keys = sdk.function("azure-native:storage:listStorageAccountKeys")
    assert keys is not None
    assert set(keys.inputs) == {"accountName", "expand", "resourceGroupName"}
    assert not any(p.required for p in keys.inputs.values()), "the generator writes every argument as optional"


@pytest.mark.parametrize(
    "token", ["aws:s3/buket:Buket", "nopackage:a:B", "nonsense", "aws:s3/getNothing:getNothing", "aws", "", "aws:ec2"]
)
def test_unknown_is_none(sdk: Sdk, token: str) -> None:
    assert sdk.resource(token) is None
    assert sdk.function(token) is None


def test_agrees_with_the_imported_sdk(sdk: Sdk) -> None:
    """The text says of ``random`` exactly what the Python runtime says of the imported classes."""
    module = importlib.import_module("pulumi_random")
    for token, place in sdk.packages["random"].places.items():
        type_ = resource(sdk, token)
        getters = {
            name: getter.fget
            for name, getter in vars(getattr(module, place.class_name)).items()
            if isinstance(getter, property) and getter.fget is not None
        }
        assert {p.python_name for p in type_.outputs.values()} == set(getters), token
        for output in type_.outputs.values():
            hint = str(typing.get_type_hints(getters[output.python_name])["return"])
            assert output.required == ("Optional" not in hint), f"{token}.{output.name}"


@pytest.mark.parametrize("package", ["aws", "azure-native", "gcp", "databricks", "kubernetes"])
def test_every_tenth_type_reads_whole(sdk: Sdk, package: str) -> None:
    for token in sdk.packages[package].tokens[::10]:
        type_ = resource(sdk, token)
        assert type_.outputs or type_.inputs, token
        for property_ in (*type_.inputs.values(), *type_.outputs.values()):
            reference = property_.type.item or property_.type
            if reference.kind == "object":
                assert reference.ref.count("/") == 2, f"{token}.{property_.name}"
            if reference.kind == "enum":
                assert reference.values, f"{token}.{property_.name}"


def test_cache_gives_the_same_and_is_used(tmp_path: Path) -> None:
    token = "gcp:container/cluster:Cluster"
    first = Sdk(SITE_PACKAGES, tmp_path).resource(token)
    assert first is not None
    assert first == Sdk(SITE_PACKAGES, tmp_path).resource(token)
    (file,) = tmp_path.glob("gcp-*/resource-*.json")
    changed = json.loads(file.read_text()) | {"class_name": "FromTheCache"}
    file.write_text(json.dumps(changed))
    again = Sdk(SITE_PACKAGES, tmp_path).resource(token)
    assert again is not None
    assert again.class_name == "FromTheCache"


def test_a_torn_cache_file_is_read_again(tmp_path: Path) -> None:
    token = "random:index/randomId:RandomId"
    first = Sdk(SITE_PACKAGES, tmp_path).resource(token)
    (file,) = tmp_path.glob("random-*/*.json")
    file.write_text('{"token": ')
    assert Sdk(SITE_PACKAGES, tmp_path).resource(token) == first


def test_never_imports_what_it_reads() -> None:
    import subprocess
    import sys

    program = (
        "import sys; from pathlib import Path; from levee.sdk import Sdk;"
        f"Sdk(Path({str(SITE_PACKAGES)!r})).resource('databricks:index/job:Job');"
        "print([m for m in sys.modules if m.startswith('pulumi')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_another_interpreters_sdk(tmp_path: Path) -> None:
    """An SDK of the older generator, in a folder that this interpreter cannot import from."""
    package = tmp_path / "pulumi_acme"
    package.mkdir()
    (package / "pulumi-plugin.json").write_text('{"resource": true, "name": "acme", "version": "1.2.3"}')
    register = [{"pkg": "acme", "mod": "index", "fqn": "pulumi_acme", "classes": {"acme:index:Widget": "Widget"}}]
    (package / "__init__.py").write_text(
        f'_utilities.register(\n    resource_modules="""\n{json.dumps(register)}\n""",\n)'
    )
    (package / "widget.py").write_text(
        '''
@pulumi.input_type
class WidgetArgs:
    @property
    @pulumi.getter(name="bigName")
    def big_name(self) -> pulumi.Input[str]:
        """
        Changing this forces a new resource to be created.
        """
        return pulumi.get(self, "big_name")

class Widget(pulumi.CustomResource):
    def _internal_init(__self__):
        secret_opts = pulumi.ResourceOptions(additional_secret_outputs=["key"])
        replace_on_changes = pulumi.ResourceOptions(replace_on_changes=["bigName", "triggers[*]"])

    @property
    @pulumi.getter(name="bigName")
    def big_name(self) -> pulumi.Output[str]:
        return pulumi.get(self, "big_name")

    @property
    @pulumi.getter
    def key(self) -> pulumi.Output[Optional[str]]:
        return pulumi.get(self, "key")
'''
    )
    widget = resource(Sdk(tmp_path), "acme:index:Widget")
    assert widget.inputs["bigName"].required
    assert widget.inputs["bigName"].forces_replacement
    assert widget.secret_outputs == ("key",)
    assert widget.replace_on_changes == ("bigName", "triggers[*]")
    assert not widget.outputs["key"].required


@pytest.mark.parametrize(
    ("doc", "says"),
    [
        ("The name. Changing this forces a new resource to be created.", True),
        ("(Forces new resource) The VPC.", True),
        ("Forces replacement.", True),
        ("Changing this field requires recreation of the workspace.", True),
        ("It cannot be changed after creation.", True),
        ("Changing this has no effect on existing objects.", None),
        ("The name of the bucket.", None),
    ],
)
def test_what_a_docstring_says_of_replacement(doc: str, says: bool | None) -> None:
    assert says_replacement(doc) is says


def test_threads_share_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both_wrote = threading.Barrier(2, timeout=30)
    replace = Path.replace

    def replace_together(self: Path, target: Path) -> Path:
        both_wrote.wait()
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", replace_together)
    with ThreadPoolExecutor(2) as threads:
        for written in [threads.submit(store.save, tmp_path / "one.json", {"a": 1}) for _ in range(2)]:
            written.result()
    assert [path.name for path in tmp_path.iterdir()] == ["one.json"]
