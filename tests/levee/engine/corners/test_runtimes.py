"""Programs of other runtimes: the engine starts their language host from PATH, and the stand-ins answer as ever."""

import os
import sys
import textwrap

import pytest

from levee.errors import UsageError
from levee.plan import UNKNOWN

HOST = """
    #!{python}
    # A language host of a runtime that nobody else has: its program is one bucket, named by the configuration.
    import sys
    from concurrent.futures import ThreadPoolExecutor

    import grpc
    from google.protobuf.empty_pb2 import Empty
    from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2, resource_pb2, resource_pb2_grpc

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
                register = resource_pb2.RegisterResourceRequest
                stack = monitor.RegisterResource(
                    register(type="pulumi:pulumi:Stack", name=f"{{request.project}}-{{request.stack}}")
                )
                bucket = register(type="aws:s3/bucket:Bucket", name="store", custom=True, parent=stack.urn)
                bucket.object["bucket"] = request.config["probe:name"]
                made = monitor.RegisterResource(bucket)
                outputs = resource_pb2.RegisterResourceOutputsRequest(urn=stack.urn)
                outputs.outputs["arn"] = made.object["arn"] if "arn" in made.object.fields else "{unknown}"
                outputs.outputs["length"] = len(request.config["probe:token"])
                outputs.outputs["secrets"] = ",".join(request.configSecretKeys)
                monitor.RegisterResourceOutputs(outputs)
                monitor.SignalAndWaitForShutdown(Empty())
            return language_pb2.RunResponse()

    server = grpc.server(ThreadPoolExecutor(8))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Host(), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    server.wait_for_termination()
"""
CONFIG = """
    secretsprovider: awskms://alias/prod
    config:
      probe:name: acme-store
      probe:token: {secure: v1:AAAA}
"""


def _of_runtime(project, name):
    run = project("", config=CONFIG)
    (run.root / "__main__.py").unlink()
    (run.root / "Pulumi.yaml").write_text(f"name: probe\nruntime: {name}\n")
    return run


def test_the_engine_starts_a_language_host_from_the_path(project, tmp_path):
    run = _of_runtime(project, "shelving")
    folder = tmp_path / "hosts"
    folder.mkdir()
    host = folder / "pulumi-language-shelving"
    host.write_text(textwrap.dedent(HOST).strip().format(python=sys.executable, unknown=UNKNOWN))
    host.chmod(0o755)
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    given = {"environment": environment, "config": {"token": "hunter2"}}

    assert run("preview", **given).outputs["arn"] == UNKNOWN
    up = run("up", **given)
    assert up.outputs == {"arn": "arn:aws:s3:::acme-store", "length": 7, "secrets": "probe:token"}
    assert not run("up", **given).changes
    assert run("destroy", **given).summary.by_op == {"delete": 1}
    for path in run.root.rglob("*"):
        assert not path.is_file() or b"hunter2" not in path.read_bytes(), path


@pytest.mark.parametrize("runtime", ["yaml", "nodejs", "go", "cobol"])
def test_a_language_host_that_is_nowhere_is_named(project, runtime):
    run = _of_runtime(project, runtime)
    with pytest.raises(UsageError, match=f"'pulumi-language-{runtime}' is not on PATH") as refused:
        run("preview", environment={**os.environ, "PATH": "/nowhere"})
    assert refused.value.where == str(run.root / "Pulumi.yaml")
