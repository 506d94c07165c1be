"""What an hour of one node of a workspace's job clusters costs, known before there is a plan to price.

A program that makes a job tells it this, and what the job's runs cost is reckoned with it. It is asked of the same
rules, ratings and prices as the job itself is priced with, for a job of one node that runs for one hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from levee.cost import usage_file
from levee.cost.catalogue import shipped
from levee.cost.model import Line
from levee.cost.price import price_resources
from levee.cost.usage import parse
from levee.environment import CloudName, Environment
from levee.plan import Resource

JOB: Final = "databricks:index/job:Job"
_BILLIONTH: Final = Decimal("1e-9")
_PROVIDERS: Final = {"aws": ("aws", "region"), "azure": ("azure-native", "location"), "gcp": ("gcp", "region")}
"""Provider package of a cloud, and its input that says the region."""


@dataclass(frozen=True, slots=True)
class NodeHour:
    """What an hour of one node costs, all that is billed for it.

    Attributes:
        usd: US dollars, to a billionth.
        source: What it is made of, each part with its unit price, the price list and the list's date.
    """

    usd: Decimal
    source: str


def node_hour(environment: Environment, cloud: CloudName, job: str) -> NodeHour | None:
    """Price an hour of a node of a job's cluster; ``None`` where a part of it has no price or rating.

    Args:
        environment: Says node type, region and what the price catalogue must be told (``usage``).
        cloud: Whose workspace runs the job.
        job: Logical name of the job, which ``usage.names`` of the environment may speak of.

    Raises:
        UsageError: The environment's ``usage`` says something that nothing reads.
    """
    catalogue = shipped()
    # A rate asks how much an hour is, not how many there are: an environment may say that its jobs never run.
    one_hour: dict[str, Any] = {"types": {JOB: {"run_hours": 1}}, "names": {job: {"run_hours": 1}}}
    hour = parse(one_hour, catalogue, lambda path: ".".join(map(str, path)))
    said = usage_file.of_environment(environment, catalogue).overlaid(hour)
    priced = price_resources(_resources(environment, cloud, job), catalogue, said, stack=environment.name)
    [found] = priced.resources
    if found.unresolved:
        return None
    return NodeHour(found.monthly_usd.expected.quantize(_BILLIONTH), "; ".join(map(_source, found.lines)))


def _resources(environment: Environment, cloud: CloudName, job: str) -> tuple[Resource, ...]:
    """A job of one node, in the environment's workspace and region."""
    workspace, (package, key) = environment.databricks[cloud], _PROVIDERS[cloud]
    here = _resource(environment, f"pulumi:providers:{package}", cloud, {key: environment.clouds.region(cloud)})
    host = _resource(environment, "pulumi:providers:databricks", "workspace", {"host": workspace.host})
    cluster = {"nodeTypeId": workspace.node_type, "runtimeEngine": "STANDARD", "numWorkers": 0}
    made = _resource(environment, JOB, job, {"jobClusters": [{"newCluster": cluster}]}, provider=f"{host.urn}::id")
    return here, host, made


def _resource(
    environment: Environment, kind: str, name: str, inputs: dict[str, Any], *, provider: str = ""
) -> Resource:
    urn = f"urn:pulumi:{environment.name}::levee::{kind}::{name}"
    return Resource(urn=urn, type=kind, name=name, inputs=inputs, provider=provider)


def _source(line: Line) -> str:
    return f"{line.name} ${line.unit_price_usd} a {line.unit.removesuffix('s')} ({line.source}, {line.as_of})"
