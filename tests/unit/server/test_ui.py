"""The dashboard's files: those named by content are kept, others asked for again and sent when changed."""

from __future__ import annotations

import gzip
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
    assert http.get("/sessions/some", headers={"if-none-match": "*"}).status_code == 304
    page.write_text("<p>two</p>")
    assert http.get("/sessions/some", headers=known).text == "<p>two</p>"


def test_what_the_build_packed_is_sent_packed_to_who_takes_it(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    asset = tmp_path / "assets" / "index-abc.js"
    asset.write_text("1" * 1000)
    asset.with_name("index-abc.js.gz").write_bytes(gzip.compress(asset.read_bytes()))
    app = FastAPI()
    ui.install(app, ("/api/",), tmp_path)
    http = TestClient(app)
    answers = {
        accepted: http.get("/assets/index-abc.js", headers={"accept-encoding": accepted})
        for accepted in ("gzip, br", "br;q=1.0, gzip;q=0", "identity")
    }
    assert {answer.text for answer in answers.values()} == {"1" * 1000}
    assert {answer.headers["vary"] for answer in answers.values()} == {"Accept-Encoding"}
    assert [answer.headers.get("content-encoding") for answer in answers.values()] == ["gzip", None, None]
    assert [int(answer.headers["content-length"]) < 1000 for answer in answers.values()] == [
        True,
        False,
        False,
    ]
    # A browser that has one form of it is not told that it has the other.
    packed, plain = answers["gzip, br"], answers["identity"]
    assert packed.headers["etag"] != plain.headers["etag"]
    assert all("immutable" in answer.headers["cache-control"] for answer in answers.values())
    assert packed.headers["content-type"] == plain.headers["content-type"]
