"""The site of data contracts: every page is whole, links to the others, escapes what it shows, and asks no network."""

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from levee.errors import EngineError
from levee.report import catalogue

EVIL = "<img src=x onerror=alert(1)>\"'&</script>"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def column(name, **more):
    known = {"type": "int", "required": False, "key": None, "unique": False, "classification": "internal"}
    return {"name": name, **known, "masking": None, "made": "", "description": "", **more}


def table(name, layer="silver", *, source=False, inputs=(), columns=("id",), edges=(), **more):
    words = dict.fromkeys(("title", "description", "purpose", "usage", "limitations", "owner", "origin"), "")
    return {
        **words,
        "name": name,
        "layer": layer,
        "source": source,
        "file": f"shop/{name}.odcs.yaml",
        "version": "1.0.0",
        "status": "active",
        "classification": "internal",
        "contacts": [],
        "roles": [],
        "sla": [],
        "retention": {"silver": None},
        "inputs": list(inputs),
        "columns": [column(one) if isinstance(one, str) else one for one in columns],
        "rules": [],
        "edges": list(edges),
        "state": None,
        "quality": [],
        "batches": [],
        "sample": None,
        **more,
    }


def edge(to, source, name, kind="DIRECT", subtype="IDENTITY"):
    return {"to": to, "table": source, "column": name, "type": kind, "subtype": subtype}


def domain(*tables):
    return catalogue.parse({"schema": 1, "domain": "shop", "tables": list(tables)})


RUN = {
    "state": {"rows": 1200, "quarantined": 3, "last_run": "2026-11-22T09:00:00+00:00", "status": "succeeded"},
    "quality": [{"at": "2026-11-22T09:00:00+00:00", "held": 7, "failed": 1, "not_run": 0}],
    "batches": [{"at": "2026-11-22T09:00:00+00:00", "rows": 1210, "good": 1200, "duplicates": 7, "quarantined": 3}],
}
SHOP = (
    table("orders", source=True, edges=[edge("id", "bronze.orders", "Id")], **RUN),
    table("clients", source=True),
    table(
        "by_day", "gold", inputs=["silver.orders"], edges=[edge("id", "silver.orders", "id", "DIRECT", "AGGREGATION")]
    ),
    table("trend", "gold", inputs=["gold.by_day"], edges=[edge(None, "gold.by_day", "id", "INDIRECT", "FILTER")]),
)


@pytest.fixture
def site(tmp_path):
    """Writes a site; returns its pages by their place in it."""

    def write(*tables, history=None):
        catalogue.write([domain(*tables)], tmp_path, history or {}, NOW)
        return {path.relative_to(tmp_path).as_posix(): path.read_text() for path in tmp_path.rglob("*.html")}

    return write


class Page(HTMLParser):
    """What a browser would find: elements, attributes, and text outside scripts."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.links, self.handlers = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src") and value]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def test_every_table_has_a_page_and_every_link_leads_somewhere(site, tmp_path):
    pages = site(*SHOP)
    assert pages.keys() == {
        "index.html",
        "shop/silver.orders.html",
        "shop/silver.clients.html",
        "shop/gold.by_day.html",
        "shop/gold.trend.html",
    }
    for place, text in pages.items():
        for link in Page(text).links:
            if link == "data:,":
                continue
            assert not urlsplit(link).scheme, link
            assert ((tmp_path / place).parent / unquote(link)).resolve().is_file(), (place, link)


def test_nothing_is_asked_of_a_network(site):
    for text in site(*SHOP).values():
        assert "default-src 'none'" in text
        assert not re.search(r"(?:src|href)=\"?(?:https?:)?//", text)


def test_what_a_contract_says_is_never_markup(site):
    evil = table(
        "orders",
        source=True,
        columns=[column("id", description=EVIL, made=EVIL, type=EVIL)],
        edges=[edge("id", EVIL, EVIL)],
        rules=[{"id": EVIL, "on": "rows", "on_failure": EVIL, "description": EVIL, "dimension": EVIL}],
        roles=[{"role": EVIL, "access": EVIL, "description": EVIL}],
        sla=[{"property": EVIL, "value": EVIL, "schedule": EVIL}],
        contacts=[EVIL],
        sample={"columns": [EVIL], "rows": [[EVIL], [None]], "left_out": [EVIL]},
        **dict.fromkeys(("title", "description", "purpose", "usage", "limitations", "owner", "origin"), EVIL),
        **{**RUN, "state": {"rows": 1, "quarantined": 0, "last_run": "2026-11-22T09:00:00+00:00", "status": EVIL}},
    )
    commit = catalogue.Commit(EVIL, EVIL, EVIL)
    for text in site(evil, history={"shop/orders.odcs.yaml": [commit]}).values():
        page = Page(text)
        assert "img" not in page.elements
        assert not page.handlers
        assert "<img" not in text


def test_a_table_shows_where_it_comes_from_and_what_comes_of_it(site):
    pages = site(*SHOP)
    drawn = re.findall(r'aria-label="(Lineage of [^"]*)"', pages["shop/gold.by_day.html"])
    assert "bronze.orders feeds silver.orders" in drawn[0]
    assert "gold.by_day feeds gold.trend" in drawn[0]
    assert "clients" not in drawn[0]
    assert drawn[1] == "Lineage of columns: id from silver.orders.id (aggregation)"
    assert 'href="silver.orders.html"' in pages["shop/gold.by_day.html"]
    assert "Every row depends on gold.by_day.id (filter)" not in drawn[0]


def test_charts_are_drawn_of_what_ran(site, tmp_path):
    pages = site(*SHOP)
    page = pages["shop/silver.orders.html"]
    (drawn,) = re.findall(r'id="figures">(.*?)</script>', page)
    figures = json.loads(drawn)
    assert figures["batches"]["data"][0]["y"] == [1200]
    assert [trace["y"] for trace in figures["quality"]["data"]] == [[7], [1], [0]]
    assert "99.2\N{NO-BREAK SPACE}% of 1,210 records are in the table" in page
    assert "3 hours ago" in page
    assert (tmp_path / "plotly.min.js").stat().st_size > 1_000_000
    assert "plotly.min.js" not in pages["shop/silver.clients.html"]
    assert "No batch is recorded." in pages["shop/silver.clients.html"]


def test_a_sample_says_what_it_leaves_out(site):
    sample = {"columns": ["id"], "rows": [["7"], [None]], "left_out": ["mail", "price"]}
    page = site(table("orders", source=True, sample=sample))["shop/silver.orders.html"]
    assert "2 rows of silver, masked. Not shown, as too sensitive: mail, price." in page
    assert ">null<" in page


def test_the_index_has_what_the_search_looks_for(site):
    index = site(table("orders", source=True, columns=["invoice_no"], owner="Shop"))["index.html"]
    assert re.search(r'data-words="orders[^"]*shop invoice_no"', index)


def test_changes_of_the_file_are_shown(site):
    history = {"shop/orders.odcs.yaml": [catalogue.Commit("ab12cd3", "2026-11-01", "Add a column")]}
    page = site(table("orders", source=True), table("clients", source=True), history=history)
    assert "Add a column" in page["shop/silver.orders.html"]
    assert "Git knows no change of shop/clients.odcs.yaml" in page["shop/silver.clients.html"]


def test_another_shape_is_told():
    with pytest.raises(EngineError, match=r"another shape: tables\.0\.name"):
        catalogue.parse({"schema": 1, "domain": "shop", "tables": [{"layer": "silver"}]})


def test_the_site_is_one_folder(site, tmp_path):
    site(*SHOP)
    assert {Path(path).parts[0] for path in (p.relative_to(tmp_path) for p in tmp_path.rglob("*"))} == {
        "index.html",
        "plotly.min.js",
        "shop",
    }
