"""A server with keys, in a browser: signing in, switching projects, managing keys, signing out.

The browser notes each refusal as an error, which is right: the tests take the page that may.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_hostile_text import nothing_serious
from tests.serving import Server
from tests.spans import body, span


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("home"), arguments=("--port", "0", "--auth"))
    yield server
    server.close()


@pytest.fixture(scope="module")
def first_key(locked: Server) -> str:
    found = re.search(r"shown only now: (\S+)", "".join(locked.log))
    assert found
    headers = {"Authorization": f"Bearer {found[1]}"}
    for project, name in (("default", "Of the first project"), ("Team", "Of the team")):
        if project != "default":
            locked.http.post("/api/projects", json={"name": project}, headers=headers)
        made = locked.http.post(
            "/api/keys", json={"project": project, "scope": "record"}, headers=headers
        ).json()
        sent = body(span(sum(project.encode()), 1, name=name, agentops__span__kind="session"))
        answer = locked.http.post("/v1/traces", json=sent, headers={"X-Agentops-Api-Key": made["key"]})
        assert answer.status_code == 200
    return found[1]


def _sign_in(page: Page, server: Server, key: str) -> None:
    page.goto(server.url)
    page.get_by_label("Key").fill(key)
    page.get_by_role("button", name="Sign in").click()


def test_signing_in_switching_and_signing_out(locked: Server, visitor: Page, first_key: str) -> None:
    _sign_in(visitor, locked, "22222222-2222-4222-8222-222222222222")
    expect(visitor.get_by_role("alert")).to_contain_text("no key of this server")
    other = visitor.context.new_page()
    other.goto(f"{locked.url}/sessions?state=success")
    expect(other.get_by_label("Key")).to_be_visible()
    _sign_in(visitor, locked, first_key)
    expect(visitor.get_by_role("link", name="Of the first project")).to_be_visible()
    # The other page lets its reader in as well, where it wanted to go.
    expect(other.get_by_role("button", name="Clear state")).to_be_visible()
    (cookie,) = visitor.context.cookies()
    assert cookie.get("httpOnly") is True
    assert cookie.get("sameSite") == "Strict"
    assert first_key not in str(cookie)
    assert visitor.evaluate("document.cookie") == ""

    visitor.get_by_role("combobox", name="Project").select_option(label="Team")
    expect(visitor.get_by_role("link", name="Of the team")).to_be_visible()
    expect(visitor.get_by_role("link", name="Of the first project")).to_have_count(0)
    # The other page turned with it: what it would ask for now is the other project's.
    expect(other.get_by_role("link", name="Of the team")).to_be_visible()
    expect(other.get_by_role("link", name="Of the first project")).to_have_count(0)

    visitor.get_by_role("button", name="sign out").click()
    expect(visitor.get_by_label("Key")).to_be_visible()
    expect(other.get_by_label("Key")).to_be_visible()
    other.close()
    # The cookie is worth nothing to whoever kept it.
    kept = {"Cookie": f"{cookie.get('name')}={cookie.get('value')}"}
    assert locked.http.get("/api/sessions", headers=kept).status_code == 401


def test_a_key_is_made_used_and_revoked_on_the_settings_page(
    locked: Server, visitor: Page, first_key: str
) -> None:
    _sign_in(visitor, locked, first_key)
    visitor.get_by_role("link", name="Settings").click()
    visitor.get_by_label("Name of the key").fill("for the support agent")
    visitor.get_by_role("button", name="Make a key").click()
    shown = visitor.get_by_role("dialog", name="Your new key")
    key = shown.locator(".new-key").inner_text()
    shown.get_by_role("button", name="Close").click()
    sent = body(span(0xABC, 1, name="recorded", agentops__span__kind="session"))
    headers = {"X-Agentops-Api-Key": key}
    assert locked.http.post("/v1/traces", json=sent, headers=headers).status_code == 200
    assert locked.http.get("/api/sessions", headers=headers).status_code == 403
    row = visitor.get_by_role("row").filter(has_text="for the support agent")
    row.get_by_role("button", name="Revoke").click()
    visitor.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(row).to_contain_text("revoked")
    assert locked.http.post("/v1/traces", json=sent, headers=headers).status_code == 401
    assert key not in visitor.content()


def test_who_may_only_read_is_offered_no_changes(locked: Server, visitor: Page, first_key: str) -> None:
    headers = {"Authorization": f"Bearer {first_key}"}
    made = locked.http.post("/api/keys", json={"project": "default", "scope": "read"}, headers=headers).json()
    _sign_in(visitor, locked, made["key"])
    visitor.get_by_label("Choose Of the first project").click()
    bar = visitor.get_by_role("toolbar", name="Chosen sessions")
    expect(bar.get_by_label("Tag to add")).to_be_disabled()
    expect(bar.get_by_role("button", name="Delete")).to_be_disabled()
    expect(bar.get_by_role("button", name="Export the chosen sessions")).to_be_enabled()
    visitor.get_by_role("link", name="Of the first project").click()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Of the first project")
    delete = visitor.get_by_role("button", name="Delete")
    expect(delete).to_be_disabled()
    expect(delete).to_have_attribute("title", re.compile("scope admin"))
    expect(visitor.locator(".summary")).to_be_visible()
    for name in ("Rename", "+ tag", "+ note"):
        expect(visitor.get_by_text(name).or_(visitor.get_by_title(name))).to_have_count(0)
    visitor.get_by_role("link", name="Settings").click()
    expect(visitor.get_by_role("heading", name="About")).to_be_visible()
    for name in ("Keep so long", "Make a key", "Make a project"):
        expect(visitor.get_by_role("button", name=name)).to_have_count(0)


def test_a_key_is_asked_for_when_the_open_page_is_no_longer_let_in(visitor: Page, tmp_path: Path) -> None:
    open_server = Server(tmp_path)
    port = str(urlsplit(open_server.url).port)
    try:
        open_server.post("/v1/traces", body(span(1, 1, name="seen", agentops__span__kind="session")))
        # The last that the page asks by itself: from then on it only listens.
        with visitor.expect_response(re.compile("state=running")):
            visitor.goto(f"{open_server.url}/sessions")
        expect(visitor.get_by_role("link", name="seen")).to_be_visible()
    finally:
        open_server.close()
    expect(visitor.get_by_text("server unreachable")).to_be_visible()
    closed_server = Server(tmp_path, arguments=("--port", port, "--auth"))
    try:
        expect(visitor.get_by_label("Key")).to_be_visible(timeout=15_000)
        nothing_serious(visitor, "sign-in")
    finally:
        closed_server.close()
