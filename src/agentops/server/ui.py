"""The dashboard: files that Vite built into `static/`, and its one page for every page route."""

from __future__ import annotations

import re
from hashlib import blake2b
from mimetypes import guess_type
from pathlib import Path
from typing import Final
from uuid import UUID

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

STATIC: Final = Path(__file__).parent / "static"
_SESSION: Final = re.compile(r"/sessions/([\w.~-]+)", re.ASCII)
_OWN: Final = ("index.html", "export.html")
"""Pages that are never asked for by name: the dashboard's own, and the one that exports are made from."""
_TRACE: Final = re.compile("[0-9a-fA-F]{32}")
_FIRST_SESSIONS: Final = "/api/sessions?sort=started&order=desc&limit=50"
"""What the list asks for first (dashboard/src/api/queries.ts)."""
_PAGES: Final = ("/sessions", "/analytics", "/compare", "/settings")
_NOT_BUILT: Final = """<!doctype html><html lang="en"><head><meta
charset="utf-8"><title>AgentOps</title></head><body>
<h1>The dashboard is not built</h1>
<p>This server runs from a checkout whose dashboard was never built. In the checkout, run <code>make
dashboard</code>
and reload this page. Recording and the API work meanwhile: <a href="/api/sessions">/api/sessions</a>,
<a href="/docs">/docs</a>.</p></body></html>"""


def install(app: FastAPI, api_prefixes: tuple[str, ...], folder: Path = STATIC) -> None:
    """Serve the dashboard on everything that is no route of the API (begins with none of its prefixes)."""

    @app.api_route("/{path:path}", methods=["GET", "HEAD"], include_in_schema=False, response_model=None)
    def dashboard(request: Request, path: str) -> Response:
        """Return a file of the dashboard, or its page."""
        route = "/" + path
        if f"{route}/".startswith(api_prefixes):
            raise HTTPException(404)
        trace_id = request.query_params.get("trace_id", "")
        if route == "/sessions" and _TRACE.fullmatch(trace_id):
            # The links that the published 0.4 clients print.
            return RedirectResponse(f"/sessions/{UUID(trace_id)}")
        file = _inside(folder, path)
        if file is not None:
            return _answer(request, file, {"Cache-Control": _cached(path)})
        if "." in path.rpartition("/")[2] and path.startswith("assets/"):
            raise HTTPException(404)
        if route != "/" and "text/html" not in request.headers.get("accept", "") and not _is_page(route):
            # Whoever asks for no page and for none that we know mistyped a route: an error helps, a page does
            # not.
            raise HTTPException(404)
        page = folder / "index.html"
        if not page.is_file():
            return HTMLResponse(_NOT_BUILT, 200 if not path else 404)
        return _answer(request, page, {"Cache-Control": "no-cache", **_early(route, request.url.query)})


def _cached(path: str) -> str:
    """Return how long a browser may keep a file."""
    # Vite names assets by their content: they never change.
    if path.startswith("assets/"):
        return "public, max-age=31536000, immutable"
    # Browsers ask for the icon at each change of the address.
    return "public, max-age=86400" if path == "favicon.svg" else "no-cache"


def _answer(request: Request, file: Path, headers: dict[str, str]) -> Response:
    """Return a file, packed if there is one and the browser takes it, or that the browser has it already."""
    packed = file.with_name(f"{file.name}.gz")
    if packed.is_file():
        headers["Vary"] = "Accept-Encoding"
        if _takes_gzip(request.headers.get("accept-encoding", "")):
            headers["Content-Encoding"] = "gzip"
    content = (packed if "Content-Encoding" in headers else file).read_bytes()
    # By what it holds: two builds may leave a page of one size and, unpacked from a wheel, of one age.
    headers["ETag"] = f'"{blake2b(content, digest_size=12).hexdigest()}"'
    known = request.headers.get("if-none-match", "").split(",")
    if {"*", headers["ETag"]} & {one.strip().removeprefix("W/") for one in known}:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=guess_type(file.name)[0])


def _takes_gzip(accepted: str) -> bool:
    """Return whether an Accept-Encoding header names gzip, and not as what it must not be."""
    for one in accepted.split(","):
        name, _, weight = one.partition(";")
        if name.strip().lower() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _early(route: str, query: str) -> dict[str, str]:
    """Return the header with which what a page shows first travels while its code is still being read."""
    found = _SESSION.fullmatch(route)
    if found is not None:
        wanted = (f"/api/sessions/{found[1]}", f"/api/sessions/{found[1]}/timeline?fields=drawing")
    elif route == "/sessions" and not query:
        wanted = (_FIRST_SESSIONS,)
    else:
        return {}
    return {
        "Link": ", ".join(f'<{url}>; rel="preload"; as="fetch"; crossorigin="anonymous"' for url in wanted)
    }


def _is_page(route: str) -> bool:
    return any(route == page or route.startswith(page + "/") for page in _PAGES)


def _inside(folder: Path, path: str) -> Path | None:
    """Return the file, if there is one and it is inside the folder."""
    if not path or path in _OWN or "\x00" in path:
        return None
    file = (folder / path).resolve()
    return file if file.is_relative_to(folder.resolve()) and file.is_file() else None
