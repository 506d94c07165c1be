"""AWS's bulk price list: an index of offers, of each offer its regions, of each region every product and its terms.

Source: AWS Billing user guide, "Getting price list files manually" (offer index, region index and price list files,
``formatVersion`` v1.0). No credential is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, Final

import ijson

from levee.cost.catalogue import BASE_REGIONS
from levee.cost.refresh.fetch import Fetcher
from levee.cost.refresh.selector import Published, Selector
from levee.errors import EngineError

HOST: Final = "https://pricing.us-east-1.amazonaws.com"
_INDEX: Final = "/offers/v1.0/aws/index.json"
_LINUX: Final = {"tenancy": "Shared", "preInstalledSw": "NA", "capacitystatus": "Used", "operatingSystem": "Linux"}
_DATABASES: Final = (("MySQL", "Single-AZ", "single-az"), ("MySQL", "Multi-AZ", "multi-az"))

AWS: Final[Sequence[Selector]] = (
    Selector("AmazonEC2", _LINUX, "machine/aws/{instanceType}", "hours", "Hrs"),
    Selector("AmazonEC2", {"productFamily": "Storage"}, "storage/ebs/{volumeApiName}", "GB", "GB-Mo"),
    *(
        Selector(
            "AmazonRDS",
            {"databaseEngine": engine, "deploymentOption": option},
            f"rds/{name}/{{instanceType}}",
            "hours",
            "Hrs",
        )
        for engine, option, name in _DATABASES
    ),
    Selector("AmazonElastiCache", {"cacheEngine": "Redis"}, "elasticache/{instanceType}", "hours", "Hrs"),
    Selector("AmazonRedshift", {"productFamily": "Compute Instance"}, "redshift/node/{instanceType}", "hours", "Hrs"),
    Selector("AmazonMSK", {"operation": "RunBroker"}, "msk/{instanceType}", "hours", "Hrs"),
)
"""What of the price list the catalogue keeps."""


class AwsPriceList:
    """Reads the bulk price list.

    Args:
        fetcher: The network.
        host: Where it is published.
    """

    def __init__(self, fetcher: Fetcher, host: str = HOST) -> None:
        self._fetcher = fetcher
        self._host = host.rstrip("/")

    def prices(self, region: str, selectors: Sequence[Selector] = AWS) -> Iterator[Published]:
        """On-demand prices of a region, in US dollars.

        Raises:
            EngineError: A file cannot be fetched or has not the published shape, or a service is not in the region.
        """
        offers = self._get(_INDEX, "offers")
        for offer in dict.fromkeys(selector.offer for selector in selectors):
            wanted = [selector for selector in selectors if selector.offer == offer]
            regions = self._get(_field(_field(offers, offer), "currentRegionIndexUrl"), "regions")
            url = f"{self._host}{_field(_field(regions, region), 'currentVersionUrl')}"
            try:
                yield from _published(self._fetcher.file(url), wanted, region)
            except ijson.JSONError:
                raise self._fetcher.not_json(url) from None

    def _get(self, path: str, name: str) -> Mapping[str, Any]:
        return _field(self._fetcher.json(f"{self._host}{path}"), name)


def _published(path: Path, selectors: Sequence[Selector], region: str) -> Iterator[Published]:
    """What a service publishes for a region: a file of hundreds of megabytes, read once for each of its parts."""
    as_of = next(_parts(path, ijson.items, "publicationDate"))[:10]
    suffix = "" if region == BASE_REGIONS["aws"] else f"@{region}"
    chosen = dict(_chosen(path, selectors))
    for sku, terms in _parts(path, ijson.kvitems, "terms.OnDemand"):
        for term in terms.values() if sku in chosen else ():
            for dimension in term["priceDimensions"].values():
                usd = dimension["pricePerUnit"].get("USD")
                for selector, key in chosen[sku]:
                    if usd is not None and dimension["unit"] == selector.published_unit:
                        start = Decimal(dimension.get("beginRange", "0"))
                        yield Published(f"{key}{suffix}", selector.unit, start, Decimal(usd), as_of)


def _chosen(path: Path, selectors: Sequence[Selector]) -> Iterator[tuple[str, list[tuple[Selector, str]]]]:
    """Each product that the catalogue keeps, by its SKU, with its selectors and keys."""
    for sku, product in _parts(path, ijson.kvitems, "products"):
        attributes = {**product.get("attributes", {}), "productFamily": product.get("productFamily", "")}
        if attributes.get("locationType", "AWS Region") == "AWS Region":
            fitting = [(s, _filled(s.key, attributes)) for s in selectors if s.fits(attributes)]
            if any(key for _, key in fitting):
                yield sku, [(selector, key) for selector, key in fitting if key]


def _parts(path: Path, read: Callable[[IO[bytes], str], Iterator[Any]], prefix: str) -> Iterator[Any]:
    """The parts of a document below a path, one by one.

    Raises:
        EngineError: There is none.
    """
    with path.open("rb") as file:
        part = None
        for part in read(file, prefix):
            yield part
    if part is None:
        raise _lacks(prefix)


def _filled(key: str, attributes: Mapping[str, str]) -> str:
    try:
        return key.format_map(attributes).lower()
    except KeyError:
        return ""  # a product of the family without that attribute, such as a snapshot among volumes


def _field(holder: Mapping[str, Any], name: str) -> Any:
    if not isinstance(holder, Mapping) or name not in holder:
        raise _lacks(name)
    return holder[name]


def _lacks(name: str) -> EngineError:
    return EngineError(f"the price list has no {name!r}", where=HOST, fix="AWS may have changed it: keep the prices")
