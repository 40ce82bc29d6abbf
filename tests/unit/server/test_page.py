"""The one-file export: a built page with JSON that no text ends, one without scripts where none is built."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from agentops.server.query.page import inside, page, viewer

HOSTILE = "</script><script>alert(1)</script><!-- 今天 & more"


def event(number: int, parent: int, **told: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "event_id": f"{number:016x}",
        "parent_id": f"{parent:016x}" if parent else None,
        "name": HOSTILE,
        "kind": "llm",
        "model": "gpt-4o",
        "status": "ok",
        "duration_ms": 1.25,
        "tokens": {"total": 7},
        "cost_usd": 0.5,
        "started_at": "2026-11-20T14:02:11.482000Z",
        "input": None,
        "output": None,
        "error": None,
        "attributes": {},
        "events": [],
    }
    return plain | told


def test_no_text_ends_the_element_that_the_json_stands_in(tmp_path: Path) -> None:
    built = tmp_path / "export.html"
    built.write_text("<html><script type='application/json'>AGENTOPS_SESSION_JSON</script></html>")
    around = viewer(built)
    assert around is not None
    text = b"".join(inside(around, [b'{"name":', json.dumps(HOSTILE).encode(), b"}"])).decode()
    before, after = (part.decode() for part in around)
    assert text.startswith(before)
    assert text.endswith(after)
    told = text.removeprefix(before).removesuffix(after)
    assert "<" not in told
    assert json.loads(told) == {"name": HOSTILE}


def test_what_is_no_built_page_is_none(tmp_path: Path) -> None:
    assert viewer(tmp_path / "missing.html") is None
    (tmp_path / "other.html").write_text("<html></html>")
    assert viewer(tmp_path / "other.html") is None


def test_without_a_built_page_every_text_is_escaped_and_nothing_runs() -> None:
    session: dict[str, Any] = {
        "name": HOSTILE,
        "session_id": "one",
        "state": "fail",
        "event_counts": {"llm": 2, "tool": 0},
        "tokens": {"total": 7},
    }
    failed = {"type": "Slow", "message": HOSTILE, "stack": None}
    events = [event(1, 0, input=HOSTILE), event(2, 1, status="error", error=failed)]
    logs = [{"at": None, "severity_text": "WARN", "logger": None, "body": HOSTILE}]
    text = b"".join(page(session, events, logs)).decode()
    assert "<script" not in text
    assert "src=" not in text
    assert text.count("&lt;script&gt;alert(1)") == 7
    assert "今天 &amp; more" in text
    assert 'id="0000000000000002" style="margin-left:1.2rem"' in text
    assert "gpt-4o · ok · 1.2 ms · 7 tokens · $0.500000" in text
