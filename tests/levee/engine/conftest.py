"""Programs written on the spot, run by the real engine."""

import json
import os
import sys
import textwrap
from pathlib import Path

import pytest

from levee import engine
from levee.toolchain import ensure_pulumi

ROOT = Path(__file__).resolve().parents[3]
LANGUAGE_HOST = """\
    #!{python}
    # A language host of a runtime that nobody else has. Its program is the function `program`.
    from concurrent.futures import ThreadPoolExecutor

    import grpc
    from google.protobuf.empty_pb2 import Empty
    from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2, resource_pb2, resource_pb2_grpc

    {program}

    class Host(language_pb2_grpc.LanguageRuntimeServicer):
        def Handshake(self, request, context):
            return language_pb2.LanguageHandshakeResponse()

        def GetPluginInfo(self, request, context):
            return plugin_pb2.PluginInfo(version="1.0.0")

        def GetRequiredPlugins(self, request, context):
            return language_pb2.GetRequiredPluginsResponse()

        def GetRequiredPackages(self, request, context):
            return language_pb2.GetRequiredPackagesResponse()

        def Run(self, request, context):
            with grpc.insecure_channel(request.monitor_address) as channel:
                monitor = resource_pb2_grpc.ResourceMonitorStub(channel)

                def register(kind, name, **properties):
                    wanted = resource_pb2.RegisterResourceRequest(type=kind, name=name, custom=bool(properties))
                    wanted.object.update(properties)
                    return monitor.RegisterResource(wanted)

                try:
                    made = program(request, register)
                except LookupError as lacking:
                    return language_pb2.RunResponse(error=str(lacking.args[0]))
                stack = register("pulumi:pulumi:Stack", f"{{request.project}}-{{request.stack}}")
                outputs = resource_pb2.RegisterResourceOutputsRequest(urn=stack.urn)
                outputs.outputs.update({{**made, "secrets": ",".join(request.configSecretKeys)}})
                monitor.RegisterResourceOutputs(outputs)
                monitor.SignalAndWaitForShutdown(Empty())
            return language_pb2.RunResponse()

    server = grpc.server(ThreadPoolExecutor(8))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Host(), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    server.wait_for_termination()
"""


@pytest.fixture(scope="session")
def pulumi_cli():
    return ensure_pulumi(ROOT)


@pytest.fixture
def project(tmp_path, pulumi_cli):
    """A function that writes a project into a folder of its own and returns a handle to run it."""
    return lambda program, **more: Runner(tmp_path, pulumi_cli).write(program, **more)


@pytest.fixture(scope="module")
def shared_project(tmp_path_factory, pulumi_cli):
    """The same for several tests of a module that look at one life of one stack."""
    return lambda program, **more: Runner(tmp_path_factory.mktemp("shared"), pulumi_cli).write(program, **more)


@pytest.fixture
def language_host(tmp_path):
    """A function that puts a language host of a runtime on PATH, with its program, and returns the environment."""

    def install(runtime, program):
        host = tmp_path / "hosts" / f"pulumi-language-{runtime}"
        host.parent.mkdir()
        text = textwrap.dedent(LANGUAGE_HOST)
        host.write_text(text.format(python=sys.executable, program=textwrap.dedent(program).strip()))
        host.chmod(0o755)
        return {**os.environ, "PATH": f"{host.parent}{os.pathsep}{os.environ['PATH']}"}

    return install


@pytest.fixture
def alive():
    """A function that tells whether a process runs; one that only waits for its adopter to reap it does not."""

    def runs(pid):
        try:
            os.kill(pid, 0)
            return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
        except (ProcessLookupError, FileNotFoundError):
            return False

    return runs


class Runner:
    """A project on disk and the operations on its stack ``dev``."""

    def __init__(self, root, cli):
        self.root, self.cli = root, cli

    def write(self, program, config="", stack="dev", name="probe", more_yaml=""):
        self.root.mkdir(exist_ok=True)
        (self.root / "Pulumi.yaml").write_text(f"name: {name}\nruntime: python\n{more_yaml}")
        (self.root / "__main__.py").write_text(textwrap.dedent(program))
        if config:
            (self.root / f"Pulumi.{stack}.yaml").write_text(textwrap.dedent(config))
        return self

    def __call__(self, operation, stack="dev", **options):
        return engine.perform(engine.Operation(operation), self.root, stack, engine.Options(pulumi=self.cli, **options))

    def states(self, stack="dev"):
        """The resources in the stack's state file."""
        return json.loads(self.workspace(stack).checkpoint.read_text())["checkpoint"]["latest"]["resources"]

    def workspace(self, stack="dev"):
        return engine.Workspace(engine.Project.load(self.root), stack)
