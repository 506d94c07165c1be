"""What every page must keep: links that lead somewhere, dependencies with their reason, decisions in one form."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))


def declared(project):
    """The names of a pyproject's dependencies, extras and groups included."""
    content = tomllib.loads((ROOT / project).read_text())
    groups = [content["project"].get("dependencies", []), *content.get("dependency-groups", {}).values()]
    groups += content["project"].get("optional-dependencies", {}).values()
    names = {re.split(r"[\[=<>~! ]", text)[0] for group in groups for text in group}
    return names - {content["project"]["name"]}


def explained(*titles):
    """The packages that have a line under the given headings."""
    page = (ROOT / "docs" / "dependencies.md").read_text()
    sections = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
    texts = [body for title, body in sections.items() if title.startswith(titles)]
    return set(re.findall(r"^\| ([a-z0-9-]+) \| \S", "".join(texts), re.MULTILINE)) - {"package"}


@pytest.mark.parametrize(
    ("project", "title"), [("pyproject.toml", "The toolkit"), ("pipelines/pyproject.toml", "The wheel")]
)
def test_every_dependency_says_why_it_is_here(project, title):
    assert declared(project) == explained(title), "mend docs/dependencies.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    local = [link.split("#")[0] for link in links if "://" not in link and not link.startswith("#")]
    assert [link for link in local if not (page.parent / link).exists()] == []


def test_every_recipe_is_named_at_the_head_of_its_page():
    contents, *recipes = re.split(r"^## ", (ROOT / "docs" / "how-to.md").read_text(), flags=re.MULTILINE)
    titles = [recipe.split("\n", 1)[0] for recipe in recipes]
    anchors = {title: re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in titles}
    assert dict(re.findall(r"\[([^\]]+)\]\(#([^)]+)\)", contents)) == anchors


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_decisions_have_one_form(page):
    text = page.read_text()
    number = page.stem[:4]
    assert re.match(rf"# {number}: \S", text)
    assert re.search(
        r"^Author: .+\. Date: \d{4}-\d{2}-\d{2}\. Status: (proposed|accepted|superseded by \d{4})\.", text, re.MULTILINE
    )
    assert re.findall(r"^## (.+)", text, re.MULTILINE)[:3] == ["Context", "Decision", "Consequences"]


def test_decisions_are_numbered_once():
    numbers = [page.stem[:4] for page in DECISIONS]
    assert len(set(numbers)) == len(numbers)
