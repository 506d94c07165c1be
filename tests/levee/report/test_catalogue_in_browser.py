"""The site in a real browser, from a folder: charts are drawn, the search finds, nothing is asked of a network."""

import itertools
from datetime import UTC, datetime

import pytest

from levee.report import catalogue
from tests.levee.report.test_catalogue import SHOP, domain, table
from tests.levee.report.test_page_in_browser import chromium

__all__ = ["chromium"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The site on disk."""
    where = tmp_path_factory.mktemp("site")
    catalogue.write([domain(*SHOP)], where, {}, datetime(2026, 11, 22, tzinfo=UTC))
    return where


@pytest.fixture
def opened(chromium, request):
    """Opens a page; afterwards nothing may have been complained of, and only the site's own files asked for."""
    complaints = []

    def open_page(path, *, scheme="light", width=1200):
        context = chromium.new_context(color_scheme=scheme, viewport={"width": width, "height": 800}, offline=True)
        request.addfinalizer(context.close)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request", lambda asked: complaints.extend([] if asked.url.startswith(("file:", "data:")) else [asked.url])
        )
        page.goto(path.as_uri())
        return page

    yield open_page
    assert complaints == []


@pytest.mark.parametrize(("scheme", "width"), list(itertools.product(("light", "dark"), (1200, 390))))
def test_charts_are_drawn_from_the_folder(opened, folder, scheme, width):
    page = opened(folder / "shop" / "silver.orders.html", scheme=scheme, width=width)
    page.wait_for_selector("html[data-drawn='2']")
    assert page.locator("#batches svg").count() > 0
    assert page.locator("#quality svg").count() > 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"


def test_the_search_leaves_what_it_finds(opened, folder):
    page = opened(folder / "index.html")
    assert page.locator("a.table:visible").count() == len(SHOP)
    page.fill("#search", "by_day")
    assert page.locator("a.table:visible b").all_inner_texts() == ["by_day"]
    assert page.locator("h3:visible").all_inner_texts() == ["Gold"]
    page.fill("#search", "nowhere")
    assert page.locator("#nothing").is_visible()


def test_lineage_leads_on(opened, folder):
    page = opened(folder / "shop" / "gold.by_day.html")
    page.locator(".lineage a", has_text="orders").first.click()
    page.wait_for_url("**/silver.orders.html")
    assert page.locator("h1").inner_text() == "shop.orders"


@pytest.mark.parametrize("width", [1100, 390])
def test_no_table_of_the_lineage_is_out_of_sight(opened, tmp_path, width):
    catalogue.write([domain(*SHOP, table("board", "gold", inputs=["gold.trend"]))], tmp_path, {}, datetime.now(UTC))
    page = opened(tmp_path / "shop" / "silver.orders.html", width=width)
    pan = page.locator(".pan").first
    whole = pan.evaluate("pan => pan.scrollWidth <= pan.clientWidth")
    assert whole is (width == 1100), "six tables side by side fit a window of 1,100 px, and pan on a phone"
    last = pan.locator("a", has_text="board")
    last.scroll_into_view_if_needed()
    box = last.bounding_box()
    assert 0 <= box["x"] < box["x"] + box["width"] <= width
