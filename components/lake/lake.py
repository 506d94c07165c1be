"""The lake as everybody else sees it: its arguments, and a URL for each layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

import pulumi

from components.lake.lifecycle import Ageing, Dataset
from components.tags import Tags
from pipelines.contracts import Layer


@dataclass(frozen=True, slots=True)
class Aws:
    """A lake on S3.

    Attributes:
        account: Account id; no other account may read or write.
        region: Region of the buckets and the key.
    """

    account: str
    region: str


@dataclass(frozen=True, slots=True)
class Azure:
    """A lake on ADLS Gen2.

    Attributes:
        subscription: Subscription id.
        tenant: Tenant id.
        region: Region.
        zone_redundant: Whether data is kept in three zones.
        allowed_cidrs: Public IPv4 ranges that the firewalls let in.
        subnets: Resource ids of the subnets that the stores' firewall lets in, such as those of the clusters; each with
            the service endpoint ``Microsoft.Storage``.
    """

    subscription: str
    tenant: str
    region: str
    zone_redundant: bool = True
    allowed_cidrs: tuple[str, ...] = ()
    subnets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gcp:
    """A lake on Cloud Storage.

    Attributes:
        project: Project id.
        region: Region.
        hsm: Whether the key lives in hardware (FIPS 140-2 level 3).
    """

    project: str
    region: str
    hsm: bool = False


Target: TypeAlias = Aws | Azure | Gcp


@dataclass(frozen=True, slots=True)
class LakeArgs:
    """What a lake is made of.

    Attributes:
        company: Short name that begins every global name.
        environment: Name of the environment.
        target: Where it is; its type picks the cloud.
        tags: Tags of everything in it.
        classes: Data class by layer, where it is not that of `tags`.
        datasets: Datasets whose deliveries it receives; they decide how long landing files stay.
        ageing: How long the rest stays.
        protect: Whether stores and keys are protected from deletion.
        lock: Whether the audit store's retention can never be shortened again.
        force_destroy: Whether a store may be deleted with what it holds.
    """

    company: str
    environment: str
    target: Target
    tags: Tags
    classes: Mapping[Layer, str] = field(default_factory=dict)
    datasets: tuple[Dataset, ...] = ()
    ageing: Ageing = field(default_factory=Ageing)
    protect: bool = True
    lock: bool = False
    force_destroy: bool = False

    def __post_init__(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            ValueError: The lake is to be protected or locked, and emptied on deletion.
        """
        if self.force_destroy and (self.protect or self.lock):
            raise ValueError("a lake with force_destroy can be neither protected nor locked: unset one of them")

    def tags_of(self, layer: Layer) -> Tags:
        """The tags of a layer's store."""
        return self.tags.classified(self.classes.get(layer, self.tags.classification))


class Lake(pulumi.ComponentResource):
    """One store a layer, encrypted with a key of the company's own, closed to the public, logged and versioned.

    Attributes:
        urls: Root URL by layer, as Spark reads it: ``s3://``, ``abfss://`` or ``gs://``, without a slash at the end.
        key: The encryption key: ARN, key identifier or resource id.
        lock_command: The command that locks the audit store for good, where the cloud's provider cannot; else ``None``.
    """

    cloud: ClassVar[str]
    urls: Mapping[Layer, pulumi.Output[str]]
    key: pulumi.Output[str]
    lock_command: pulumi.Output[str] | None = None

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(f"levee:lake:{type(self).__name__}", name, None, opts)

    def url(self, layer: Layer) -> pulumi.Output[str]:
        """Root URL of a layer."""
        return self.urls[layer]

    def finish(self, urls: Mapping[Layer, pulumi.Output[str]], key: pulumi.Output[str]) -> None:
        """Keep and register the outputs; the last thing a cloud's constructor does."""
        self.urls, self.key = urls, key
        self.register_outputs({"urls": {layer.value: url for layer, url in urls.items()}, "key": key})
