"""Interpreters and SDKs made on the spot."""

import base64
import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

SITE_PACKAGES = Path(sysconfig.get_paths()["purelib"])

UTILITIES = """
import asyncio, base64
import pulumi
from pulumi.runtime.proto import resource_pb2

def register(resource_modules, resource_packages):
    pass

async def get_package():
    parameterization = resource_pb2.Parameterization(name="{name}", version="2.1.0", value=base64.b64decode("{value}"))
    request = resource_pb2.RegisterPackageRequest(name="{plugin}", version="0.8.1", parameterization=parameterization)
    monitor = pulumi.runtime.settings.get_monitor()
    answer = await asyncio.get_running_loop().run_in_executor(None, lambda: monitor.RegisterPackage(request))
    return answer.ref
"""

PACKAGE = '''
from . import _utilities
from .provider import *
from .widget import *
_utilities.register(
    resource_modules="""
[
 {"pkg": "NAME", "mod": "index/widget", "fqn": "MODULE", "classes": {"NAME:index/widget:Widget": "Widget"}}
]
""",
    resource_packages="""
[
 {"pkg": "NAME", "token": "pulumi:providers:NAME", "fqn": "MODULE", "class": "Provider"}
]
"""
)
'''

PROVIDER = """
import pulumi

class Provider(pulumi.ProviderResource):
    def __init__(__self__, resource_name, opts=None):
        super().__init__("NAME", resource_name, {}, opts)
"""

WIDGET = """
import builtins as _builtins
import pulumi
from . import _utilities

@pulumi.input_type
class WidgetArgs:
    def __init__(__self__, *, size: pulumi.Input[_builtins.int]):
        pulumi.set(__self__, "size", size)

    @_builtins.property
    @pulumi.getter
    def size(self) -> pulumi.Input[_builtins.int]:
        return pulumi.get(self, "size")


@pulumi.type_token("NAME:index/widget:Widget")
class Widget(pulumi.CustomResource):
    def __init__(__self__, resource_name, opts=None, size=None):
        opts = pulumi.ResourceOptions.merge(pulumi.ResourceOptions(version="2.1.0"), opts)
        props = WidgetArgs.__new__(WidgetArgs)
        props.__dict__.update(size=size, serial_number=None)
        super().__init__("NAME:index/widget:Widget", resource_name, props, opts, package_ref=PACKAGE_REF)

    @_builtins.property
    @pulumi.getter
    def size(self) -> pulumi.Output[_builtins.int]:
        return pulumi.get(self, "size")

    @_builtins.property
    @pulumi.getter(name="serialNumber")
    def serial_number(self) -> pulumi.Output[_builtins.str]:
        return pulumi.get(self, "serial_number")
"""


@pytest.fixture
def write_sdk():
    """A function that writes an SDK; see :func:`_write_sdk`."""
    return _write_sdk


def _write_sdk(folder, name, plugin=None, plugin_file=True):
    """An SDK as the generator writes it, in ``folder``/pulumi_<name>; with ``plugin`` a parameterised one."""
    module = f"pulumi_{name}"
    home = folder / module
    home.mkdir(parents=True)
    value = base64.b64encode(b"acme/" + name.encode()).decode()
    info = {"resource": True, "name": name, "version": "2.1.0"}
    if plugin:
        parameterization = {"name": name, "version": "2.1.0", "value": value}
        info = {"resource": True, "name": plugin, "version": "0.8.1", "parameterization": parameterization}
    reference = "_utilities.get_package()" if plugin else "None"
    texts = {
        "_utilities.py": UTILITIES.format(name=name, value=value, plugin=plugin),
        "__init__.py": PACKAGE.replace("NAME", name).replace("MODULE", module),
        "provider.py": PROVIDER.replace("NAME", name),
        "widget.py": WIDGET.replace("NAME", name).replace("PACKAGE_REF", reference),
    }
    if plugin_file:
        texts["pulumi-plugin.json"] = json.dumps(info)
    for file, text in texts.items():
        (home / file).write_text(text)
    return home


@pytest.fixture
def virtualenv():
    """A function that makes a virtual environment which has all that Levee's own has, and returns its site-packages."""

    def make(folder):
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        site_packages = next((folder / "lib").glob("python3*/site-packages"))
        (site_packages / "levee-own.pth").write_text(f"{SITE_PACKAGES}\n")
        return site_packages

    return make


@pytest.fixture
def in_environment(project):
    """A project whose ``Pulumi.yaml`` has these runtime options."""

    def write(program, **options):
        run = project(program)
        lines = "".join(f"\n    {key}: {value}" for key, value in options.items())
        text = f"name: probe\nruntime:\n  name: python\n  options:{lines or ' {}'}\n"
        (run.root / "Pulumi.yaml").write_text(text)
        return run

    return write
