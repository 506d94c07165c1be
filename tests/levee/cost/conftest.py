"""Plans to price, without an engine."""

from decimal import Decimal

import pytest

from levee.cost import Range, Usage, price
from levee.plan import Plan, Resource


def resource(token, inputs=None, name="it", **more):
    """A resource of a type, in no region: the base region's prices hold."""
    urn = more.pop("urn", f"urn:pulumi:test::shop::{token}::{name}")
    return Resource(urn=urn, type=token, name=name, inputs=inputs or {}, **more)


def plan_of(*resources, stack="test"):
    """A plan of an environment without defaults of usage, unless ``stack`` names one."""
    return Plan(project="shop", stack=stack, operation="preview", offline=True, resources=resources)


@pytest.fixture
def cost():
    """``cost(resource, key=amount)`` gives the one resource's cost; amounts are its usage."""

    def run(subject, *others, **usage):
        amounts = {
            key: value if isinstance(value, Range) else Range.exactly(Decimal(str(value)))
            for key, value in usage.items()
        }
        report = price(plan_of(subject, *others), usage=Usage({subject.type: amounts}))
        return next(found for found in report.resources if found.urn == subject.urn)

    return run
