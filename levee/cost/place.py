"""Where a resource stands: its cloud and region, the component it belongs to, and who pays for it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from typing_extensions import TypeIs

from levee.cost.catalogue import cloud_of
from levee.plan import SECRET, STACK_TYPE, UNKNOWN, Resource, Urn

_HOSTS: Final = (
    (".azuredatabricks.net", "azure"),
    (".gcp.databricks.com", "gcp"),
    (".cloud.databricks.com", "aws"),
)
"""How a workspace's host ends (Databricks documentation, "Workspace URL")."""

_ATTRIBUTES: Final = (("awsAttributes", "aws"), ("azureAttributes", "azure"), ("gcpAttributes", "gcp"))
_ZONE: Final = {"aws": re.compile(r"(?<=\d)[a-z]$"), "gcp": re.compile(r"-[a-z]$")}
_REGION_INPUTS: Final = {
    "aws": ("region", "availabilityZone"),
    "azure": ("location",),
    "gcp": ("region", "location", "zone"),
}
_PROVIDER_INPUTS: Final = {"aws": "region", "azure": "location", "gcp": "region"}
_TAGS: Final = ("tags", "labels", "customTags", "userLabels")
_DEFAULT_TAGS: Final = (("defaultTags", "tags"), ("defaultLabels", ""))
_COST_CENTRE: Final = "costcentre"


class Places:
    """What the whole graph says of where its resources stand.

    Args:
        resources: Every resource of the plan.
    """

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._by_urn = {resource.urn: resource for resource in resources}
        self._sole = _sole_regions(self._by_urn.values())
        self._roots: dict[str, Resource | None] = {}

    def provider(self, resource: Resource) -> Mapping[str, Any]:
        """Inputs of the resource's provider; empty where it is not in the graph."""
        provider = self._by_urn.get(resource.provider.rpartition("::")[0]) or self._by_urn.get(resource.provider)
        return (provider.inputs or provider.outputs) if provider else {}

    def cloud(self, resource: Resource) -> str:
        """``aws``, ``azure`` or ``gcp``; of Databricks the one its workspace runs on; empty where nothing says so."""
        cloud = cloud_of(resource.type) or ""
        if cloud != "databricks":
            return cloud
        host = str(self.provider(resource).get("host") or "").rstrip("/")
        found = next((name for suffix, name in _HOSTS if host.endswith(suffix)), "")
        return found or next((name for key, name in _ATTRIBUTES if resource.inputs.get(key)), "")

    def region(self, resource: Resource, cloud: str) -> str:
        """The region in its short lower-case form; empty where nothing says it.

        A Databricks provider does not: there the region counts that every other provider of the cloud is set to.
        """
        if cloud_of(resource.type) == "databricks":
            return self._sole.get(cloud, "")
        given = [resource.inputs.get(name) for name in _REGION_INPUTS.get(cloud, ())]
        given.append(self.provider(resource).get(_PROVIDER_INPUTS.get(cloud, "")))
        return next((_region(text, cloud) for text in given if _known(text)), "")

    def component(self, resource: Resource) -> Resource | None:
        """The outermost component that the resource belongs to, itself excluded."""
        parent = resource.parent
        if parent is None:
            return None
        if parent not in self._roots:
            above = self._by_urn.get(parent)
            if above is None or above.type == STACK_TYPE:
                self._roots[parent] = None
            else:
                outer = self.component(above)
                self._roots[parent] = outer or (None if above.custom else above)
        return self._roots[parent]

    def capability(self, resource: Resource) -> str:
        """Module of the outermost component's type: ``lake`` of ``levee:lake:AwsLake``; empty outside components."""
        component = self.component(resource)
        return component.type.split(":")[1].partition("/")[0] if component else ""

    def cost_centre(self, resource: Resource) -> str:
        """Value of the ``cost-centre`` tag, its own, its nearest parent's or its provider's default; else empty."""
        own = _cost_centre(resource.inputs.get(name) for name in _TAGS)
        if own:
            return own
        above = self._by_urn.get(resource.parent) if resource.parent else None
        if above is not None and above.custom and above.type != STACK_TYPE:
            return self.cost_centre(above)
        provider = self.provider(resource)
        return _cost_centre(_default_tags(provider, name, below) for name, below in _DEFAULT_TAGS)


def _sole_regions(resources: Iterable[Resource]) -> Mapping[str, str]:
    regions: dict[str, set[str]] = {}
    for resource in resources:
        cloud = cloud_of(Urn.parse(resource.urn).package + ":") if resource.is_provider else None
        if cloud in _PROVIDER_INPUTS:
            text = (resource.inputs or resource.outputs).get(_PROVIDER_INPUTS[cloud])
            if _known(text):
                regions.setdefault(cloud, set()).add(_region(text, cloud))
    return {cloud: next(iter(found)) for cloud, found in regions.items() if len(found) == 1}


def _known(text: Any) -> TypeIs[str]:
    return isinstance(text, str) and bool(text) and text not in (UNKNOWN, SECRET)


def _region(text: str, cloud: str) -> str:
    region = text.lower().replace(" ", "")
    zone = _ZONE.get(cloud)
    return zone.sub("", region) if zone and _is_zone(region, cloud) else region


def _is_zone(region: str, cloud: str) -> bool:
    """Whether the text names a zone of a region: ``eu-west-1a`` of AWS, ``europe-west1-b`` of Google Cloud."""
    return bool(_ZONE[cloud].search(region)) and (cloud == "aws" or region.count("-") > 1)


def _cost_centre(holders: Iterable[Any]) -> str:
    for holder in holders:
        if isinstance(holder, Mapping):
            for key, value in holder.items():
                plain = re.sub(r"[^a-z]", "", str(key).lower()).replace("center", "centre")
                if plain == _COST_CENTRE and _known(value):
                    return value
    return ""


def _default_tags(provider: Mapping[str, Any], name: str, below: str) -> Any:
    written = provider.get(name)
    if isinstance(written, str) and _known(written):
        try:
            written = json.loads(written)  # the engine hands a provider its objects as JSON text
        except ValueError:
            return None
    return written.get(below) if below and isinstance(written, Mapping) else written
