"""``levee prices``: the price catalogue itself."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from levee import places
from levee.cli import panels
from levee.cli.console import human, write_json
from levee.cli.options import JsonFile
from levee.cost.catalogue import BASE_REGIONS, DATA
from levee.cost.refresh import AwsPriceList, AzureRetailPrices, Fetcher, rebuild


class Vendor(StrEnum):
    """Who publishes prices that can be fetched without a credential."""

    AWS = "aws"
    AZURE = "azure"


_SOURCES = {Vendor.AWS: "aws-bulk", Vendor.AZURE: "azure-retail"}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    prices = panels.group(
        app,
        "prices",
        panels.MACHINE,
        help_="Rebuild the price catalogue from what the vendors publish.",
        example="levee prices refresh azure --region westeurope",
    )
    panels.command(prices, refresh, example="levee prices refresh azure --region westeurope")


def refresh(
    vendor: Annotated[
        list[Vendor] | None, typer.Argument(metavar="VENDOR", help="Whose prices; all where absent.")
    ] = None,
    *,
    region: Annotated[
        str | None, typer.Option("--region", metavar="R", help="A region, beside the one all prices are of.")
    ] = None,
    into: Annotated[
        Path, typer.Option("--into", metavar="DIR", help="The catalogue's folder.", show_default="Levee's own")
    ] = DATA,
    aws_host: Annotated[str | None, typer.Option("--aws-host", metavar="URL", help="A mirror of AWS's.")] = None,
    azure_host: Annotated[str | None, typer.Option("--azure-host", metavar="URL", help="A mirror of Azure's.")] = None,
    json: JsonFile = None,
) -> int:
    """Fetch the vendors' public price lists and rewrite those lines of the catalogue; all others stay."""
    console, counts = human(json), {}
    hosts = {Vendor.AWS: aws_host, Vendor.AZURE: azure_host}
    with Fetcher(places.cache() / "prices") as fetcher:
        for one in vendor or list(Vendor):
            wanted = region or BASE_REGIONS[one.value]
            host = {"host": url} if (url := hosts[one]) else {}
            client = AwsPriceList(fetcher, **host) if one is Vendor.AWS else AzureRetailPrices(fetcher, **host)
            done = rebuild(into / f"{one.value}.csv", client.prices(wanted), _SOURCES[one])
            counts[one.value] = {"region": wanted, **asdict(done)}
            console.print(
                f"{one.value} {wanted}: {done.added:,} prices added, {done.changed:,} changed, "
                f"{done.confirmed:,} confirmed, {done.kept:,} left as they were"
            )
    if json:
        write_json({"version": 1, "vendors": counts}, json)
    return 0
