"""One session as one self-contained HTML file, which opens offline and loads nothing.

The dashboard's build leaves a page with the session views inside (static/export.html); the session's JSON
is put where it says. Without a built dashboard the file has no script: events stand in start order, indented
under their parents, each with what went in and out behind a click, every text escaped.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

VIEWER: Final = Path(__file__).resolve().parents[1] / "static" / "export.html"
_PLACE: Final = b"AGENTOPS_SESSION_JSON"

_STYLE: Final = """
:root{color-scheme:light dark;font:14px/1.5 system-ui,sans-serif}
body{max-width:72rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem;margin:0}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}
dt{opacity:.7}dd{margin:0;overflow-wrap:anywhere}
summary{cursor:pointer;padding:.15rem 0}
summary small{opacity:.7;margin-left:.6rem}
.error>summary{color:#c22}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#8881}
pre{padding:.6rem;border-radius:.3rem;margin:.3rem 0}
"""
_DEEPEST_INDENT: Final = 20
_ASIDE: Final = ("event_counts", "tokens", "ledger", "host_env", "resource", "session_id", "name")
_PARTS: Final = ("input", "output", "error", "attributes", "events")


def viewer(file: Path = VIEWER) -> tuple[bytes, bytes] | None:
    """Return the built page before and after the session's JSON; None when there is none."""
    try:
        before, place, after = file.read_bytes().partition(_PLACE)
    except OSError:
        return None
    return (before, after) if place else None


def inside(around: tuple[bytes, bytes], json: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a file's bytes: the page with a session's JSON in its script element.

    Args:
        around: what `viewer` returned.
        json: the JSON in pieces. Outside of its texts JSON has no `<`; inside it is escaped, so that no text
            ends the element.
    """
    yield around[0]
    for piece in json:
        yield piece.replace(b"<", b"\\u003c")
    yield around[1]


def page(
    session: dict[str, Any], events: Iterable[dict[str, Any]], logs: Iterable[dict[str, Any]]
) -> Iterator[bytes]:
    """Yield the file's bytes.

    Args:
        session: the session as the API shows it.
        events: its events, whole, in start order.
        logs: its log records as the API shows them.
    """
    title = html.escape(session["name"] or session["session_id"])
    facts = {name: value for name, value in session.items() if value not in (None, [], {})}
    facts = {"session_id": session["session_id"]} | {k: v for k, v in facts.items() if k not in _ASIDE}
    for name in ("event_counts", "tokens"):
        facts[name] = {kind: count for kind, count in session[name].items() if count}
    rows = "".join(f"<dt>{html.escape(name)}</dt><dd>{_line(value)}</dd>" for name, value in facts.items())
    yield (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1><dl>{rows}</dl><h2>Events</h2>"
    ).encode()
    depths: dict[str, int] = {}
    for event in events:
        depth = depths.get(event["parent_id"] or "", -1) + 1
        depths[event["event_id"]] = depth
        yield _event(event, min(depth, _DEEPEST_INDENT)).encode()
    first = True
    for record in logs:
        heading = "<h2>Logs</h2>" if first else ""
        first = False
        words = (record["at"], record["severity_text"], record["logger"])
        said = " ".join(html.escape(word) for word in words if word)
        yield f"{heading}<div><small>{said}</small><pre>{_text(record['body'])}</pre></div>".encode()
    yield b"</body></html>"


def _event(event: dict[str, Any], depth: int) -> str:
    lasted = event["duration_ms"]
    tokens = event["tokens"]["total"]
    cost = event["cost_usd"]
    words = (
        event["kind"],
        event["model"],
        event["status"],
        None if lasted is None else f"{lasted:.1f} ms",
        None if tokens is None else f"{tokens} tokens",
        None if cost is None else f"${cost:.6f}",
        event["started_at"],
    )
    aside = " · ".join(html.escape(str(word)) for word in words if word)
    parts = "".join(
        f"<div>{part}<pre>{_text(event[part])}</pre></div>"
        for part in _PARTS
        if event[part] not in (None, "", [], {})
    )
    mark = ' class="error"' if event["status"] == "error" else ""
    return (
        f'<details{mark} id="{event["event_id"]}" style="margin-left:{depth * 1.2:.1f}rem">'
        f"<summary>{html.escape(event['name'] or event['kind'])}<small>{aside}</small></summary>"
        f"{parts}</details>"
    )


def _line(value: Any) -> str:
    return html.escape(value if isinstance(value, str) else msgspec.json.encode(value).decode())


def _text(value: Any) -> str:
    if isinstance(value, str):
        return html.escape(value)
    return html.escape(msgspec.json.format(msgspec.json.encode(value)).decode())
