"""The documentation is checked like code: links lead somewhere, commands and settings exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from scripts import settings_page

from agentops import config

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    path
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").glob("*.md"))
    if "node_modules" not in path.parts
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
# Read by the tests and by the dashboard's development server, not by the product.
NOT_SETTINGS = {"AGENTOPS_TEST_BROWSER", "AGENTOPS_TEST_CLICKHOUSE", "AGENTOPS_DEV_SERVER"}
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), flags=re.MULTILINE)
    plain = (re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken: list[str] = []
    for target in LINK.findall(FENCE.sub("", page.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = set(LINK.findall((folder / "README.md").read_text()))
    assert listed == {path.name for path in folder.glob("[0-9]*.md")}


def test_every_page_and_every_example_is_listed() -> None:
    for folder, kind in ((ROOT / "docs", "*.md"), (ROOT / "examples", "*.py")):
        listed = set(LINK.findall((folder / "README.md").read_text()))
        assert {path.name for path in folder.glob(kind)} - {"README.md", "__init__.py"} <= listed


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z%-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_make_targets_that_are_named_exist(page: Path) -> None:
    text = page.read_text()
    # In code only: "make sure" is English.
    code = "\n".join([*FENCE.findall(text), *re.findall(r"`([^`\n]+)`", text)])
    named = set(re.findall(r"\bmake ([a-z]+(?:-[a-z]+)*)", code))
    known = make_targets()
    benchmarks = {
        f"bench-{path.stem[6:].replace('_', '-')}" for path in (ROOT / "benchmarks").glob("bench_*.py")
    }
    assert named - known - benchmarks == set()


def test_make_help_lists_what_a_user_may_call() -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = set(re.findall(r"^  make (\S+)", shown, flags=re.MULTILINE))
    assert listed == {target for target in make_targets() if not target.startswith("env-")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_settings_that_are_named_exist(page: Path) -> None:
    known = {setting.env for setting in config.SETTINGS} | NOT_SETTINGS
    named = set(re.findall(r"\bAGENTOPS_[A-Z_]+\b", page.read_text()))
    assert named - known == set()


def test_the_page_of_settings_is_the_table_in_the_code() -> None:
    assert settings_page.PAGE.read_text() == settings_page.render(), "Run: python scripts/settings_page.py"


def test_the_version_has_an_entry_in_the_changelog() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    version = re.search(r'^version = "([^"]+)"', project, flags=re.MULTILINE)
    assert version is not None
    assert f"## [{version[1]}]" in (ROOT / "CHANGELOG.md").read_text()
