"""The packs as processes, started as the engine starts them."""

import os
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import analyzer_pb2 as pb
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerStub

ROOT = Path(__file__).resolve().parents[2]
PACKS = {"levee": ROOT / "policy_packs", "tagging": ROOT / "policy_packs" / "tagging"}


def struct(values):
    made = Struct()
    made.update(values)
    return made


class Pack:
    """One pack's process and the engine's side of its protocol."""

    def __init__(self, name, cache):
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", "."],
            cwd=PACKS[name],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "LEVEE_CACHE": str(cache)},
        )
        assert self.process.stdout is not None
        self.printed = self.process.stdout
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.printed.readline().strip()}")
        self.stub = AnalyzerStub(self.channel)

    def close(self):
        self.channel.close()
        self.process.kill()
        self.process.wait()
        self.printed.close()

    def prepare(self, stack="prod", config=None, **stack_config):
        """What the engine calls first: the stack, the pack's contents, and the merged configuration."""
        self.stub.ConfigureStack(pb.AnalyzerStackConfigureRequest(stack=stack, project="p", config=stack_config))
        info = self.stub.GetAnalyzerInfo(Empty())
        merged = pb.ConfigureAnalyzerRequest()
        for policy in info.policies:
            merged.policyConfig[policy.name].enforcementLevel = policy.enforcementLevel
        for name, initial in info.initialConfig.items():
            merged.policyConfig[name].CopyFrom(initial)
        for name, (level, properties) in (config or {}).items():
            merged.policyConfig[name].enforcementLevel = level
            merged.policyConfig[name].properties.update(properties)
        self.stub.Configure(merged)
        return info

    def analyze(self, token="aws:s3/bucket:Bucket", name="b", provider=None, custom=True, **inputs):
        request = pb.AnalyzeRequest(
            urn=f"urn:pulumi:prod::p::{token}::{name}", type=token, name=name, properties=struct(inputs)
        )
        if custom:
            request.provider.CopyFrom(
                pb.AnalyzerProviderResource(type="pulumi:providers:aws", properties=struct(provider or {}))
            )
        return self.stub.Analyze(request)

    def failures(self, *args, **kwargs):
        return {d.policyName: d.message for d in self.analyze(*args, **kwargs).diagnostics}


@pytest.fixture(scope="session", params=sorted(PACKS))
def pack(request, tmp_path_factory):
    """Each pack, started once."""
    served = Pack(request.param, tmp_path_factory.mktemp("cache"))
    yield served
    served.close()
