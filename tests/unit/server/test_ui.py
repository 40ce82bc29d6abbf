"""The dashboard's files: those named by content are kept, others asked for again and sent when changed."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from starlette.testclient import TestClient

from agentops.server import ui


def test_a_page_is_sent_again_only_when_it_holds_something_else(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index-abc.js").write_text("1")
    page.write_text("<p>one</p>")
    app = FastAPI()
    ui.install(app, ("/api/",), tmp_path)
    http = TestClient(app)
    asset = http.get("/assets/index-abc.js")
    assert "immutable" in asset.headers["cache-control"]
    first = http.get("/sessions/some")
    assert first.headers["cache-control"] == "no-cache"
    assert first.headers["content-type"].startswith("text/html")
    known = {"if-none-match": first.headers["etag"]}
    again = http.get("/sessions/some", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    page.write_text("<p>two</p>")
    assert http.get("/sessions/some", headers=known).text == "<p>two</p>"
