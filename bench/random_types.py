"""Resource types drawn at random: does the minimal program of each preview, come up, refresh clean, go away?

Draws the same number of types from each provider, writes the smallest program of each (its required inputs, filled by
type, enumeration and name), runs all of them in one stack on the real engine, and splits the stack in halves where it
fails, so that every verdict is about one type. To come up, its outputs must also fit the SDK's types, be all known, and
have an id that no other resource of the type has. Run by ``make bench``, or alone:
``.venv/bin/python bench/random_types.py --seed 7``. The exit code is 1 where the aim is missed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import re
import sys
import sysconfig
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from levee import engine, places
from levee.engine.standin.check import Checker
from levee.engine.standin.clouds import cloud_of
from levee.engine.standin.values import UNKNOWN as ANYTHING
from levee.errors import LeveeError
from levee.plan import SECRET, UNKNOWN, Op, Plan, Resource
from levee.sdk import Property, ResourceType, Sdk, TypeRef

PROVIDERS: Final = ("aws", "azure-native", "gcp", "kubernetes", "databricks")
SEED: Final = 20261121
TYPES: Final = 120
STAGES: Final = ("preview", "up", "refresh", "destroy")
AIMS: Final = {"preview": 1.0, "up": 0.95, "refresh": 0.95, "destroy": 0.95}
_DEEPEST: Final = 8
_RENAMED: Final = frozenset({"resource_name", "opts"})
"""Inputs whose constructor parameter has an underscore, for every constructor has a parameter of that name."""
_NEEDED: Final = re.compile(r"(?i)^(ca)?privateKeyPem$")
"""Inputs of ``tls`` that may be left out only for their write-only twin, which an SDK cannot say."""


@dataclass
class Trial:
    """One type on its way through the stages.

    Attributes:
        type: The SDK's view of it.
        module: Where a program imports its class from.
        name: Its logical name.
        verdicts: What went wrong in each stage that it reached; empty where nothing did.
    """

    type: ResourceType
    module: str
    name: str
    verdicts: dict[str, str] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """What went wrong first, with its stage; empty where nothing did."""
        return next((f"{stage}: {wrong}" for stage, wrong in self.verdicts.items() if wrong), "")

    def came_through(self, stage: str) -> bool:
        """Whether the stage was reached and nothing was wrong in it."""
        return self.verdicts.get(stage) == ""


def draw(sdk: Sdk, providers: Sequence[str], count: int, seed: int) -> list[Trial]:
    """``count`` types, as many of each provider; the same for the same seed and SDKs."""
    chance = random.Random(seed)  # noqa: S311  a draw that can be repeated, no secret
    trials = []
    for index, provider in enumerate(providers):
        package = sdk.packages[provider]
        share = count // len(providers) + (index < count % len(providers))
        types = [sdk.resource(token) for token in sorted(package.tokens)]
        unread = [token for token, type_ in zip(sorted(package.tokens), types, strict=True) if type_ is None]
        assert not unread, f"registered, but not to be read: {unread}"
        custom = [type_ for type_ in types if type_ is not None and not type_.remote_component]
        for type_ in chance.sample(custom, min(share, len(custom))):
            trials.append(Trial(type_, package.places[type_.token].module, f"r{len(trials)}"))
    return trials


class Writer:
    """Writes the minimal program of a type as Python."""

    def __init__(self, sdk: Sdk) -> None:
        self._sdk = sdk

    def program(self, trials: Sequence[Trial]) -> str:
        """The program that registers all of them."""
        modules = sorted({trial.module for trial in trials} | {m for t in trials for m in self._modules(t.type.inputs)})
        lines = ["import pulumi", *(f"import {module}" for module in modules), ""]
        for trial in trials:
            arguments = self.arguments(trial.type.inputs)
            lines.append(f"{trial.module}.{trial.type.class_name}({', '.join([repr(trial.name), *arguments])})")
        return "\n".join(lines) + "\n"

    def arguments(self, properties: Mapping[str, Property], depth: int = 0) -> list[str]:
        """Keyword arguments for what is required."""
        return [
            f"{p.python_name}{'_' if not depth and p.python_name in _RENAMED else ''}={self._value(p, p.type, depth)}"
            for p in properties.values()
            if p.required or _NEEDED.search(p.name)
        ]

    def _value(self, property_: Property, type_: TypeRef, depth: int) -> str:
        if type_.kind == "enum" and type_.values:
            return repr(_expected(property_) or type_.values[0])
        if type_.kind == "array":
            return "[]" if type_.item is None or depth >= _DEEPEST else f"[{self._value(property_, type_.item, depth)}]"
        if type_.kind == "object" and depth < _DEEPEST:
            module, _, class_name = type_.ref.split("/")
            return f"{module}.{class_name}({', '.join(self.arguments(self._sdk.object(type_.ref), depth + 1))})"
        if type_.kind == "union":
            return self._value(property_, type_.members[0], depth)
        if type_.kind == "asset":
            return "pulumi.StringAsset('one')"
        if type_.kind in {"integer", "number"}:
            return "1"
        if type_.kind == "boolean":
            return "True"
        if type_.kind in {"map", "object", "any", "resource"}:
            return "{}"
        return repr(_text(property_))

    def _modules(self, properties: Mapping[str, Property], depth: int = 0) -> Iterator[str]:
        """Modules of the nested argument classes that the minimal program names."""
        for property_ in properties.values():
            type_ = property_.type
            while type_.kind in {"array", "union"}:
                inner = type_.item if type_.kind == "array" else type_.members[0]
                if inner is None:
                    break
                type_ = inner
            if property_.required and type_.kind == "object" and depth < _DEEPEST:
                yield type_.ref.split("/")[0]
                yield from self._modules(self._sdk.object(type_.ref), depth + 1)


def _expected(property_: Property) -> str:
    """The one value that a discriminator takes: azure-native writes ``Expected value is 'X'.`` in its docstring."""
    found = re.search(r"Expected value is '([^']+)'", property_.doc)
    return found[1] if found else ""


def _pems() -> tuple[str, str, str]:
    """A key, a certificate that it signed itself, and a request for one: ``tls`` reads what it is given."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "example.com")])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    unsigned = x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + dt.timedelta(days=3650))
    request = x509.CertificateSigningRequestBuilder(name).sign(key, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    signed = unsigned.sign(key, hashes.SHA256())
    return private.decode(), signed.public_bytes(Encoding.PEM).decode(), request.public_bytes(Encoding.PEM).decode()


_KEY_PEM, _CERTIFICATE_PEM, _REQUEST_PEM = _pems()
_NAMED: Final[tuple[tuple[str, str], ...]] = (
    (r"(?i)cidr", "10.0.0.0/16"),
    (r"(?i)datasetId$", "acme_one"),
    (r"(?i)email$", "someone@example.com"),
    (r"(?i)(policy|json|document|definition|assumeRolePolicy)$", "{}"),
    (r"(?i)(url|uri|endpoint)$", "https://example.com"),
    (r"(?i)publicKey", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBrPs1wH8EDTv3Q0fLXLx7kQbNsl4PYEt3TzXx3wYpUf someone"),
    (r"(?i)roleArn$", "arn:aws:iam::123456789012:role/someone"),
    (r"(?i)certificateArn$", "arn:aws:acm:us-east-1:123456789012:certificate/0b9a8c7d-6e5f-4d3c-8b2a-1f0e9d8c7b6a"),
    (
        r"(?i)loadBalancerArn$",
        "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188",
    ),
    (r"(?i)targetGroupArn$", "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/50dc6c495c0c9188"),
    (
        r"(?i)listenerArn$",
        "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/web/50dc6c495c0c9188/0467ef3c",
    ),
    (r"(?i)logGroupArn$", "arn:aws:logs:us-east-1:123456789012:log-group:web"),
    (r"(?i)topicArn$", "arn:aws:sns:us-east-1:123456789012:web"),
    (r"(?i)(lambda|function)Arn$", "arn:aws:lambda:us-east-1:123456789012:function:web"),
    (r"(?i)queueArn$", "arn:aws:sqs:us-east-1:123456789012:web"),
    (r"(?i)policyArn$", "arn:aws:iam::123456789012:policy/web"),
    (r"(?i)kms(Key)?Arn$", "arn:aws:kms:us-east-1:123456789012:key/0b9a8c7d-6e5f-4d3c-8b2a-1f0e9d8c7b6a"),
    (r"(?i)arn$", "arn:aws:s3:::acme-store"),
    (r"(?i)ip(v4)?address$", "10.0.0.4"),
    (r"(?i)(date|time)$", "2026-01-01T00:00:00Z"),
    (r"(?i)region$", "us-east-1"),
    (r"(?i)^location$", "us-central1"),
    (r"(?i)port$", "443"),
    (r"^algorithm$", "RSA"),
    (_NEEDED.pattern, _KEY_PEM),
    (r"(?i)caCertPem$", _CERTIFICATE_PEM),
    (r"(?i)certRequestPem$", _REQUEST_PEM),
    (r"(?i)(subscription|tenant|client|object|principal)Id$", "8d3c4f1e-2b6a-4c57-9e0d-5a7b1c2d3e4f"),
)


def _text(property_: Property) -> str:
    expected = _expected(property_)
    return expected or next((v for p, v in _NAMED if re.search(p, property_.name)), "acme-one")


class Bench:
    """Runs trials in stacks of their own under one folder."""

    def __init__(self, folder: Path, sdk: Sdk, virtualenv: Path | None, say: Callable[[str], None]) -> None:
        self._folder, self._sdk, self._virtualenv, self._say = folder, sdk, virtualenv, say
        self._runs = 0

    def measure(self, trials: Sequence[Trial], said: str = "") -> None:
        """Take every trial as far as it comes."""
        self._say(f"{len(trials)} types {said}")
        root = self._project(trials)
        try:
            self._check_preview(engine.preview(root, "bench"), trials)
            self._check_up(engine.up(root, "bench"), trials)
            self._check_refresh(engine.refresh(root, "bench"), trials)
            self._check_destroy(engine.destroy(root, "bench"), trials)
        except LeveeError as failed:
            self._split(trials, failed)

    def _split(self, trials: Sequence[Trial], failed: LeveeError) -> None:
        if len(trials) == 1:
            stage = next(stage for stage in STAGES if stage not in trials[0].verdicts)
            trials[0].verdicts[stage] = str(failed)
            return
        for trial in trials:
            trial.verdicts.clear()
        middle = len(trials) // 2
        for half in (trials[:middle], trials[middle:]):
            self.measure(half, f"after: {str(failed).splitlines()[0][:200]}")

    def _project(self, trials: Sequence[Trial]) -> Path:
        self._runs += 1
        root = self._folder / f"p{self._runs}"
        root.mkdir()
        options = f"\n  options:\n    virtualenv: {self._virtualenv}" if self._virtualenv else ""
        (root / "Pulumi.yaml").write_text(f"name: types\nruntime:\n  name: python{options}\n")
        (root / "__main__.py").write_text(Writer(self._sdk).program(trials))
        return root

    def _check_preview(self, plan: Plan, trials: Sequence[Trial]) -> None:
        made = {r.name for r in plan.resources if r.op is Op.CREATE and r.custom}
        for trial in trials:
            trial.verdicts["preview"] = "" if trial.name in made else "the preview does not create it"

    def _check_up(self, plan: Plan, trials: Sequence[Trial]) -> None:
        found = {r.name: r for r in plan.resources if r.op is Op.CREATE and r.custom}
        ids = Counter((r.type, r.id) for r in found.values())
        for trial in trials:
            resource = found.get(trial.name)
            if resource is None or not resource.id:
                trial.verdicts["up"] = "it has no id"
                continue
            wrong = list(self._misfits(trial.type, resource))
            wrong += ["an output stayed unknown"] if UNKNOWN in json.dumps([resource.id, resource.outputs]) else []
            wrong += ["another resource has its id"] if ids[resource.type, resource.id] > 1 else []
            trial.verdicts["up"] = "; ".join(wrong)

    def _misfits(self, type_: ResourceType, made: Resource) -> Iterator[str]:
        """Where the outputs differ from the SDK's types.

        What the program could have given, and what has not happened, may come back empty; of a manifest only what was
        given comes back.
        """
        outputs = {n: p for n, p in type_.outputs.items() if p.type.kind != "asset"}  # a plan keeps their hash only
        for failure in Checker(self._sdk, strict=False).check(_opened(dict(made.outputs)), outputs):
            top = re.split(r"[.\[]", failure.path)[0]
            left_out = _is_empty(made.outputs, failure.path) or (top in type_.inputs and top not in made.inputs)
            if not (failure.reason.startswith("missing") and (left_out or cloud_of(type_.package).echoes)):
                yield failure.reason

    @staticmethod
    def _check_refresh(plan: Plan, trials: Sequence[Trial]) -> None:
        found = {r.name: r for r in plan.resources}
        for trial in trials:
            op, diff = (found[trial.name].op, found[trial.name].diff) if trial.name in found else (Op.DELETE, ())
            trial.verdicts["refresh"] = "" if op is Op.SAME else f"refresh would {op.value} {', '.join(diff)}"

    @staticmethod
    def _check_destroy(plan: Plan, trials: Sequence[Trial]) -> None:
        gone = {r.name for r in plan.resources if r.op is Op.DELETE}
        for trial in trials:
            trial.verdicts["destroy"] = "" if trial.name in gone else "it was left behind"


def _is_empty(outputs: Mapping[str, Any], path: str) -> bool:
    """Whether the object at that path has nothing in it."""
    value: Any = outputs
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        value = (
            value[int(index)]
            if index and isinstance(value, list)
            else value.get(name)
            if isinstance(value, dict)
            else None
        )
    return value == {}


def _opened(value: Any) -> Any:
    """The value with what only shows that it is secret taken for anything."""
    if isinstance(value, Mapping):
        return {key: _opened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_opened(item) for item in value]
    return ANYTHING if value == SECRET else value


def _site_packages(virtualenv: Path | None) -> Path:
    if virtualenv is None:
        return Path(sysconfig.get_paths()["purelib"])
    return next((virtualenv / "lib").glob("python3*/site-packages"))


def report(trials: Sequence[Trial]) -> dict[str, Any]:
    """The counts by stage and provider, and what stopped each type that did not come through."""
    return {
        "types": len(trials),
        "passed": {stage: sum(t.came_through(stage) for t in trials) for stage in STAGES},
        "providers": {
            package: {"types": len(own), **{s: sum(t.came_through(s) for t in own) for s in STAGES}}
            for package in dict.fromkeys(t.type.package for t in trials)
            if (own := [t for t in trials if t.type.package == package])
        },
        "failed": {t.type.token: t.reason for t in trials if t.reason},
    }


def _print(result: Mapping[str, Any], seed: int) -> None:
    print(f"seed {seed}\n\n| provider | types | {' | '.join(STAGES)} |\n|---|{'---:|' * (1 + len(STAGES))}")
    for package, counts in {**result["providers"], "all": {"types": result["types"], **result["passed"]}}.items():
        print(f"| {package} | {' | '.join(str(n) for n in counts.values())} |")
    for token, reason in result["failed"].items():
        print(f"- {token}: {reason}")


def main() -> int:
    """Run the measure and print its table, or its JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--types", type=int, default=TYPES)
    parser.add_argument("--providers", default=",".join(PROVIDERS), help="comma-separated; `all`: every one installed")
    parser.add_argument("--virtualenv", type=Path, help="where the SDKs are (tools/sdks/.venv); default: Levee's own")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    virtualenv = arguments.virtualenv.absolute() if arguments.virtualenv else None
    sdk = Sdk(_site_packages(virtualenv), places.cache() / "sdk")
    providers = tuple(sdk.packages) if arguments.providers == "all" else tuple(arguments.providers.split(","))
    trials = draw(sdk, providers, arguments.types, arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), sdk, virtualenv, lambda text: print(text, file=sys.stderr, flush=True))
        bench.measure(trials)
    result = report(trials)
    if arguments.json:
        print(json.dumps(result))
    else:
        _print(result, arguments.seed)
    return int(any(result["passed"][stage] < share * result["types"] for stage, share in AIMS.items()))


if __name__ == "__main__":
    sys.exit(main())
