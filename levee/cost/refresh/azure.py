"""Azure's Retail Prices API: pages of prices under an OData filter, each naming the next.

Source: Microsoft Learn, "Azure Retail Prices overview" (``api-version=2023-01-01-preview``). No credential is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from httpx import QueryParams

from levee.cost.catalogue import BASE_REGIONS
from levee.cost.refresh.fetch import Fetcher
from levee.cost.refresh.selector import Published, Selector
from levee.errors import EngineError

HOST: Final = "https://prices.azure.com"
_PATH: Final = "/api/retail/prices"
_SPECIAL: Final = ("Spot", "Low Priority", "Expired")
"""Meters of machines that are not on demand."""

AZURE: Final[Sequence[Selector]] = (
    Selector("Virtual Machines", {"os": "linux"}, "machine/azure/{machine}", "hours", "1 Hour"),
    Selector("Virtual Machines", {"os": "windows"}, "machine/azure-windows/{machine}", "hours", "1 Hour"),
    Selector("Azure App Service", {"os": "linux"}, "app-service/linux/{skuName}", "hours", "1 Hour"),
    Selector("Redis Cache", {}, "redis/{armSkuName}", "nodes", "1/Month"),
)
"""What of the retail prices the catalogue keeps."""


class AzureRetailPrices:
    """Reads the retail prices.

    Args:
        fetcher: The network.
        host: Where they are published.
    """

    def __init__(self, fetcher: Fetcher, host: str = HOST) -> None:
        self._fetcher = fetcher
        self._host = host.rstrip("/")

    def prices(self, region: str, selectors: Sequence[Selector] = AZURE) -> Iterator[Published]:
        """Consumption prices of a region, in US dollars.

        Raises:
            EngineError: A page cannot be fetched or has not the published shape, or the pages lead in a circle.
        """
        suffix = "" if region == BASE_REGIONS["azure"] else f"@{region}"
        for offer in dict.fromkeys(selector.offer for selector in selectors):
            wanted = [selector for selector in selectors if selector.offer == offer]
            for item in self._items(offer, region):
                yield from _published(item, wanted, suffix)

    def _items(self, service: str, region: str) -> Iterator[Mapping[str, Any]]:
        chosen = f"serviceName eq '{service}' and armRegionName eq '{region}' and priceType eq 'Consumption'"
        query = QueryParams({"api-version": "2023-01-01-preview", "currencyCode": "USD", "$filter": chosen})
        url: str | None = f"{self._host}{_PATH}?{query}"
        followed: set[str] = set()
        while url:
            if url in followed:
                raise EngineError("the pages of prices lead back to one that was read", where=url)
            followed.add(url)
            page = self._fetcher.json(url)
            if not isinstance(page, Mapping) or "Items" not in page:
                raise EngineError("the page of prices has no 'Items'", where=url)
            yield from page["Items"]
            url = page.get("NextPageLink")


def _published(item: Mapping[str, Any], selectors: Sequence[Selector], suffix: str) -> Iterator[Published]:
    if item.get("type") != "Consumption" or any(word in item.get("skuName", "") for word in _SPECIAL):
        return
    machine = re.sub(r"[^a-z0-9]", "", str(item.get("armSkuName", "")).lower())
    system = "windows" if "Windows" in item.get("productName", "") else "linux"
    attributes = {name: str(value) for name, value in item.items()} | {"machine": machine, "os": system}
    for selector in selectors:
        if selector.matches(attributes, str(item.get("unitOfMeasure"))):
            key = selector.key.format_map(attributes).lower()
            if not key.endswith("/"):
                start, usd = Decimal(str(item.get("tierMinimumUnits", 0))), Decimal(str(item["unitPrice"]))
                yield Published(f"{key}{suffix}", selector.unit, start, usd, str(item.get("effectiveStartDate"))[:10])
