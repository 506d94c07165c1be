"""The page in a real browser: every chart is drawn, nothing is complained of, nothing is fetched."""

import os
import shutil

import pytest
from playwright.sync_api import sync_playwright

from levee import report

CHARTS = (
    "sales-over-time",
    "clean-vs-quarantined",
    "quarantine-by-rule",
    "revenue-by-country",
    "revenue-by-customer",
    "policy-verdicts",
    "resource-graph",
)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
CHROMIUM = os.environ.get("LEVEE_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def chromium():
    """A browser for this module's tests."""
    if CHROMIUM is None:
        pytest.skip("no Chromium: apt-get install chromium, or set LEVEE_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


class Opened:
    """A page, and everything that the browser complained of or asked for."""

    def __init__(self, browser, path, *, scheme, width):
        self.path = path
        self.context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800}, offline=True)
        self.page, self.seen = self.context.new_page(), []
        self.page.on("console", lambda message: self.seen.append(f"console: {message.text}"))
        self.page.on("pageerror", lambda error: self.seen.append(f"error: {error}"))
        self.page.on("request", lambda request: self.seen.append(f"request: {request.url[:200]}"))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-drawn]")

    def eventually(self, script):
        """Wait until the script gives something true; the page's own policy forbids Playwright's way."""
        for _ in range(100):
            if self.page.evaluate(script):
                return
            self.page.wait_for_timeout(50)
        pytest.fail(f"never true: {script}")


@pytest.fixture(scope="module")
def pages(chromium, plan, empty_plan, summary, tmp_path_factory):
    """``laptop`` (light), ``phone`` (dark, 390 pixels) and ``empty``, each opened once."""
    folder = tmp_path_factory.mktemp("report")
    full = report.write(plan, summary, folder / "full" / "report.html", environment="local")
    empty = report.write(empty_plan, None, folder / "empty" / "report.html", environment="local")
    opened = {
        "laptop": Opened(chromium, full, scheme="light", width=1280),
        "phone": Opened(chromium, full, scheme="dark", width=390),
        "empty": Opened(chromium, empty, scheme="light", width=1280),
    }
    yield opened
    for each in opened.values():
        each.context.close()


@pytest.mark.parametrize("name", ["laptop", "phone", "empty"])
def test_the_browser_complains_of_nothing_and_fetches_nothing(pages, name):
    opened = pages[name]
    assert opened.seen == [f"request: {opened.path.as_uri()}"]


@pytest.mark.parametrize("name", ["laptop", "phone"])
@pytest.mark.parametrize("chart", CHARTS)
def test_every_chart_is_drawn(pages, name, chart):
    page = pages[name].page
    assert page.locator(f"#{chart} .main-svg .trace").count() > 0
    assert page.locator(f"#{chart}").bounding_box()["height"] > 90
    assert page.locator(f"#{chart}-title").text_content()


@pytest.mark.parametrize(("name", "width"), [("laptop", 1280), ("phone", 390), ("empty", 1280)])
def test_the_page_never_scrolls_sideways(pages, name, width):
    assert pages[name].page.evaluate("document.documentElement.scrollWidth") == width


def test_the_charts_hold_the_numbers(pages):
    page = pages["laptop"].page
    assert page.locator("#sales-over-time .bars .point").count() == 3
    assert page.locator("#clean-vs-quarantined .bars .point").count() == 3
    assert page.locator("#revenue-by-country .bars .point").count() == 3
    assert page.locator("#revenue-by-customer .bars .point").count() == 12
    assert "£7.29 M" in page.locator("#revenue-by-country").text_content()
    assert page.locator("#resource-graph .scatterlayer .point").count() == 10


@pytest.mark.parametrize("name", ["laptop", "phone"])
def test_no_text_at_the_end_of_a_bar_is_cut(pages, name):
    page = pages[name].page
    for chart in ("quarantine-by-rule", "revenue-by-country", "revenue-by-customer"):
        box = page.locator(f"#{chart}").bounding_box()
        text = page.locator(f"#{chart} .bartext").last.bounding_box()
        assert text["x"] + text["width"] <= box["x"] + box["width"] + 1, chart


def test_text_of_a_plan_is_no_markup(pages):
    assert pages["laptop"].page.get_by_text("'<b>dev</b>'").count() == 1


def test_before_the_first_run_it_says_what_to_run(pages):
    page = pages["empty"].page
    assert page.get_by_text("levee run sales --env local").first.is_visible()
    assert page.get_by_text("levee up local").is_visible()


def test_pointing_at_a_resource_lights_its_lines(pages):
    opened = pages["laptop"]
    lit = "document.getElementById('resource-graph').data[2].x.length > 0"
    assert not opened.page.evaluate(lit)
    opened.page.locator("#resource-graph .scatterlayer .point").first.hover(force=True)
    opened.eventually(lit)


def test_the_theme_changes_while_it_is_open(pages):
    opened = pages["laptop"]
    colour = "document.querySelector('#sales-over-time .bars .point path').style.fill"
    before = opened.page.evaluate(colour)
    opened.page.emulate_media(color_scheme="dark")
    opened.eventually(f"{colour} !== '{before}'")


def test_the_gate_sees_an_error_and_a_request(chromium, tmp_path):
    """What the first test relies on does happen when a page is wrong."""
    broken = tmp_path / "broken.html"
    broken.write_text('<html data-drawn="1"><img src="other.png"><script>missing()</script>')
    seen = Opened(chromium, broken, scheme="light", width=800).seen
    assert any(entry.startswith("error: ") for entry in seen)
    assert any("other.png" in entry for entry in seen)
