"""Rebuilds the catalogue's prices from what AWS and Azure publish."""

from levee.cost.refresh.aws import AWS, AwsPriceList
from levee.cost.refresh.azure import AZURE, AzureRetailPrices
from levee.cost.refresh.fetch import Fetcher
from levee.cost.refresh.rebuild import Rebuilt, rebuild

__all__ = ["AWS", "AZURE", "AwsPriceList", "AzureRetailPrices", "Fetcher", "Rebuilt", "rebuild"]
