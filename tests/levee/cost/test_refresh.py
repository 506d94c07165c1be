"""Price lists are fetched from a real server that answers as AWS and Azure do: pages, throttling, failures, 304."""

import json
import tracemalloc
from collections import Counter, defaultdict
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from levee.cli.app import run
from levee.cost.catalogue import PRICE_COLUMNS, read_prices
from levee.cost.refresh import AwsPriceList, AzureRetailPrices, Fetcher, rebuild
from levee.cost.refresh.aws import AWS
from levee.cost.refresh.azure import AZURE
from levee.errors import EngineError

EC2 = [one for one in AWS if one.offer == "AmazonEC2"]
MACHINES = [one for one in AZURE if one.offer == "Virtual Machines"]


def product(sku, attributes, family="Compute Instance"):
    return {sku: {"sku": sku, "productFamily": family, "attributes": attributes}}


def on_demand(sku, unit, usd, begin="0"):
    dimension = {"unit": unit, "beginRange": begin, "endRange": "Inf", "pricePerUnit": {"USD": usd}}
    return {sku: {f"{sku}.JRTCKXETXF": {"sku": sku, "priceDimensions": {f"{sku}.JRTCKXETXF.6YS6EN2CT7": dimension}}}}


LINUX = {
    "instanceType": "m5.large",
    "operatingSystem": "Linux",
    "tenancy": "Shared",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
    "locationType": "AWS Region",
}
PRODUCTS = {
    **product("A", LINUX),
    **product("B", LINUX | {"tenancy": "Dedicated"}),
    **product("C", LINUX | {"instanceType": "m9.large"}),
    **product("D", LINUX | {"locationType": "AWS Outposts"}),
    **product("E", {"volumeApiName": "gp3", "locationType": "AWS Region"}, "Storage"),
    **product("F", {"locationType": "AWS Region"}, "Storage"),
    **product("G", LINUX | {"instanceType": "free.large"}),
}
OFFER = {
    "formatVersion": "v1.0",
    "offerCode": "AmazonEC2",
    "publicationDate": "2026-11-20T18:00:00Z",
    "products": PRODUCTS,
    "terms": {
        "OnDemand": {
            **on_demand("A", "Hrs", "0.0990000000"),
            **on_demand("B", "Hrs", "9.0"),
            **on_demand("C", "Hrs", "0.2000000000"),
            **on_demand("D", "Hrs", "8.0"),
            **on_demand("E", "GB-Mo", "0.0800000000"),
            **on_demand("F", "GB-Mo", "7.0"),
            **on_demand("G", "Hrs", "0.0"),
        },
        "Reserved": {"A": {}},
    },
}
REGIONS = {
    "regions": {
        r: {"currentVersionUrl": f"/offers/v1.0/aws/AmazonEC2/20261120/{r}/index.json"}
        for r in ("us-east-1", "eu-west-1")
    }
}
INDEX = {"offers": {"AmazonEC2": {"currentRegionIndexUrl": "/offers/v1.0/aws/AmazonEC2/current/region_index.json"}}}


def item(sku, usd, product_name="Virtual Machines Dsv9 Series", **more):
    return {
        "currencyCode": "USD",
        "tierMinimumUnits": 0.0,
        "unitPrice": usd,
        "retailPrice": usd,
        "armRegionName": "eastus",
        "effectiveStartDate": "2026-10-01T00:00:00Z",
        "productName": product_name,
        "skuName": sku.removeprefix("Standard_"),
        "serviceName": "Virtual Machines",
        "unitOfMeasure": "1 Hour",
        "type": "Consumption",
        "armSkuName": sku,
        **more,
    }


class Vendor:
    """A server with canned documents, and faults that go away."""

    def __init__(self):
        self.documents, self.pages, self.endless = {}, [], None
        self.faults = defaultdict(list)
        self.asked, self.unchanged = Counter(), 0
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            def log_request(self, code="-", size="-"):
                pass

            def do_GET(self):
                path = urlsplit(self.path).path
                vendor.asked[path] += 1
                if vendor.faults[path]:
                    code, headers = vendor.faults[path].pop(0)
                    return self.reply(code, b"", headers)
                body = vendor.body(self.path)
                if body is None:
                    return self.reply(404, b"", {})
                etag = f'"{hash(body)}"'
                if self.headers.get("If-None-Match") == etag:
                    vendor.unchanged += 1
                    return self.reply(304, b"", {"ETag": etag})
                return self.reply(200, body, {"ETag": etag, "Content-Type": "application/json"})

            def reply(self, code, body, headers):
                self.send_response(code)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def body(self, url):
        split = urlsplit(url)
        if split.path == "/api/retail/prices":
            query = {name: values[-1] for name, values in parse_qs(split.query).items()}
            service = query["$filter"].partition("serviceName eq '")[2].partition("'")[0]
            assert "armRegionName eq 'eastus'" in query["$filter"]
            skip = int(query.get("$skip", "0"))
            here = f"{self.url}{split.path}?{urlencode({**query, '$skip': skip + 1})}"
            items = [one for one in self.pages[skip] if one["serviceName"] == service]
            more = here if skip + 1 < len(self.pages) else None
            return json.dumps({"Items": items, "NextPageLink": self.endless or more, "Count": len(items)}).encode()
        found = self.documents.get(split.path)
        return found if isinstance(found, bytes | None) else json.dumps(found).encode()


@pytest.fixture
def vendor():
    served = Vendor()
    served.documents = {
        "/offers/v1.0/aws/index.json": INDEX,
        "/offers/v1.0/aws/AmazonEC2/current/region_index.json": REGIONS,
        "/offers/v1.0/aws/AmazonEC2/20261120/us-east-1/index.json": OFFER,
        "/offers/v1.0/aws/AmazonEC2/20261120/eu-west-1/index.json": OFFER,
    }
    thread = Thread(target=served.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    served.server.shutdown()
    served.server.server_close()
    thread.join()


@pytest.fixture
def waits():
    return []


@pytest.fixture
def fetcher(tmp_path, waits):
    with Fetcher(tmp_path / "cache", sleep=waits.append) as made:
        yield made


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "aws.csv"
    lines = ["machine/aws/m5.large,0,hours,0.096,,aws_instance: m5,list", "nat-gateway/hours,0,hours,0.045,,,list"]
    path.write_text("\n".join([",".join(PRICE_COLUMNS), *lines]) + "\n")
    return path


def test_aws_is_read_through_its_indexes_and_only_what_is_on_demand_and_shared(vendor, fetcher):
    found = {one.key: one.usd for one in AwsPriceList(fetcher, vendor.url).prices("us-east-1", EC2)}
    assert found == {
        "machine/aws/m5.large": Decimal("0.0990000000"),
        "machine/aws/m9.large": Decimal("0.2000000000"),
        "machine/aws/free.large": Decimal("0.0"),
        "storage/ebs/gp3": Decimal("0.0800000000"),
    }


def test_another_region_is_kept_beside_the_base(vendor, fetcher):
    keys = {one.key for one in AwsPriceList(fetcher, vendor.url).prices("eu-west-1", EC2)}
    assert "machine/aws/m5.large@eu-west-1" in keys


def test_a_rebuild_changes_what_is_published_and_nothing_else(vendor, fetcher, file):
    done = rebuild(file, AwsPriceList(fetcher, vendor.url).prices("us-east-1", EC2), "aws-bulk")
    prices = read_prices(file)
    machine = prices["machine/aws/m5.large"]
    assert (machine.tiers[0].usd, machine.source, machine.fact) == (
        Decimal("0.099"),
        "aws-bulk@2026-11-20",
        "aws_instance: m5",
    )
    assert prices["nat-gateway/hours"].source == "list"
    assert "machine/aws/free.large" not in prices
    assert (done.added, done.changed, done.confirmed, done.kept) == (2, 1, 0, 1)
    again = rebuild(file, AwsPriceList(fetcher, vendor.url).prices("us-east-1", EC2), "aws-bulk")
    assert (again.added, again.changed, again.confirmed, again.kept) == (0, 0, 3, 1)
    assert vendor.unchanged == 3


def test_azure_is_read_page_by_page(vendor, fetcher):
    vendor.pages = [
        [item("Standard_D2s_v9", 0.1), item("Standard_D2s_v9", 0.03, skuName="D2s v9 Spot")],
        [
            item("Standard_D2s_v9", 0.19, "Virtual Machines Dsv9 Series Windows"),
            item("Standard_D2s_v9", 700, type="Reservation"),
        ],
        [item("Standard_D4s_v9", 0.2)],
    ]
    found = {one.key: one.usd for one in AzureRetailPrices(fetcher, vendor.url).prices("eastus", MACHINES)}
    assert found == {
        "machine/azure/standardd2sv9": Decimal("0.1"),
        "machine/azure-windows/standardd2sv9": Decimal("0.19"),
        "machine/azure/standardd4sv9": Decimal("0.2"),
    }
    assert vendor.asked["/api/retail/prices"] == 3


def test_pages_that_lead_back_are_an_error(vendor, fetcher):
    vendor.pages = [[item("Standard_D2s_v9", 0.1)]]
    vendor.endless = f"{vendor.url}/api/retail/prices?$filter=serviceName eq 'x' and armRegionName eq 'eastus'"
    with pytest.raises(EngineError, match="lead back"):
        list(AzureRetailPrices(fetcher, vendor.url).prices("eastus", MACHINES))


def test_throttling_and_failures_are_waited_out_as_the_server_asks(vendor, fetcher, waits):
    path = "/offers/v1.0/aws/index.json"
    vendor.faults[path] = [(429, {"Retry-After": "7"}), (500, {}), (503, {})]
    assert list(AwsPriceList(fetcher, vendor.url).prices("us-east-1", EC2))
    assert vendor.asked[path] == 4
    assert waits[0] == 7
    assert len(waits) == 3


def test_a_server_that_keeps_failing_is_an_error_and_leaves_the_file(vendor, fetcher, file):
    vendor.faults["/offers/v1.0/aws/index.json"] = [(500, {})] * 99
    before = file.read_bytes()
    with pytest.raises(EngineError, match="HTTP 500"):
        rebuild(file, AwsPriceList(fetcher, vendor.url).prices("us-east-1", EC2), "aws-bulk")
    assert file.read_bytes() == before
    assert vendor.asked["/offers/v1.0/aws/index.json"] == 6


def test_a_refusal_is_not_tried_again(vendor, fetcher):
    vendor.documents.clear()
    with pytest.raises(EngineError, match="HTTP 404"):
        list(AwsPriceList(fetcher, vendor.url).prices("us-east-1", EC2))
    assert sum(vendor.asked.values()) == 1


@pytest.mark.parametrize("document", [{}, {"offers": {}}, {"offers": {"AmazonEC2": {}}}, []])
def test_a_list_of_another_shape_is_an_error_not_an_empty_list(vendor, fetcher, document):
    vendor.documents["/offers/v1.0/aws/index.json"] = document
    with pytest.raises(EngineError, match="has no"):
        list(AwsPriceList(fetcher, vendor.url).prices("us-east-1", EC2))


@pytest.mark.parametrize("path", ["index.json", "AmazonEC2/20261120/us-east-1/index.json"])
def test_a_document_cut_short_is_an_error_and_is_fetched_anew(vendor, fetcher, path):
    path = f"/offers/v1.0/aws/{path}"
    whole = vendor.documents[path]
    vendor.documents[path] = json.dumps(whole).encode()[:-9]
    with pytest.raises(EngineError, match="no JSON"):
        list(AwsPriceList(fetcher, vendor.url).prices("us-east-1", EC2))
    vendor.documents[path] = whole
    assert list(AwsPriceList(fetcher, vendor.url).prices("us-east-1", EC2))


@pytest.mark.parametrize("part", ["publicationDate", "products", "terms"])
def test_a_region_without_a_part_is_an_error_not_an_empty_list(vendor, fetcher, part):
    path = "/offers/v1.0/aws/AmazonEC2/20261120/us-east-1/index.json"
    vendor.documents[path] = {name: value for name, value in OFFER.items() if name != part}
    with pytest.raises(EngineError, match=f"has no '{part}"):
        list(AwsPriceList(fetcher, vendor.url).prices("us-east-1", EC2))


def test_a_region_is_read_product_by_product(vendor, fetcher):
    """A region of EC2 has hundreds of megabytes; what is in memory must not grow with them."""
    dedicated = {"tenancy": "Dedicated", "description": "x" * 1_000}
    many = {f"X{i}": product(f"X{i}", LINUX | dedicated)[f"X{i}"] for i in range(2_500)}
    document = OFFER | {"products": many | PRODUCTS}
    vendor.documents["/offers/v1.0/aws/AmazonEC2/20261120/us-east-1/index.json"] = whole = json.dumps(document).encode()
    fetcher.file(f"{vendor.url}/offers/v1.0/aws/AmazonEC2/20261120/us-east-1/index.json")
    tracemalloc.start()
    found = list(AwsPriceList(fetcher, vendor.url).prices("us-east-1", EC2))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) == 4
    assert peak < len(whole) / 4


def test_the_command_rewrites_the_catalogue_of_a_folder(vendor, file, monkeypatch, capsys):
    monkeypatch.setenv("LEVEE_CACHE", str(file.parent / "cache"))
    (file.parent / "azure.csv").write_text(",".join(PRICE_COLUMNS) + "\n")
    vendor.pages = [[item("Standard_D2s_v9", 0.1)]]
    arguments = ["prices", "refresh", "azure", "--into", str(file.parent), "--azure-host", vendor.url]
    assert run(arguments) == 0
    assert read_prices(file.parent / "azure.csv")["machine/azure/standardd2sv9"].tiers[0].usd == Decimal("0.1")
    assert "1 prices added" in capsys.readouterr().out
