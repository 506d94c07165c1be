"""Serves rules to the Pulumi engine: CrossGuard's analyzer protocol, one deserialisation a resource.

``pulumi_policy`` serves the same protocol, but decodes every resource once for each policy and once more for the
remediation that no rule here offers; decision 0007 has the measurements. A pack that is served from here is an ordinary
one to ``pulumi preview --policy-pack``.

Source: ``proto/pulumi/analyzer.proto`` of pulumi/pulumi 3.250, and ``pulumi_policy`` 1.21 for what is expected of it.
"""

from __future__ import annotations

import json
import os
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import grpc
from google.protobuf.message import Message
from pulumi.runtime.proto import analyzer_pb2 as pb
from pulumi.runtime.proto.plugin_pb2 import PluginInfo

from levee.compliance.budgets import Pricer
from levee.compliance.catalogue import RULES, merged_rules, prepare, rules_for
from levee.compliance.evaluate import Evaluator, Outcome
from levee.compliance.rule import Rule, Severity
from levee.compliance.settings import LEVEL_KEY, PolicyView, Settings, pack_config
from levee.compliance.tagging.place import Places
from levee.compliance.wire import Struct, from_struct
from levee.errors import LeveeError
from levee.plan import Level, Resource, Verdict
from levee.plan.message import write_message

VERSION: Final = "0.1.0"
"""Version of every pack; also in each ``PulumiPolicy.yaml``, whose own wins in the engine's output."""

_SERVICE: Final = "pulumirpc.Analyzer"
_MESSAGE_BYTES: Final = 400 * 1024 * 1024
_LEVELS: Final = {
    Level.ADVISORY: pb.ADVISORY,
    Level.MANDATORY: pb.MANDATORY,
    Level.DISABLED: pb.DISABLED,
    Level.REMEDIATE: pb.MANDATORY,  # no rule remediates: what cannot be mended blocks
}
_FROM_WIRE: Final = {
    pb.ADVISORY: Level.ADVISORY,
    pb.MANDATORY: Level.MANDATORY,
    pb.DISABLED: Level.DISABLED,
    pb.REMEDIATE: Level.MANDATORY,
}
_SEVERITIES: Final = {
    Severity.LOW: pb.POLICY_SEVERITY_LOW,
    Severity.MEDIUM: pb.POLICY_SEVERITY_MEDIUM,
    Severity.HIGH: pb.POLICY_SEVERITY_HIGH,
    Severity.CRITICAL: pb.POLICY_SEVERITY_CRITICAL,
}


class Analyzer:
    """One pack's answers to the engine.

    Args:
        pack: Name of the pack, as violations carry it.
        rules: Its rules.
        places: Where types carry tags.
        spending: Prices a graph, for the budgets.
    """

    def __init__(self, pack: str, rules: Sequence[Rule], places: Places, spending: Pricer | None = None) -> None:
        self._pack = pack
        self._spending = spending
        self._rules = rules
        self._places = places
        self._stack = ""
        self._initial: Mapping[str, Any] = {}
        self._settings = Settings.from_config(rules, {})
        self._evaluator: Evaluator | None = None
        self._seen: dict[str, Resource] = {}
        self._providers: dict[bytes, Mapping[str, Any]] = {}
        self._not_applicable: dict[tuple[str, bool], bytes] = {}
        self._nothing_to_remediate = pb.RemediateResponse(
            not_applicable=[_not_applicable(rule) for rule in rules if rule.check is not None]
        ).SerializeToString()

    def configure_stack(self, request: pb.AnalyzerStackConfigureRequest) -> pb.AnalyzerStackConfigureResponse:
        """Learn the stack, and what its environment's file says of policies; the engine merges the two."""
        self._stack = request.stack
        written = request.config.get("levee:environment")
        if written:
            view = PolicyView.parse(request.stack, json.loads(written))
            there_are = rules_for(view)
            if self._rules is RULES:  # the merged pack
                self._rules = merged_rules(view)
            names = {rule.id for rule in there_are}
            config = pack_config(view, (*there_are, *(rule for rule in self._rules if rule.id not in names)))
            self._initial = {rule.id: config[rule.id] for rule in self._rules}
        return pb.AnalyzerStackConfigureResponse()

    def info(self, _request: object) -> pb.AnalyzerInfo:
        """What is in the pack."""
        info = pb.AnalyzerInfo(name=self._pack, version=VERSION, supportsConfig=True)
        for rule in self._rules:
            policy = info.policies.add(
                name=rule.id,
                displayName=rule.title,
                description=rule.title,
                enforcementLevel=_LEVELS[rule.level],
                severity=_SEVERITIES[rule.severity],
                remediation_steps=rule.remediation,
                url=rule.url,
                policy_type=pb.POLICY_TYPE_RESOURCE if rule.check is not None else pb.POLICY_TYPE_STACK,
                tags=[str(control) for control in rule.controls],
            )
            policy.configSchema.properties.update({name: dict(p.schema) for name, p in rule.parameters.items()})
        for name, entry in self._initial.items():
            parameters = {key: value for key, value in entry.items() if key != LEVEL_KEY}
            info.initialConfig[name].enforcementLevel = _LEVELS[Level(entry[LEVEL_KEY])]
            info.initialConfig[name].properties.update(parameters)
        return info

    def configure(self, request: pb.ConfigureAnalyzerRequest) -> bytes:
        """Take levels and parameters, as the engine merged them from defaults, environment and command line."""
        config: dict[str, Any] = {
            name: {LEVEL_KEY: _FROM_WIRE[given.enforcementLevel].value, **from_struct(given.properties)}
            for name, given in request.policyConfig.items()
        }
        self._settings = Settings.from_config(self._rules, config)
        self._evaluator = None
        prepare(rule for rule in self._rules if self._settings.levels[rule.id] is not Level.DISABLED)
        return b""  # google.protobuf.Empty

    def analyze(self, request: pb.AnalyzeRequest) -> bytes:
        """The resource rules, before the resource is created."""
        custom = request.HasField("provider")
        resource = Resource(
            urn=request.urn,
            type=request.type,
            name=request.name,
            custom=custom,
            inputs=from_struct(request.properties),
            parent=request.options.parent or None,
            protect=request.options.protect,
        )
        self._seen[resource.urn] = resource
        provider = self._provider(request.provider.properties) if custom else {}
        outcomes = self._current().resource(resource, provider)
        diagnostics = self._diagnostics(outcomes)
        answer = self._silent(resource)
        # Repeated fields of concatenated messages are joined (protobuf encoding guide, "Last One Wins").
        return answer + pb.AnalyzeResponse(diagnostics=diagnostics).SerializeToString() if diagnostics else answer

    def analyze_stack(self, request: pb.AnalyzeStackRequest) -> pb.AnalyzeResponse:
        """The stack rules, over the finished graph; the next run begins anew."""
        outcomes = self._current().stack([self._finished(r) for r in request.resources])
        self._evaluator = None
        self._seen.clear()
        return pb.AnalyzeResponse(diagnostics=self._diagnostics(outcomes))

    def remediate(self, _request: bytes) -> bytes:
        """Nothing: no rule rewrites what a program asked for. The request is not even decoded."""
        return self._nothing_to_remediate

    def _current(self) -> Evaluator:
        if self._evaluator is None:
            today = datetime.now(UTC).date()
            self._evaluator = Evaluator(
                self._rules, self._settings, self._places, self._stack, today, spending=self._spending
            )
            self._not_applicable.clear()
        return self._evaluator

    def _provider(self, properties: Struct) -> Mapping[str, Any]:
        """The provider's inputs, decoded once however many resources it has."""
        key = properties.SerializeToString(deterministic=True)
        if key not in self._providers:
            self._providers[key] = from_struct(properties)
        return self._providers[key]

    def _silent(self, resource: Resource) -> bytes:
        """The rules with nothing to say about that type, so that the engine does not count them as passed."""
        key = (resource.type, resource.custom)
        if key not in self._not_applicable:
            speak = self._current().applicable(resource).ids
            silent = [rule for rule in self._rules if rule.check is not None and rule.id not in speak]
            response = pb.AnalyzeResponse(not_applicable=[_not_applicable(rule) for rule in silent])
            self._not_applicable[key] = response.SerializeToString()
        return self._not_applicable[key]

    def _finished(self, message: pb.AnalyzerResource) -> Resource:
        before = self._seen.get(message.urn)
        return Resource(
            urn=message.urn,
            type=message.type,
            name=message.name,
            custom=message.HasField("provider"),
            inputs=before.inputs if before else {},
            outputs=from_struct(message.properties),
            parent=message.parent or None,
            provider=message.provider.urn,
            dependencies=tuple(message.dependencies),
            property_dependencies={name: tuple(d.urns) for name, d in message.propertyDependencies.items()},
            protect=message.options.protect,
        )

    def _diagnostics(self, outcomes: Sequence[Outcome]) -> list[pb.AnalyzeDiagnostic]:
        return [self._diagnostic(outcome) for outcome in outcomes if outcome.verdict is not Verdict.PASSED]

    def _diagnostic(self, outcome: Outcome) -> pb.AnalyzeDiagnostic:
        level = outcome.level if outcome.verdict is Verdict.FAILED else Level.ADVISORY
        return pb.AnalyzeDiagnostic(
            policyName=outcome.rule.id,
            policyPackName=self._pack,
            policyPackVersion=VERSION,
            description=outcome.rule.title,
            message=write_message(outcome.verdict, outcome.message),
            enforcementLevel=_LEVELS[level],
            severity=_SEVERITIES[outcome.rule.severity],
            urn=outcome.urn,
        )


def _not_applicable(rule: Rule) -> pb.PolicyNotApplicable:
    return pb.PolicyNotApplicable(policy_name=rule.id)


def serve(pack: str, rules: Sequence[Rule], spending: Pricer | None = None) -> None:
    """Serve a pack until the engine ends this process; what a pack's ``__main__.py`` calls.

    Prints the port on standard output, as the engine expects of every plugin. Two environment variables are read:
    ``LEVEE_SITE_PACKAGES``, the folder with the program's provider SDKs (default: this interpreter's), and
    ``LEVEE_CACHE``, a folder for what is derived from them (default: ``levee.places``).

    Args:
        pack: Name of the pack, as violations carry it.
        rules: Its rules.
        spending: Prices a graph, for the budgets.
    """
    engine = os.getppid()
    site_packages = Path(os.environ.get("LEVEE_SITE_PACKAGES") or sysconfig.get_path("purelib"))
    analyzer = Analyzer(pack, rules, Places.installed(site_packages), spending)
    server = grpc.server(
        ThreadPoolExecutor(max_workers=1),  # the engine asks for one resource after the other
        options=[("grpc.max_receive_message_length", _MESSAGE_BYTES), ("grpc.max_send_message_length", _MESSAGE_BYTES)],
    )
    server.add_generic_rpc_handlers((handlers(analyzer),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    try:
        while server.wait_for_termination(timeout=1) and os.getppid() == engine:
            pass  # an engine that was killed cannot end its plugins: they notice
    except KeyboardInterrupt:
        pass
    server.stop(0)


def handlers(analyzer: Analyzer) -> grpc.GenericRpcHandler:
    """The analyzer as a gRPC service; methods that it lacks are answered with UNIMPLEMENTED, as the engine allows."""
    methods = {
        "ConfigureStack": _method(analyzer.configure_stack, pb.AnalyzerStackConfigureRequest),
        "GetAnalyzerInfo": _method(analyzer.info, None),
        "GetPluginInfo": _method(lambda _: PluginInfo(version=VERSION), None),
        "Configure": _method(analyzer.configure, pb.ConfigureAnalyzerRequest),
        "Analyze": _method(analyzer.analyze, pb.AnalyzeRequest),
        "AnalyzeStack": _method(analyzer.analyze_stack, pb.AnalyzeStackRequest),
        "Remediate": _method(analyzer.remediate, None),
    }
    return grpc.method_handlers_generic_handler(_SERVICE, methods)


def _method(answer: Callable[[Any], Any], request: type[Message] | None) -> grpc.RpcMethodHandler:
    def call(message: Any, context: grpc.ServicerContext) -> bytes:
        try:
            given = answer(message)
        except LeveeError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
            raise
        return given if isinstance(given, bytes) else given.SerializeToString()

    decode = request.FromString if request is not None else None
    return grpc.unary_unary_rpc_method_handler(call, request_deserializer=decode)
